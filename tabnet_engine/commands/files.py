"""Tables in, files out: what cannot be written is refused before the work, and nothing is half-written."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tabnet_engine.commands.console import say
from tabnet_engine.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from tabnet_engine.data.schema import FeatureSchema
    from tabnet_engine.data.tables import ReadOptions, Table

__all__ = [
    "check_new_file",
    "check_new_folder",
    "check_outside_run",
    "read_another",
    "read_first",
    "replace_file",
]

_WRITING = ".writing-"
_SECONDS_BEFORE_LOCK = 10.0  # far more than passes between making such a folder and locking it


def read_first(path: Path, header: str, names: str | None) -> Table:
    """The table to learn from, read as the arguments say; what was done to it is said."""
    from tabnet_engine.data.tables import ReadOptions, read_table_isolated

    column_names = None if names is None else tuple(names.split(","))
    return _noted(path, read_table_isolated(path, ReadOptions(header=header, column_names=column_names)))


def read_another(path: Path, options: ReadOptions, columns: FeatureSchema) -> Table:
    """A file with the columns of an earlier one that was read with ``options``."""
    from tabnet_engine.data.reading.headers import repeats_names
    from tabnet_engine.data.tables import read_table_isolated

    options = options.for_another_file()
    table = read_table_isolated(path, options)
    if options.header == "none" and repeats_names(table.frame, [column.name for column in columns.columns]):
        say(f"{path.name}: the first line repeats the names of the columns; it was read as a header")
        table = read_table_isolated(path, options.replace(header="first", column_names=None))
    return _noted(path, table)


def _noted(path: Path, table: Table) -> Table:
    for note in table.notes:
        say(f"{path.name}: {note}")
    return table


def check_new_folder(path: Path) -> None:
    """Refuse a run folder that cannot be made before the work, not after it.

    Raises:
        ConfigError: it exists, or it cannot be made.
    """
    if os.path.lexists(path):
        raise ConfigError(f"{path} exists already; choose another folder for --out")
    nearest = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    if not nearest.is_dir():
        raise ConfigError(f"{path} cannot be made, since {nearest} is no folder; choose another folder for --out")
    _check_writable(path, nearest)


def check_new_file(path: Path, source: Path) -> None:
    """Refuse what is no place for a file; replacing a device such as /dev/null would harm the machine.

    Args:
        path: the file to write.
        source: the file that is read, which must not be lost.

    Raises:
        ConfigError: it is a folder, a device, the source itself, or cannot be written.
    """
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path} is a folder or a device; give --out the name of a file")
    if path.exists() and source.exists() and path.samefile(source):
        raise ConfigError(f"{path} is a file that is read, which would be lost; choose another file for --out")
    if not path.parent.is_dir():
        raise ConfigError(f"{path} cannot be written: there is no folder {path.parent}; make it first")
    _check_writable(path, path.parent)


def check_outside_run(path: Path, run: Path) -> None:
    """Refuse a file within the run folder, where it could replace a part of the run.

    Raises:
        ConfigError: it lies in the run folder.
    """
    if run.is_dir() and path.resolve().is_relative_to(run.resolve()):
        raise ConfigError(f"{path} lies within the run {run}, which keeps its own files only; choose another --out")


def _check_writable(path: Path, folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"{path} cannot be written: permission for {folder} is denied; choose another --out")
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{str(path)!r} is no text in UTF-8; choose another name for --out") from None


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside ``path`` and rename, so that a failure leaves what was there.

    Raises:
        StorageError: the disk refuses.
    """
    from tabnet_engine.runs.parts import folder_lock

    try:
        _sweep(path.parent)
        # The lock ends with this process, however that ends: who can take it may remove the folder.
        with (
            tempfile.TemporaryDirectory(dir=path.parent, prefix=_WRITING) as folder,
            folder_lock(Path(folder), exclusive=True),
        ):
            part = Path(folder) / path.name
            write(part)
            part.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error


def _sweep(folder: Path) -> None:
    """Remove the half-written files of killed processes; those of living ones are locked, or a moment old."""
    for entry in folder.glob(f"{_WRITING}*"):
        try:
            if entry.is_symlink() or time.time() - entry.stat().st_mtime < _SECONDS_BEFORE_LOCK:
                continue
            descriptor = os.open(entry, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(entry, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(descriptor)
