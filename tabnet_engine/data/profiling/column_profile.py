"""One column in numbers: frequent values, histogram, statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.profiling.profile_records import ColumnProfile, Histogram
from tabnet_engine.data.schema import Column, Kind
from tabnet_engine.data.values import as_numbers, as_timestamps, category_text, distinct_values

__all__ = ["Cells", "describe", "read_cells"]

_N_TOP = 12
_N_BINS = 30
_MOST_WHOLE_BINS = 60

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cells:
    """One column, read once.

    ``codes`` number its ``values`` in order of appearance (B), -1 where missing. ``numbers`` are the
    values of a number, or a date's seconds since 1970 (B), NaN where missing; None for other kinds.
    """

    codes: npt.NDArray[np.int64]
    values: Any
    numbers: _Floats | None


def read_cells(series: pd.Series[Any], column: Column) -> Cells:
    """Read one column as its kind says.

    Raises:
        SchemaError: a cell that the kind cannot hold.
    """
    codes, values = distinct_values(series)
    if column.kind is Kind.NUMBER:
        return Cells(codes, values, as_numbers(series))
    if column.kind is Kind.DATETIME:
        return Cells(codes, values, _seconds(as_timestamps(series)))
    return Cells(codes, values, None)


def _seconds(moments: npt.NDArray[np.datetime64]) -> _Floats:
    seconds: _Floats = moments.astype("datetime64[us]").astype(np.int64).astype(np.float64) / 1e6
    seconds[np.isnat(moments)] = np.nan
    return seconds


def describe(column: Column, cells: Cells) -> ColumnProfile:
    """Measure one column on all rows (B)."""
    n_rows = cells.codes.size
    n_missing = int((cells.codes < 0).sum())
    counts = np.bincount(cells.codes[cells.codes >= 0], minlength=len(cells.values))
    top = _most_frequent(counts)
    return ColumnProfile(
        name=column.name,
        kind=column.kind,
        role=column.role,
        n_missing=n_missing,
        missing_share=n_missing / n_rows if n_rows else 0.0,
        n_unique=len(cells.values),
        top_values=tuple(category_text(cells.values[index]) for index in top),
        top_counts=tuple(counts[top].tolist()),
        n_other=int(counts.sum() - counts[top].sum()),
        **_statistics(column, cells.numbers),
    )


def _most_frequent(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The places of the largest counts, the largest first, ties in order; a million counts are not sorted."""
    places = np.arange(counts.size)
    if counts.size > _N_TOP:
        least = np.partition(counts, counts.size - _N_TOP)[counts.size - _N_TOP]
        above, equal = np.flatnonzero(counts > least), np.flatnonzero(counts == least)
        places = np.concatenate([above, equal[: _N_TOP - above.size]])
    order: npt.NDArray[np.int64] = places[np.argsort(-counts[places], kind="stable")]
    return order


def _statistics(column: Column, numbers: _Floats | None) -> dict[str, Any]:
    finite = numbers[np.isfinite(numbers)] if numbers is not None else np.empty(0)
    if finite.size == 0:
        return {}
    with np.errstate(over="ignore", invalid="ignore"):  # beyond a float's range there is no such statistic
        found = {
            "minimum": float(finite.min()),
            "median": float(np.median(finite)),
            "mean": float(finite.mean()),
            "maximum": float(finite.max()),
            "std": float(finite.std()),
        }
    statistics: dict[str, Any] = {name: value if np.isfinite(value) else None for name, value in found.items()}
    return {**statistics, "histogram": _histogram(finite, whole=column.integer and column.kind is Kind.NUMBER)}


def _histogram(values: _Floats, *, whole: bool) -> Histogram | None:
    low, high = float(values.min()), float(values.max())
    with np.errstate(over="ignore"):
        width = high - low
    if not np.isfinite(width):
        return None
    if whole and width < _MOST_WHOLE_BINS:
        edges = np.arange(low - 0.5, high + 1.0)
    else:
        edges = np.unique(np.linspace(low, high, _N_BINS + 1))
    if edges.size < 2:
        pad = max(0.5, abs(low) * 1e-6)
        edges = np.array([low - pad, high + pad])
    counts, _ = np.histogram(values, bins=edges)
    return Histogram(tuple(edges.tolist()), tuple(counts.tolist()))
