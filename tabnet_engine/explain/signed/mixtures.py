"""Rows mixed from an explained row and the background, and what the model says of them.

Shapes: M background rows, P players, U mixed rows, K outputs, D encoded width. A mixed row is named by the players
that are known, which hold the explained row's cells, and by the background row that gives all other cells.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.subject import LogitModel, Subject

__all__ = ["CellKeys", "Mixtures", "RowMixtures", "TableMixtures", "mixtures_of"]

# Cells of one composed table, the numbers and codes of all its rows.
CELLS_AT_ONCE = 4_000_000

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]


class RowMixtures(Protocol):
    """One explained row, to be mixed with the background."""

    @property
    def full(self) -> Floats:
        """Logits (K,) of the row itself."""
        ...

    def logits(self, known: npt.NDArray[np.bool_], background: Integers) -> Floats:
        """Logits (U, K) of mixtures: the players ``known`` (U, P), and the ``background`` row (U,) of the others."""
        ...


class Mixtures(Protocol):
    """A model and its background, ready for one row after another."""

    @property
    def background_logits(self) -> Floats:
        """Logits (M, K) of the background rows themselves, in double precision."""
        ...

    @property
    def base(self) -> Floats:
        """The mean logits (K,) of the background."""
        ...

    @property
    def keys(self) -> CellKeys:
        """Which cells are the same."""
        ...

    @property
    def units(self) -> tuple[Floats, Floats]:
        """Where each output is counted from and in what unit, (K,) both: rounding is judged in these."""
        ...

    def of_row(self, row: EncodedTable, *, is_single: bool = False) -> RowMixtures:
        """One explained row; ``is_single`` allows single precision where the model has it."""
        ...


def mixtures_of(
    model: LogitModel, players: Players, background: EncodedTable, *, device: str | None = None
) -> Mixtures:
    """The quickest way to mix rows for this model: behind the embedding for a network, else cell by cell.

    Args:
        model: gives logits of encoded rows.
        players: whose cells move together.
        background: M encoded rows.
        device: where a network computes; None takes CUDA where there is one.
    """
    if isinstance(model, Subject):
        from tabnet_engine.explain.signed.network_mixtures import NetworkMixtures

        return NetworkMixtures(model.network, model.layout, players, background, device)
    return TableMixtures(model, players, background)


class CellKeys:
    """A number for what a player holds in a row: equal where all its cells are equal, and else different.

    Numbers are sums of scrambled cells (Zobrist 1970, hashing of board positions), modulo 2^64, so that the key of a
    mixed row is a sum too. That two of a million different rows share a key has a chance of 1 in 10^7.
    """

    def __init__(self, layout: InputLayout, players: Players, background: EncodedTable) -> None:
        owner = players.of_feature[[*layout.numeric_feature, *layout.categorical_feature]]
        self._order = np.argsort(owner, kind="stable")
        self._starts = np.searchsorted(owner[self._order], np.arange(len(players)))
        self._salt = _scramble(np.arange(1, len(owner) + 1, dtype=np.uint64))
        self.background = self.of_table(background)

    def of_table(self, table: EncodedTable) -> Keys:
        """Keys (B, P) of encoded rows."""
        numbers = np.where(np.isnan(table.numeric), np.float32(np.nan), table.numeric + np.float32(0))  # -0 is 0
        cells = np.concatenate([numbers.view(np.uint32).astype(np.uint64), table.categorical.astype(np.uint64)], axis=1)
        slots = _scramble(cells ^ self._salt)[:, self._order]
        keys: Keys = np.add.reduceat(slots, self._starts, axis=1)
        return keys

    def varying(self, table: EncodedTable) -> npt.NDArray[np.bool_]:
        """Where a player's cells (B, P) differ from those of at least one background row."""
        rows = self.of_table(table)
        differs = np.zeros(rows.shape, dtype=bool)
        for keys in self.background:
            differs |= rows != keys
        return differs


def _scramble(values: Keys) -> Keys:
    """The finaliser of splitmix64 (Steele, Lea & Flood 2014): every input bit moves every output bit."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


class TableMixtures:
    """For any model that reads encoded rows: each mixture is composed cell by cell."""

    def __init__(self, model: LogitModel, players: Players, background: EncodedTable) -> None:
        self._model = model
        self._background = background
        owner = players.of_feature
        self._numeric = owner[list(model.layout.numeric_feature)]
        self._categorical = owner[list(model.layout.categorical_feature)]
        self.keys = CellKeys(model.layout, players, background)
        self.background_logits: Floats = self.predict(background)
        self.base: Floats = self.background_logits.mean(axis=0)

    @property
    def units(self) -> tuple[Floats, Floats]:
        """From zero, in the outputs' own unit."""
        n_outputs = self.background_logits.shape[1]
        return np.zeros(n_outputs), np.ones(n_outputs)

    def of_row(self, row: EncodedTable, *, is_single: bool = False) -> RowMixtures:  # noqa: ARG002 - as the protocol
        """One explained row."""
        return _TableRow(self, row)

    def predict(self, table: EncodedTable) -> Floats:
        """Logits (B, K) of encoded rows."""
        return np.asarray(self._model.logits(table), dtype=np.float64)

    def compose(self, row: EncodedTable, known: npt.NDArray[np.bool_], background: Integers) -> EncodedTable:
        """Encoded mixtures (U): where a player is ``known`` (U, P) the row's cells, else those of the background."""
        base = self._background.take(background)
        return EncodedTable(
            np.where(known[:, self._numeric], row.numeric, base.numeric),
            np.where(known[:, self._categorical], row.categorical, base.categorical),
        )

    @property
    def n_rows_at_once(self) -> int:
        """How many mixtures are composed together."""
        width: int = self._background.numeric.shape[1] + self._background.categorical.shape[1]
        return max(1, CELLS_AT_ONCE // max(1, width))


class _TableRow:
    def __init__(self, mixtures: TableMixtures, row: EncodedTable) -> None:
        self._mixtures = mixtures
        self._row = row
        self.full: Floats = mixtures.predict(row)[0]

    def logits(self, known: npt.NDArray[np.bool_], background: Integers) -> Floats:
        size = self._mixtures.n_rows_at_once
        parts = [slice(start, start + size) for start in range(0, len(known), size)]
        mixed = (self._mixtures.compose(self._row, known[part], background[part]) for part in parts)
        return np.concatenate([self._mixtures.predict(table) for table in mixed])
