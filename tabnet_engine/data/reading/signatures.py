"""What a file is, told from its bytes alone: its name is never believed."""

from __future__ import annotations

import codecs
import re
from typing import Literal

from tabnet_engine.errors import TableError

__all__ = ["FileKind", "recognise", "utf16_without_mark"]

FileKind = Literal["parquet", "xlsx", "xls", "gzip", "bzip2", "xz", "zstd", "zip", "json_lines", "json", "text"]

_PACKED: tuple[tuple[bytes, FileKind], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PAR1", "parquet"),
)

_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "a rich-text document"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"ARROW1", "an Arrow (Feather) file"),
    (b"FEA1", "a Feather file"),
    (b"ORC", "an ORC file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"ID3", "a sound file"),
    (b"OggS", "a sound file"),
    (b"fLaC", "a sound file"),
    (b"$FL2", "an SPSS file"),
    (b"PARE", "an encrypted Parquet file"),
    (b"\x80\x02", "a pickle, which can run code and is never opened"),
    (b"\x80\x03", "a pickle, which can run code and is never opened"),
    (b"\x80\x04", "a pickle, which can run code and is never opened"),
    (b"\x80\x05", "a pickle, which can run code and is never opened"),
)

_BZIP2 = re.compile(rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)", re.DOTALL)
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP = re.compile(rb"\s*(?:<!--(?:(?!-->).)*-->\s*)*<(!doctype\s+html|html|svg|\?xml)\b", re.IGNORECASE | re.DOTALL)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b\x1c\x1d\x1e\x1f"))
_PROBE = 4096


def recognise(data: bytes, name: str) -> FileKind:
    """The kind of file that ``data`` is.

    Args:
        data: the file's bytes, or at least its first few kilobytes.
        name: what to call the file in an error.

    Raises:
        TableError: the bytes are an image, a document, a web page or something else that is no table.
    """
    if not data:
        raise TableError(f"{name} is empty; choose a file that holds a table")
    for magic, kind in _PACKED:
        if data.startswith(magic) and not _reads_as_text(magic, data):
            return kind
    if _BZIP2.match(data):
        return "bzip2"
    if data.startswith(_COMPOUND_FILE):
        return _compound(data, name)
    _refuse_foreign(data, name)
    return _textual(data, name)


def _compound(data: bytes, name: str) -> FileKind:
    """Old Excel, or the envelope that Office puts around an encrypted workbook."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise TableError(f"{name} is protected by a password; save it without one, or as CSV, and try again")
    if any(part.encode("utf-16-le") in data for part in ("Workbook", "Book")):
        return "xls"
    raise TableError(f"{name} is an Office document but not a workbook; save the table as .xlsx or CSV")


def _refuse_foreign(data: bytes, name: str) -> None:
    for magic, what in _FOREIGN:
        if data.startswith(magic) and not _reads_as_text(magic, data):
            raise TableError(f"{name} is {what}, not a table; choose a CSV, Parquet, Excel or JSON-lines file")
    if data[:4] == b"RIFF" and data[8:12] in {b"WEBP", b"WAVE", b"AVI "}:
        raise TableError(f"{name} is an image or a recording, not a table; choose a CSV, Parquet or Excel file")
    if data[:2] == b"BM" and b"\x00\x00" in data[6:10]:
        raise TableError(f"{name} is a bitmap image, not a table; choose a CSV, Parquet or Excel file")


def _reads_as_text(magic: bytes, data: bytes) -> bool:
    """Whether a signature made of plain letters ("ORC", "ID3") is merely how a text file begins."""
    head = data[:_PROBE]
    return magic.isalnum() and head.translate(None, _CONTROL) == head


def _textual(data: bytes, name: str) -> FileKind:
    head = data[:_PROBE]
    found = _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf"))
    if found:
        what = "an XML file" if found.group(1) == b"?xml" else "a web page"
        raise TableError(f"{name} is {what}, not a table; open it and save the table as CSV")
    if _looks_binary(head):
        raise TableError(f"{name} is not text: it holds binary data; choose a CSV, Parquet, Excel or JSON-lines file")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if re.match(rb'\{\s*("|\}\s*([\r\n]|$))', start):
        return "json_lines"
    if re.match(rb"\[\s*\{", start):
        return "json"
    return "text"


def _looks_binary(head: bytes) -> bool:
    """Whether there are more control characters and zeros than any encoding of text explains."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")) or utf16_without_mark(head):
        return False
    n_zero = head.count(b"\x00")
    n_control = len(head) - len(head.translate(None, _CONTROL)) - n_zero
    return n_control > max(4, len(head) // 33) or n_zero > max(4, len(head) // 10)


def utf16_without_mark(head: bytes) -> str | None:
    """The UTF-16 that a text without a byte-order mark is in, if it is.

    ASCII characters, of which any table has line ends and delimiters, have their zero always on the same side.
    """
    n_even, n_odd = head[::2].count(b"\x00"), head[1::2].count(b"\x00")
    if len(head) % 2 or max(n_even, n_odd) * 20 < len(head) or min(n_even, n_odd) * 10 > max(n_even, n_odd):
        return None
    encoding = "utf-16-be" if n_even > n_odd else "utf-16-le"
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return None
    return encoding if "\n" in text or "\r" in text else None
