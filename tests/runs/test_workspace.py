from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tabnet_engine.data.profile import profile_table
from tabnet_engine.data.reading.options import ReadOptions
from tabnet_engine.errors import StorageError, UserError
from tabnet_engine.runs.database import hold_items, release_items, writing
from tabnet_engine.runs.workspace import Workspace
from tests.runs.conftest import as_table, people, people_schema, snapshot


def add(workspace: Workspace, **changes: Any) -> Any:
    return workspace.add_dataset(as_table(people(), **changes))


def test_a_table_comes_back_as_it_was_kept(workspace: Workspace, tmp_path: Path) -> None:
    original = tmp_path / "upload.tmp"
    original.write_bytes(b"age,city\n")
    info = workspace.add_dataset(as_table(people(), name="people.csv.gz"), original, schema=people_schema())
    pd.testing.assert_frame_equal(workspace.load_frame(info.dataset_id), people())
    assert (info.n_rows, info.n_columns, info.notes) == (40, 4, ("one line was skipped",))
    assert ReadOptions.from_mapping(info.options) == ReadOptions(format="csv", delimiter=",")
    assert workspace.dataset(info.dataset_id) == info
    assert workspace.list_datasets() == (info,)
    assert workspace.load_schema(info.dataset_id) == people_schema()
    kept = workspace.original_file(info.dataset_id)
    assert kept is not None
    assert (kept.name, kept.read_bytes()) == ("original.csv.gz", b"age,city\n")
    assert info.n_bytes == sum(path.stat().st_size for path in kept.parent.iterdir())


def test_some_columns_come_in_the_order_asked_for(workspace: Workspace) -> None:
    frame = pd.DataFrame({"a": [1, 2], "a.b": [3, 4], "$x$": ["u", "v"], "": [True, False]})
    info = workspace.add_dataset(as_table(frame))
    assert list(workspace.load_frame(info.dataset_id, ["a.b"]).columns) == ["a.b"]
    pd.testing.assert_frame_equal(workspace.load_frame(info.dataset_id, ["", "a"]), frame[["", "a"]])


def test_the_same_file_with_the_same_options_is_kept_once(workspace: Workspace) -> None:
    first = add(workspace)
    assert add(workspace, name="again.csv") == first
    other = add(workspace, options=ReadOptions(format="csv", delimiter=";"))
    third = add(workspace, sha256="ef" * 32)
    assert len({first.dataset_id, other.dataset_id, third.dataset_id}) == 3
    assert [info.dataset_id for info in workspace.list_datasets()] == [
        info.dataset_id for info in (third, other, first)
    ]


def test_two_that_add_the_same_table_at_once_end_with_one(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tabnet_engine.runs import workspace as module

    real, raced = module.write_dataset_folder, []

    def other_comes_first(*args: Any) -> None:
        real(*args)
        if not raced:
            raced.append(True)
            raced.append(add(workspace))

    monkeypatch.setattr(module, "write_dataset_folder", other_comes_first)
    assert add(workspace) == raced[1]
    assert len(list(workspace.datasets_folder.iterdir())) == 1


def test_a_dataset_whose_folder_was_removed_by_hand_can_be_uploaded_again(workspace: Workspace) -> None:
    info = add(workspace)
    (workspace.datasets_folder / info.dataset_id / "table.parquet").unlink()
    with pytest.raises(StorageError, match="delete the dataset and upload its file again"):
        workspace.load_frame(info.dataset_id)
    again = add(workspace)
    assert again.dataset_id == info.dataset_id
    assert len(workspace.load_frame(info.dataset_id)) == 40
    assert len(workspace.list_datasets()) == 1


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_table_is_an_error_not_wrong_numbers(workspace: Workspace, damage: str) -> None:
    info = workspace.add_dataset(as_table(pd.DataFrame({"x": range(5_000)})))
    path = workspace.datasets_folder / info.dataset_id / "table.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes({"truncated": content[: len(content) // 2], "flipped": content, "empty": b""}[damage])
    with pytest.raises(StorageError, match=r"the stored table of 'people\.csv' is damaged"):
        workspace.load_frame(info.dataset_id)


def test_the_schema_and_profile_of_a_dataset(workspace: Workspace) -> None:
    info = add(workspace)
    assert workspace.load_schema(info.dataset_id) is None
    workspace.save_schema(info.dataset_id, people_schema())
    profile = workspace.datasets_folder / info.dataset_id / "profile.json"
    profile.write_text("{}")
    workspace.save_schema(info.dataset_id, people_schema())
    assert profile.exists(), "the same columns again leave the profile as it is"
    workspace.save_schema(info.dataset_id, people_schema("age"))
    assert not profile.exists(), "a profile speaks of the target, so it goes when that changes"
    assert workspace.load_schema(info.dataset_id) == people_schema("age")


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"columns": 3}', b"\xff"])
def test_a_damaged_schema_is_one_sentence(workspace: Workspace, content: bytes) -> None:
    info = add(workspace)
    (workspace.datasets_folder / info.dataset_id / "schema.json").write_bytes(content)
    with pytest.raises(StorageError, match="delete the dataset and upload it again"):
        workspace.load_schema(info.dataset_id)


@pytest.mark.parametrize("name", ["", "x", "../workspace.db", "..", "/etc", "a" * 64])
def test_unknown_ids_are_the_users_mistake_and_lead_nowhere(workspace: Workspace, name: str) -> None:
    for ask in (
        workspace.dataset,
        workspace.load_frame,
        workspace.load_schema,
        workspace.original_file,
        workspace.delete_dataset,
    ):
        with pytest.raises(UserError, match="there is no dataset"):
            ask(name)
    for ask in (workspace.run, workspace.run_version, workspace.delete_run):
        with pytest.raises(UserError, match="there is no run"):
            ask(name)
    if name != "x" and len(name) != 64:
        with pytest.raises(UserError, match="there is no run"):
            workspace.run_folder(name)


def test_the_profile_is_kept_until_it_cannot_be_read(workspace: Workspace) -> None:
    info = add(workspace)
    assert workspace.load_profile(info.dataset_id) is None
    profile = profile_table(people(), people_schema())
    workspace.save_profile(info.dataset_id, profile)
    assert workspace.load_profile(info.dataset_id) == profile
    for content in (b"{", b"[]"):
        (workspace.datasets_folder / info.dataset_id / "profile.json").write_bytes(content)
        assert workspace.load_profile(info.dataset_id) is None, "it can be computed again"


def test_a_dataset_is_deleted_with_its_files_unless_a_job_uses_it(workspace: Workspace) -> None:
    info, other = add(workspace), add(workspace, sha256="ef" * 32)
    with writing(workspace.engine) as connection:
        hold_items(connection, "job-1", "Train people", [("dataset", info.dataset_id), ("run", "r1")])
    before = snapshot(workspace.root)
    with pytest.raises(UserError, match=r"'people\.csv' is used by the job 'Train people'"):
        workspace.delete_dataset(info.dataset_id)
    assert snapshot(workspace.root) == before
    with writing(workspace.engine) as connection:
        release_items(connection, "job-1")
    workspace.delete_dataset(info.dataset_id)
    assert workspace.list_datasets() == (other,)
    assert [path.name for path in workspace.datasets_folder.iterdir()] == [other.dataset_id]


def test_a_dataset_whose_folder_is_gone_can_be_deleted(workspace: Workspace) -> None:
    info = add(workspace)
    for path in (workspace.datasets_folder / info.dataset_id).iterdir():
        path.unlink()
    (workspace.datasets_folder / info.dataset_id).rmdir()
    workspace.delete_dataset(info.dataset_id)
    assert workspace.list_datasets() == ()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_wherever_the_disk_refuses_no_half_dataset_remains(
    workspace: Workspace, refusals: Callable[..., Any], code: int
) -> None:
    earlier = add(workspace)
    before = snapshot(workspace.root)
    words = "the disk is full" if code == errno.ENOSPC else "permission is denied"
    new = as_table(people(), sha256="ef" * 32)
    n_refusals = 0
    for error in refusals(lambda: workspace.add_dataset(new, schema=people_schema()), code):
        n_refusals += 1
        assert str(error).startswith("could not keep the table 'people.csv': ")
        assert words in str(error)
        assert snapshot(workspace.root) == before
        assert workspace.list_datasets() == (earlier,)
    assert n_refusals > 8, "the disk must be asked at every step"
    assert len(workspace.list_datasets()) == 2


def test_a_database_that_refuses_leaves_no_folder_behind(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import contextmanager

    from tabnet_engine.runs import workspace as module

    @contextmanager
    def refuses_to_commit(engine: Any) -> Any:
        with engine.connect() as connection:
            yield connection
        raise StorageError("the workspace's database cannot be used: the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(module, "writing", refuses_to_commit)
        with pytest.raises(StorageError, match="database cannot be used"):
            add(workspace)
    assert list(workspace.datasets_folder.iterdir()) == []
    assert workspace.list_datasets() == ()
    assert add(workspace).n_rows == 40


def test_opening_is_quick_and_remembers(workspace: Workspace) -> None:
    add(workspace)
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        again = Workspace.open(workspace.root)
        assert len(again.list_datasets()) == 1
        seconds.append(time.perf_counter() - started)
        again.close()
    assert min(seconds) < 0.2


def test_opening_sweeps_what_a_killed_process_left_behind(workspace: Workspace) -> None:
    left = workspace.runs_folder / ".leftover-1"
    left.mkdir()
    os.utime(left, (0, 0))
    Workspace.open(workspace.root).close()
    assert not left.exists()


def test_a_root_that_is_a_file_or_forbidden_is_one_sentence(tmp_path: Path, faulty_disk: Callable[..., Any]) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(StorageError, match="is a file; choose a folder"):
        Workspace.open(tmp_path / "file")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        Workspace.open(tmp_path / "file" / "below")
    faulty_disk(1, errno.EACCES)
    with pytest.raises(StorageError, match="permission is denied"):
        Workspace.open(tmp_path / "new")


def test_a_workspace_opens_without_pandas_and_torch(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tabnet_engine.runs.workspace import Workspace\n"
        "space = Workspace.open(Path(sys.argv[1])); space.list_runs(); space.list_datasets()\n"
        "print([name for name in ('torch', 'pandas', 'shap', 'sklearn') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "w")], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"
