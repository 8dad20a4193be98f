"""The importances of one run by every method, side by side on one scale.

Methods measure in units that do not compare: shares of reading, log-odds, losses. What compares is each column's
share of its method's sum, and its rank.

Shapes: M methods, F columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.explain.wording import column_name, listed
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ImportanceComparison", "Scale", "compare_importances"]

Scale = Literal["share", "own"]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ImportanceComparison:
    """Methods (M) over the same columns (F).

    ``shares``, ``low`` and ``high`` (M, F) are values and 95 % intervals divided by the sum of the method's values;
    below zero where permuting a column lowered the loss; NaN where there is no interval. ``ranks`` (M, F) count from
    1; equals share the better one. ``left_out`` names methods that were measured on other columns, such as groups.
    """

    methods: tuple[GlobalImportance, ...]
    shares: Floats
    low: Floats
    high: Floats
    ranks: Integers
    left_out: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """The columns (F) in the table's order."""
        return self.methods[0].features

    @property
    def names(self) -> tuple[str, ...]:
        """The methods' keys (M)."""
        return tuple(importance.method for importance in self.methods)

    @property
    def mean_rank(self) -> Floats:
        """The mean of each column's ranks over the methods (F)."""
        return np.asarray(self.ranks.mean(axis=0))

    @property
    def rank_spread(self) -> Integers:
        """How many places lie between a column's best and worst rank (F)."""
        return np.asarray(self.ranks.max(axis=0) - self.ranks.min(axis=0), dtype=np.int64)

    def of(self, method: str) -> GlobalImportance:
        """One method.

        Raises:
            KeyError: it is not among these.
        """
        return self.methods[self._place(method)]

    def values(self, method: str, scale: Scale) -> tuple[Floats, Floats, Floats]:
        """Values (F) and both ends of their intervals on a scale: per cent of the sum, or the method's own unit."""
        place = self._place(method)
        if scale == "share":
            return 100 * self.shares[place], 100 * self.low[place], 100 * self.high[place]
        found = self.methods[place]
        low, high = found.interval or (np.full(len(self.features), np.nan),) * 2
        return found.values, low, high

    def order(self, by: str) -> Integers:
        """Positions of the columns (F): by a method's values, by ``mean`` rank, ``spread`` of ranks, or ``table``."""
        if by == "table":
            return np.arange(len(self.features), dtype=np.int64)
        if by == "mean":
            return np.argsort(self.mean_rank, kind="stable").astype(np.int64)
        if by == "spread":
            return np.lexsort((self.mean_rank, -self.rank_spread)).astype(np.int64)
        return self.of(by).order

    def sentence(self, feature: str) -> str:
        """Where one column stands by every method, in words."""
        place = self.features.index(feature)
        told = [
            say("{rank:,} by {method}", rank=int(rank), method=importance.name)
            for rank, importance in zip(self.ranks[:, place], self.methods, strict=True)
        ]
        spread = int(self.rank_spread[place])
        text = _AGREE if spread <= _CLOSE else _DIFFER
        return say(
            text,
            feature=column_name(feature, start=True),
            n_features=len(self.features),
            ranks=listed(told),
            spread=spread,
        )

    def table(self, order: Integers | None = None) -> pd.DataFrame:
        """One line for each column: its ranks, and each method's value, share and interval."""
        import pandas as pd

        places = np.arange(len(self.features)) if order is None else order
        columns: dict[str, object] = {
            say("column"): [self.features[place] for place in places],
            say("mean rank"): self.mean_rank[places],
        }
        for importance, ranks in zip(self.methods, self.ranks, strict=True):
            columns[say("rank by {method}", method=importance.name)] = ranks[places]
        for number, importance in enumerate(self.methods):
            columns[say("share by {method}", method=importance.name)] = self.shares[number, places]
        for importance in self.methods:
            values, low, high = self.values(importance.method, "own")
            columns[say("value by {method}", method=importance.name)] = values[places]
            columns[say("{method}, from", method=importance.name)] = low[places]
            columns[say("{method}, to", method=importance.name)] = high[places]
        return pd.DataFrame(columns)

    def _place(self, method: str) -> int:
        if method not in self.names:
            raise KeyError(f"no importance by {method!r}; there are {', '.join(self.names)}")
        return self.names.index(method)


_CLOSE = 2  # ranks apart that still count as the same place
_AGREE = msg("{feature} is, of {n_features:,} columns, number {ranks}: the methods agree on its place.")
_DIFFER = msg(
    "{feature} is, of {n_features:,} columns, number {ranks}: {spread} places lie between its best and its worst rank."
)


def compare_importances(methods: Sequence[GlobalImportance]) -> ImportanceComparison:
    """Put importances side by side; those over other columns than the first are left out and named.

    Args:
        methods: importances of one run, the masks first.

    Raises:
        ValueError: there is none.
    """
    if not methods:
        raise ValueError("there must be an importance to compare")
    features = methods[0].features
    kept = tuple(importance for importance in methods if importance.features == features)
    shape = (len(kept), len(features))
    shares, low, high = np.zeros(shape), np.full(shape, np.nan), np.full(shape, np.nan)
    for place, importance in enumerate(kept):
        total = float(np.maximum(importance.values, 0.0).sum())
        if total > 0:
            shares[place] = importance.values / total
            if importance.interval is not None:
                low[place], high[place] = (edge / total for edge in importance.interval)
    return ImportanceComparison(
        methods=kept,
        shares=shares,
        low=low,
        high=high,
        ranks=np.stack([_ranks(importance.values) for importance in kept]),
        left_out=tuple(importance.method for importance in methods if importance.features != features),
    )


def _ranks(values: Floats) -> Integers:
    """Ranks from 1, the largest first; equals share the better one."""
    ordered = np.sort(-values)
    return np.searchsorted(ordered, -values, side="left").astype(np.int64) + 1
