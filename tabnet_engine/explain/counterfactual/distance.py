"""How far two rows are apart, in the data's own scale.

Shapes: B and M rows, F raw features. The distance of two rows is the sum over the columns (Gower 1971, left as a sum):

- numbers and dates: the share of the training rows that lie between the two values, from 0 to 1. It needs no unit and
  no outlier moves it. What lies beyond the range of training counts as its edge.
- categories: 0 where equal, else 1 minus the rarer one's share: a rare category is far from every other.
- a missing cell is 1 from any value and 0 from another missing one.

No torch: pages import this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.counterfactual.space import RowSpace
from tabnet_engine.texts.speaking import msg

__all__ = ["DISTANCE_WORDS", "DistanceScale"]

DISTANCE_WORDS = msg(
    "the sum over the columns of the share of training rows that lie between the two values; for another category one "
    "minus the rarer one's share; for a missing cell against a value 1"
)
MAX_KNOTS = 512  # of a column's distribution; between them it is interpolated

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DistanceScale:
    """The scale of the training rows.

    ``knots`` hold for each column (F) increasing values and the share of training rows below each (half of those
    that equal it included); ``shares`` the share of each category. The other of the two is empty.
    """

    space: RowSpace
    knots: tuple[tuple[Floats, Floats], ...]
    shares: tuple[Floats, ...]

    @classmethod
    def fit(cls, space: RowSpace, matrix: Floats) -> Self:
        """Learn from the training rows (M, F); there must be one at least."""
        nothing = np.empty(0)
        knots, shares = [], []
        for place, is_category in enumerate(space.is_category):
            values = matrix[:, place]
            known = values[np.isfinite(values)]
            knots.append((nothing, nothing) if is_category else _distribution(known))
            counts = np.bincount(known.astype(np.int64), minlength=len(space.texts[place])) if is_category else nothing
            shares.append(counts / max(1, len(known)))
        return cls(space, tuple(knots), tuple(shares))

    def positions(self, matrix: Floats) -> Floats:
        """Rows (B, F) on the scale: ordered columns become shares of training rows, categories keep their places."""
        found = np.array(matrix, dtype=np.float64)
        for place, (values, below) in enumerate(self.knots):
            if len(values):
                missing = np.isnan(found[:, place])
                on_scale = np.interp(found[:, place], values, below, left=0.0, right=1.0)
                found[:, place] = np.where(missing, np.nan, on_scale)
        return found

    def by_column(self, one: Floats, many: Floats) -> Floats:
        """The part of each column (B, F) in the distances of one row (F) to others (B, F), all as positions."""
        return np.stack([self._apart(one[place], many[:, place], place) for place in range(len(one))], axis=1)

    def between(self, one: Floats, many: Floats) -> Floats:
        """The distances (B) of one row (F) to others (B, F), all as positions."""
        total: Floats = self.by_column(one, many).sum(axis=1)
        return total

    def pairwise(self, some: Floats, others: Floats) -> Floats:
        """The distances (B, M) of rows (B, F) to others (M, F), all as positions."""
        total = np.zeros((len(some), len(others)))
        for place in range(some.shape[1]):
            total += self._apart(some[:, place, None], others[None, :, place], place)
        return total

    def _apart(self, first: npt.ArrayLike, second: npt.ArrayLike, place: int) -> Floats:
        one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
        if self.space.is_category[place]:
            differ = one != two
            apart = np.where(differ, 1.0 - np.minimum(self._share(one, place), self._share(two, place)), 0.0)
        else:
            apart = np.abs(one - two)
        return np.where(np.isnan(one) | np.isnan(two), np.isnan(one) != np.isnan(two), apart).astype(np.float64)

    def _share(self, codes: Floats, place: int) -> Floats:
        # A category that no training row has stands behind the known ones: its share is 0.
        known = np.append(self.shares[place], 0.0)
        within = np.nan_to_num(codes, nan=len(known) - 1)
        return np.asarray(known[np.minimum(within, len(known) - 1).astype(np.int64)], dtype=np.float64)


def _distribution(values: Floats) -> tuple[Floats, Floats]:
    """Increasing values and the share of ``values`` below each, those equal to it counted half."""
    distinct, counts = np.unique(values, return_counts=True)
    if not len(distinct):
        return distinct, distinct
    below = (np.cumsum(counts) - counts / 2) / len(values)
    if len(distinct) > MAX_KNOTS:
        places = np.unique(np.searchsorted(below, np.linspace(below[0], below[-1], MAX_KNOTS)).clip(0, len(below) - 1))
        kept = np.union1d(places, [0, len(distinct) - 1])
        distinct, below = distinct[kept], below[kept]
    return distinct, below
