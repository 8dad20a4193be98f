"""What can be varied in one row: a column, or columns that move by one amount, with the values open to them.

Shapes: L proposed values, m columns of a variable, F raw features. No torch: pages import this.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Column, Kind
from tabnet_engine.explain.counterfactual.constraints import Constraint, Direction, bound_number
from tabnet_engine.explain.counterfactual.grid import EDGE, FARTHEST, Grid, Observed, common_step, decimals_of
from tabnet_engine.explain.counterfactual.space import RowSpace

__all__ = ["Amount", "Choice", "Variable", "variable_of", "variable_of_amount"]

MICROSECONDS_PER_DAY = 86_400_000_000

Floats = npt.NDArray[np.float64]


class Variable(Protocol):
    """Columns that are changed in one move."""

    @property
    def places(self) -> tuple[int, ...]:
        """The columns (m), as places among the F."""
        ...

    @property
    def n_values(self) -> int:
        """How many different values are open, the row's own aside."""
        ...

    def levels(self, n: int) -> Floats:
        """At most ``n`` of the open values (L, m), spread over the training rows; all where there are no more."""
        ...

    def between(self, value: Floats, n: int, *, after: Floats | None = None) -> Floats:
        """At most ``n`` open values (L, m) from the row's own, or from ``after`` (m), up to ``value`` (m)."""
        ...

    def nearest(self, values: Floats) -> Floats:
        """The open value nearest to each of some wishes (L, m); the row's own where none is like it."""
        ...


@dataclass(frozen=True, eq=False)
class Choice:
    """One column of categories: any of those allowed, NaN among them where the cell may be left empty."""

    places: tuple[int, ...]
    own: float
    options: Floats

    @property
    def n_values(self) -> int:
        """How many other categories are open."""
        return len(self.options)

    def levels(self, n: int) -> Floats:
        """The first ``n`` options (L, 1); they stand in order of frequency."""
        return self.options[:n, None]

    def between(self, value: Floats, n: int, *, after: Floats | None = None) -> Floats:  # noqa: ARG002
        """The value itself: a category has nothing between."""
        return value[None, :]

    def nearest(self, values: Floats) -> Floats:
        """Each wish that is allowed (L, 1), else the row's own."""
        wished = values[:, 0]
        allowed = np.isin(wished, self.options) | (np.isnan(wished) & np.isnan(self.options).any())
        return np.where(allowed, wished, self.own)[:, None]


@dataclass(frozen=True, eq=False)
class Amount:
    """One number or date, or several that move by one amount.

    ``grid`` gives the values of a single column, or the amounts by which several move; ``first`` and ``last`` are
    the least and greatest of its places that are open; ``base`` (m) is what is added to it: 0 for a single column,
    the row's own values for several. ``usual`` are training values by rank, for spreading proposals.
    """

    places: tuple[int, ...]
    own: Floats
    base: Floats
    grid: Grid
    first: int
    last: int
    decimals: int
    usual: Floats
    may_be_missing: bool = False

    @property
    def n_values(self) -> int:
        """How many places of the grid are open, and the empty cell."""
        return max(0, self.last - self.first + 1) + self.may_be_missing

    def levels(self, n: int) -> Floats:
        """See :meth:`Variable.levels`."""
        count = self.last - self.first + 1
        if count <= 0:
            places = np.empty(0, dtype=np.int64)
        elif count <= n:
            places = np.arange(self.first, self.last + 1)
        else:
            usual = self.grid.nearest(self.usual - self.base[0]).clip(self.first, self.last)
            spread = np.quantile(usual, np.linspace(0, 1, n - 2), method="nearest") if len(usual) else []
            places = np.unique(np.array([*spread, self.first, self.last], dtype=np.int64))
        return self._without_own(self._rows(places, empty=self.may_be_missing))

    def between(self, value: Floats, n: int, *, after: Floats | None = None) -> Floats:
        """See :meth:`Variable.between`."""
        if math.isnan(self.own[0]) or math.isnan(value[0]):
            return value[None, :]
        place = int(self.grid.nearest(value[:1] - self.base[:1])[0])
        since = float((self.own if after is None else after)[0] - self.base[0])
        # Rounding must not make the start a step of its own.
        start = max(-FARTHEST - 1, min(FARTHEST + 1, (since - self.grid.origin) / self.grid.step))
        start = float(np.rint(start)) if abs(start - np.rint(start)) < EDGE else start
        if place > start:
            low, high = max(self.first, math.floor(start) + 1), place
            chosen = np.unique(np.linspace(low, high, min(n, high - low + 1)).astype(np.int64))
        else:
            low, high = place, min(self.last, math.ceil(start) - 1)
            chosen = np.unique(np.linspace(low, high, min(n, high - low + 1)).astype(np.int64))[::-1]
        return self._without_own(self._rows(chosen, empty=False))

    def nearest(self, values: Floats) -> Floats:
        """See :meth:`Variable.nearest`; of several columns the first one's wish counts."""
        wished = values[:, 0] - self.base[0]
        missing = np.isnan(wished)
        kept = np.repeat(self.own[None], len(values), axis=0)
        if self.last < self.first:
            found = kept
        else:
            places = self.grid.nearest(np.where(missing, 0.0, wished)).clip(self.first, self.last)
            found = self._rows(places, empty=False)
        if self.may_be_missing:
            kept = np.full_like(kept, np.nan)
        return np.where(missing[:, None], kept, found)

    def _rows(self, places: npt.NDArray[np.int64], *, empty: bool) -> Floats:
        rows = np.round(self.base + self.grid.at(places)[:, None], self.decimals)
        return np.vstack([rows, np.full((1, len(self.base)), np.nan)]) if empty else rows

    def _without_own(self, rows: Floats) -> Floats:
        # A cell that is missing already has no further way to be empty.
        same = (rows == self.own).all(axis=1) | (np.isnan(rows).all(axis=1) & np.isnan(self.own).all())
        kept: Floats = rows[~same]
        return kept


def variable_of(
    space: RowSpace, place: int, own: float, observed: Observed, shares: Floats, constraint: Constraint
) -> Variable | None:
    """What is open to one column of a row; None where nothing is.

    Args:
        space: the columns.
        place: the column.
        own: the row's value.
        observed: what training showed of the column; every proposal of a number or date lies in its range.
        shares: for categories, the share of training rows of each.
        constraint: the user's limits.
    """
    found: Variable
    if constraint.fixed or (constraint.direction is not Direction.ANY and not _has_order(space, place, own)):
        return None
    if space.is_category[place]:
        found = _choice(space, place, own, shares, constraint)
    else:
        found = _amount(space.columns[place], place, own, observed, constraint)
    return found if len(found.levels(2)) else None


def variable_of_amount(
    space: RowSpace, places: tuple[int, ...], own: Floats, observed: list[Observed], constraints: list[Constraint]
) -> Variable | None:
    """What is open to several columns that move by one amount; None where nothing is.

    Args:
        space: the columns.
        places: the columns that are bound (m).
        own: the row's values (F).
        observed: what training showed of each of the columns (m).
        constraints: the limits of each of the columns (m).
    """
    if any(item.fixed for item in constraints) or np.isnan(own[list(places)]).any():
        return None
    parts = [
        _amount(space.columns[place], place, float(own[place]), seen, item)
        for place, seen, item in zip(places, observed, constraints, strict=True)
    ]
    if any(part.last < part.first for part in parts):
        return None
    base = own[list(places)]
    decimals = max(*(part.decimals for part in parts), *(decimals_of(float(value)) for value in base))
    step = common_step([part.grid.step for part in parts])
    grid = Grid(0.0, step, decimals_of(step))
    lowest = max(part.grid.at(part.first) - start for part, start in zip(parts, base, strict=True))
    highest = min(part.grid.at(part.last) - start for part, start in zip(parts, base, strict=True))
    first, last = grid.first(float(lowest)), grid.last(float(highest))
    found = Amount(places, base, base, grid, first, last, max(decimals, grid.decimals), parts[0].usual)
    return found if len(found.levels(2)) else None


def _has_order(space: RowSpace, place: int, own: float) -> bool:
    """Whether a value has an up and a down: one that is missing, or that training never saw, has none."""
    return not math.isnan(own) and not (space.is_category[place] and own >= len(space.columns[place].categories))


def _choice(space: RowSpace, place: int, own: float, shares: Floats, constraint: Constraint) -> Choice:
    column = space.columns[place]
    # Only categories that have a state of their own in the encoder can be proposed: all others read as unseen.
    codes = [code for code, text in enumerate(column.categories) if shares[code] > 0 and code != own]
    if constraint.categories:
        codes = [code for code in codes if column.categories[code] in constraint.categories]
    if constraint.direction is not Direction.ANY:
        codes = [code for code in codes if (code > own) == (constraint.direction is Direction.UP)]
    options = [float(code) for code in sorted(codes, key=lambda code: (-shares[code], code))]
    if constraint.missing_allowed and not math.isnan(own):
        options.append(math.nan)
    return Choice((place,), own, np.array(options, dtype=np.float64))


def _amount(column: Column, place: int, own: float, observed: Observed, constraint: Constraint) -> Amount:
    grid = observed.grid
    low, high = _interval(column, own, observed, constraint)
    if constraint.step is not None:
        step = constraint.step * (MICROSECONDS_PER_DAY if column.kind is Kind.DATETIME else 1)
        grid = grid.counted_from(own if math.isfinite(own) else low if math.isfinite(low) else 0.0, step)
    first, last = (grid.first(low), grid.last(high)) if low <= high else (0, -1)
    usual = observed.usual[(observed.usual >= low) & (observed.usual <= high)]
    empty = constraint.missing_allowed and not math.isnan(own)
    return Amount((place,), np.array([own]), np.zeros(1), grid, first, last, grid.decimals, usual, empty)


def _interval(column: Column, own: float, observed: Observed, constraint: Constraint) -> tuple[float, float]:
    """Lowest and highest value open: in the range of training, in the user's range, on the user's side."""
    low, high = observed.low, observed.high
    user_low, user_high = bound_number(column, constraint.low), bound_number(column, constraint.high)
    low = low if user_low is None else max(low, user_low)
    high = high if user_high is None else min(high, user_high)
    if constraint.direction is Direction.UP:
        low = max(low, own)
    elif constraint.direction is Direction.DOWN:
        high = min(high, own)
    return low, high
