"""A user's file as bytes: hashed as received, unpacked once, never larger than the limits."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

import pyarrow as pa

from tabnet_engine.config import TableLimits
from tabnet_engine.data.reading.signatures import FileKind, recognise
from tabnet_engine.errors import StorageError, TableError

__all__ = ["DAMAGE", "Source", "open_source"]

_CHUNK = 1 << 20
DAMAGE = (
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Source:
    """The bytes of one table. ``sha256`` is of the file as received, ``data`` is what it unpacks to."""

    name: str
    kind: FileKind
    data: bytes
    sha256: str
    notes: tuple[str, ...] = ()


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def open_source(path: Path, name: str, limits: TableLimits) -> Source:
    """Read and unpack a file.

    Raises:
        TableError: no file there, too large, damaged, packed twice, or no table inside.
        StorageError: the file exists and the system will not let us read it.
    """
    data = _read(path, name, limits)
    sha256 = hashlib.sha256(data).hexdigest()
    kind = recognise(data, name)
    if kind not in _UNPACKERS:
        return Source(name, kind, data, sha256)
    try:
        inner, note = _UNPACKERS[kind](data, name, limits)
    except DAMAGE as error:
        raise TableError(f"{name} is a damaged or incomplete {kind} file ({error}); copy or export it again") from error
    if note is None:
        return Source(name, "xlsx", data, sha256)
    inner_kind = recognise(inner, f"the file inside {name}")
    if inner_kind in _UNPACKERS and not (inner_kind == "zip" and _is_workbook(inner)):
        raise TableError(f"{name} is compressed twice; unpack it once and try again")
    return Source(name, "xlsx" if inner_kind == "zip" else inner_kind, inner, sha256, (note,))


def _read(path: Path, name: str, limits: TableLimits) -> bytes:
    """The file's bytes; a device or a growing file cannot yield more than the limit."""
    if path.is_dir():
        raise TableError(f"{name} is a folder; choose a file")
    if not path.is_file():
        raise TableError(f"there is no file {name}; check its path")
    try:
        with path.open("rb") as file:
            data = file.read(limits.max_file_bytes + 1)
    except OSError as error:
        raise StorageError(f"{name} cannot be opened: {error.strerror}") from error
    if len(data) > limits.max_file_bytes:
        raise TableError(f"{name} is larger than {_size(limits.max_file_bytes)}, the most that is read; use fewer rows")
    return data


def _drain(stream: _Stream, name: str, limits: TableLimits) -> bytes:
    """Unpack to at most ``max_file_bytes``: a small file may unpack to anything."""
    parts: list[bytes] = []
    total = 0
    while chunk := stream.read(_CHUNK):
        total += len(chunk)
        if total > limits.max_file_bytes:
            limit = _size(limits.max_file_bytes)
            raise TableError(f"{name} unpacks to more than {limit}, the most that is read; use fewer rows")
        parts.append(chunk)
    return b"".join(parts)


def _size(n_bytes: int) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if n_bytes < 1024:
            return f"{n_bytes:,} {unit}"
        n_bytes //= 1024
    return f"{n_bytes:,} GiB"


Unpacked = tuple[bytes, str | None]


def _unpack_gzip(data: bytes, name: str, limits: TableLimits) -> Unpacked:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        return _drain(stream, name, limits), "The file was unpacked with gzip."


def _unpack_bzip2(data: bytes, name: str, limits: TableLimits) -> Unpacked:
    with bz2.BZ2File(io.BytesIO(data)) as stream:
        return _drain(stream, name, limits), "The file was unpacked with bzip2."


def _unpack_xz(data: bytes, name: str, limits: TableLimits) -> Unpacked:
    with lzma.LZMAFile(io.BytesIO(data)) as stream:
        return _drain(stream, name, limits), "The file was unpacked with xz."


def _unpack_zstd(data: bytes, name: str, limits: TableLimits) -> Unpacked:
    # Arrow's stream knows a frame that was cut off; the usual package takes its end for the end of the data.
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        return _drain(stream, name, limits), "The file was unpacked with zstd."


def _unpack_zip(data: bytes, name: str, limits: TableLimits) -> Unpacked:
    """The one table in an archive; a workbook is an archive too and is handed back unopened (no note)."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = {info.filename for info in archive.infolist()}
        if "xl/workbook.xml" in names:
            return data, None
        _refuse_documents(names, name)
        members = [info for info in archive.infolist() if _is_table_member(info)]
        if len(members) != 1:
            found = ", ".join(PurePosixPath(info.filename).name for info in members[:5]) or "none"
            raise TableError(
                f"{name} must hold exactly one file, found {len(members)}: {found}; unpack it and choose one"
            )
        if members[0].flag_bits & 1:
            raise TableError(f"{name} is protected by a password; unpack it and choose the table")
        with archive.open(members[0]) as stream:
            inner = _drain(stream, name, limits)
    return inner, f'The file was unpacked from a zip archive: "{members[0].filename}".'


def _refuse_documents(names: set[str], name: str) -> None:
    if "xl/workbook.bin" in names or "content.xml" in names:
        what = "a binary Excel workbook" if "xl/workbook.bin" in names else "an OpenDocument file"
        raise TableError(f"{name} is {what}; save it as .xlsx or CSV and try again")
    if "[Content_Types].xml" in names:
        raise TableError(f"{name} is an Office document but not a workbook; save the table as .xlsx or CSV")


def _is_table_member(info: zipfile.ZipInfo) -> bool:
    """Leave out folders and what macOS and Windows add by themselves."""
    path = PurePosixPath(info.filename)
    hidden = path.name.startswith(".") or path.parts[:1] == ("__MACOSX",) or path.name.lower() == "thumbs.db"
    return not info.is_dir() and not hidden


def _is_workbook(data: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except DAMAGE:
        return False


_UNPACKERS: dict[FileKind, Callable[[bytes, str, TableLimits], Unpacked]] = {
    "gzip": _unpack_gzip,
    "bzip2": _unpack_bzip2,
    "xz": _unpack_xz,
    "zstd": _unpack_zstd,
    "zip": _unpack_zip,
}
