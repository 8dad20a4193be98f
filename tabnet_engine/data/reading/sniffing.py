"""Delimiter, quote and decimal sign of a text table, found on a sample of its lines.

A delimiter is right when nearly every line splits into equally many cells and the cells are clean: numbers,
dates, or text without the other delimiters inside.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tabnet_engine.data.reading.options import ReadOptions
from tabnet_engine.data.reading.patterns import comma_decimal, grouped, is_date, is_number, point_decimal
from tabnet_engine.errors import TableError

__all__ = ["Dialect", "Record", "cut_sample", "long_cells", "normalise", "records_of", "sniff", "width_of"]

DELIMITERS = (",", "\t", ";", "|", "::", "^", "~", "\x01", "\x1f", " ")
_SAMPLE_BYTES = 256 * 1024
_LONG_SAMPLE_BYTES = 16 * 1024 * 1024
_FEW_LINES = 20
_MAX_CELLS = 4000
_UNCLEAN = re.compile(r"[;,\t|]|::")
_STAND_INS = ("\x1f", "\x1e", "\x1d", "\x01", "\x02", "\x03")
_BACKSLASH_QUOTE = re.compile(rb'[^\\\s,;|]\\"[^\r\n,;\t|]')


@dataclass(frozen=True)
class Record:
    """One line of cells as the sample has it; ``line`` counts from 1 and is where the record starts."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Dialect:
    """How cells are told apart. ``escaped``: quotes inside cells are written as backslash and quote."""

    delimiter: str
    quote: str
    decimal: str = "."
    escaped: bool = False
    single: bool = False


def cut_sample(data: bytes) -> bytes:
    """The first lines of a text: about 256 KiB, more where lines are long, always whole lines."""
    if len(data) <= _SAMPLE_BYTES:
        return data
    size = _SAMPLE_BYTES
    while size < min(len(data), _LONG_SAMPLE_BYTES) and len(data[:size].splitlines()) < _FEW_LINES:
        size *= 4
    head = data[:size]
    if size >= len(data):
        return data
    end = max(head.rfind(b"\n"), head.rfind(b"\r"))
    return head[: end + 1] if end > 0 else head


def normalise(data: bytes, dialect: Dialect) -> tuple[bytes, str]:
    """The text with a delimiter of one byte, and that delimiter; line ends stay where they are.

    Long delimiters become a control character, runs of blanks one blank, and blanks between a delimiter and a
    quote go, all outside quoted cells only.
    """
    quote = dialect.quote.encode()
    if dialect.escaped:
        data = re.sub(rb'\\([\\"])', lambda found: b"\\" if found[1] == b"\\" else b'""', data)
    delimiter = dialect.delimiter.encode()
    if dialect.delimiter == " ":
        data = _outside_quotes(data, quote, rb"[ \t]+", b" ", rb"[ \t\r\n]")
        return re.sub(rb"(?m)^ | (?=[\r\n]|\Z)", b"", data), " "
    if len(delimiter) > 1:
        stand_in = next((sign for sign in _STAND_INS if sign.encode() not in data), None)
        if stand_in is None:
            raise TableError(f"the delimiter {dialect.delimiter!r} cannot be used on a text with control characters")
        parts = re.escape(delimiter)
        return _outside_quotes(data, quote, parts, stand_in.encode(), parts, rb"[\r\n]"), stand_in
    if quote and quote in data and re.search(re.escape(delimiter) + b" +" + quote, data):
        data = _without_blanks_before_quotes(data, quote, delimiter)
    return data, dialect.delimiter


def _quoted_cell(quote: bytes) -> bytes:
    """Expression for a cell in quotes, where two quotes stand for one."""
    sign = re.escape(quote)
    plain = b"[^" + sign + b"]*"
    return sign + plain + b"(?:" + sign * 2 + plain + b")*" + sign


def _at_start_of_cell(quote: bytes, *before: bytes) -> bytes:
    """Group 1: a quoted cell at the start of the text or after one of ``before``."""
    begins = b"|".join([rb"\A", *(b"(?<=" + part + b")" for part in before)])
    return b"((?:" + begins + b")" + _quoted_cell(quote) + b")"


def _outside_quotes(data: bytes, quote: bytes, pattern: bytes, replacement: bytes, *before: bytes) -> bytes:
    """Replace ``pattern`` except inside quoted cells, which begin after one of ``before`` or at the start."""
    if not quote or quote not in data:
        return re.sub(pattern, lambda _: replacement, data)
    either = _at_start_of_cell(quote, *before) + b"|" + pattern
    return re.sub(either, lambda found: found[1] if found[1] is not None else replacement, data)


def _without_blanks_before_quotes(data: bytes, quote: bytes, delimiter: bytes) -> bytes:
    parts = re.escape(delimiter)
    either = _at_start_of_cell(quote, parts, rb"[\r\n]") + b"|" + parts + b" +(" + _quoted_cell(quote) + b")"
    return re.sub(either, lambda found: found[1] if found[1] is not None else delimiter + found[2], data)


@contextmanager
def long_cells() -> Iterator[None]:
    """The csv module refuses cells above 131,072 characters unless told otherwise, for the whole process."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def records_of(text: str, delimiter: str, quote: str, limit: int = 1000) -> list[Record]:
    """Split the first ``limit`` records of a normalised text, without empty lines.

    Args:
        text: the sample.
        delimiter: one character.
        quote: one character, or ``""``.
        limit: how many records to split.
    """
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
    )
    records: list[Record] = []
    line = 1
    with long_cells():
        for cells in reader:
            if cells:
                records.append(Record(line, tuple(cell.strip() for cell in cells)))
            line = reader.line_num + 1
            if len(records) >= limit:
                break
    return records


def width_of(records: Sequence[Record]) -> int:
    """The usual number of cells of a record; later records count before the first few where they tie."""
    counts = Counter(len(record.cells) for record in reversed(records))
    return counts.most_common(1)[0][0] if counts else 0


def sniff(sample: bytes, options: ReadOptions, *, whole: bool) -> Dialect:
    """Find what the options leave open.

    Args:
        sample: UTF-8 text as :func:`cut_sample` returns it.
        options: what the user says.
        whole: whether the sample is the whole file, so that its last record is complete.
    """
    quotes = [options.quote] if options.quote is not None else _quotes(sample)
    delimiters = [options.delimiter] if options.delimiter is not None else DELIMITERS
    tokens = frozenset(options.missing_tokens)
    best: tuple[float, Dialect, list[Record]] | None = None
    for quote in quotes:
        for delimiter in delimiters:
            if delimiter == quote or (options.delimiter is None and delimiter.encode() not in sample):
                continue
            dialect = Dialect(delimiter, quote, escaped=_is_escaped(sample, quote))
            records = _split(sample, dialect, whole=whole)
            score = _score(records, delimiter, tokens)
            if best is None or score > best[0]:
                best = score, dialect, records
    if best is None or (best[0] <= 0 and options.delimiter is None):
        return _one_column(sample, options, quotes[0])
    decimal = options.decimal or _decimal_sign(best[2])
    return Dialect(best[1].delimiter, best[1].quote, decimal, best[1].escaped)


def _is_escaped(sample: bytes, quote: str) -> bool:
    r"""Whether quotes inside cells are written as backslash and quote, and not merely "C:\\" at the end of a cell."""
    return quote == '"' and _BACKSLASH_QUOTE.search(sample) is not None


def _split(sample: bytes, dialect: Dialect, *, whole: bool) -> list[Record]:
    text, delimiter = normalise(sample, dialect)
    records = records_of(text.decode("utf-8", "replace"), delimiter, dialect.quote, limit=300)
    return records if whole or len(records) < 2 or len(records) == 300 else records[:-1]


def _quotes(sample: bytes) -> list[str]:
    """Apostrophes quote only where whole cells stand in them more often than in double quotes."""
    cell = r"(?m)(?:^|[,;\t|]) *{0}[^{0}\r\n]*{0} *(?=[,;\t|\r\n]|\Z)"
    counts = {quote: len(re.findall(cell.format(quote).encode(), sample)) for quote in ('"', "'")}
    return ["'"] if counts["'"] > max(1, counts['"']) else ['"']


def _score(records: list[Record], delimiter: str, tokens: Collection[str]) -> float:
    """0 for no table at all, about 2 for equally long records of clean cells."""
    width = width_of(records)
    if width < 2:
        return 0.0
    regular = [record for record in records if len(record.cells) == width]
    consistency = len(regular) / len(records)
    step = max(1, len(regular) * width // _MAX_CELLS)
    cells = [cell for record in regular[1::step] for cell in record.cells][:_MAX_CELLS]
    if delimiter == " " and not _is_blank_separated(records, width, cells):
        return 0.0
    if consistency < 0.5:
        return 0.0
    return consistency + _clean_share(cells, tokens) + 0.5 * _clean_share(regular[0].cells[:_MAX_CELLS], tokens)


def _is_blank_separated(records: list[Record], width: int, cells: list[str]) -> bool:
    """Words are separated by blanks too: columns of numbers are what tells a table from prose."""
    below = records[1:] or records
    n_regular = sum(1 for record in below if len(record.cells) == width)
    n_numbers = sum(1 for cell in cells if is_number(cell))
    return n_regular > 0.9 * len(below) and n_numbers * 4 >= len(cells) > 0


def _clean_share(cells: Sequence[str], tokens: Collection[str]) -> float:
    if not cells:
        return 1.0
    return sum(1 for cell in cells if _is_clean(cell, tokens)) / len(cells)


def _is_clean(cell: str, tokens: Collection[str]) -> bool:
    return cell in tokens or is_number(cell) or _UNCLEAN.search(cell) is None or is_date(cell)


def _one_column(sample: bytes, options: ReadOptions, quote: str) -> Dialect:
    """No delimiter makes sense: take one that does not occur, so that every line is one cell."""
    free = next((sign for sign in (",", "\t", ";", "|", "\x1f", "\x1e") if sign.encode() not in sample), "\x1d")
    escaped = _is_escaped(sample, quote)
    records = _split(sample, Dialect(free, quote, escaped=escaped), whole=True)
    return Dialect(free, quote, options.decimal or _decimal_sign(records), escaped, single=True)


def _decimal_sign(records: list[Record]) -> str:
    """A comma where cells with a decimal comma outnumber those with a point; groups of thousands are neither."""
    cells = [cell for record in records for cell in record.cells][: 10 * _MAX_CELLS]
    groups_of_comma, groups_of_point = re.compile(grouped(".")), re.compile(grouped(","))
    n_comma = sum(1 for c in cells if comma_decimal.fullmatch(c) and not groups_of_comma.match(c))
    n_point = sum(1 for c in cells if point_decimal.fullmatch(c) and not groups_of_point.match(c))
    return "," if n_comma > n_point else "."
