"""What keeps log and reports together when the disk is full or a process is killed between the two."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tabnet_engine.errors import EngineError
from tabnet_engine.report.log import LogLine
from tabnet_engine.report.register_record import DRAFT, RECORD, KeptStep, ReportRecord
from tabnet_engine.runs.parts import LEFTOVER_PREFIX, remove_folder, write_bytes

__all__ = ["finish_leftovers", "room_kept"]

_STEP_BYTES = 64 * 1024  # more than a name and a comment take
_ROOM = f"{LEFTOVER_PREFIX}room"


@contextmanager
def room_kept(folder: Path) -> Iterator[Callable[[], None]]:
    """Keep room on the disk for the record that is written once the log has its line; the block calls what frees it.

    Raises:
        OSError: there is no room; the log was not touched.
    """
    path = folder / _ROOM

    def free() -> None:
        path.unlink(missing_ok=True)

    free()
    try:
        write_bytes(path, bytes(_STEP_BYTES + 2 * (folder / RECORD).stat().st_size))
        yield free
    finally:
        free()


def finish_leftovers(cases: Path, lines_of: Callable[[str], Sequence[LogLine]]) -> None:
    """Give a report that a killed process had logged its place, and remove all else that such a process left.

    Nobody else may be writing. What cannot be read or moved stays for the next time: it is in nobody's way.

    Args:
        cases: the folder of the reports.
        lines_of: the log's lines of one report.
    """
    for left in cases.glob(f"{LEFTOVER_PREFIX}*"):
        try:
            if not _finished(left, cases, lines_of):
                remove_folder(left)
        except (OSError, EngineError):
            continue


def _finished(left: Path, cases: Path, lines_of: Callable[[str], Sequence[LogLine]]) -> bool:
    record = ReportRecord.read_unfinished(left)
    if record is None or os.path.lexists(cases / record.case_id):
        return False
    last = next(reversed(lines_of(record.case_id)), None)
    if last is None or (last.action, last.content, last.detail) != (DRAFT, record.content, record.evidence):
        return False
    (left / _ROOM).unlink(missing_ok=True)
    record.with_steps([KeptStep.of(last)]).write(left)
    left.rename(cases / record.case_id)
    return True
