"""One meaning for every cell: its category text, its number, its moment.

Training and prediction read the same file type only in the best case: a column of whole numbers turns
into floats once one cell is missing, and into text once one cell is damaged. These readers give the same
answer for 3, 3.0 and "3", so that a category never changes its name between two files.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.wording import quoted
from tabnet_engine.errors import SchemaError

__all__ = [
    "as_numbers",
    "as_text",
    "as_timestamps",
    "category_text",
    "distinct_values",
    "factorise",
    "value_order",
]

# Above this a float no longer names one whole number, so it keeps its own notation.
_LARGEST_PLAIN_INTEGER = 1e15


def category_text(value: Any) -> str:
    """The canonical text of one present value: 3 and 3.0 are "3", 2.5 is "2.5", True is "True"."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (float, np.floating)):
        number = float(value)
        if number.is_integer() and abs(number) < _LARGEST_PLAIN_INTEGER:
            return str(int(number))
        return repr(number)
    if isinstance(value, dt.datetime):
        return _moment_text(value)
    return str(value)


def _moment_text(value: dt.datetime) -> str:
    whole_day = value.time() == dt.time(0) and value.tzinfo is None
    return value.date().isoformat() if whole_day else value.isoformat(sep=" ")


def distinct_values(series: pd.Series[Any]) -> tuple[npt.NDArray[np.int64], pd.Index[Any]]:
    """Number the distinct values of a column in order of appearance.

    Args:
        series: any column that a table may hold (B).

    Returns:
        Codes (B), -1 where the cell is missing, and the value of each code as it is stored.
    """
    if series.dtype == object:
        # A mixed column would merge True with 1 by hash; their texts keep them apart.
        series = series.map(category_text, na_action="ignore")
    codes, uniques = pd.factorize(series, use_na_sentinel=True)
    return codes.astype(np.int64), uniques


def factorise(series: pd.Series[Any]) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """As :func:`distinct_values`, with the canonical text of each code; two codes may share a text."""
    codes, uniques = distinct_values(series)
    return codes, tuple(category_text(value) for value in uniques)


def as_text(series: pd.Series[Any]) -> pd.Series[Any]:
    """The canonical category text of every cell (B); missing cells stay missing."""
    codes, texts = factorise(series)
    values = pd.array(list(texts), dtype="str").take(codes, allow_fill=True)
    return pd.Series(values, index=series.index, name=series.name)


def as_numbers(series: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """Every cell as a number (B); NaN where it is missing.

    Raises:
        SchemaError: a cell that is present and no number; the text names column, row and value.
    """
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        raise SchemaError(f"column {series.name!r} holds dates, not numbers; set its kind to datetime")
    if pd.api.types.is_numeric_dtype(series.dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    _refuse_first(series, np.isnan(numbers), "not a number")
    return numbers


def as_timestamps(series: pd.Series[Any]) -> npt.NDArray[np.datetime64]:
    """Every cell as a moment, datetime64[us] (B); NaT where it is missing. Zones are turned into UTC.

    Raises:
        SchemaError: a cell that is present and no date; the text names column, row and value.
    """
    if pd.api.types.is_numeric_dtype(series.dtype) and series.notna().any():
        raise SchemaError(f"column {series.name!r} holds numbers, not dates; set its kind to number")
    moments = pd.to_datetime(series, errors="coerce", utc=True, format="ISO8601")
    if bool((moments.isna() & series.notna()).any()):
        moments = pd.to_datetime(series, errors="coerce", utc=True, format="mixed")
    _refuse_first(series, moments.isna().to_numpy(), "not a date")
    return moments.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")


def value_order(text: str) -> tuple[int, float, str]:
    """Sort key of category texts: numbers by size, then all others by spelling."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    return (0, number, text) if math.isfinite(number) else (1, 0.0, text)


def _refuse_first(series: pd.Series[Any], unreadable: npt.NDArray[np.bool_], problem: str) -> None:
    bad = unreadable & series.notna().to_numpy()
    if not bad.any():
        return
    row = int(np.argmax(bad))
    more = f" ({int(bad.sum()) - 1} more cells like it)" if bad.sum() > 1 else ""
    raise SchemaError(
        f"column {series.name!r}, row {row}: {quoted(str(series.iloc[row]))} is {problem}{more}; "
        "correct the cell, list it as a missing token, or change the column's kind"
    )
