"""A batch that is interrupted ends as one that was not, and one bad row stops no other."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.config import ReportConfig
from tabnet_engine.errors import JobCancelledError, ReportError, UserError
from tabnet_engine.explain.subject import Steering
from tabnet_engine.report import batch as batches
from tabnet_engine.report import batch_index
from tabnet_engine.report.batch import planned_time, write_batch
from tabnet_engine.report.batch_record import list_batches
from tabnet_engine.report.document import Document, Identity, Paragraph, Section
from tabnet_engine.runs.parts import sha256_bytes

TIME = "2026-03-01T09:30:00+00:00"
BLOCKED, REFUSED = 3, 5


class Maker:
    """Makes a document a row without a network; counts what it makes, and stops where it is told to."""

    def __init__(self, *, created: str = TIME, dies_at: int | None = None, codes: str = "1") -> None:
        self.created, self.dies_at, self.made = created, dies_at, list[int]()
        self.config = ReportConfig(time=created)
        self.made_from = {"reason_codes": codes}
        self.run = SimpleNamespace(run_id="r", manifest=SimpleNamespace(title="<b>run</b>"))
        profile = SimpleNamespace(name="p", title="Profile", version="1", sha256="2")
        self.materials = SimpleNamespace(profile=profile)

    def make(self, row: int) -> Any:
        if row == self.dies_at:
            raise KeyboardInterrupt
        if row == REFUSED:
            raise UserError("there is no row 5")
        self.made.append(row)
        return SimpleNamespace(document=document(row, self.created), case=None)


def document(row: int, created: str) -> Document:
    return Document(
        title="Decision",
        subtitle="=cmd()",
        language="en",
        identity=identity(f"D-{row}", created),
        summary=(),
        sections=(Section(key="k", title="t", blocks=(Paragraph(text=f"row {row}"),)),),
        blocked=("a protected column is a reason",) if row == BLOCKED else (),
    )


def identity(case_id: str, created: str) -> Identity:
    return Identity(
        case_id=case_id, kind="decision", created=created, run_id="r", run_title="run", engine_version="1",
        profile="p", profile_version="1", language="en", seed=0,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a document looks like is tested elsewhere; here its JSON stands for it."""
    monkeypatch.setattr(batches, "_rendered", lambda made, form: json.dumps([form, made.to_mapping()]).encode())
    monkeypatch.setattr(batch_index, "_identity", lambda maker, lines: identity(f"B-{len(lines)}", maker.created))


def read(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def test_every_row_has_a_line_and_every_file_its_hash(tmp_path: Path) -> None:
    record = write_batch(Maker(), [1, BLOCKED, REFUSED, 8], tmp_path / "b")  # type: ignore[arg-type]
    assert (record.n_rows, record.n_made, record.n_blocked, record.n_refused) == (4, 2, 1, 1)
    entries = read(record.archive)
    lines = list(csv.DictReader(io.StringIO(entries["index.csv"].decode("utf-8-sig"))))
    assert [line["row"] for line in lines] == ["1", "3", "5", "8"]
    assert [line["state"] for line in lines] == ["made", "blocked", "refused", "made"]
    assert lines[2]["told"] == "there is no row 5"
    hashes = json.loads(entries["manifest.json"])["sha256"]
    assert hashes == {name: sha256_bytes(content) for name, content in entries.items() if name != "manifest.json"}
    assert {line["file"] for line in lines if line["file"]} == {name for name in entries if "/" in name}
    assert "blocked" in entries["index.html"].decode().lower()
    assert list_batches(tmp_path) == (record,)


@settings(max_examples=20)
@given(dies=st.integers(0, 6), again=st.integers(0, 6))
def test_an_interrupted_batch_ends_as_a_whole_one(
    tmp_path_factory: pytest.TempPathFactory, dies: int, again: int
) -> None:
    rows = [0, 1, 2, BLOCKED, 4, REFUSED, 6]
    folder = tmp_path_factory.mktemp("batches")
    whole = write_batch(Maker(), rows, folder / "whole")  # type: ignore[arg-type]
    makers = [Maker(dies_at=dies if dies != REFUSED else None), Maker(dies_at=again if again != REFUSED else None)]
    for maker in makers:
        try:
            write_batch(maker, rows, folder / "broken")  # type: ignore[arg-type]
        except KeyboardInterrupt:
            assert planned_time(folder / "broken") == TIME
    record = write_batch(Maker(), rows, folder / "broken")  # type: ignore[arg-type]
    assert record.archive.read_bytes() == whole.archive.read_bytes()
    assert sorted(makers[0].made) == sorted(set(makers[0].made))


def test_what_is_finished_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_batch(Maker(dies_at=2), [0, 1, 2, 4], tmp_path / "b")  # type: ignore[arg-type]
    second = Maker()
    write_batch(second, [0, 1, 2, 4], tmp_path / "b")  # type: ignore[arg-type]
    assert second.made == [2, 4]


def test_a_finished_batch_stays_as_it_is(tmp_path: Path) -> None:
    record = write_batch(Maker(), [0, 1], tmp_path / "b")  # type: ignore[arg-type]
    again = Maker()
    assert write_batch(again, [0, 1], tmp_path / "b") == record  # type: ignore[arg-type]
    assert again.made == []


def test_a_cancel_stops_between_two_rows(tmp_path: Path) -> None:
    maker = Maker()

    def stop() -> bool:
        return len(maker.made) == 2

    with pytest.raises(JobCancelledError):
        write_batch(maker, [0, 1, 2, 4], tmp_path / "b", steering=Steering(should_cancel=stop))  # type: ignore[arg-type]
    assert maker.made == [0, 1]
    assert list_batches(tmp_path) == ()


def test_no_row_and_another_batch_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="no row is to be reported on"):
        write_batch(Maker(), [], tmp_path / "b")  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        write_batch(Maker(dies_at=1), [0, 1], tmp_path / "b")  # type: ignore[arg-type]
    with pytest.raises(ReportError, match="holds another batch"):
        write_batch(Maker(), [0, 2], tmp_path / "b")  # type: ignore[arg-type]
    with pytest.raises(ReportError, match="its reason codes or what else is written for it was changed"):
        write_batch(Maker(codes="3"), [0, 1], tmp_path / "b")  # type: ignore[arg-type]


def test_a_record_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    record = write_batch(Maker(), [1], tmp_path / "good")  # type: ignore[arg-type]
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "batch.json").write_text("{")
    assert list_batches(tmp_path) == (record,)


@pytest.mark.parametrize(
    ("share", "is_high", "value"), [(0.49999, True, 0.49999), (None, True, -40.0), (None, False, 40.0)]
)
def test_the_index_gives_the_probability_or_the_quantity_in_its_own_sign(share, is_high, value):
    score = SimpleNamespace(value=-40.0, share=share, is_favourable=False)
    case = SimpleNamespace(score=score, decision=SimpleNamespace(is_high_favourable=is_high), reasons=())
    made = SimpleNamespace(document=document(1, TIME), case=case)
    line = batch_index.line_of(made, 1, "reports/1.pdf", "0" * 64)
    assert line.value == value
    assert batch_index._listed([line]).rows[0][2] == f"{value:.6g}"
