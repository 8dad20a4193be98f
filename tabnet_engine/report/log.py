"""An append-only log whose lines are chained by their hashes, so that a line changed later is found.

Each line is JSON and holds the hash of the line before it. Beside the log lies its *head*: how many lines there are
and the hash of the last. Together they show a line that was changed, removed, inserted or moved, and a log that was
cut short. They cannot show that somebody rewrote the log from some line on *and* its head: for that a head that was
noted elsewhere has to be given to :meth:`ChainedLog.verify`, or the reports that name their lines (see
:mod:`tabnet_engine.report.register`).
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from tabnet_engine.runs.manifest import utc_now
from tabnet_engine.runs.parts import is_regular_file, parse_json, sha256_bytes, storage_errors, write_json
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["FIRST", "ChainedLog", "LogLine", "LogVerdict"]

FIRST = "0" * 64  # what stands for the hash before the first line
REPAIRED, BROKEN = "repaired", "broken"
_BLOCK = 65_536


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """One line: who did what to which report or archive, when. ``content`` is the SHA-256 of what it holds."""

    sequence: int
    time: str
    actor: str
    action: str
    case_id: str
    content: str
    detail: str
    previous: str
    hash: str = ""

    @property
    def own_hash(self) -> str:
        """What the line's hash must be."""
        told = {key: value for key, value in dataclasses.asdict(self).items() if key != "hash"}
        return sha256_bytes(_text(told))

    def to_bytes(self) -> bytes:
        """The line as it stands in the log."""
        return _text(dataclasses.asdict(self)) + b"\n"

    @classmethod
    def from_bytes(cls, line: bytes) -> Self:
        """Read what :meth:`to_bytes` wrote.

        Raises:
            ValueError: it is no line of a log, or is written in another way than this one does.
        """
        try:
            found = cls(**parse_json(line))
        except TypeError as error:
            raise ValueError("it is no line of a log") from error
        kinds = {name: type(value) for name, value in dataclasses.asdict(found).items()}
        if kinds.pop("sequence") is not int or set(kinds.values()) != {str}:
            raise ValueError("a value is of the wrong type")
        if found.to_bytes() != line + b"\n":
            raise ValueError("it is not written as a line of a log is")
        return found


@dataclass(frozen=True, kw_only=True)
class LogVerdict:
    """What verifying a log found: ``n`` lines, what is wrong with them (in sentences), the hash of the last line.

    ``notes`` are what is said without being a fault, such as a line that a killed process left torn.
    """

    n: int
    problems: tuple[str, ...]
    head: str
    notes: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


class ChainedLog:
    """The log in one file; any number of processes may append to it."""

    def __init__(self, path: Path, *, now: Callable[[], str] = utc_now) -> None:
        self.path = path
        self.head_path = path.with_suffix(".head")
        self._now = now

    def append(self, *, actor: str, action: str, case_id: str, content: str, detail: str = "") -> LogLine:
        """Add a line and have the disk confirm it.

        A last line that a killed process left torn is put aside and said; a log that no longer ends with its head
        gets a line that says so, which no later line heals.

        Raises:
            StorageError: the disk refuses; the log is as before.
        """
        told = {"actor": actor, "action": action, "case_id": case_id, "content": content, "detail": detail}
        with storage_errors("write the log of the reports"), self._locked() as file:
            self._repair(file)
            return self._write(file, told)

    def lines(self, case_id: str = "") -> tuple[LogLine, ...]:
        """The lines that can be read, oldest first: of one report, or all. Nothing is verified.

        Raises:
            StorageError: the disk refuses.
        """
        wanted = json.dumps(case_id).encode() if case_id else b""
        found = (_line_or_none(line) for line in self._content().split(b"\n") if line and wanted in line)
        return tuple(line for line in found if line is not None and case_id in ("", line.case_id))

    def verify(self, known_head: str = "") -> LogVerdict:
        """Follow the whole chain.

        Args:
            known_head: the hash of a last line that was noted earlier, somewhere else; it must still be in the chain.

        Raises:
            StorageError: the disk refuses.
        """
        with storage_errors("read the log of the reports"), self._locked_for_reading():
            content, noted = self._content(), self._noted_head()
        return _verdict(content, noted, known_head)

    @contextmanager
    def _locked(self) -> Iterator[FileIO]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Without a buffer: what a full disk refused must not be written later, when the file is closed.
        with self.path.open("a+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # ends with the process, however that ends
            yield file

    @contextmanager
    def _locked_for_reading(self) -> Iterator[None]:
        if not is_regular_file(self.path):
            yield
            return
        with self.path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield

    def _content(self) -> bytes:
        if not is_regular_file(self.path):
            return b""
        with storage_errors("read the log of the reports"):
            return self.path.read_bytes()

    def _noted_head(self) -> tuple[int, str] | None:
        """Number of lines and last hash as noted beside the log; None where there is no such note."""
        if not is_regular_file(self.head_path):
            return None
        try:
            values = parse_json(self.head_path.read_bytes())
            return int(values["n"]), str(values["hash"])
        except (ValueError, TypeError, KeyError):
            return -1, ""

    def _write(self, file: FileIO, told: dict[str, str]) -> LogLine:
        sequence, previous = self._end(file)
        line = LogLine(sequence=sequence + 1, time=self._now(), previous=previous, **told)
        line = dataclasses.replace(line, hash=line.own_hash)
        size = file.seek(0, os.SEEK_END)
        try:
            _write_all(file, line.to_bytes())
            os.fsync(file.fileno())
            write_json(self.head_path, {"n": line.sequence, "hash": line.hash})
        except OSError:
            file.truncate(size)  # a full disk leaves no half line, and none that was not said to be there
            raise
        return line

    def _end(self, file: FileIO) -> tuple[int, str]:
        """Number and hash of the last line; those that were noted where the line itself cannot be read."""
        last = _last_line(file)
        line = _line_or_none(last)
        if line is not None:
            return line.sequence, line.hash
        n, digest = self._noted_head() or (0, FIRST)
        return (n, digest) if last and n >= 0 else (0, FIRST)

    def _repair(self, file: FileIO) -> None:
        """Put a torn last line aside, and say where the log does not end as it was left."""
        torn = _torn_end(file)
        if torn:
            aside = self.path.with_name(f"{self.path.stem}-torn-{sha256_bytes(torn)[:12]}")
            aside.write_bytes(torn)
            file.truncate(file.seek(0, os.SEEK_END) - len(torn))
        last, noted = _last_line(file), self._noted_head()
        line = _line_or_none(last)
        if not _ends_as_noted(line, noted) or (last and line is None):
            detail = json.dumps({"n": noted[0], "hash": noted[1]}) if noted else ""
            self._write(file, _about_log(BROKEN, detail))
        if torn:
            self._write(file, _about_log(REPAIRED, sha256_bytes(torn)))


def _write_all(file: FileIO, content: bytes) -> None:
    """A disk that is nearly full takes a part first, then refuses."""
    while content:
        content = content[file.write(content) :]


def _about_log(action: str, detail: str) -> dict[str, str]:
    return {"actor": "", "action": action, "case_id": "", "content": "", "detail": detail}


def _ends_as_noted(last: LogLine | None, noted: tuple[int, str] | None) -> bool:
    """Whether the log ends where its head was noted, or one line later: a process may end between the two."""
    if last is None:
        return noted is None
    if noted is None:
        return last.sequence == 1 and last.previous == FIRST
    return noted in ((last.sequence, last.hash), (last.sequence - 1, last.previous))


def _last_line(file: FileIO) -> bytes:
    """The last complete line without its end; empty where there is none."""
    size = file.seek(0, os.SEEK_END)
    content, start = b"", size
    while start and content.count(b"\n") < 2:
        step = min(_BLOCK, start)
        start -= step
        file.seek(start)
        content = file.read(step) + content
    whole = content[: content.rfind(b"\n") + 1]
    return whole.rstrip(b"\n").rpartition(b"\n")[2]


def _torn_end(file: FileIO) -> bytes:
    """What stands after the last line break: a line that was never finished."""
    size = file.seek(0, os.SEEK_END)
    content, start = b"", size
    while start and b"\n" not in content:
        step = min(_BLOCK, start)
        start -= step
        file.seek(start)
        content = file.read(step) + content
    return content.rpartition(b"\n")[2]


def _line_or_none(line: bytes) -> LogLine | None:
    try:
        return LogLine.from_bytes(line)
    except ValueError:
        return None


def _text(values: dict[str, Any]) -> bytes:
    return json.dumps(values, separators=(",", ":"), sort_keys=True, allow_nan=False).encode()


def _verdict(content: bytes, noted: tuple[int, str] | None, known_head: str) -> LogVerdict:
    whole, _, torn = content.rpartition(b"\n")
    found = [_line_or_none(line) for line in whole.split(b"\n")] if whole else []
    problems = list(_chain_problems(found))
    read = [line for line in found if line is not None]
    last = read[-1] if read else None
    head = FIRST if last is None else last.hash
    if not _ends_as_noted(last, noted):
        problems.append(_end_problem(len(found), noted))
    if known_head and known_head not in {FIRST, *(line.hash for line in read)}:
        problems.append(
            say(
                "The hash {hash} that was given is in no line of the log: the log was rewritten or cut since it was "
                "noted.",
                hash=known_head,
            )
        )
    notes = list(_clock_notes(read))
    if torn:
        notes.append(say("A line that a killed process left unfinished stands at the end; it is no part of the log."))
    return LogVerdict(n=len(found), problems=tuple(problems), head=head, notes=tuple(notes))


def _clock_notes(lines: list[LogLine]) -> Iterator[str]:
    """Where the clock went back, first of all: the order of the lines is that of their numbers."""
    back = [later for before, later in pairwise(lines) if later.time < before.time]
    if back:
        yield say_plural(
            "The clock was set back before line {line:,}, of {time}; the order of the steps is that of the lines.",
            "The clock was set back {count:,} times, first before line {line:,}, of {time}; the order of the steps is "
            "that of the lines.",
            len(back),
            line=back[0].sequence,
            time=back[0].time,
        )


def _chain_problems(found: list[LogLine | None]) -> Iterator[str]:
    """Every place where the chain does not hold, by the number of its line."""
    previous, expected = FIRST, 1
    for number, line in enumerate(found, start=1):
        if line is None:
            yield say("Line {number:,} of the log cannot be read.", number=number)
            previous, expected = "", expected + 1
            continue
        if line.hash != line.own_hash:
            yield say("Line {number:,} of the log was changed: its hash is not that of its content.", number=number)
        if line.sequence != expected:
            yield say(
                "Line {number:,} of the log is numbered {sequence:,} instead of {expected:,}: lines were removed, "
                "inserted or moved.",
                number=number,
                sequence=line.sequence,
                expected=expected,
            )
        if previous and line.previous != previous:
            yield say("Line {number:,} of the log does not follow the line before it.", number=number)
        if line.action == BROKEN:
            yield _broken(number, line)
        previous, expected = line.hash, line.sequence + 1


def _broken(number: int, line: LogLine) -> str:
    """That a line was written because the lines before it did not end where the note says that they did."""
    if not line.detail:
        return say(
            "Line {number:,} of the log, of {time}, says that the note of where the log ends was gone then.",
            number=number,
            time=line.time,
        )
    return say(
        "Line {number:,} of the log, of {time}, says that the lines before it do not end where they were noted to "
        "end: {detail!r}.",
        number=number,
        time=line.time,
        detail=line.detail,
    )


def _end_problem(n: int, noted: tuple[int, str] | None) -> str:
    if noted is None:
        return say("The note of where the log ends is gone, so lines may be missing at its end.")
    if noted[0] < 0:
        return say("The note of where the log ends cannot be read, so lines may be missing at its end.")
    return say_plural(
        "The log has {count} line, its note says that it ends with line {noted:,} or another hash.",
        "The log has {count:,} lines, its note says that it ends with line {noted:,} or another hash.",
        n,
        noted=noted[0],
    )
