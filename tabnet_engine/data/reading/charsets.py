"""From bytes to UTF-8: which encoding a text file is written in.

In order: a byte-order mark, UTF-16 by where its zeros lie, valid UTF-8, then the legacy encoding under which the
characters are likeliest (see ``letters``).
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterator

from tabnet_engine.data.reading.letters import CANDIDATES, log_likelihood
from tabnet_engine.data.reading.signatures import utf16_without_mark
from tabnet_engine.errors import TableError

__all__ = ["detect_encoding", "to_utf8"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 64 * 1024
_CHUNK = 1 << 24
_LONG_LINE = 4096
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_C1 = re.compile(rb"[\x80-\x9f]")
_HIGH_CHARACTER = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")


def to_utf8(data: bytes, encoding: str | None, name: str) -> tuple[bytes, str]:
    """The text as UTF-8 without a byte-order mark, and the encoding that it came in.

    Args:
        data: the file's bytes.
        encoding: what the user says; ``None`` detects.
        name: what to call the file in an error.

    Raises:
        TableError: bytes that the given encoding does not have, named by line.
    """
    chosen = encoding or detect_encoding(data, name)
    if codecs.lookup(chosen).name in {"utf-8", "utf-8-sig", "ascii"}:
        _check_utf8(data, chosen, name)
        return data.removeprefix(codecs.BOM_UTF8), chosen
    try:
        text = data.decode(chosen)
    except UnicodeError as error:
        raise _undecodable(data, chosen, getattr(error, "start", 0), name) from error
    # A lone surrogate (utf-7, utf-16 variants) has no UTF-8 form.
    return text.removeprefix("\ufeff").encode("utf-8", "replace"), chosen


def detect_encoding(data: bytes, name: str = "the file") -> str:
    """The Python name of the encoding that ``data`` is most likely written in.

    Raises:
        TableError: the text is UTF-8 but for a few damaged places.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    wide = utf16_without_mark(data[:_SAMPLE_BYTES])
    if wide is not None:
        return wide
    bad = None if data.isascii() else _first_invalid(data, "utf-8")
    if bad is None:
        return "utf-8"
    sample = b"".join(_high_lines(data))
    _refuse_broken_utf8(data, sample, bad, name)
    return next(encoding for encoding in _candidates(sample) if _first_invalid(data, encoding) is None)


def _first_invalid(data: bytes, encoding: str) -> int | None:
    """Position of the first byte that ``encoding`` does not have, without holding the decoded text."""
    decoder = codecs.getincrementaldecoder(encoding)()
    view = memoryview(data)
    for start in range(0, len(data), _CHUNK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(view[start : start + _CHUNK], final=start + _CHUNK >= len(data))
        except UnicodeDecodeError as error:
            return start - pending + error.start
    return None


def _check_utf8(data: bytes, encoding: str, name: str) -> None:
    bad = None if data.isascii() else _first_invalid(data, codecs.lookup(encoding).name)
    if bad is not None:
        raise _undecodable(data, encoding, bad, name)


def _undecodable(data: bytes, encoding: str, position: int, name: str) -> TableError:
    line = data.count(b"\n", 0, position) + 1
    shown = f"byte 0x{data[position]:02X} at line {line}" if position < len(data) else "its end"
    return TableError(f"{name} cannot be read as {encoding}: {shown} does not fit; choose another encoding")


def _high_lines(data: bytes) -> Iterator[bytes]:
    """Lines with bytes above 127, up to the sample's size: numbers say nothing about an encoding."""
    total = position = 0
    while total < _SAMPLE_BYTES:
        found = _HIGH_RUN.search(data, position)
        if found is None:
            return
        earliest = max(position, found.start() - _LONG_LINE)
        start = max(earliest, data.rfind(b"\n", earliest, found.start()) + 1)
        end = data.find(b"\n", found.end(), found.end() + _LONG_LINE)
        # One byte more than the run: the second half of a character may be an ASCII letter.
        position = found.end() + 1 if end < 0 else end + 1
        yield data[start:position]
        total += position - start


def _refuse_broken_utf8(data: bytes, sample: bytes, bad: int, name: str) -> None:
    """Reading mostly valid UTF-8 as something else would garble all of it for a few bad bytes."""
    text = sample.decode("utf-8", "replace")
    n_broken = text.count("\ufffd")
    n_valid = sum(1 for character in text if ord(character) > 127) - n_broken
    if n_valid > 10 * n_broken and len(_HIGH_CHARACTER.findall(sample)) > 10 * n_broken:
        line = data.count(b"\n", 0, bad) + 1
        raise TableError(
            f"{name} is UTF-8 except for byte 0x{data[bad]:02X} at line {line}; "
            "mend that line, or choose an encoding such as latin-1"
        )


def _candidates(sample: bytes) -> Iterator[str]:
    """Encodings to try, the likeliest first; latin-1, the last, takes any byte."""
    scores = {encoding: log_likelihood(sample, encoding) for encoding in CANDIDATES}
    for encoding in sorted((e for e in scores if scores[e] > -math.inf), key=lambda e: -scores[e]):
        if encoding == "cp1252" and not _C1.search(sample):
            yield "latin-1"
        yield encoding
    yield "latin-1"
