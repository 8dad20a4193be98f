"""Who belongs to which group of a protected column: categories as they are, numbers and dates in named ranges.

Shapes: B rows, G groups. A missing cell is a group of its own, never dropped and never filled in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.schema import FeatureSchema, Kind
from tabnet_engine.data.values import as_numbers, as_text, as_timestamps, value_order
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.row_parts import NamePiece, RowParts, range_names
from tabnet_engine.texts.speaking import msg, say

__all__ = ["MAX_GROUPS", "groups_of_column"]

MAX_GROUPS = 200
_MISSING, _NO_VALUE = msg("missing"), msg("no value")
_FEW_VALUES = 6  # a number with no more different values than this is not cut into ranges
_DAY = "datetime64[D]"


def groups_of_column(
    frame: pd.DataFrame,
    schema: FeatureSchema,
    column: str,
    *,
    n_ranges: int = 4,
    cuts: Sequence[Any] | None = None,
) -> RowParts:
    """The groups of every row of a table by one column, which the run need not read.

    Args:
        frame: the raw table (B).
        schema: the run's columns, for their kinds; a column that it does not know is read by its values.
        column: the protected column.
        n_ranges: how many ranges of about equally many rows a number or date is cut into; a number with at most
            six different values is not cut.
        cuts: where the user cuts instead, ascending: a range starts at each cut.

    Raises:
        ExplanationError: the table has no such column, nothing but missing cells in it, more than
            :data:`MAX_GROUPS` different values, cuts that do not ascend, or cuts of a column without an order.
        SchemaError: a cell that is not of the column's kind.
    """
    if column not in frame.columns:
        raise ExplanationError(f"the table has no column {column!r} to divide people by; check its name")
    cells = frame[column]
    if cells.notna().sum() == 0:
        raise ExplanationError(f"column {column!r} is missing in every row, so it divides nobody")
    if n_ranges < 2:
        raise ExplanationError(f"a number is cut into at least 2 ranges, got {n_ranges}")
    kind = _kind(schema, cells, column)
    if kind is Kind.NUMBER:
        numbers = as_numbers(cells)
        if cuts is None and len(np.unique(numbers[np.isfinite(numbers)])) <= _FEW_VALUES:
            return _by_text(cells, column)
        return _by_range(numbers, np.isfinite(numbers), column, _number_cuts(numbers, n_ranges, cuts), "number")
    if kind is Kind.DATETIME:
        days = as_timestamps(cells).astype(_DAY)
        known = ~np.isnat(days)
        return _by_range(days.astype(np.int64), known, column, _day_cuts(days[known], n_ranges, cuts), "day")
    if cuts is not None:
        raise ExplanationError(f"column {column!r} holds categories, which have no order to cut; leave the cuts out")
    return _by_text(cells, column)


def _kind(schema: FeatureSchema, cells: pd.Series[Any], column: str) -> Kind:
    kind = next((known.kind for known in schema.columns if known.name == column), None)
    if kind in {Kind.NUMBER, Kind.DATETIME}:
        return kind
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return Kind.DATETIME
    is_number = pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype)
    # Classes and identifiers may be numbers too; only a column that no one called something else is a quantity.
    return Kind.NUMBER if is_number and kind in {None, Kind.IDENTIFIER, Kind.CONSTANT} else Kind.CATEGORY


def _by_text(cells: pd.Series[Any], column: str) -> RowParts:
    texts = as_text(cells)
    names = sorted(map(str, texts.dropna().unique()), key=value_order)
    if len(names) > MAX_GROUPS:
        raise ExplanationError(
            f"column {column!r} has {len(names):,} different values, too many groups to compare (at most "
            f"{MAX_GROUPS}); choose another column, or one that sums it up"
        )
    codes = pd.Categorical(texts, categories=names).codes.astype(np.int64)
    return _with_missing(column, names, codes, say("one group for each value"))


def _number_cuts(
    numbers: npt.NDArray[np.float64], n_ranges: int, cuts: Sequence[Any] | None
) -> npt.NDArray[np.float64]:
    if cuts is not None:
        try:
            return _ascending(np.asarray(cuts, dtype=np.float64))
        except (TypeError, ValueError) as error:
            raise ExplanationError(f"the cuts of a number must be numbers, got {list(cuts)}") from error
    return _quantiles(numbers[np.isfinite(numbers)], n_ranges)


def _day_cuts(days: npt.NDArray[np.datetime64], n_ranges: int, cuts: Sequence[Any] | None) -> npt.NDArray[np.float64]:
    if cuts is None:
        return _quantiles(days.astype(np.int64).astype(np.float64), n_ranges)
    try:
        given = np.array([pd.Timestamp(cut).to_datetime64() for cut in cuts]).astype(_DAY)
    except (TypeError, ValueError) as error:
        raise ExplanationError(f"the cuts of a date must be dates such as 2020-01-31, got {list(cuts)}") from error
    return _ascending(given.astype(np.int64).astype(np.float64))


def _quantiles(values: npt.NDArray[np.float64], n_ranges: int) -> npt.NDArray[np.float64]:
    # A value of the column itself ("inverted_cdf"), so that a name never shows a number nobody has.
    inner = np.linspace(0, 1, n_ranges + 1)[1:-1]
    edges: npt.NDArray[np.float64] = np.unique(np.quantile(values, inner, method="inverted_cdf"))
    above: npt.NDArray[np.float64] = edges[edges > values.min()]
    # A measured quantity is cut at a number that can be read; whole numbers and close cuts stay as they are.
    short = np.array([edge if edge.is_integer() else float(f"{edge:.4g}") for edge in above.tolist()])
    is_sound = len(short) > 0 and (np.diff(short) > 0).all() and values.min() < short[0] and short[-1] <= values.max()
    return short if is_sound else above


def _ascending(cuts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if len(cuts) == 0 or not np.isfinite(cuts).all() or (np.diff(cuts) <= 0).any():
        raise ExplanationError(f"cuts must be given in ascending order, each once, got {cuts.tolist()}")
    return cuts


def _by_range(
    values: npt.NDArray[Any],
    known: npt.NDArray[np.bool_],
    column: str,
    cuts: npt.NDArray[np.float64],
    words: Literal["number", "day"],
) -> RowParts:
    codes = np.where(known, np.searchsorted(cuts, values, side="right"), -1).astype(np.int64)
    texts = [_text(cut, words) for cut in cuts.tolist()]
    named = range_names(texts, kind=words)
    return _with_missing(column, list(named), codes, say("{n_ranges} ranges", n_ranges=len(cuts) + 1), made=named)


def _text(cut: float, words: str) -> str:
    if words == "day":
        return str(np.datetime64(int(cut), "D"))
    return f"{int(cut):,}" if cut.is_integer() and abs(cut) < 1e15 else repr(cut)


def _with_missing(
    column: str, names: list[str], codes: npt.NDArray[np.int64], how: str, *, made: Sequence[str] = ()
) -> RowParts:
    """The parts, with one for missing cells where there are any; ``made`` are the names that are no cells' own."""
    made = list(made)
    if (codes < 0).any():
        missing = say(_MISSING)
        if missing in names:
            missing = say(_NO_VALUE)
        while missing in names:
            missing = say("{name} (empty cell)", name=missing)
        made.append(missing)
        codes = np.where(codes < 0, len(names), codes)
        names = [*names, missing]
        how = f"{how}; {say('missing cells are a group of their own')}"
    pieces = {name: (NamePiece(column, name, is_made=True),) for name in made}
    parts = RowParts(title=column, names=tuple(names), codes=codes, how=how, columns=(column,), pieces=pieces)
    return parts.occurring()
