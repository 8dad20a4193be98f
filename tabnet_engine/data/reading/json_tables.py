"""JSON lines: one record a line; a list of records in one document is read as well."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tabnet_engine.config import TableLimits
from tabnet_engine.data.reading.charsets import to_utf8
from tabnet_engine.data.reading.headers import unique_names
from tabnet_engine.data.reading.options import ReadOptions
from tabnet_engine.data.reading.python_values import as_column
from tabnet_engine.data.reading.raw import RawTable, check_size
from tabnet_engine.data.reading.source import Source
from tabnet_engine.data.wording import counted, listed
from tabnet_engine.errors import TableError

__all__ = ["read_json"]


def read_json(source: Source, options: ReadOptions, limits: TableLimits) -> RawTable:
    """Read records; a column is any name that a record has.

    Args:
        source: the file.
        options: its encoding and missing tokens matter here.
        limits: bounds on rows, columns and cells.

    Raises:
        TableError: a line that is not JSON or not a record, named by its number; no records; too large.
    """
    data, encoding = to_utf8(source.data, options.encoding, source.name)
    text = data.decode("utf-8").removeprefix("\ufeff")
    records = _document(text, source.name) if text.lstrip().startswith("[") else _lines(text, source.name)
    columns: dict[str, list[Any]] = {}
    n_rows = 0
    for record in records:
        _append(columns, record, n_rows)
        n_rows += 1
        if n_rows % 10_000 == 0 or len(record) > 1000:
            check_size(n_rows, len(columns), source.name, limits)
    if not columns:
        raise TableError(f"{source.name} holds no records with values; choose a file that holds a table")
    check_size(n_rows, len(columns), source.name, limits)
    return _raw_table(columns, n_rows, source, options.replace(encoding=encoding))


def _raw_table(columns: dict[str, list[Any]], n_rows: int, source: Source, options: ReadOptions) -> RawTable:
    names, notes = unique_names([name.encode("utf-8", "replace").decode() for name in columns])
    tokens: Counter[str] = Counter()
    arrays = []
    absent: list[str] = []
    nested: list[str] = []
    for name, values in zip(names, columns.values(), strict=True):
        if len(values) < n_rows:
            values.extend([None] * (n_rows - len(values)))
        if None in values:
            absent.append(name)
        if any(isinstance(value, list | dict) for value in values):
            nested.append(name)
        arrays.append(as_column(values, options.missing_tokens, tokens))
    if absent:
        notes.append(f"{counted(len(absent), 'column')} with null or absent values, read as missing: {listed(absent)}.")
    if nested:
        notes.append(f"Lists and records inside cells were written as JSON text: {listed(nested)}.")
    resolved = options.replace(format="jsonl", delimiter=None, quote=None, decimal=None, header="first", sheet=None)
    return RawTable(names, arrays, resolved, [*source.notes, *notes], text="dates", tokens=tokens)


def _append(columns: dict[str, list[Any]], record: dict[str, Any], row: int) -> None:
    """Add one record; a column's list is filled up only when the column is met again."""
    for key, value in record.items():
        cells = columns.setdefault(key, [])
        if len(cells) < row:
            cells.extend([None] * (row - len(cells)))
        cells.append(value)


def _lines(text: str, name: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _record(_parse(line, f"line {number} of {name}"), f"line {number} of {name}")


def _document(text: str, name: str) -> Iterator[dict[str, Any]]:
    for number, value in enumerate(_parse(text, name)):
        yield _record(value, f"entry {number} of {name}")


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise TableError(f"{where} is not valid JSON: {reason}; write one record such as {{...}} a line") from error


def _record(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TableError(f"{where} is not a record of names and values; write one such as {{...}} a line")
    return value
