"""Columns of Python values (from JSON and Excel) as Arrow columns."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import pyarrow as pa

__all__ = ["as_column", "as_text"]

_DATES = (dt.datetime, dt.date)


def as_column(values: Sequence[Any], missing: Collection[str], tokens: Counter[str]) -> pa.ChunkedArray:
    """One column of one type; a mixture becomes text, cell by cell.

    Args:
        values: what the file holds; ``None`` is missing.
        missing: texts that mean "no value"; taken out here where the other values are not text, so that one "NA"
            among numbers does not make them text.
        tokens: counts what was taken out.
    """
    kinds = {type(value) for value in values} - {type(None)}
    if str in kinds and len(kinds) > 1:
        values = [_unless_missing(value, missing, tokens) for value in values]
        kinds = {type(value) for value in values} - {type(None)}
    return pa.chunked_array([_typed(values, kinds)])


def _unless_missing(value: Any, missing: Collection[str], tokens: Counter[str]) -> Any:
    if isinstance(value, str) and value.strip() in missing:
        tokens[value.strip()] += 1
        return None
    return value


def _typed(values: Sequence[Any], kinds: set[type]) -> pa.Array:
    if not kinds:
        return pa.nulls(len(values))
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {int} and all(value is None or abs(value) < 2**63 for value in values):
        return pa.array(values, pa.int64())
    if kinds in ({float}, {int, float}):
        return pa.array([None if value is None else _as_float(value) for value in values], pa.float64())
    if all(issubclass(kind, _DATES) for kind in kinds):
        return pa.array([None if value is None else _as_datetime(value) for value in values], pa.timestamp("us"))
    return pa.array([None if value is None else as_text(value) for value in values], pa.large_string())


def _as_float(value: float) -> float:
    """Whole numbers beyond float64 count as infinite, like those written with an exponent."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _as_datetime(value: dt.date) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    return dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001  Excel has no time zones


def as_text(value: Any) -> str:
    """A value as a cell of text shows it: 3.0 is "3", lists and records are JSON."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, _DATES) else str(value)
