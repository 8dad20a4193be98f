"""One column's values against its attributions, arranged for a figure. numpy and pandas only.

Shapes: B rows, G groups of rows that stand next to each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.effects.band import Band, mean_bands
from tabnet_engine.explain.shap_summary import relative_values
from tabnet_engine.texts.speaking import say

__all__ = ["Dependence", "Partner", "Trend", "ValueAxis", "dependence", "interacting", "trend"]

Floats = npt.NDArray[np.float64]

_N_DATE_TICKS = 4
_MISSING_GAP = 0.08  # of the axis, between the missing values and the lowest one
_SPREAD = 0.5  # of the room of a category, so that its points do not cover each other
_GOLDEN = 0.618034
_N_GROUPS = 10
_FEWEST_ROWS = 5  # of a group: fewer make no interval worth drawing
_PARTNER_GROUPS, _PARTNER_BINS = 5, 4  # ranges of the column and of its partner: each cell must hold some rows


@dataclass(frozen=True, kw_only=True, eq=False)
class ValueAxis:
    """Where the cells of one column stand on an axis.

    ``places`` (B): the number itself, a date in days since 1970, or the position of a category with some
    spread. ``tick_places`` and ``tick_texts`` name places where numbers do not speak for themselves.
    ``missing_place`` is where cells without a number stand, left of all others; None when there is none.
    ``is_categorical`` says that places are ticks of categories.
    """

    places: Floats
    tick_places: Sequence[float] | None = None
    tick_texts: Sequence[str] = ()
    missing_place: float | None = None
    is_categorical: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Dependence:
    """What each value of one column did to one output.

    ``pushes`` (B) are signed; ``texts`` (B) are the cells. ``levels`` (B) say how high the cell of the
    ``other`` column stands among the rows, 0 to 1, NaN without order.
    """

    feature: str
    output: str
    rows: npt.NDArray[np.int64]
    pushes: Floats
    texts: Sequence[str]
    axis: ValueAxis
    other: str | None = None
    other_texts: Sequence[str] = ()
    levels: Floats | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Trend:
    """The mean push of groups of rows (G) along the axis, with 95 % intervals.

    ``places`` (G) are where each group stands, ``texts`` what it holds, ``counts`` its rows. Groups of a number or a
    date hold about equally many rows; each category is one group, and so are the missing cells. The intervals are
    those of the mean over the group's rows (Student's t); NaN for a single row.
    """

    places: Floats
    texts: Sequence[str]
    counts: npt.NDArray[np.int64]
    push: Band

    @property
    def is_thin(self) -> npt.NDArray[np.bool_]:
        """Groups (G) of so few rows that their mean says little."""
        return np.asarray(self.counts < _FEWEST_ROWS)


@dataclass(frozen=True, kw_only=True)
class Partner:
    """Another column, and the share (0 to 1) of the spread at equal values of the first that goes with its value."""

    feature: str
    share: float


def interacting(record: Dependence, frame: pd.DataFrame) -> tuple[Partner, ...]:
    """The other columns in the order in which they explain why equal values of one column push differently.

    What the column's own value explains is taken out range by range; of the rest, the share is counted that differs
    between ranges of the other column, corrected for the number of ranges (as an adjusted R squared), so that chance
    alone is worth 0. It is a hint for where to look: Friedman's H measures an interaction of the model itself.

    Args:
        record: the column, of one output.
        frame: the raw cells of exactly these rows (B), the columns to compare.

    Raises:
        ValueError: the frame does not have one line for each row.
    """
    if len(frame) != len(record.pushes):
        raise ValueError(f"the cells of {len(record.pushes)} rows are needed, got {len(frame)}")
    axis = record.axis
    group = _category_groups(record) if axis.is_categorical else _number_groups(axis, _PARTNER_GROUPS)
    rest = record.pushes - _group_means(record.pushes, group)[group]
    found = [
        Partner(feature=str(name), share=_explained(rest, group, _bins(frame[name])))
        for name in frame.columns
        if name != record.feature
    ]
    return tuple(sorted(found, key=lambda partner: -partner.share))


def _explained(rest: Floats, group: npt.NDArray[np.int64], bins: npt.NDArray[np.int64]) -> float:
    """The adjusted share of the sum of squares that lies between the cells of group and bin."""
    cells, cell = np.unique(np.stack([group, bins]), axis=1, return_inverse=True)
    n_rows, n_cells, n_groups = len(rest), cells.shape[1], len(np.unique(group))
    whole = float((rest**2).sum())
    if n_rows <= n_cells or n_rows <= n_groups or whole <= 0:
        return 0.0
    within = float(((rest - _group_means(rest, cell)[cell]) ** 2).sum())
    share = 1 - (within / (n_rows - n_cells)) / (whole / (n_rows - n_groups))
    return float(max(0.0, share))


def _group_means(values: Floats, group: npt.NDArray[np.int64]) -> Floats:
    count = np.bincount(group)
    return np.asarray(np.bincount(group, weights=values) / np.maximum(count, 1))


def _bins(column: pd.Series[Any]) -> npt.NDArray[np.int64]:
    """Ranges of a number or a date, or the most frequent categories; missing cells are a range of their own."""
    ranks = relative_values(column.to_frame())[:, 0]
    if np.isfinite(ranks).any():
        bins = np.minimum(np.nan_to_num(ranks) * _PARTNER_BINS, _PARTNER_BINS - 1).astype(np.int64)
        return np.where(np.isfinite(ranks), bins, _PARTNER_BINS)
    codes = pd.factorize(column.astype(object))[0]
    order = np.argsort(-np.bincount(codes + 1), kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return np.minimum(place[codes + 1], _PARTNER_BINS)


def trend(record: Dependence, *, n_groups: int = _N_GROUPS) -> Trend:
    """How the push of one column goes with its value, on average.

    Args:
        record: the arranged column.
        n_groups: the most groups of a number or a date.

    Raises:
        ValueError: fewer than one group.
    """
    if n_groups < 1:
        raise ValueError(f"a trend needs at least one group, got {n_groups}")
    group = _category_groups(record) if record.axis.is_categorical else _number_groups(record.axis, n_groups)
    members = [np.flatnonzero(group == number) for number in range(int(group.max(initial=-1)) + 1)]
    return Trend(
        places=np.array([_middle(record.axis, rows) for rows in members]),
        texts=[_group_text(record, rows) for rows in members],
        counts=np.array([len(rows) for rows in members], dtype=np.int64),
        push=mean_bands([record.pushes[rows] for rows in members]),
    )


def _category_groups(record: Dependence) -> npt.NDArray[np.int64]:
    """Rows of the same category, at the category's tick."""
    return np.round(record.axis.places).astype(np.int64)


def _number_groups(axis: ValueAxis, n_groups: int) -> npt.NDArray[np.int64]:
    """Equally filled ranges; equal values stay together, and missing cells come first."""
    missing = np.zeros(len(axis.places), bool) if axis.missing_place is None else axis.places == axis.missing_place
    known = axis.places[~missing]
    if not len(known):
        return np.zeros(len(missing), dtype=np.int64)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, n_groups + 1)))[1:-1]
    found = np.unique(np.searchsorted(edges, known, side="left"), return_inverse=True)[1]
    group = np.zeros(len(missing), dtype=np.int64)
    group[~missing] = found + int(missing.any())
    return group


def _middle(axis: ValueAxis, rows: npt.NDArray[np.int64]) -> float:
    places = axis.places[rows]
    return float(np.round(places[0]) if axis.is_categorical else np.median(places))


def _group_text(record: Dependence, rows: npt.NDArray[np.int64]) -> str:
    places = record.axis.places[rows]
    low, high = (record.texts[rows[place]] for place in (np.argmin(places), np.argmax(places)))
    return low if record.axis.is_categorical or low == high else say("{low} to {high}", low=low, high=high)


def dependence(
    attribution: Attribution,
    feature: str,
    *,
    frame: pd.DataFrame,
    texts: pd.DataFrame,
    output: str | None = None,
    colored_by: str | None = None,
) -> Dependence:
    """Arrange one column of one output.

    Args:
        attribution: the explained rows.
        feature: the column.
        frame: the raw cells of exactly these rows (B).
        texts: the same cells as text.
        output: which output; the first by default.
        colored_by: another column, whose height among the rows gives the colour.

    Raises:
        ValueError: the frame does not have one line for each explained row.
    """
    if len(frame) != attribution.n_rows:
        raise ValueError(f"the cells of {attribution.n_rows} rows are needed, got {len(frame)}")
    output = output or attribution.outputs[0]
    shown = texts[feature].astype(str).tolist()
    return Dependence(
        feature=feature,
        output=output,
        rows=attribution.rows,
        pushes=attribution.for_output(output)[:, attribution.features.index(feature)],
        texts=shown,
        axis=_axis(frame[feature], shown),
        other=colored_by,
        other_texts=() if colored_by is None else texts[colored_by].astype(str).tolist(),
        levels=None if colored_by is None else relative_values(frame[[colored_by]])[:, 0],
    )


def _axis(column: pd.Series[Any], texts: Sequence[str]) -> ValueAxis:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        days = (column - pd.Timestamp(0)) / pd.Timedelta(days=1)
        return _number_axis(np.asarray(days.to_numpy(dtype=np.float64, na_value=np.nan)), dated=True)
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return _number_axis(np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan)), dated=False)
    return _category_axis(texts, column.isna().to_numpy())


def _number_axis(numbers: Floats, *, dated: bool) -> ValueAxis:
    known = numbers[np.isfinite(numbers)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    gone = low - _MISSING_GAP * max(high - low, 1e-3 * abs(low), 1e-9)
    ticks = np.linspace(low, high, _N_DATE_TICKS).tolist() if dated and len(known) else None
    return ValueAxis(
        places=np.where(np.isfinite(numbers), numbers, gone),
        missing_place=gone if len(known) < len(numbers) else None,
        tick_places=ticks,
        tick_texts=[_date(day) for day in ticks or ()],
    )


def _date(day: float) -> str:
    return str((pd.Timestamp(0) + pd.Timedelta(days=round(day))).date())


def _category_axis(texts: Sequence[str], missing: npt.NDArray[np.bool_]) -> ValueAxis:
    """Missing first, then the categories by name; equal cells spread over half of their room."""
    gone = sorted({text for text, absent in zip(texts, missing, strict=True) if absent})
    names = [*gone, *sorted(set(texts) - set(gone))]
    index = {name: place for place, name in enumerate(names)}
    spread = _SPREAD * ((np.arange(len(texts)) * _GOLDEN) % 1.0 - 0.5)
    places = np.asarray([index[text] for text in texts], dtype=np.float64) + spread
    return ValueAxis(places=places, tick_places=list(range(len(names))), tick_texts=names, is_categorical=True)
