"""Delimited text: detection on a sample, then Arrow's parser on everything, every cell as text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Literal

import pyarrow as pa
import pyarrow.csv as arrow_csv

from tabnet_engine.config import TableLimits
from tabnet_engine.data.charsets import to_utf8
from tabnet_engine.data.headers import unique_names
from tabnet_engine.data.layout import byte_offset, find_layout
from tabnet_engine.data.options import ReadOptions
from tabnet_engine.data.raw import RawTable, check_size
from tabnet_engine.data.sniffing import Dialect, cut_sample, long_cells, normalise, records_of, sniff, width_of
from tabnet_engine.data.source import Source
from tabnet_engine.data.wording import counted
from tabnet_engine.errors import TableError

__all__ = ["read_text"]

_BLOCK = 4 << 20


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
    data, encoding = to_utf8(source.data, options.encoding, source.name)
    if encoding not in {"utf-8", "ascii"} and options.encoding is None:
        notes.append(f"The text is not UTF-8; it was read as {encoding}.")
    data = _without_stray_bytes(data, notes)
    sample = cut_sample(data)
    dialect = sniff(sample, options, whole=len(sample) == len(data))
    if dialect.single:
        notes.append("No delimiter was found; the file was read as one column.")
    data, delimiter = normalise(data, dialect)
    sample = cut_sample(data)
    _check_closed(data, delimiter, dialect, source.name)
    records = records_of(sample.decode("utf-8", "replace"), delimiter, dialect.quote)
    if len(sample) < len(data) and len(records) > 1:
        records = records[:-1]
    check_size(0, width_of(records), source.name, limits)
    layout = find_layout(records, options.header, options.missing_tokens, source.name)
    n_lines = data.count(b"\n") or data.count(b"\r")
    table = _parse(data, delimiter, dialect, (layout.first_line, layout.width), source.name)
    check_size(table.num_rows, layout.width, source.name, limits)
    header = layout.header or tuple(str(i) for i in range(layout.width))
    names, naming = unique_names(header)
    one_line_each = table.num_rows + layout.first_line - 1 in {n_lines, n_lines + 1}
    return RawTable(
        names=names,
        columns=table.columns,
        options=options.replace(
            format="csv",
            encoding=encoding,
            delimiter=dialect.delimiter,
            quote=dialect.quote,
            decimal=dialect.decimal,
            header="none" if layout.header is None else "first",
            sheet=None,
        ),
        notes=[*notes, *layout.notes, *naming],
        first_line=layout.first_line if one_line_each else None,
    )


def _without_stray_bytes(data: bytes, notes: list[str]) -> bytes:
    """Drop NUL characters, and what ends a file without being a row: blanks, the Ctrl-Z of old programs."""
    n_nul = data.count(b"\x00")
    if n_nul:
        notes.append(f"{counted(n_nul, 'NUL character')} left out.")
        data = data.replace(b"\x00", b"")
    if data.endswith(b"\x1a"):
        data = data[:-1]
    return data.rstrip(b" \r\n") if data[-2:].isspace() else data


def _check_closed(data: bytes, delimiter: str, dialect: Dialect, name: str) -> None:
    """Arrow takes the rest of the file into a cell whose quote is never closed; say so instead."""
    quote = dialect.quote
    if not quote or data.count(quote.encode()) % 2 == 0:
        return
    line = 1
    try:
        for _, last, _ in _numbered_rows(data, delimiter, quote, strict=True):
            line = last + 1
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise TableError(
                f"a quote {quote} opened in the row at line {line} of {name} is never closed; "
                "close it, or say that the file has no quotes"
            ) from error


def _numbered_rows(data: bytes, delimiter: str, quote: str, *, strict: bool) -> Iterator[tuple[int, int, int]]:
    """First line, last line and number of cells of each row, by Python's own slow parser: to explain an error."""
    stream = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="replace", newline="")
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    reader = csv.reader(stream, delimiter=delimiter, quotechar=quote or None, quoting=quoting, strict=strict)
    line = 1
    with long_cells():
        for cells in reader:
            yield line, reader.line_num, len(cells)
            line = reader.line_num + 1


def _parse(data: bytes, delimiter: str, dialect: Dialect, start: tuple[int, int], name: str) -> pa.Table:
    """Every cell from ``first_line`` on, as text, in columns called "0", "1", ….

    Args:
        data: normalised UTF-8.
        delimiter: one character.
        dialect: for its quote.
        start: ``(first_line, width)`` of the rows.
        name: what to call the file in an error.
    """
    first_line, width = start
    names = [str(i) for i in range(width)]
    body = pa.py_buffer(data)[byte_offset(data, first_line) :]
    convert = arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    quoted = bool(dialect.quote) and dialect.quote.encode() in data
    parse = arrow_csv.ParseOptions(
        delimiter=delimiter,
        quote_char=dialect.quote if quoted else False,
        newlines_in_values=quoted,
    )
    block = _BLOCK
    while True:
        read = arrow_csv.ReadOptions(column_names=names, block_size=block)
        try:
            return arrow_csv.read_csv(
                pa.BufferReader(body), read_options=read, parse_options=parse, convert_options=convert
            )
        except pa.ArrowInvalid as error:
            if "straddling" in str(error) and block < len(data):
                block = min(block * 16, len(data) + 1)
                continue
            raise _explained(data, delimiter, dialect.quote, start, name, error) from error


def _explained(
    data: bytes, delimiter: str, quote: str, start: tuple[int, int], name: str, error: pa.ArrowInvalid
) -> TableError:
    """Find the first row of another length, and count them all."""
    first_line, width = start
    rows = _numbered_rows(data, delimiter, quote, strict=False)
    bad = [row for row in rows if row[2] not in {0, width} and row[0] >= first_line]
    if not bad:
        detail = re.sub(r"\s+", " ", str(error))[:200]
        return TableError(f"{name} cannot be read as a table: {detail}; choose another delimiter or quote")
    start_line, end_line, n_cells = bad[0]
    others = f" ({len(bad):,} such rows)" if len(bad) > 1 else ""
    where = f"line {start_line}" if end_line == start_line else f"the row from line {start_line} to line {end_line}"
    open_quote = "" if end_line == start_line else ", perhaps because of a quote that is never closed"
    return TableError(
        f"{where} of {name} has {counted(n_cells, 'cell')} where the other rows have {width}{others}{open_quote}; "
        "mend it, put quotes around cells that hold the delimiter, or choose another delimiter"
    )
