"""The register: kept whole, reviewed in steps, signed once and never changed, with every step in the log."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tabnet_engine.errors import ReportError, StorageError
from tabnet_engine.report import register as register_module
from tabnet_engine.report.document import Document, Identity
from tabnet_engine.report.identity import case_id_of, content_hash
from tabnet_engine.report.register import MAX_COMMENT, ReportRegister
from tabnet_engine.runs.parts import folder_lock
from tests.report.integrity.small_report import PARTS, Clock, small_report


@pytest.fixture
def register(tmp_path: Path) -> ReportRegister:
    return ReportRegister(tmp_path / "reports", now=Clock())


def _signed(register: ReportRegister, document: Document | None = None) -> str:
    case_id = register.add(document or small_report(), PARTS).case_id
    register.review(case_id, "Ada Lovelace", "I read it.\nIt holds.")
    return register.sign(case_id, " Grace  Hopper\n").case_id


def test_a_report_comes_back_as_it_was_kept(register: ReportRegister):
    record = register.add(small_report(), PARTS, name="maker")
    assert (record.state, record.content) == ("draft", content_hash(small_report()))
    document = register.document(record.case_id)
    assert [step.state for step in document.review] == ["draft"]
    assert dataclasses.replace(document, review=()) == small_report()
    assert register.parts(record.case_id) == PARTS
    assert register.get(record.case_id) == record == register.list()[0]


def test_the_same_report_twice_is_one(register: ReportRegister):
    first = register.add(small_report(), PARTS)
    register.review(first.case_id, "Ada", "fine")
    again = register.add(small_report(), PARTS)
    assert (again.case_id, again.state, len(register.list())) == (first.case_id, "reviewed", 1)
    assert [line.action for line in register.log.lines()] == ["draft", "reviewed"]
    with pytest.raises(ReportError, match="says something else"):
        register.add(small_report(), {**PARTS, "case.json": b"[]"})


def test_the_list_is_newest_first_and_knows_run_and_kind(register: ReportRegister):
    for number in (1, 3, 2):
        register.add(small_report(number), PARTS)
    assert [record.row for record in register.list()] == [3, 2, 1]
    assert len(register.list(run_id="run-1", kind="decision")) == 3
    assert register.list(run_id="another") == register.list(kind="model") == ()


def test_the_parts_of_a_run_are_kept_once(register: ReportRegister):
    for number in range(3):
        register.add(small_report(number), PARTS)
    assert len(list(register.shared.iterdir())) == 1


def test_draft_reviewed_signed_and_no_other_way(register: ReportRegister):
    case_id = register.add(small_report(), PARTS).case_id
    with pytest.raises(ReportError, match="not been reviewed"):
        register.sign(case_id, "Grace")
    register.review(case_id, "Ada", "a question")
    register.review(case_id, "Ada", "answered")
    register.sign(case_id, "Grace")
    document = register.document(case_id)
    assert [step.state for step in document.review] == ["draft", "reviewed", "reviewed", "signed"]
    assert [step.comment for step in document.review] == ["", "a question", "answered", ""]
    assert document.review[-1].name == "Grace"
    assert content_hash(document) == content_hash(small_report()), "signing changes nothing of what it says"
    for change in (
        lambda: register.sign(case_id, "Grace"),
        lambda: register.review(case_id, "Ada", "one more word"),
    ):
        with pytest.raises(ReportError, match="was signed by 'Grace'"):
            change()
    with pytest.raises(ReportError, match="is no draft any more"):
        register.delete(case_id)
    assert register.verify_log().is_sound


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (small_report(blocked=("A protected column is a reason.",)), "It is blocked: A protected column"),
        (small_report(unmet=("No address is stated.", "b")), r"2 things .* The first: No address is stated"),
    ],
)
def test_what_is_blocked_or_incomplete_is_reviewed_but_not_signed(
    register: ReportRegister, document: Document, told: str
):
    case_id = register.add(document, PARTS).case_id
    assert register.review(case_id, "Ada", "seen").state == "reviewed"
    with pytest.raises(ReportError, match=told):
        register.sign(case_id, "Grace")
    assert register.get(case_id).state == "reviewed"


def test_only_a_draft_is_deleted_and_the_log_remembers_it(register: ReportRegister):
    case_id = register.add(small_report(), PARTS).case_id
    register.delete(case_id, name="Ada")
    assert register.list() == ()
    assert [(line.action, line.actor) for line in register.log.lines(case_id)] == [("draft", ""), ("deleted", "Ada")]
    assert register.verify_log().is_sound
    with pytest.raises(ReportError, match="there is no report"):
        register.get(case_id)
    register.add(small_report(), PARTS)
    register.review(case_id, "Ada", "seen")
    with pytest.raises(ReportError, match="only a draft"):
        register.delete(case_id)


@pytest.mark.parametrize(
    ("name", "comment", "told"),
    [
        (" \n", "fine", "the name is empty"),
        ("\u200b", "fine", "the name is empty"),
        ("Ada", "\t", "the comment is empty"),
        ("A" * 201, "fine", "201 characters"),
        ("Ada", "c" * (MAX_COMMENT + 1), "5,001 characters"),
    ],
)
def test_a_step_has_a_name_and_a_comment(register: ReportRegister, name: str, comment: str, told: str):
    case_id = register.add(small_report(), PARTS).case_id
    with pytest.raises(ReportError, match=told):
        register.review(case_id, name, comment)


@pytest.mark.parametrize("case_id", ["", "..", "../x", "a/b", "D-1\n", "x" * 90, "D-404"])
def test_an_id_that_is_none_leads_nowhere(register: ReportRegister, case_id: str):
    for ask in (register.get, register.document, register.parts, register.pack, register.delete):
        with pytest.raises(ReportError, match="there is no report"):
            ask(case_id)


def test_a_part_cannot_leave_its_folder(register: ReportRegister):
    for name in ("../x", "/x", "a//b", ".hidden", "a/../b", ""):
        with pytest.raises(ValueError, match="no name of a file"):
            register.add(small_report(), {name: b""})
    assert register.list() == ()


def _one_byte(path: Path) -> None:
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["document.json", "parts/case.json", "shared"])
def test_a_changed_byte_is_found_when_it_is_read(register: ReportRegister, name: str):
    case_id = _signed(register)
    path = next(register.shared.iterdir()) if name == "shared" else register.cases / case_id / name
    _one_byte(path)
    read: Callable[[str], object] = register.document if name == "document.json" else register.parts
    with pytest.raises(StorageError, match="was changed after it was kept"):
        read(case_id)
    assert "was changed after it was kept" in register.verify_log().problems[0]
    other = ReportRegister(register.folder)
    assert other.list()[0].state == "signed"


def test_what_was_changed_is_not_signed(register: ReportRegister):
    case_id = register.add(small_report(), PARTS).case_id
    register.review(case_id, "Ada", "fine")
    _one_byte(register.cases / case_id / "parts" / "case.json")
    with pytest.raises(StorageError, match="was changed"):
        register.sign(case_id, "Grace")
    assert [line.action for line in register.log.lines()] == ["draft", "reviewed"]


def test_a_damaged_record_is_listed_with_its_problem(register: ReportRegister):
    case_id = register.add(small_report(), PARTS).case_id
    _one_byte(register.cases / case_id / "record.json")
    (found,) = register.list()
    assert found.state == "damaged"
    assert "damaged or was changed" in found.problem
    assert not register.verify_log().is_sound


def test_files_of_a_signed_report_are_read_only(register: ReportRegister):
    folder = register.cases / _signed(register)
    assert [path.name for path in folder.rglob("*") if path.stat().st_mode & 0o222] == []


def _set_back(folder: Path) -> None:
    """Forge the record of a signed report into a draft."""
    _forge_record(folder, {"steps": json.loads((folder / "record.json").read_bytes())["steps"][:1]})


def _forge_record(folder: Path, changes: dict[str, object]) -> None:
    """Change a record, with a digest that fits."""
    path = folder / "record.json"
    values = {**json.loads(path.read_bytes()), **changes}
    del values["digest"]
    digest = register_module.sha256_bytes(json.dumps(values, sort_keys=True).encode())
    path.chmod(0o644)
    path.write_text(json.dumps({**values, "digest": digest}), encoding="utf-8")


def test_a_record_that_was_set_back_is_found_and_not_obeyed(register: ReportRegister):
    case_id = _signed(register)
    _set_back(register.cases / case_id)
    assert register.get(case_id).state == "draft", "the forged record alone looks right"
    assert "does not have" in register.verify_log().problems[0]
    with pytest.raises(ReportError, match="is no draft any more"):
        register.delete(case_id)
    assert register.verify_log().is_sound, "the step that the log has was completed"


def test_a_log_that_was_rewritten_does_not_fit_the_reports(register: ReportRegister):
    _signed(register)
    register.log.path.unlink()
    register.log.head_path.unlink()
    assert register.log.verify().is_sound
    problems = register.verify_log().problems
    assert len(problems) == 3
    assert "The log has no line 1" in problems[0]


def test_a_report_removed_by_hand_is_missed(register: ReportRegister):
    case_id = _signed(register)
    shutil.rmtree(register.cases / case_id)
    assert "which is not there" in register.verify_log().problems[0]


@pytest.mark.parametrize("where", ["write_bytes", "ChainedLog.append", "ReportRecord.write"])
def test_a_disk_that_refuses_leaves_nothing_half_added(
    register: ReportRegister, monkeypatch: pytest.MonkeyPatch, where: str
):
    register.add(small_report(1), PARTS)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"tabnet_engine.report.register.{where}", refuse)
        with pytest.raises(StorageError, match="the disk is full"):
            register.add(small_report(2), PARTS)
    assert [record.row for record in register.list()] == [1]
    register.add(small_report(2), PARTS)
    assert [line.action for line in register.log.lines()] == ["draft", "draft"], "a line that was begun is gone on with"
    assert register.verify_log().is_sound


def test_a_process_killed_between_log_and_record_is_completed(
    register: ReportRegister, monkeypatch: pytest.MonkeyPatch
):
    case_id = register.add(small_report(), PARTS).case_id

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tabnet_engine.report.register.ReportRecord.write", die)
        with pytest.raises(KeyboardInterrupt):
            register.review(case_id, "Ada", "fine")
    assert not register.verify_log().is_sound
    assert register.sign(case_id, "Grace").state == "signed"
    assert [step.comment for step in register.document(case_id).review] == ["", "fine", ""]
    assert register.verify_log().is_sound


def test_a_deletion_that_was_cut_short_is_finished_when_it_is_added_anew(
    register: ReportRegister, monkeypatch: pytest.MonkeyPatch
):
    case_id = register.add(small_report(), PARTS).case_id
    with monkeypatch.context() as patch:
        patch.setattr("tabnet_engine.report.register.remove_folder", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            register.delete(case_id)
    assert not register.verify_log().is_sound
    register.add(small_report(), PARTS)
    assert [line.action for line in register.log.lines()] == ["draft", "deleted", "draft"]
    assert register.verify_log().is_sound


def test_a_deletion_that_was_cut_short_is_finished_by_whoever_comes_next(
    register: ReportRegister, monkeypatch: pytest.MonkeyPatch
):
    case_id = register.add(small_report(), PARTS).case_id
    with monkeypatch.context() as patch:
        patch.setattr("tabnet_engine.report.register.remove_folder", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            register.delete(case_id)
    with pytest.raises(ReportError, match="there is no report"):
        register.review(case_id, "Ada", "back from the dead")
    assert register.list() == ()
    assert register.verify_log().is_sound


def _killed(*_: object) -> None:
    os._exit(9)


def test_a_report_that_a_killed_process_had_logged_gets_its_place(register: ReportRegister):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tabnet_engine.runs.parts._take_name", _killed)
        process = multiprocessing.get_context("fork").Process(target=register.add, args=(small_report(1), PARTS))
        process.start()
        process.join()
    assert process.exitcode == 9
    assert not register.verify_log().is_sound
    (register.cases / ".leftover-of-something-else").mkdir()
    register.add(small_report(2), PARTS)
    assert [record.row for record in register.list()] == [2, 1]
    assert register.verify_log().is_sound
    assert [path.name for path in register.cases.iterdir() if path.name.startswith(".")] == []


def test_a_step_that_the_disk_has_no_room_for_is_not_logged(register: ReportRegister, monkeypatch: pytest.MonkeyPatch):
    case_id = register.add(small_report(), PARTS).case_id

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("tabnet_engine.report.register_recovery.write_bytes", refuse)
        with pytest.raises(StorageError, match="the disk is full"):
            register.review(case_id, "Ada", "fine")
    assert [line.action for line in register.log.lines()] == ["draft"]
    assert register.verify_log().is_sound


def test_verifying_waits_for_who_is_writing(register: ReportRegister):
    register.add(small_report(), PARTS)
    with folder_lock(register.folder, exclusive=True):
        verifying = threading.Thread(target=register.verify_log)
        verifying.start()
        verifying.join(0.05)
        assert verifying.is_alive(), "it would find a report that its line of the log is still missing for"
    verifying.join()


def test_a_record_that_says_less_than_its_report_is_found_and_not_signed(register: ReportRegister):
    case_id = register.add(small_report(blocked=("A protected column is a reason.",)), PARTS).case_id
    register.review(case_id, "Ada", "seen")
    _forge_record(register.cases / case_id, {"blocked": []})
    assert register.get(case_id).why_unsigned() == "", "the forged record alone looks right"
    assert "says otherwise than the report itself" in register.verify_log().problems[0]
    with pytest.raises(StorageError, match="says otherwise than the report itself"):
        register.sign(case_id, "Grace")


def test_evidence_that_was_changed_with_its_record_is_not_signed(register: ReportRegister):
    case_id = register.add(small_report(), PARTS).case_id
    register.review(case_id, "Ada", "seen")
    folder = register.cases / case_id
    (folder / "parts" / "case.json").write_bytes(b"[]")
    files = {**register.get(case_id).files, "parts/case.json": register_module.sha256_bytes(b"[]")}
    _forge_record(folder, {"files": files})
    with pytest.raises(StorageError, match="not the one that the log records"):
        register.sign(case_id, "Grace")


def test_hundreds_of_reports_are_listed_at_once(register: ReportRegister):
    record = register.add(small_report(), PARTS)
    content = (register.cases / record.case_id / "record.json").read_text(encoding="utf-8")
    for number in range(300):
        case_id = f"D-20260301-{number:012X}"
        values = {**json.loads(content), "case_id": case_id}
        del values["digest"]
        folder = register.cases / case_id
        folder.mkdir()
        digest = register_module.sha256_bytes(json.dumps(values, sort_keys=True).encode())
        (folder / "record.json").write_text(json.dumps({**values, "digest": digest}), encoding="utf-8")
    start = time.process_time()
    assert len(register.list()) == 301
    assert time.process_time() - start < 0.5


IDENTITY = small_report().identity


@pytest.mark.parametrize("change", [{"seed": 1}, {"row": 9}, {"language": "zh"}, {"hashes": {}}, {"run_title": "x"}])
def test_another_request_has_another_case_id(change: dict[str, object]):
    other: Identity = dataclasses.replace(IDENTITY, **change)
    assert case_id_of(other) != IDENTITY.case_id == case_id_of(IDENTITY)


def test_a_case_id_tells_kind_and_day_in_utc():
    late = dataclasses.replace(IDENTITY, created="2026-03-01T23:30:00-05:00", kind="notice")
    assert case_id_of(late).startswith("N-20260302-")
    assert len(case_id_of(late)) == 23
