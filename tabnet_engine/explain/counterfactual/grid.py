"""The values that a number or a date may take: the resolution in which the data themselves are written.

Shapes: M training rows. No torch: pages import this.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from typing import Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Column, Kind

__all__ = ["EDGE", "FARTHEST", "Grid", "Observed", "common_step", "date_grid", "decimals_of", "number_grid"]

MAX_DECIMALS = 6  # finer data are continuous
LARGEST_EXACT = 2.0**52
FARTHEST = 2**52  # steps from the origin: where a double tells them no longer apart, the grid ends
FINENESS = 3  # a continuous column moves in powers of ten, about a thousand of them across its range
SECOND = 1_000_000  # microseconds: dates move by whole seconds at the finest
N_USUAL = 257  # values that stand for a column's distribution
WRITTEN = 1e-9  # relative to a number: what its binary form may miss of the decimals it was written with
_WIDEST = 1e300  # of a range: two doubles may lie farther apart than a double can tell
EDGE = 1e-9  # of a step: what rounding may take from a bound that lies on the grid

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Grid:
    """The values ``origin + j * step``, written with ``decimals`` decimals."""

    origin: float
    step: float
    decimals: int

    def at(self, places: npt.ArrayLike) -> Floats:
        """The values of some j."""
        return np.round(self.origin + np.asarray(places, dtype=np.float64) * self.step, self.decimals)

    def first(self, low: float) -> int:
        """The least j whose value is at least ``low``; beyond :data:`FARTHEST` there is none."""
        steps = (low - self.origin) / self.step - EDGE
        if abs(steps) > FARTHEST:
            return FARTHEST + 1 if steps > 0 else -FARTHEST
        place = math.ceil(steps)
        return place + bool(self.at(place) < low)

    def last(self, high: float) -> int:
        """The greatest j whose value is at most ``high``; beyond :data:`FARTHEST` there is none."""
        steps = (high - self.origin) / self.step + EDGE
        if abs(steps) > FARTHEST:
            return FARTHEST if steps > 0 else -FARTHEST - 1
        place = math.floor(steps)
        return place - bool(self.at(place) > high)

    def nearest(self, values: Floats) -> Integers:
        """The j of the values nearest to some others."""
        with np.errstate(over="ignore"):  # of a step of thousandths, 1e308 is infinitely many
            steps = (values - self.origin) / self.step
        return np.rint(np.clip(steps, -FARTHEST, FARTHEST)).astype(np.int64)

    def counted_from(self, origin: float, step: float) -> Self:
        """A grid of the user's step, from a row's own value."""
        decimals = max(decimals_of(origin), decimals_of(step))
        return type(self)(origin, step, decimals)


@dataclass(frozen=True, eq=False)
class Observed:
    """What training showed of a column of numbers or dates: its range, its resolution, and its distribution.

    ``usual`` are values at evenly spaced ranks, ascending; empty, with a range that holds nothing, where no row has
    a finite value.
    """

    low: float
    high: float
    grid: Grid
    usual: Floats

    @classmethod
    def of(cls, column: Column, values: Floats) -> Self:
        """Measure a column's training values (M), NaN where missing."""
        known = values[np.isfinite(values)]
        grid = date_grid(known) if column.kind is Kind.DATETIME else number_grid(known)
        if not len(known):
            return cls(math.inf, -math.inf, grid, known)
        usual = np.quantile(known, np.linspace(0, 1, min(N_USUAL, len(known))), method="nearest")
        return cls(float(known.min()), float(known.max()), grid, usual)


def number_grid(values: Floats) -> Grid:
    """The resolution of the numbers (M) of a training column: the largest step that reaches each of them from 0.

    Columns written finer than :data:`MAX_DECIMALS` decimals are continuous: their step is a power of ten, about a
    thousandth of the range that holds nine tenths of the rows.
    """
    distinct = np.unique(values[np.isfinite(values)])
    for decimals in range(MAX_DECIMALS + 1):
        scaled = distinct * 10.0**decimals
        if len(scaled) and np.abs(scaled).max() > LARGEST_EXACT:
            break
        whole = np.rint(scaled)
        if (np.abs(scaled - whole) <= WRITTEN * np.abs(scaled)).all():
            unit = int(np.gcd.reduce(np.abs(whole).astype(np.int64))) if len(whole) else 1
            return Grid(0.0, max(1, unit) / 10**decimals, decimals)
    low, high = np.quantile(distinct, [0.05, 0.95])
    span = float(high) - float(low) or float(distinct[-1]) - float(distinct[0]) or 1.0
    power = math.floor(math.log10(min(span, _WIDEST))) - FINENESS
    return Grid(0.0, float(Fraction(10) ** power), max(0, -power))


def date_grid(values: Floats) -> Grid:
    """The resolution of dates (M), in microseconds: the largest step between all of them, a second at the finest."""
    known = np.unique(values[np.isfinite(values)]).astype(np.int64)
    if not len(known):
        return Grid(0.0, float(SECOND), 0)
    step = int(np.gcd.reduce(np.diff(known))) if len(known) > 1 else SECOND
    if step < SECOND:
        return Grid(float(known[0] // SECOND * SECOND), float(SECOND), 0)
    return Grid(float(known[0]), float(step), 0)


def common_step(steps: list[float]) -> float:
    """The least amount that is a whole number of each step."""
    fractions = [Fraction(Decimal(repr(step))) for step in steps]
    return float(reduce(_least_common, fractions))


def decimals_of(value: float) -> int:
    """How many decimals a number is written with; 0 for a whole or infinite one."""
    if not math.isfinite(value):
        return 0
    exponent = Decimal(repr(float(value))).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _least_common(first: Fraction, second: Fraction) -> Fraction:
    numerator = math.lcm(first.numerator, second.numerator)
    return Fraction(numerator, math.gcd(first.denominator, second.denominator))
