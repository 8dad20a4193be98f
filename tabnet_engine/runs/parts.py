"""Files that are whole or absent: hashing, atomic writing, and the sentence for a disk that refuses."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tabnet_engine.errors import StorageError

__all__ = [
    "confirm",
    "explain_os_error",
    "folder_lock",
    "folder_written_whole",
    "is_regular_file",
    "json_bytes",
    "parse_json",
    "remove_folder",
    "sha256_bytes",
    "sha256_file",
    "storage_errors",
    "sweep_leftovers",
    "temporary_folder",
    "write_bytes",
    "write_json",
    "write_whole",
]

LEFTOVER_PREFIX = ".leftover-"
LEFTOVER_AGE_SECONDS = 86_400.0
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_GONE = frozenset({errno.ENOENT, errno.ESTALE})


def sha256_bytes(content: bytes) -> str:
    """SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_regular_file(path: Path) -> bool:
    """Whether ``path`` is a plain file: no link, no folder, no pipe that would block a reader."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def explain_os_error(error: OSError, doing: str) -> str:
    """One sentence for a failed file operation: what failed, why, and what to do.

    Args:
        error: what the system said.
        doing: what was tried, to follow "could not", as in "write the run 'census'".
    """
    if error.errno in _FULL:
        return f"could not {doing}: the disk is full; free some space and try again"
    if error.errno in _FORBIDDEN:
        return f"could not {doing}: permission is denied; check who owns the folder and whether it may be written"
    if error.errno in _GONE:
        return f"could not {doing}: the file or folder is not there any more; reload and try again"
    if error.errno == errno.ENOTDIR:
        return f"could not {doing}: a file stands where a folder is needed; choose another place"
    reason = error.strerror or str(error) or type(error).__name__
    return f"could not {doing}: the system said {reason!r}; check the disk and try again"


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Turn an ``OSError`` inside the block into the sentence of :func:`explain_os_error`.

    Raises:
        StorageError: the block raised an ``OSError``.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(explain_os_error(error, doing)) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to a new file and have the disk confirm it.

    Raises:
        OSError: the disk refused, or the file exists.
    """
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write_whole(path: Path, writer: Callable[[Path], None]) -> str:
    """Let ``writer`` fill a temporary file, then give it its name; ``path`` is replaced or untouched.

    Args:
        path: the name the file gets once complete; its folder is made if need be.
        writer: writes to the path it is handed, which ends like ``path``.

    Returns:
        The SHA-256 of what was written.

    Raises:
        OSError: the disk refused; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{LEFTOVER_PREFIX}{secrets.token_hex(6)}-{path.name[-64:]}")
    try:
        writer(temporary)
        confirm(temporary)
        digest = sha256_file(temporary)
        temporary.replace(path)
        confirm(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return digest


def json_bytes(value: Any, *, indent: int | None = None) -> bytes:
    """``value`` as JSON text; refuses NaN and infinity, which are no JSON."""
    return (json.dumps(value, indent=indent, allow_nan=False) + "\n").encode()


def write_json(path: Path, value: Any, *, indent: int | None = None) -> str:
    """Write ``value`` as JSON, whole or not at all.

    Args:
        path: the file, which is replaced or untouched.
        value: any JSON value.
        indent: for files that people open; large ones are written faster without.

    Returns:
        The SHA-256 of what was written.

    Raises:
        OSError: the disk refused.
    """
    content = json_bytes(value, indent=indent)
    return write_whole(path, lambda temporary: write_bytes(temporary, content))


def parse_json(content: bytes) -> Any:
    """The JSON value in some bytes.

    Raises:
        ValueError: they do not hold JSON, or hold it nested beyond all sense; NaN and infinity are no JSON. Or a key
            stands twice in one object: one reader would take the first value, another the last.
    """
    try:
        return json.loads(content, parse_constant=_no_number, object_pairs_hook=_object)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {twice!r} stands twice in one object; keep one of them")
    return values


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def confirm(path: Path) -> None:
    """Have the disk confirm a file's content or a folder's names, so that a power cut leaves either state."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """An empty folder in ``parent`` that is gone when the block ends, unless it got a name there.

    Raises:
        OSError: the disk refused.
    """
    temporary = parent / f"{LEFTOVER_PREFIX}{secrets.token_hex(6)}"
    temporary.mkdir()
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def folder_written_whole(folder: Path) -> Iterator[Path]:
    """A temporary folder to fill, which gets the name ``folder`` when the block ends well.

    Raises:
        FileExistsError: ``folder`` exists.
        OSError: the disk refused. Whatever the block raised, no half-written folder is left.
    """
    if os.path.lexists(folder):
        raise FileExistsError(errno.EEXIST, "the folder exists", str(folder))
    if folder.parent.exists() and not folder.parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(folder.parent))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(folder.parent) as temporary:
        yield temporary
        confirm(temporary)
        _take_name(temporary, folder)
        try:
            confirm(folder.parent)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def _take_name(temporary: Path, folder: Path) -> None:
    """Rename; a folder that appeared meanwhile is reported as existing, whatever the system calls it."""
    try:
        temporary.rename(folder)
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
            raise FileExistsError(errno.EEXIST, "the folder exists", str(folder)) from error
        raise


def remove_folder(folder: Path) -> None:
    """Remove a folder so that it is never seen half-removed.

    Raises:
        OSError: the folder is not there or may not be removed.
    """
    leaving = folder.with_name(f"{LEFTOVER_PREFIX}{secrets.token_hex(6)}")
    folder.rename(leaving)
    _remove_any(leaving)


def sweep_leftovers(parent: Path) -> None:
    """Remove what a killed process left in ``parent`` more than a day ago.

    Younger leftovers may belong to a process that is still writing. One that cannot be removed stays
    for the next sweep: it is in nobody's way.
    """
    oldest = time.time() - LEFTOVER_AGE_SECONDS
    for entry in parent.glob(f"{LEFTOVER_PREFIX}*"):
        try:
            if entry.lstat().st_mtime < oldest:
                _remove_any(entry)
        except OSError:
            continue


def _remove_any(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


@contextmanager
def folder_lock(folder: Path, *, exclusive: bool, waits: bool = True) -> Iterator[None]:
    """Hold a lock on ``folder`` itself, so that no lock file is ever part of it.

    A lock ends with its process, however that ends.

    Raises:
        BlockingIOError: another process holds it, and this one does not wait.
        OSError: the folder cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        fcntl.flock(descriptor, kind if waits else kind | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
