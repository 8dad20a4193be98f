"""Columns that a file stores with types of their own, reduced to the few that a table here may hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tabnet_engine.data.wording import counted
from tabnet_engine.errors import TableError

__all__ = ["as_plain"]

_EXACT = 2**53

Plain = tuple[pa.Array, list[str]]


def as_plain(column: pa.ChunkedArray, name: str) -> Plain:
    """The column as large text, boolean, ``timestamp[us]``, int64 or float64, and what had to be done.

    Args:
        column: any Arrow column.
        name: its name, for an error.

    Raises:
        TableError: values that cannot be turned into any of these.
    """
    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    try:
        for test, convert in _CONVERSIONS:
            if test(column.type):
                return convert(column)
        return _described(column)
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise TableError(
            f'column "{name}" holds {column.type} values that cannot be read ({error}); leave it out or convert it'
        ) from error


def _one(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    """One array of one type; cast first, because text beyond 2 GiB fits large text only."""
    return column.cast(kind).combine_chunks()


def _text(column: pa.ChunkedArray) -> Plain:
    return _one(column, pa.large_string()), []


def _boolean(column: pa.ChunkedArray) -> Plain:
    return column.combine_chunks(), []


def _nothing(column: pa.ChunkedArray) -> Plain:
    return pa.nulls(len(column), pa.float64()), []


def _float(column: pa.ChunkedArray) -> Plain:
    return _one(column, pa.float64()), []


def _integer(column: pa.ChunkedArray) -> Plain:
    """Missing values turn whole numbers into floats later: long ones, which would change, become text."""
    largest = pc.min_max(column)
    bounds = [abs(largest[key].as_py() or 0) for key in ("min", "max")]
    if max(bounds) >= 2**63 or (column.null_count and max(bounds) > _EXACT):
        return _one(column, pa.large_string()), ["whole numbers too long to keep as numbers were read as text"]
    return _one(column, pa.int64()), []


def _binary(column: pa.ChunkedArray) -> Plain:
    try:
        return _one(column, pa.large_string()), ["bytes were read as UTF-8 text"]
    except pa.ArrowInvalid:
        cells = [None if value is None else value.hex() for value in column.to_pylist()]
        return pa.array(cells, pa.large_string()), ["binary values were written as hexadecimal text"]


def _timestamp(column: pa.ChunkedArray) -> Plain:
    notes = [] if column.type.tz is None else ["times with a time zone were turned into UTC"]
    zone = None if column.type.tz is None else "UTC"
    values = column.cast(pa.timestamp("us", zone), safe=column.type.unit != "ns")
    return values.cast(pa.timestamp("us")).combine_chunks(), notes


def _date(column: pa.ChunkedArray) -> Plain:
    return _one(column, pa.timestamp("us")), []


def _duration(column: pa.ChunkedArray) -> Plain:
    micros = pc.cast(column.cast(pa.duration("us"), safe=False).cast(pa.int64()), pa.float64(), safe=False)
    return pc.divide(micros, 1e6).combine_chunks(), ["durations were read as seconds"]


def _described(column: pa.ChunkedArray) -> Plain:
    cells = [None if value is None else str(value) for value in column.to_pylist()]
    return pa.array(cells, pa.large_string()), [f"{column.type} values were read as text"]


def _nested(column: pa.ChunkedArray) -> Plain:
    values = column.to_pylist()
    cells = [None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in values]
    n_cells = len(cells) - cells.count(None)
    return pa.array(cells, pa.large_string()), [
        f"{counted(n_cells, 'cell')} with lists or records written as JSON text"
    ]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_decimal(kind))


_CONVERSIONS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Plain]], ...] = (
    (_is_text, _text),
    (pa.types.is_boolean, _boolean),
    (pa.types.is_null, _nothing),
    (pa.types.is_integer, _integer),
    (_is_number, _float),
    (pa.types.is_timestamp, _timestamp),
    (pa.types.is_date, _date),
    (pa.types.is_duration, _duration),
    (_is_bytes, _binary),
    (pa.types.is_nested, _nested),
)
