"""Masks and |SHAP| of the same rows on one scale, column by column: where the two differ, and in which row most.

numpy only: pages import this. Shapes: B rows, F raw features.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.wording import column_name, percent
from tabnet_engine.texts.speaking import say

__all__ = ["RowShares", "row_shares"]

Floats = npt.NDArray[np.float64]
_CLEAR = 0.15  # shares that differ by less are not worth a sentence


@dataclass(frozen=True, kw_only=True, eq=False)
class RowShares:
    """What each row (B) gave each column (F): its share of the masks and its share of the |SHAP values|.

    Both are (B, F) and sum to 1 in each row; a row where nothing was read, or nothing moved, has zeros.
    """

    features: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    read: Floats
    moved: Floats

    @property
    def difference(self) -> Floats:
        """How much more a column moved the score than it was read (B, F), from -1 to 1."""
        return self.moved - self.read

    @property
    def distance(self) -> Floats:
        """Half the sum of the differences (B,): the share that would have to change hands; 0 alike, 1 disjoint."""
        return np.asarray(np.abs(self.difference).sum(axis=1) / 2)

    def of(self, feature: str) -> tuple[Floats, Floats]:
        """The shares (B,) of one column: read, and moved.

        Raises:
            ValueError: there is no such column.
        """
        place = self.features.index(feature)
        return self.read[:, place], self.moved[:, place]

    def share_moved_more(self, feature: str) -> float:
        """The share of the rows in which one column moved the score more than it was read; 0 without rows."""
        read, moved = self.of(feature)
        return float((moved > read).mean()) if len(read) else 0.0

    def take(self, positions: npt.ArrayLike) -> Self:
        """Some of the rows, by position."""
        chosen = np.asarray(positions)
        return type(self)(
            features=self.features, rows=self.rows[chosen], read=self.read[chosen], moved=self.moved[chosen]
        )

    def sentences(self, positions: Iterable[int]) -> list[str]:
        """For each of some rows the column where the two differ most, in words."""
        return [self._sentence(position) for position in positions]

    def _sentence(self, position: int) -> str:
        difference = self.difference[position]
        place = int(np.argmax(np.abs(difference)))
        read, moved = float(self.read[position, place]), float(self.moved[position, place])
        facts = {
            "column": column_name(self.features[place], start=True),
            "read": percent(read),
            "moved": percent(moved),
        }
        if abs(read - moved) < _CLEAR:
            return say(
                "No column differs by much; the largest difference is {column}: {read} read, {moved} moved.", **facts
            )
        if read > moved:
            return say("{column} got {read} of the reading, but only {moved} of what moved the score.", **facts)
        return say("{column} got only {read} of the reading, yet made {moved} of what moved the score.", **facts)


def row_shares(masks: MaskExplanation, attribution: Attribution, *, output: str | None = None) -> RowShares:
    """M_agg and |SHAP| of one output (the first by default) on the rows that both explain, each row summing to 1.

    Raises:
        ValueError: the two are not about the same columns.
    """
    if masks.features != attribution.features:
        raise ValueError("masks and attribution must be about the same columns in the same order")
    rows, at_masks, at_values = np.intersect1d(masks.rows, attribution.rows, return_indices=True)
    read = masks.take(at_masks).aggregate.astype(np.float64)
    moved = np.abs(attribution.for_output(output or attribution.outputs[0])[at_values])
    return RowShares(features=masks.features, rows=rows, read=_in_shares(read), moved=_in_shares(moved))


def _in_shares(sizes: Floats) -> Floats:
    total = sizes.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(sizes, total, out=np.zeros_like(sizes), where=total > 0))
