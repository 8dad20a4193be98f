"""A finished batch as its folder holds it: the archive, and beside it what a list shows of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tabnet_engine.runs.parts import LEFTOVER_PREFIX, parse_json, write_json

__all__ = [
    "ARCHIVE",
    "PACKED",
    "RECORD",
    "BatchRecord",
    "batch_folders",
    "list_batches",
    "read_record",
    "write_record",
]

ARCHIVE, RECORD = "reports.zip", "batch.json"
PACKED = "packed.json"  # the record of an archive that is whole and does not stand in the log yet


@dataclass(frozen=True, kw_only=True)
class BatchRecord:
    """A finished batch as a list shows it; ``archive`` is the file to take away, ``sha256`` its hash.

    ``line`` and ``hash`` are those of its line in the workspace's log: 0 and empty for an archive that was made
    outside a workspace, or before archives stood in the log.
    """

    batch_id: str
    run_id: str
    run_title: str
    kind: str
    profile: str
    language: str
    created: str
    n_rows: int
    n_made: int
    n_blocked: int
    n_refused: int
    sha256: str
    archive: Path
    profile_version: str = ""
    line: int = 0
    hash: str = ""

    @property
    def name(self) -> str:
        """The name of its folder, which no other batch of the workspace has."""
        return self.archive.parent.name


def read_record(folder: Path, name: str = RECORD) -> BatchRecord:
    """The record in the folder of a batch.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no record of a batch.
    """
    try:
        record = BatchRecord(**parse_json((folder / name).read_bytes()), archive=folder / ARCHIVE)
    except TypeError as error:
        raise ValueError("it is no record of a batch") from error
    for field in dataclasses.fields(record):
        if field.name != "archive" and type(getattr(record, field.name)).__name__ != field.type:
            raise ValueError(f"{field.name} is of the wrong type")
    return record


def write_record(folder: Path, record: BatchRecord, name: str = RECORD) -> None:
    """Write what :func:`read_record` reads, whole or not at all.

    Raises:
        OSError: the disk refuses.
    """
    values = dataclasses.asdict(record)
    del values["archive"]  # it lies beside the record, wherever that is
    write_json(folder / name, values)


def batch_folders(folder: Path) -> Iterator[Path]:
    """The folder of every batch, finished or not, by name; what a killed process left is none."""
    if folder.is_dir():
        yield from sorted(
            path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(LEFTOVER_PREFIX)
        )


def list_batches(folder: Path) -> tuple[BatchRecord, ...]:
    """The finished batches within a folder of batches, newest first; one that cannot be read is left out."""
    found = []
    for path in batch_folders(folder):
        try:
            found.append(read_record(path))
        except (OSError, ValueError):
            continue
    return tuple(sorted(found, key=lambda record: (record.created, record.batch_id), reverse=True))
