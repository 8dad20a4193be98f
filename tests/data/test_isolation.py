"""Reading in a child: the same table comes back, and neither memory, time nor a crash gets out."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tabnet_engine.config import TableLimits
from tabnet_engine.data.reading import isolation
from tabnet_engine.data.tables import ReadOptions, read_table, read_table_isolated, sheet_names
from tabnet_engine.errors import StorageError, TableError

MIXED = 'when,n,x,<b>ok</b>,word\n2024-01-02,1,0.5,true,"a ""b"""\n2024-01-03,2,?,false,é\n'


@pytest.fixture
def mixed(tmp_path) -> Path:
    path = tmp_path / "mixed.csv"
    path.write_text(MIXED, encoding="utf-8")
    return path


def test_the_same_table_comes_back(mixed):
    here, there = read_table(mixed), read_table_isolated(mixed, name="mixed.csv")
    pd.testing.assert_frame_equal(there.frame, here.frame)
    assert isinstance(there.frame.index, pd.RangeIndex)
    assert (there.options, there.notes, there.sha256, there.name) == (here.options, here.notes, here.sha256, here.name)


def test_the_users_error_comes_back(tmp_path):
    with pytest.raises(TableError, match=r"^there is no file gone\.csv"):
        read_table_isolated(tmp_path / "gone.csv")


def test_memory_is_bounded(tmp_path):
    path = tmp_path / "list.parquet"
    pq.write_table(
        pa.table({"a": pa.ListArray.from_arrays([0, 20_000_000], np.zeros(20_000_000, np.int64))}),
        path,
        compression="zstd",
    )
    assert path.stat().st_size < 10_000
    with pytest.raises(TableError, match="memory"):
        read_table_isolated(path, limits=TableLimits(max_parse_bytes=64 << 20))


def test_time_is_bounded(mixed):
    with pytest.raises(TableError, match="more than 0 seconds"):
        read_table_isolated(mixed, limits=TableLimits(max_parse_seconds=0))


def run_child(script: str, tmp_path: Path, monkeypatch) -> None:
    """Have a small program stand in for the child."""
    real = subprocess.Popen

    def popen(command, **options):
        return real([command[0], "-c", script], **options)

    monkeypatch.setattr("tabnet_engine.data.reading.isolation.subprocess.Popen", popen)


def test_a_crash_of_native_code_is_one_sentence(mixed, tmp_path, monkeypatch):
    run_child("import os; os.abort()", tmp_path, monkeypatch)
    with pytest.raises(TableError, match=r"mixed\.csv could not be read within 8 GiB of memory"):
        read_table_isolated(mixed)


def test_a_defect_of_ours_fails_loudly(mixed, tmp_path, monkeypatch):
    run_child("raise ZeroDivisionError('ours')", tmp_path, monkeypatch)
    with pytest.raises(RuntimeError, match=r"(?s)ended with code 1: .*ZeroDivisionError: ours"):
        read_table_isolated(mixed)


def test_memory_errors_in_the_log_are_the_users(mixed, tmp_path, monkeypatch):
    run_child("raise MemoryError", tmp_path, monkeypatch)
    with pytest.raises(TableError, match="GiB of memory"):
        read_table_isolated(mixed)


def ask(tmp_path, **request) -> dict:
    isolation.main(json.dumps({"folder": str(tmp_path), "limits": {}, **request}), limited=False)
    return json.loads((tmp_path / "answer.json").read_text())


def test_the_child_leaves_table_and_answer(mixed, tmp_path):
    answer = ask(tmp_path, task="table", path=str(mixed), name="m", options=ReadOptions().to_mapping())
    assert answer["name"] == "m"
    assert answer["options"]["delimiter"] == ","
    assert pq.read_table(tmp_path / "table.parquet").num_rows == 2


def test_the_child_leaves_the_users_error(mixed, tmp_path, monkeypatch):
    options = ReadOptions(delimiter=";", header="first").to_mapping()
    mixed.write_text("a\n")
    answer = ask(tmp_path, task="table", path=str(mixed), name="m", options=options)
    assert answer == {"error": answer["error"], "kind": "TableError"}
    assert "header and no rows" in answer["error"]

    def withhold(*_args):
        raise StorageError("m cannot be opened")

    monkeypatch.setattr("tabnet_engine.data.reading.isolation.read_source", withhold)
    assert ask(tmp_path, task="table", path=str(mixed), name="m", options=options)["kind"] == "StorageError"


def test_a_storage_error_comes_back_as_one(mixed, monkeypatch):
    def answer(request, folder, _limits):
        (folder / "answer.json").write_text(json.dumps({"error": "no permission", "kind": "StorageError"}))
        return 0

    monkeypatch.setattr(isolation, "_run", answer)
    with pytest.raises(StorageError, match="no permission"):
        read_table_isolated(mixed)


def test_sheets_through_the_child(tmp_path):
    import openpyxl

    path = tmp_path / "t.xlsx"
    openpyxl.Workbook().save(path)
    assert sheet_names(path) == ("Sheet",)
    assert ask(tmp_path, task="sheets", path=str(path), name="t") == {"sheets": ["Sheet"]}


def test_the_limits_are_set_on_the_child():
    script = (
        "import resource, json\n"
        "from tabnet_engine.config import TableLimits\n"
        "from tabnet_engine.data.reading import isolation\n"
        "isolation._limit_process(TableLimits(max_parse_bytes=1 << 30, max_parse_seconds=7))\n"
        "print(json.dumps([resource.getrlimit(r)[0] for r in"
        " (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_CORE)]))\n"
    )
    root = Path(isolation.__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root)
    memory, seconds, core = json.loads(done.stdout)
    assert 1 << 30 < memory < 64 << 30
    assert 7 < seconds < 10_000
    assert core == 0
    assert resource.getrlimit(resource.RLIMIT_AS)[0] != memory


def test_a_full_disk_for_temporary_files_is_said(tmp_path):
    path = tmp_path / "long.csv"
    pd.DataFrame({"x": np.random.default_rng(0).normal(size=2_000)}).to_csv(path, index=False)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_024, hard))
    try:
        with pytest.raises(StorageError, match=r"^long\.csv could not be read: the disk with .* is full; free some"):
            read_table_isolated(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
