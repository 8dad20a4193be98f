"""Delimited text: detection on a sample, then Arrow's parser on everything, every cell as text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.csv as arrow_csv

from tabnet_engine.config import TableLimits
from tabnet_engine.data.reading.charsets import to_utf8
from tabnet_engine.data.reading.headers import unique_names
from tabnet_engine.data.reading.layout import Layout, byte_offset, find_layout
from tabnet_engine.data.reading.options import ReadOptions
from tabnet_engine.data.reading.raw import RawTable, check_size
from tabnet_engine.data.reading.sniffing import Dialect, cut_sample, long_cells, normalise, records_of, sniff, width_of
from tabnet_engine.data.reading.source import Source
from tabnet_engine.data.wording import counted
from tabnet_engine.errors import TableError

__all__ = ["read_text"]

_BLOCK = 4 << 20
_DECLARED_DELIMITER = re.compile(rb"(sep=([^\r\n\"]))(?=[\r\n])", re.IGNORECASE)


@dataclass(frozen=True)
class _Text:
    """A text ready for the parser: UTF-8, with a ``delimiter`` of one byte (``dialect`` has the user's)."""

    data: bytes
    delimiter: str
    dialect: Dialect
    encoding: str
    name: str


def read_text(source: Source, options: ReadOptions, limits: TableLimits) -> RawTable:
    """Read delimited text.

    Args:
        source: the file.
        options: what the user says; the rest is detected.
        limits: bounds on the table.

    Raises:
        TableError: not text, no rows, rows of different lengths, a quote never closed, or too large.
    """
    notes = list(source.notes)
    text = _prepared(source, options, notes)
    _check_closed(text)
    layout = _layout(text, options, limits)
    table = _parse(text, layout)
    check_size(table.num_rows, layout.width, source.name, limits)
    names, naming = unique_names(layout.header or [str(i) for i in range(layout.width)])
    return RawTable(
        names=names,
        columns=table.columns,
        options=_resolved(options, text, layout),
        notes=[*notes, *layout.notes, *naming],
        first_line=_first_line(text.data, layout, table.num_rows),
    )


def _prepared(source: Source, options: ReadOptions, notes: list[str]) -> _Text:
    """Decode the text and find how its cells are told apart."""
    data, encoding = to_utf8(source.data, options.encoding, source.name)
    if encoding not in {"utf-8", "ascii"} and options.encoding is None:
        notes.append(f"The text is not UTF-8; it was read as {encoding}.")
    data = _without_stray_bytes(data, notes)
    declared = _DECLARED_DELIMITER.match(data)
    if declared:
        # Excel's own way to name the delimiter; the line stays as an empty one, so that lines keep their numbers.
        data = data[declared.end(1) :]
        options = options.replace(delimiter=options.delimiter or declared[2].decode("utf-8", "replace"))
    sample = cut_sample(data)
    dialect = sniff(sample, options, whole=len(sample) == len(data))
    if dialect.single:
        notes.append("No delimiter was found; the file was read as one column.")
    data, delimiter = normalise(data, dialect)
    return _Text(data, delimiter, dialect, encoding, source.name)


def _layout(text: _Text, options: ReadOptions, limits: TableLimits) -> Layout:
    sample = cut_sample(text.data)
    records = records_of(sample.decode("utf-8", "replace"), text.delimiter, text.dialect.quote)
    if len(sample) < len(text.data) and len(records) > 1:
        records = records[:-1]
    check_size(0, width_of(records), text.name, limits)
    return find_layout(records, options.header, options.missing_tokens, text.name)


def _resolved(options: ReadOptions, text: _Text, layout: Layout) -> ReadOptions:
    return options.replace(
        format="csv",
        encoding=text.encoding,
        delimiter=text.dialect.delimiter,
        quote=text.dialect.quote,
        decimal=text.dialect.decimal,
        header="none" if layout.header is None else "first",
        sheet=None,
    )


def _first_line(data: bytes, layout: Layout, n_rows: int) -> int | None:
    """The line of row 0 where every row is one line, so that later rows have lines too."""
    n_lines = data.count(b"\n") or data.count(b"\r")
    return layout.first_line if n_rows + layout.first_line - 1 in {n_lines, n_lines + 1} else None


def _without_stray_bytes(data: bytes, notes: list[str]) -> bytes:
    """Drop NUL characters, and what ends a file without being a row: blanks, the Ctrl-Z of old programs."""
    n_nul = data.count(b"\x00")
    if n_nul:
        notes.append(f"{counted(n_nul, 'NUL character')} left out.")
        data = data.replace(b"\x00", b"")
    if data.endswith(b"\x1a"):
        data = data[:-1]
    return data.rstrip(b" \r\n") if data[-2:].isspace() else data


def _check_closed(text: _Text) -> None:
    """Arrow takes the rest of the file into a cell whose quote is never closed; say so instead."""
    quote = text.dialect.quote
    if not quote or text.data.count(quote.encode()) % 2 == 0:
        return
    line = 1
    try:
        for _, last, _ in _numbered_rows(text, strict=True):
            line = last + 1
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise TableError(
                f"a quote {quote} opened in the row at line {line} of {text.name} is never closed; "
                "close it, or say that the file has no quotes"
            ) from error


def _numbered_rows(text: _Text, *, strict: bool) -> Iterator[tuple[int, int, int]]:
    """First line, last line and number of cells of each row, by Python's own slow parser: to explain an error."""
    stream = io.TextIOWrapper(io.BytesIO(text.data), encoding="utf-8", errors="replace", newline="")
    quote = text.dialect.quote
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    reader = csv.reader(stream, delimiter=text.delimiter, quotechar=quote or None, quoting=quoting, strict=strict)
    line = 1
    with long_cells():
        for cells in reader:
            yield line, reader.line_num, len(cells)
            line = reader.line_num + 1


def _parse(text: _Text, layout: Layout) -> pa.Table:
    """Every cell of the rows, as text, in columns called "0", "1", …."""
    names = [str(i) for i in range(layout.width)]
    body = pa.py_buffer(text.data)[byte_offset(text.data, layout.first_line) :]
    convert = arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    quote = text.dialect.quote
    quoted = bool(quote) and quote.encode() in text.data
    parse = arrow_csv.ParseOptions(
        delimiter=text.delimiter, quote_char=quote if quoted else False, newlines_in_values=quoted
    )
    block = _BLOCK
    while True:
        read = arrow_csv.ReadOptions(column_names=names, block_size=block)
        try:
            return arrow_csv.read_csv(
                pa.BufferReader(body), read_options=read, parse_options=parse, convert_options=convert
            )
        except pa.ArrowInvalid as error:
            if "straddling" in str(error) and block < len(text.data):
                block = min(block * 16, len(text.data) + 1)
                continue
            raise _explained(text, layout, error) from error


def _explained(text: _Text, layout: Layout, error: pa.ArrowInvalid) -> TableError:
    """Find the first row of another length, and count them all."""
    width = layout.width
    rows = _numbered_rows(text, strict=False)
    bad = [row for row in rows if row[2] not in {0, width} and row[0] >= layout.first_line]
    if not bad:
        detail = re.sub(r"\s+", " ", str(error))[:200]
        return TableError(f"{text.name} cannot be read as a table: {detail}; choose another delimiter or quote")
    start_line, end_line, n_cells = bad[0]
    others = f" ({len(bad):,} such rows)" if len(bad) > 1 else ""
    where = f"line {start_line}" if end_line == start_line else f"the row from line {start_line} to line {end_line}"
    open_quote = "" if end_line == start_line else ", perhaps because of a quote that is never closed"
    return TableError(
        f"{where} of {text.name} has {counted(n_cells, 'cell')} where the other rows have {width}{others}{open_quote}; "
        "mend it, put quotes around cells that hold the delimiter, or choose another delimiter"
    )
