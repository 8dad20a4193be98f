"""The archives of a workspace's batches, each with its line in the chained log.

An archive is written first, then its record under a name that nobody lists, then the line of the log, then the
record under its own name, which keeps the number and the hash of that line. A process may end between any two of
these: whoever comes next finds the unlisted record and does the rest.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tabnet_engine.errors import EngineError, ReportError, StorageError
from tabnet_engine.report.batch_checks import KEPT, REMOVED, detail_of
from tabnet_engine.report.batch_record import (
    ARCHIVE,
    PACKED,
    RECORD,
    BatchRecord,
    batch_folders,
    list_batches,
    read_record,
    write_record,
)
from tabnet_engine.report.log import ChainedLog, LogLine
from tabnet_engine.runs.parts import (
    folder_lock,
    folder_written_whole,
    is_regular_file,
    remove_folder,
    sha256_file,
    storage_errors,
    sweep_leftovers,
)

__all__ = ["BATCHES", "BatchShelf"]

BATCHES = "batches"  # the room of a workspace, beside that of its reports


class BatchShelf:
    """The batches in one folder; any number of processes may have it open.

    Args:
        folder: of the batches, one folder each.
        log: that of the workspace's reports. The folder it lies in is what a process locks while it writes.
    """

    def __init__(self, folder: Path, log: ChainedLog) -> None:
        self.folder = folder
        self.log = log

    def list(self) -> tuple[BatchRecord, ...]:
        """The finished batches, newest first; what a killed process had all but finished among them."""
        with suppress(StorageError):  # on a disk that nobody may write to, the others are still to be seen
            self.settle()
        return list_batches(self.folder)

    def finish(self, folder: Path) -> BatchRecord:
        """Give the archive that was written into the folder of a batch its line in the log.

        Raises:
            StorageError: the disk refuses, or the archive is not the one that was written; the next attempt goes on.
        """
        with storage_errors("record the archive"), self._changing():
            return self._finished(folder)

    def keep(self, made: Path) -> BatchRecord:
        """Take a copy of a finished batch that lies in a folder elsewhere; one that is here already stays as it is.

        Raises:
            StorageError: the disk refuses, and nothing is half-kept; or the one that is here was changed since.
        """
        record = read_record(made)
        folder = self.folder / record.batch_id
        with storage_errors("keep the archive"):
            if not folder.exists():
                # Another process may keep the same one meanwhile: then that one's is compared below.
                with suppress(FileExistsError), folder_written_whole(folder) as temporary:
                    shutil.copyfile(record.archive, temporary / ARCHIVE)
                    write_record(temporary, record, PACKED)
            if not is_regular_file(folder / ARCHIVE) or sha256_file(folder / ARCHIVE) != record.sha256:
                raise StorageError(
                    f"the workspace holds the archive {folder.name!r} already, and not as it was made; see what "
                    "`verify-log` says of it, and delete it under “History”, “Archives” to keep it anew"
                )
        return self.finish(folder)

    def delete(self, name: str, *, by: str = "") -> None:
        """Remove a finished batch; that it was there stays in the log.

        Args:
            name: of its folder.
            by: who removes it.

        Raises:
            ReportError: there is none of that name.
            StorageError: the disk refuses.
        """
        with storage_errors("delete the archive"), self._changing():
            record = next((record for record in list_batches(self.folder) if record.name == name), None)
            if record is None:
                raise ReportError(f"there is no archive {name!r} in this workspace any more; choose one from the list")
            last = self._last_line(record)
            if last is None or last.action != REMOVED:  # else a process ended between the log and the disk
                self._append(record, REMOVED, by)
            remove_folder(self.folder / name)

    def settle(self) -> None:
        """Finish what a killed process had all but finished.

        Raises:
            StorageError: the disk refuses.
        """
        if any(map(_is_packed, batch_folders(self.folder))):
            with storage_errors("record the archive"), self._changing():
                pass  # every change begins with it

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One process at a time."""
        place = self.log.path.parent
        place.mkdir(parents=True, exist_ok=True)
        with folder_lock(place, exclusive=True):
            for folder in filter(_is_packed, batch_folders(self.folder)):
                # One that cannot be finished is said by who verifies, and stands in nobody's way.
                with suppress(OSError, ValueError, EngineError):
                    self._finished(folder)
            if self.folder.is_dir():
                sweep_leftovers(self.folder)
            yield

    def _finished(self, folder: Path) -> BatchRecord:
        if is_regular_file(folder / RECORD):
            return read_record(folder)
        packed = read_record(folder, PACKED)
        if sha256_file(packed.archive) != packed.sha256:
            raise StorageError(f"the archive {folder.name!r} was changed while it was made; make it anew")
        line = self._last_line(packed)
        if line is None or (line.action, line.content) != (KEPT, packed.sha256):
            line = self._append(packed, KEPT)
        record = dataclasses.replace(packed, line=line.sequence, hash=line.hash)
        write_record(folder, record)
        (folder / PACKED).unlink()
        return record

    def _last_line(self, record: BatchRecord) -> LogLine | None:
        detail = detail_of(record)
        lines = [line for line in self.log.lines(record.batch_id) if line.detail == detail]
        return lines[-1] if lines else None

    def _append(self, record: BatchRecord, action: str, by: str = "") -> LogLine:
        told = {"actor": by, "action": action, "case_id": record.batch_id, "content": record.sha256}
        return self.log.append(**told, detail=detail_of(record))


def _is_packed(folder: Path) -> bool:
    return is_regular_file(folder / PACKED) and not is_regular_file(folder / RECORD)
