"""What a reader needs to write a condition on rows: the values of a column, its range, an example, one more condition.

Shapes: B rows. Nothing here loops over rows, so a million of them take a fraction of a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.schema import Column, FeatureSchema, Kind
from tabnet_engine.data.values import as_numbers, as_timestamps, category_text, factorise
from tabnet_engine.explain.row_filter import ORDERED, Condition

__all__ = [
    "ColumnValues",
    "column_values",
    "comparison",
    "example_condition",
    "joined_conditions",
    "one_of",
    "rounded_range",
    "within",
]

_EXAMPLE_ROWS = 200  # the first rows are enough to find a cell that is not missing
_MOST_VALUES = 200


@dataclass(frozen=True, kw_only=True)
class ColumnValues:
    """What a column holds.

    ``low`` and ``high`` are the range of numbers, or of dates as text of days; None for other kinds and for a
    column without any value. ``counts`` are the most frequent texts of other kinds with their numbers of cells,
    the most frequent first; ``n_distinct`` is how many there are.
    """

    column: str
    kind: Kind
    n_missing: int
    low: float | str | None = None
    high: float | str | None = None
    counts: tuple[tuple[str, int], ...] = ()
    n_distinct: int = 0


def column_values(frame: pd.DataFrame, column: Column, *, limit: int = _MOST_VALUES) -> ColumnValues:
    """The values of one column of the table.

    Args:
        frame: the table (B).
        column: one of its columns.
        limit: the most texts that are counted.

    Raises:
        SchemaError: a cell is not what the column's kind holds.
    """
    series = frame[column.name]
    missing = int(series.isna().sum())
    if column.kind in ORDERED:
        low, high = _range(series, column.kind)
        return ColumnValues(column=column.name, kind=column.kind, n_missing=missing, low=low, high=high)
    codes, texts = factorise(series)
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    order = np.argsort(-counts, kind="stable")[:limit]
    found = tuple((texts[index], int(counts[index])) for index in order.tolist())
    return ColumnValues(column=column.name, kind=column.kind, n_missing=missing, counts=found, n_distinct=len(texts))


def _range(series: pd.Series[Any], kind: Kind) -> tuple[Any, Any]:
    if kind is Kind.NUMBER:
        numbers = as_numbers(series)
        known = numbers[np.isfinite(numbers)]
        return (float(known.min()), float(known.max())) if len(known) else (None, None)
    moments = as_timestamps(series)
    days = moments[~np.isnat(moments)]
    if not len(days):
        return None, None
    return str(days.min().astype("datetime64[D]")), str(days.max().astype("datetime64[D]"))


def rounded_range(values: npt.NDArray[np.floating[Any]]) -> tuple[float, float] | None:
    """Ends with few digits between which all values (B) lie, NaN left aside; None where there are not two of them.

    >>> rounded_range(np.array([0.1234, 8.7654, np.nan]))
    (0.12, 8.77)
    """
    known = values[np.isfinite(values)].astype(np.float64)
    if not len(known) or known.min() == known.max():
        return None
    smallest, largest = float(known.min()), float(known.max())
    places = 2 - math.floor(math.log10(largest - smallest))
    unit = 10.0**-places
    low = round(math.floor(smallest / unit) * unit, max(places, 0))
    high = round(math.ceil(largest / unit) * unit, max(places, 0))
    return min(low, smallest), max(high, largest)  # rounding may leave out an end by its last digit


def comparison(column: Column, operator: str, value: object) -> Condition:
    """One comparison, such as ``age >= 30``; a number that is whole is written without a fraction."""
    return Condition(column=column.name, kind=column.kind, operator=operator, values=(category_text(value),))


def within(column: Column, low: object, high: object) -> tuple[Condition, ...]:
    """From ``low`` to ``high``, both included."""
    return comparison(column, ">=", low), comparison(column, "<=", high)


def one_of(column: Column, values: tuple[str, ...], *, negated: bool = False) -> Condition:
    """Any, or none, of some values; a missing cell meets neither."""
    operator = "not in" if negated else "in"
    if len(values) == 1:
        operator = "!=" if negated else "="
    return Condition(column=column.name, kind=column.kind, operator=operator, values=values)


def joined_conditions(text: str, *conditions: Condition) -> str:
    """The text of a filter with conditions added that must hold too.

    >>> joined_conditions("age >= 30", Condition(column="job", kind=Kind.CATEGORY, operator="missing"))
    'age >= 30 and job is missing'
    """
    return " and ".join([*([text.strip()] if text.strip() else []), *map(str, conditions)])


def example_condition(schema: FeatureSchema, frame: pd.DataFrame) -> str:
    """A condition on the user's own columns that some row meets; empty for a table without a value."""
    found: list[Condition] = []
    head = frame.head(_EXAMPLE_ROWS)
    for kinds in ((Kind.NUMBER,), (Kind.CATEGORY, Kind.BOOLEAN)):
        column = next((item for item in schema.features if item.kind in kinds), None)
        cells = pd.Series(dtype=object) if column is None or column.name not in head else head[column.name].dropna()
        if column is not None and len(cells):
            found.append(comparison(column, ">=" if column.kind is Kind.NUMBER else "=", cells.iloc[0]))
    return joined_conditions("", *found)
