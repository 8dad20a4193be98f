"""What the log says of a workspace's batches, compared with the archives that are there."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tabnet_engine.errors import StorageError
from tabnet_engine.report.batch_record import PACKED, RECORD, BatchRecord, batch_folders, read_record
from tabnet_engine.report.log import LogLine, LogVerdict
from tabnet_engine.runs.parts import is_regular_file, parse_json, sha256_file, storage_errors
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["BATCH_ACTIONS", "KEPT", "REMOVED", "checked_with_batches", "detail_of"]

KEPT, REMOVED = "archive", "archive deleted"
BATCH_ACTIONS = (KEPT, REMOVED)
_TOLD = ("run_id", "kind", "profile", "profile_version", "language", "created")
_COUNTED = ("n_rows", "n_made", "n_blocked", "n_refused")


def detail_of(record: BatchRecord) -> str:
    """What a line of the log says of a batch beside its id and the SHA-256 of its archive, as JSON."""
    told = {"folder": record.name, **{name: getattr(record, name) for name in (*_TOLD, *_COUNTED)}}
    return json.dumps(told, sort_keys=True)


def checked_with_batches(verdict: LogVerdict, lines: Sequence[LogLine], folder: Path) -> LogVerdict:
    """The verdict on a log with what comparing it with the batches adds.

    Args:
        verdict: what was found so far.
        lines: all lines of the log that can be read.
        folder: of the batches.

    Raises:
        StorageError: the disk refuses.
    """
    of_batch: dict[str, list[LogLine]] = {}
    for line in lines:
        if line.action in BATCH_ACTIONS:
            of_batch.setdefault(_folder_of(line), []).append(line)
    problems, unlogged, seen = list[str](), list[str](), set[str]()
    with storage_errors("compare the archives with the log"):
        for path in batch_folders(folder):
            own = of_batch.get(path.name, [])
            if is_regular_file(path / RECORD):
                seen.add(path.name)
                problems += _of_batch(path, own, unlogged)
            elif is_regular_file(path / PACKED):
                seen.add(path.name)
                problems.append(_unfinished(path.name))
    problems += _gone(of_batch, seen)
    notes = [_unlogged(unlogged)] if unlogged else []
    return dataclasses.replace(verdict, problems=(*verdict.problems, *problems), notes=(*verdict.notes, *notes))


def _folder_of(line: LogLine) -> str:
    try:
        return str(parse_json(line.detail.encode())["folder"])
    except (ValueError, TypeError, KeyError):
        return ""


def _of_batch(path: Path, lines: Sequence[LogLine], unlogged: list[str]) -> Iterator[str]:
    try:
        record = read_record(path)
    except ValueError:
        yield say("The record of the archive {name} cannot be read: restore it from a copy.", name=path.name)
        return
    if not lines and not record.line:
        unlogged.append(path.name)
    else:
        yield from _other_than_logged(record, lines)
    recorded = [line.content for line in lines if line.action == KEPT]
    yield from _content(record, recorded[-1] if recorded else record.sha256)


def _other_than_logged(record: BatchRecord, lines: Sequence[LogLine]) -> Iterator[str]:
    own = next((line for line in lines if (line.sequence, line.hash) == (record.line, record.hash)), None)
    if own is None:
        yield say(
            "The log has no line {line:,} for the archive {name} as the archive's record keeps it: the log was "
            "rewritten or cut, or the record was changed.",
            line=record.line,
            name=record.name,
        )
    elif (own.case_id, own.content, own.detail) != (record.batch_id, record.sha256, detail_of(record)):
        yield say("The record of the archive {name} says otherwise than the log.", name=record.name)
    if lines and lines[-1].action == REMOVED:
        yield say(
            "Line {line:,} of the log says that the archive {name} was deleted, and it is there: it was put back, or "
            "a process ended before it had finished.",
            line=lines[-1].sequence,
            name=record.name,
        )


def _content(record: BatchRecord, digest: str) -> Iterator[str]:
    if not is_regular_file(record.archive):
        yield say(
            "The archive {name} is gone from its folder, and no line of the log says that it was deleted.",
            name=record.name,
        )
        return
    try:
        with storage_errors(f"read the archive {record.name!r}"):
            found = sha256_file(record.archive)
    except StorageError as error:
        yield recalled(str(error))
        return
    if found != digest:
        yield say(
            "The archive {name} was changed after it was made: its SHA-256 is not the one that was recorded.",
            name=record.name,
        )


def _unfinished(name: str) -> str:
    return say(
        "The archive {name} is written and has no line in the log: a process ended before it had finished, or somebody "
        "changed the archive since.",
        name=name,
    )


def _gone(of_batch: Mapping[str, Sequence[LogLine]], seen: set[str]) -> Iterator[str]:
    for name, lines in of_batch.items():
        if name not in seen and lines[-1].action != REMOVED:
            yield say(
                "Line {line:,} of the log records the archive {name}, which is not there: it was removed by hand.",
                line=lines[-1].sequence,
                name=name,
            )


def _unlogged(names: Sequence[str]) -> str:
    return say_plural(
        "{count} archive was made before archives stood in the log and has no line in it: {names}.",
        "{count:,} archives were made before archives stood in the log and have no line in it: {names}.",
        len(names),
        names=", ".join(names),
    )
