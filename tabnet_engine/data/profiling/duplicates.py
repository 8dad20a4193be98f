"""Rows and columns that say the same twice."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.profiling.column_profile import Cells

__all__ = ["ColumnPrints", "RowHash"]


class RowHash:
    """A running 64-bit hash of each row, fed column by column: equal rows have equal hashes."""

    def __init__(self, n_rows: int) -> None:
        self._state = np.zeros(n_rows, dtype=np.uint64)

    def add(self, codes: npt.NDArray[np.int64]) -> None:
        """Mix in the codes (B) of one more column."""
        # The finaliser of splitmix64 (Steele, Lea, Flood 2014) spreads small codes over all 64 bits.
        mixed = self._state * np.uint64(0x9E3779B97F4A7C15) + (codes + 2).astype(np.uint64)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        self._state = mixed ^ (mixed >> np.uint64(31))

    def n_repeated(self) -> int:
        """Rows that equal an earlier row in every column so far."""
        hashes = np.sort(self._state)  # a tenth of the time of np.unique, which hashes the hashes again
        return int((hashes[1:] == hashes[:-1]).sum())


class ColumnPrints:
    """Columns by what they tell apart.

    Two columns that split the rows into the same groups (a code and its label, a length in two units)
    have the same print. Where most values occur once that would make any two columns equal, so there the
    values themselves must agree.
    """

    def __init__(self) -> None:
        self._names: dict[bytes, list[str]] = {}

    def add(self, name: str, cells: Cells) -> None:
        """Remember one more column."""
        n_present = int((cells.codes >= 0).sum())
        if len(cells.values) < 2:
            return
        digest = hashlib.blake2b(cells.codes.tobytes(), digest_size=16)
        if len(cells.values) > n_present / 2:
            digest.update(pd.util.hash_array(np.asarray(cells.values)).tobytes())
        self._names.setdefault(digest.digest(), []).append(name)

    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Names of the columns that say the same, group by group."""
        return tuple(tuple(names) for names in self._names.values() if len(names) > 1)
