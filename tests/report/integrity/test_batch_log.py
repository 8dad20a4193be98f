"""Archives of batches in the chained log: each has its line, whatever ends between, and what differs is found."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import shutil
from pathlib import Path

import pytest

from tabnet_engine.errors import ReportError, StorageError
from tabnet_engine.report import batch_shelf
from tabnet_engine.report.batch_record import ARCHIVE, PACKED, RECORD, BatchRecord, read_record, write_record
from tabnet_engine.report.batch_shelf import BATCHES
from tabnet_engine.report.register import ReportRegister
from tabnet_engine.runs.parts import sha256_bytes
from tests.report.integrity.small_report import PARTS, Clock, small_report


@pytest.fixture
def register(tmp_path: Path) -> ReportRegister:
    return ReportRegister(tmp_path / "reports", now=Clock())


def written(register: ReportRegister, name: str = "job-1", *, as_name: str = PACKED) -> Path:
    """The folder of a batch as the maker leaves it: the archive, and what is to be recorded of it."""
    folder = register.folder.with_name(BATCHES) / name
    folder.mkdir(parents=True)
    content = f"archive of {name}".encode()
    (folder / ARCHIVE).write_bytes(content)
    record = BatchRecord(
        batch_id=f"D-{name}", run_id="run-1", run_title='"<b>{x}\n', kind="notice", profile="p", profile_version="7",
        language="en", created="2026-03-01T09:30:00+00:00", n_rows=5, n_made=3, n_blocked=1, n_refused=1,
        sha256=sha256_bytes(content), archive=folder / ARCHIVE,
    )  # fmt: skip
    write_record(folder, record, as_name)
    return folder


def actions(register: ReportRegister) -> list[str]:
    return [line.action for line in register.log.lines()]


def only_problem(register: ReportRegister) -> str:
    (problem,) = register.verify_log().problems
    return problem


def test_a_finished_batch_has_a_line_that_says_what_it_holds(register: ReportRegister):
    folder = written(register)
    record = register.batches.finish(folder)
    (line,) = register.log.lines()
    assert (line.case_id, line.content) == ("D-job-1", sha256_bytes(b"archive of job-1"))
    told = json.loads(line.detail)
    assert [told[name] for name in ("folder", "run_id", "kind", "profile_version")] == ["job-1", "run-1", "notice", "7"]
    assert [told[f"n_{name}"] for name in ("rows", "made", "blocked", "refused")] == [5, 3, 1, 1]
    assert (record.line, record.hash) == (line.sequence, line.hash)
    assert register.batches.list() == (record,)
    assert register.batches.finish(folder) == record
    assert actions(register) == ["archive"]
    assert sorted(path.name for path in folder.iterdir()) == [RECORD, ARCHIVE]
    register.add(small_report(), PARTS)
    verdict = register.verify_log()
    assert (verdict.problems, verdict.notes, verdict.n) == ((), (), 2)


def test_a_deletion_has_its_line_and_nothing_is_missed_after_it(register: ReportRegister):
    record = register.batches.finish(written(register))
    register.batches.delete("job-1", by="Ada")
    kept, removed = register.log.lines()
    assert (removed.action, removed.actor) == ("archive deleted", "Ada")
    assert (removed.case_id, removed.content, removed.detail) == (kept.case_id, record.sha256, kept.detail)
    assert not record.archive.parent.exists()
    assert register.batches.list() == ()
    assert register.verify_log().is_sound
    for name in ("job-1", "", "..", "../reports"):
        with pytest.raises(ReportError, match="there is no archive"):
            register.batches.delete(name)
    assert len(register.log.lines()) == 2


def forge(folder: Path, **changes: object) -> None:
    write_record(folder, dataclasses.replace(read_record(folder), **changes))  # type: ignore[arg-type]


CHANGES = {
    "was changed after it was made": lambda folder: (folder / ARCHIVE).write_bytes(b"archive of job-2"),
    "is gone from its folder": lambda folder: (folder / ARCHIVE).unlink(),
    "which is not there": shutil.rmtree,
    "says otherwise than the log": lambda folder: forge(folder, n_refused=0),
    "The log has no line 0": lambda folder: forge(folder, line=0, hash=""),
    "cannot be read": lambda folder: (folder / RECORD).write_text("{}"),
}


@pytest.mark.parametrize("told", CHANGES)
def test_what_was_done_by_hand_is_found(register: ReportRegister, told: str):
    register.batches.finish(written(register, "job-2"))
    folder = written(register)
    register.batches.finish(folder)
    CHANGES[told](folder)
    assert told in only_problem(register)
    assert "job-1" in only_problem(register)


def test_an_archive_replaced_with_its_record_and_one_put_back_are_found(register: ReportRegister, tmp_path: Path):
    folder = written(register)
    register.batches.finish(folder)
    shutil.copytree(folder, tmp_path / "copy")
    (folder / ARCHIVE).write_bytes(b"other")
    forge(folder, sha256=sha256_bytes(b"other"))
    assert ["otherwise" in told for told in register.verify_log().problems] == [True, False]
    register.batches.delete("job-1")
    shutil.copytree(tmp_path / "copy", folder)
    assert "was deleted, and it is there" in only_problem(register)


def test_a_log_that_was_rewritten_does_not_fit_the_archives(register: ReportRegister):
    register.batches.finish(written(register))
    register.log.path.unlink()
    register.log.head_path.unlink()
    assert register.log.verify().is_sound
    assert "The log has no line 1 for the archive job-1" in only_problem(register)


class Killed(BaseException):
    pass


def killed(*_: object, **__: object) -> None:
    raise Killed


def killed_after_writing(folder: Path, record: BatchRecord) -> None:
    write_record(folder, record)
    raise Killed


POINTS = {
    "before the line": ("ChainedLog.append", killed),
    "before the record": ("batch_shelf.write_record", killed),
    "after the record": ("batch_shelf.write_record", killed_after_writing),
}
NEXT = {
    "verifying": lambda register: register.verify_log(),
    "listing": lambda register: register.batches.list(),
    "another batch": lambda register: register.batches.finish(written(register, "job-2")),
    "the job again": lambda register: register.batches.finish(register.batches.folder / "job-1"),
}


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("by", NEXT)
def test_a_process_killed_before_the_end_is_finished_by_whoever_comes_next(
    register: ReportRegister, monkeypatch: pytest.MonkeyPatch, point: str, by: str
):
    folder, (name, stop) = written(register), POINTS[point]
    module = "tabnet_engine.report.log" if name.startswith("Chained") else "tabnet_engine.report"
    with monkeypatch.context() as patch:
        patch.setattr(f"{module}.{name}", stop)
        with pytest.raises(Killed):
            register.batches.finish(folder)
    NEXT[by](register)
    assert [line.case_id for line in register.log.lines()].count("D-job-1") == 1
    assert read_record(folder).hash in {line.hash for line in register.log.lines()}
    assert register.verify_log().is_sound


def test_an_archive_that_a_killed_process_left_and_somebody_changed_gets_no_line(register: ReportRegister):
    folder = written(register)
    (folder / ARCHIVE).write_bytes(b"another")
    assert "has no line in the log" in only_problem(register)
    with pytest.raises(StorageError, match="was changed while it was made"):
        register.batches.finish(folder)
    assert actions(register) == []


def test_a_disk_that_refuses_leaves_the_archive_for_the_next_attempt(
    register: ReportRegister, monkeypatch: pytest.MonkeyPatch
):
    folder = written(register)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("tabnet_engine.report.log._write_all", full)
        with pytest.raises(StorageError, match="the disk is full"):
            register.batches.finish(folder)
        assert register.batches.list() == ()
        assert "has no line in the log" in only_problem(register)
    assert register.verify_log().is_sound
    assert len(register.batches.list()) == 1


def test_a_deletion_that_was_cut_short_is_said_and_finished_without_a_second_line(
    register: ReportRegister, monkeypatch: pytest.MonkeyPatch
):
    register.batches.finish(written(register))
    with monkeypatch.context() as patch:
        patch.setattr(batch_shelf, "remove_folder", killed)
        with pytest.raises(Killed):
            register.batches.delete("job-1")
    assert "was deleted, and it is there" in only_problem(register)
    register.batches.delete("job-1")
    assert actions(register) == ["archive", "archive deleted"]
    assert register.verify_log().is_sound


def test_archives_from_before_are_noted_and_can_be_deleted(register: ReportRegister):
    folder = written(register, as_name=RECORD)
    values = json.loads((folder / RECORD).read_text())
    for name in ("line", "hash", "profile_version"):
        del values[name]
    (folder / RECORD).write_text(json.dumps(values))
    verdict = register.verify_log()
    assert verdict.is_sound
    assert verdict.notes[-1].startswith("1 archive was made before archives stood in the log")
    assert "job-1" in verdict.notes[-1]
    (folder / ARCHIVE).write_bytes(b"?")
    assert "was changed after it was made" in only_problem(register)
    register.batches.delete("job-1")
    assert actions(register) == ["archive deleted"]
    assert register.verify_log().is_sound


def test_what_a_batch_that_is_not_finished_has_is_no_archive(register: ReportRegister):
    (register.batches.folder / "job-9" / "lines").mkdir(parents=True)
    (register.batches.folder / "job-9" / ARCHIVE).write_bytes(b"half")
    leaving = register.batches.folder / ".leftover-abc"
    shutil.copytree(written(register, as_name=RECORD), leaving)
    assert [record.name for record in register.batches.list()] == ["job-1"]
    assert register.verify_log().is_sound


def test_a_batch_from_elsewhere_is_taken_in_once(register: ReportRegister, tmp_path: Path):
    elsewhere = ReportRegister(tmp_path / "elsewhere" / "reports")
    made = written(elsewhere, as_name=RECORD)
    record = register.batches.keep(made)
    assert (record.name, record.archive.read_bytes()) == ("D-job-1", b"archive of job-1")
    assert register.batches.keep(made) == record
    assert actions(register) == ["archive"]
    assert register.verify_log().is_sound
    assert actions(elsewhere) == []
    register.batches.delete(record.name)
    register.batches.keep(made)
    assert actions(register) == ["archive", "archive deleted", "archive"]
    assert register.verify_log().is_sound
    for spoil in (lambda path: path.write_bytes(b"archive of job-2"), Path.unlink):
        spoil(record.archive)
        with pytest.raises(StorageError, match="not as it was made"):
            register.batches.keep(made)  # what is handed out next would be the changed one
    register.batches.delete("D-job-1")
    assert register.batches.keep(made).archive.read_bytes() == b"archive of job-1"


def _finish(root: Path, name: str) -> None:
    register = ReportRegister(root)
    register.batches.finish(written(register, name))


def test_another_process_may_keep_the_same_archive_meanwhile(
    register: ReportRegister, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made = written(ReportRegister(tmp_path / "elsewhere" / "reports"), as_name=RECORD)

    def meanwhile(source: Path, target: Path) -> None:
        monkeypatch.undo()
        ReportRegister(register.folder).batches.keep(made)
        shutil.copyfile(source, target)

    monkeypatch.setattr(batch_shelf.shutil, "copyfile", meanwhile)
    assert register.batches.keep(made).line == 1
    assert actions(register) == ["archive"]


def test_many_processes_finish_at_once(register: ReportRegister):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_finish, args=(register.folder, f"job-{number}")) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(register.batches.list()) == len(actions(register)) == 4
    assert register.verify_log().is_sound
