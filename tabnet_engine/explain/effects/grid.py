"""At which values of a column its effect is measured: quantiles of numbers and dates, categories one by one.

Every point of a number or date is a value that really occurs, so that whole numbers stay whole. Missing is a point
of its own where cells are missing.

Shapes: B rows, G points.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.encoding import EncodedTable, TableEncoder
from tabnet_engine.data.schema import CATEGORICAL, Column, Kind
from tabnet_engine.data.values import as_numbers, as_text, as_timestamps
from tabnet_engine.explain.effects.points import MISSING_LABEL, GridPoints

__all__ = ["ColumnGrid", "column_grid", "encode_values", "level_codes", "numbers_of", "ordered_points", "point_labels"]

MAX_LEVELS = 40  # categories drawn one by one; the rarer ones are counted and named as left out

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True, eq=False)
class ColumnGrid:
    """The points (G), the encoded cells that stand for them (G rows), and each row's nearest point (B; -1: none)."""

    points: GridPoints
    cells: EncodedTable
    nearest: Integers


def column_grid(encoder: TableEncoder, frame: pd.DataFrame, feature: str, n_points: int) -> ColumnGrid:
    """The points of one column as these raw rows (B) hold it.

    Args:
        encoder: knows the column's kind and categories.
        frame: the raw rows.
        feature: the column.
        n_points: the most points of a number or a date, spread by rank; missing comes on top.
    """
    column = encoder.schema.column(feature)
    if column.kind in CATEGORICAL:
        return _category_grid(encoder, frame, column)
    numbers = numbers_of(frame, column)
    known = numbers[np.isfinite(numbers)]
    points = ordered_points(known, n_points)
    nearest = np.full(len(numbers), -1, dtype=np.int64)
    if len(points):
        nearest[np.isfinite(numbers)] = np.searchsorted((points[1:] + points[:-1]) / 2, known, side="left")
    has_missing = len(known) < len(numbers)
    places = np.append(points, np.nan) if has_missing else points
    if has_missing:
        nearest[~np.isfinite(numbers)] = len(points)
    shown = GridPoints(
        feature=feature,
        kind=column.kind,
        labels=point_labels(places, column),
        places=places,
        counts=np.bincount(nearest, minlength=len(places)).astype(np.int64),
        has_missing=has_missing,
    )
    return ColumnGrid(shown, encode_values(encoder, frame, column, places), nearest)


def numbers_of(frame: pd.DataFrame, column: Column) -> Floats:
    """A number or date column as numbers (B): itself, or days since 1970; NaN where missing."""
    if column.kind is Kind.DATETIME:
        moments = pd.Series(as_timestamps(frame[column.name]))
        days = (moments - pd.Timestamp(0)) / _DAY
        return np.asarray(days.to_numpy(dtype=np.float64, na_value=np.nan))
    numbers = as_numbers(frame[column.name])
    finite = numbers[np.isfinite(numbers)]
    # The model reads infinity as its largest number: it stands with the largest one that can be drawn.
    return np.clip(numbers, finite.min(), finite.max()) if len(finite) else np.full(len(numbers), np.nan)


def ordered_points(known: Floats, n_points: int) -> Floats:
    """At most so many of the values, ascending: all different ones, or those at even steps of rank."""
    distinct = np.unique(known)
    if len(distinct) <= n_points:
        return distinct
    return np.unique(np.quantile(known, np.linspace(0, 1, n_points), method="nearest"))


def encode_values(encoder: TableEncoder, frame: pd.DataFrame, column: Column, values: npt.ArrayLike) -> EncodedTable:
    """Rows (G) with the given values in one column; their other cells are those of the first row.

    Args:
        encoder: of the model.
        frame: any raw rows of the table, at least one.
        column: which column the values belong to.
        values: (G) numbers, days since 1970, or category texts; NaN or None for missing.
    """
    chosen: pd.Series[Any]
    if column.kind is Kind.DATETIME:
        chosen = pd.Series(pd.Timestamp(0) + pd.to_timedelta(np.asarray(values, dtype=np.float64), unit="D"))
    elif column.kind is Kind.NUMBER:
        chosen = pd.Series(np.asarray(values, dtype=np.float64))
    else:
        chosen = pd.Series(list(np.asarray(values, dtype=object)), dtype=object)
    rows = frame.iloc[np.zeros(len(chosen), dtype=np.int64)].reset_index(drop=True)
    return encoder.transform(rows.assign(**{column.name: chosen}))


def level_codes(frame: pd.DataFrame, column: Column) -> tuple[Integers, tuple[str, ...], tuple[str, ...]]:
    """Each row's category (B), by its place among the levels; -1 missing, -2 another or unseen category.

    Returns:
        The codes, the levels that are drawn (those that training knew and these rows hold, at most
        :data:`MAX_LEVELS`, the most frequent ones, in the schema's order), and the known ones left out.
    """
    texts = as_text(frame[column.name])
    if {"True", "False"}.issuperset(column.categories):
        texts = texts.str.capitalize()
    counts = Counter(texts.dropna())
    present = [level for level in column.categories if counts[level]]
    kept = set(sorted(present, key=lambda level: -counts[level])[:MAX_LEVELS])
    levels = tuple(level for level in present if level in kept)
    code = {level: place for place, level in enumerate(levels)}
    missing = texts.isna().to_numpy()
    codes = [-1 if gone else code.get(text, -2) for text, gone in zip(texts, missing, strict=True)]
    return np.asarray(codes, dtype=np.int64), levels, tuple(level for level in present if level not in kept)


def _category_grid(encoder: TableEncoder, frame: pd.DataFrame, column: Column) -> ColumnGrid:
    codes, levels, left_out = level_codes(frame, column)
    has_missing = bool((codes == -1).any())
    labels = (*levels, MISSING_LABEL) if has_missing else levels
    nearest = np.where(codes == -1, len(levels), np.where(codes == -2, -1, codes))
    points = GridPoints(
        feature=column.name,
        kind=column.kind,
        labels=labels,
        places=np.append(np.arange(float(len(levels))), np.nan) if has_missing else np.arange(float(len(levels))),
        counts=np.bincount(nearest[nearest >= 0], minlength=len(labels)).astype(np.int64),
        has_missing=has_missing,
        left_out=left_out,
        n_elsewhere=int((codes == -2).sum()),
    )
    values = [*levels, None] if has_missing else list(levels)
    return ColumnGrid(points, encode_values(encoder, frame, column, np.array(values, dtype=object)), nearest)


def point_labels(places: Floats, column: Column) -> tuple[str, ...]:
    """Numbers and dates as a reader wants them."""
    return tuple(_label(float(place), column) for place in places)


def _label(place: float, column: Column) -> str:
    if not np.isfinite(place):
        return MISSING_LABEL
    if column.kind is Kind.DATETIME:
        moment = pd.Timestamp(0) + pd.to_timedelta(place, unit="D")
        return str(moment.date()) if moment == moment.normalize() else str(moment.round("s"))
    return f"{place:,.0f}" if abs(place) >= 1e4 and float(place).is_integer() else f"{place:.6g}"
