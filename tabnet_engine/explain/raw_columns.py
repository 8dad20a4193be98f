"""Raw columns as shap sees them: one number a cell, one player a column.

Shapes: B explained rows, M background rows, F raw features, L coalitions of one order of the columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.encoding import EncodedTable, InputLayout

__all__ = ["ColumnMasker", "RawColumnCodes", "distinct_rows"]

_LARGEST_KEY = 2**62

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RawColumnCodes:
    """Rows as a matrix with one number per raw column, and the way back to encoded slots.

    shap replaces columns one by one and knows nothing of slots. The code of a cell is the first row of
    the joined table (background, then explained) that holds the same value in all slots of its column,
    so equal values share a code and decoding is one gather.
    """

    layout: InputLayout
    joined: EncodedTable
    codes: Floats
    n_background: int

    @classmethod
    def build(cls, layout: InputLayout, background: EncodedTable, explained: EncodedTable) -> Self:
        """Number the values of both tables (M + B rows)."""
        joined = EncodedTable(
            np.concatenate([background.numeric, explained.numeric]),
            np.concatenate([background.categorical, explained.categorical]),
        )
        codes = np.empty((len(joined), layout.n_features))
        for feature in range(layout.n_features):
            codes[:, feature] = _first_rows(_slots(layout, joined, feature))
        return cls(layout, joined, codes, len(background))

    @property
    def background(self) -> Floats:
        """Codes (M, F) of the background rows."""
        return self.codes[: self.n_background]

    @property
    def explained(self) -> Floats:
        """Codes (B, F) of the explained rows."""
        return self.codes[self.n_background :]

    def decode(self, codes: npt.NDArray[np.floating]) -> EncodedTable:
        """Encoded rows of any mixture of codes (B, F)."""
        source = codes.astype(np.int64)
        numeric, categorical = self.layout.numeric_feature, self.layout.categorical_feature
        return EncodedTable(
            self.joined.numeric[source[:, numeric], np.arange(len(numeric))],
            self.joined.categorical[source[:, categorical], np.arange(len(categorical))],
        )


def _slots(layout: InputLayout, table: EncodedTable, feature: int) -> npt.NDArray[np.int64]:
    """All slots of one raw feature (B, slots) as whole numbers that are equal where the cells are."""
    numeric = [slot for slot, owner in enumerate(layout.numeric_feature) if owner == feature]
    categorical = [slot for slot, owner in enumerate(layout.categorical_feature) if owner == feature]
    numbers = table.numeric[:, numeric] + np.float32(0)  # -0.0 becomes 0.0
    bits = np.where(np.isnan(numbers), np.float32(np.nan), numbers).view(np.int32)
    return np.concatenate([bits.astype(np.int64), table.categorical[:, categorical]], axis=1)


def _first_rows(slots: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each row (B) the first row with equal slots."""
    _, first, inverse = np.unique(slots, axis=0, return_index=True, return_inverse=True)
    return first[inverse.reshape(-1)].astype(np.int64)


class ColumnMasker:
    """What ``shap.maskers.Independent`` does, on codes: unknown columns take the background's values.

    Three things differ, all needed here: every background row counts (shap's default keeps 100 and drops
    the rest silently); cells are the same only if they are equal (``np.isclose`` takes code 100,001 for
    100,000); and numpy does the work, where shap first compiles for five seconds in every process.
    """

    supports_delta_masking = True

    def __init__(self, background: Floats) -> None:
        self._background = background
        self.shape = background.shape

    def invariants(self, row: Floats) -> npt.NDArray[np.bool_]:
        """Where the background (M, F) holds the row's own values, so that nothing changes."""
        return np.asarray(row == self._background)

    def __call__(self, flips: npt.NDArray[np.int64], row: Floats) -> tuple[tuple[Floats], npt.NDArray[np.bool_]]:
        """Walk through one order of the columns.

        Args:
            flips: (L,) the column that becomes known, or unknown again, at each step; the first step is
                shap's sign for "no column is known yet".
            row: codes (F,) of the explained row.

        Returns:
            The mixed rows (L * M, F), and which of them (L, M) differ from the step before.
        """
        flipped = np.zeros((len(flips), len(row)), dtype=bool)
        flipped[np.arange(1, len(flips)), flips[1:]] = True
        known = np.logical_xor.accumulate(flipped, axis=0)
        mixed = np.where(known[:, None, :], row, self._background)
        changed = np.ones((len(flips), len(self._background)), dtype=bool)
        changed[1:] = (row != self._background)[:, flips[1:]].T
        return (mixed.reshape(-1, len(row)),), changed


def distinct_rows(codes: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each distinct row of (B, F) first stands, and which of them every row equals.

    Columns are joined to one whole number, compressed before it could overflow: exact, and some twenty
    times faster than ``np.unique`` over an axis.
    """
    key, span = np.zeros(len(codes), dtype=np.int64), 1
    for column in codes.T.astype(np.int64):
        width = int(column.max()) + 1
        if span * width > _LARGEST_KEY:
            key, distinct = pd.factorize(key)
            span = len(distinct)
        key, span = key * width + column, span * width
    inverse, distinct = pd.factorize(key)
    first = np.empty(len(distinct), dtype=np.int64)
    first[inverse[::-1]] = np.arange(len(inverse))[::-1]
    return first, inverse.astype(np.int64)
