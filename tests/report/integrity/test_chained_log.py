"""The log: every line that is changed, removed, inserted, moved or cut off is found; a torn one is put aside."""

from __future__ import annotations

import json
import multiprocessing
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.errors import StorageError
from tabnet_engine.report import log as log_module
from tabnet_engine.report.log import FIRST, ChainedLog, LogLine
from tests.report.integrity.small_report import Clock

N = 6
HOSTILE = 'A "name" {x} <b>\n\u202e名\x00😀'


@pytest.fixture
def log(tmp_path: Path) -> ChainedLog:
    log = ChainedLog(tmp_path / "log.jsonl", now=Clock())
    for number in range(N):
        log.append(actor=HOSTILE, action="draft", case_id=f"D-{number % 2}", content="c" * 64, detail="d")
    return log


def _lines(log: ChainedLog) -> list[bytes]:
    return log.path.read_bytes().splitlines(keepends=True)


def test_a_log_as_written_is_sound_and_reads_back(log: ChainedLog):
    verdict = log.verify()
    assert (verdict.n, verdict.problems, verdict.notes) == (N, (), ())
    lines = log.lines()
    assert [line.sequence for line in lines] == list(range(1, N + 1))
    assert verdict.head == lines[-1].hash
    assert lines[0].previous == FIRST
    assert lines[0].actor == HOSTILE
    assert [line.sequence for line in log.lines("D-1")] == [2, 4, 6]
    assert log.verify(lines[2].hash).is_sound


def test_an_empty_log_is_sound(tmp_path: Path):
    verdict = ChainedLog(tmp_path / "none.jsonl").verify()
    assert (verdict.n, verdict.problems, verdict.head) == (0, (), FIRST)


def _changed(lines: list[bytes]) -> list[bytes]:
    values = json.loads(lines[2])
    return [*lines[:2], LogLine(**{**values, "actor": "Mallory"}).to_bytes(), *lines[3:]]


def _changed_with_its_hash(lines: list[bytes]) -> list[bytes]:
    values = {**json.loads(lines[2]), "actor": "Mallory"}
    forged = LogLine(**{**values, "hash": LogLine(**values).own_hash})
    return [*lines[:2], forged.to_bytes(), *lines[3:]]


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_changed, "Line 3 of the log was changed"),
        (_changed_with_its_hash, "Line 4 of the log does not follow"),
        (lambda lines: [*lines[:2], *lines[3:]], "Line 3 of the log is numbered 4"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], "Line 4 of the log is numbered 3"),
        (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], "Line 3 of the log is numbered 4"),
        (lambda lines: lines[:-1], "its note says"),
        (lambda _: [], "its note says"),
        (lambda lines: lines[1:], "Line 1 of the log is numbered 2"),
        (lambda lines: [*lines[:2], b"no line\n", *lines[3:]], "Line 3 of the log cannot be read"),
        (lambda lines: [*lines[:2], lines[2].replace(b":", b": ", 1), *lines[3:]], "Line 3 of the log cannot be read"),
        (lambda lines: [*lines[:2], lines[2].replace(b'"c', b'"C', 1), *lines[3:]], "Line 3 of the log"),
        (lambda lines: [*lines[:2], lines[2].replace(b":3,", b':"3",', 1), *lines[3:]], "Line 3 of the log"),
    ],
)
def test_every_harm_is_found(log: ChainedLog, harm: Callable[[list[bytes]], list[bytes]], told: str):
    log.path.write_bytes(b"".join(harm(_lines(log))))
    assert any(told in problem for problem in log.verify().problems), log.verify().problems
    # Going on does not heal it.
    log.append(actor="a", action="draft", case_id="D-9", content="", detail="")
    assert not log.verify().is_sound


@given(place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_any_single_byte_that_is_changed_is_found(tmp_path_factory: pytest.TempPathFactory, place: int, change: int):
    folder = tmp_path_factory.getbasetemp() / "one-log"
    if not folder.exists():
        made = ChainedLog(folder / "log.jsonl", now=Clock())
        for _ in range(3):
            made.append(actor="a", action="draft", case_id="D-1", content="", detail="é")
        (folder / "as-written").write_bytes(made.path.read_bytes())
    content = bytearray((folder / "as-written").read_bytes())
    content[place % len(content)] ^= change
    log = ChainedLog(folder / "log.jsonl")
    log.path.write_bytes(content)
    assert not log.verify().is_sound


def test_a_torn_last_line_is_put_aside_and_said(log: ChainedLog):
    with log.path.open("ab") as file:
        file.write(b'{"action":"signed","ac')
    verdict = log.verify()
    assert verdict.is_sound
    assert "unfinished" in verdict.notes[0]
    log.append(actor="a", action="reviewed", case_id="D-1", content="", detail="")
    assert [line.action for line in log.lines()[N:]] == ["repaired", "reviewed"]
    assert log.verify().is_sound
    assert [path.read_bytes()[:9] for path in log.path.parent.glob("log-torn-*")] == [b'{"action"']


def test_cutting_within_the_last_line_is_no_torn_line(log: ChainedLog):
    log.path.write_bytes(log.path.read_bytes()[:-1])
    assert not log.verify().is_sound
    log.append(actor="a", action="reviewed", case_id="D-1", content="", detail="")
    assert "broken" in [line.action for line in log.lines()]
    assert not log.verify().is_sound


def test_a_process_that_ends_before_the_head_is_noted_leaves_a_sound_log(log: ChainedLog):
    head = log.head_path.read_bytes()
    log.append(actor="a", action="reviewed", case_id="D-1", content="", detail="")
    log.head_path.write_bytes(head)
    assert log.verify().is_sound
    log.append(actor="a", action="signed", case_id="D-1", content="", detail="")
    assert log.verify().is_sound
    assert "broken" not in [line.action for line in log.lines()]


def test_a_log_rewritten_with_its_head_is_found_by_a_head_noted_elsewhere(log: ChainedLog, tmp_path: Path):
    noted = log.verify().head
    log.path.unlink()
    log.head_path.unlink()
    log.append(actor="Mallory", action="draft", case_id="D-1", content="", detail="")
    assert log.verify().is_sound, "the chain alone cannot show it"
    assert "rewritten or cut" in log.verify(noted).problems[0]


@pytest.mark.parametrize("head", [None, b"", b"[]", b'{"n": "x"}', b"\xff"])
def test_a_head_that_is_gone_or_damaged_is_said(log: ChainedLog, head: bytes | None):
    log.head_path.unlink()
    if head is not None:
        log.head_path.write_bytes(head)
    assert "may be missing at its end" in log.verify().problems[0]


def test_a_full_disk_leaves_the_log_as_it_was(log: ChainedLog, monkeypatch: pytest.MonkeyPatch):
    before = log.path.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log_module, "write_json", refuse)
    with pytest.raises(StorageError, match="the disk is full"):
        log.append(actor="a", action="signed", case_id="D-1", content="", detail="")
    assert log.path.read_bytes() == before
    assert log.verify().is_sound


def test_a_disk_that_takes_half_a_line_leaves_none(log: ChainedLog):
    before, limits = log.path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 50, limits[1]))
    try:
        with pytest.raises(StorageError):
            log.append(actor="a", action="signed", case_id="D-1", content="", detail="")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert log.path.read_bytes() == before
    verdict = log.verify()
    assert (verdict.problems, verdict.notes) == ((), ())


def test_a_clock_that_goes_back_is_said_and_breaks_nothing(log: ChainedLog):
    early = ChainedLog(log.path, now=lambda: "2020-01-01T00:00:00.000000+00:00")
    early.append(actor="a", action="reviewed", case_id="D-1", content="", detail="")
    verdict = log.verify()
    assert verdict.is_sound
    assert "set back before line 7" in verdict.notes[0]


def _append_some(path: Path) -> None:
    for _ in range(10):
        ChainedLog(path).append(actor="a", action="draft", case_id="D-1", content="", detail="")


def test_processes_that_write_at_once_make_one_chain(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_append_some, args=(path,)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    verdict = ChainedLog(path).verify()
    assert (verdict.n, verdict.problems) == (30, ())
