"""Rows with some of their columns replaced by cells of other rows, and what the model says of them.

Permutation, effect curves and interactions all ask this. Of a network the rows and cells are embedded once and put
together behind the embedding, in single precision where that gives the same logits: several times faster, most of
all for wide tables.

Shapes: B rows, C rows of cells, N combinations, D encoded width, K outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.explain.subject import LogitModel, Subject

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Swaps", "slots_of", "swaps_of"]

_ROWS_A_FORWARD = 65_536
_ROWS_ON_CPU = 4_096  # their hidden layers stay in the processor's cache
# How far single precision may miss the logits of the rows as they are, relative to their size.
_TOLERANCE = 1e-5

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Swaps(Protocol):
    """A model over B rows, ready to be asked about combinations."""

    @property
    def before(self) -> Floats:
        """Logits (B, K) of the rows as they are."""
        ...

    def logits(self, members: Sequence[int], cells: EncodedTable, rows: Integers, places: Integers) -> Floats:
        """Logits (N, K) of combinations.

        Args:
            members: positions of the raw features to replace.
            cells: encoded rows (C), of which only the members' slots are read.
            rows: which of the B rows (N).
            places: which of the C cells it gets (N).
        """
        ...


def swaps_of(model: LogitModel, table: EncodedTable) -> Swaps:
    """The fast way where the model is a network, else the way that works for any model."""
    return _EmbeddedSwaps(model, table) if isinstance(model, Subject) else _EncodedSwaps(model, table)


def slots_of(layout: InputLayout, members: Sequence[int]) -> tuple[Integers, Integers]:
    """The numeric and the categorical slots of some raw features."""
    numeric = np.flatnonzero(np.isin(layout.numeric_feature, members))
    return numeric.astype(np.int64), np.flatnonzero(np.isin(layout.categorical_feature, members)).astype(np.int64)


class _EncodedSwaps:
    """Any model, by encoded rows."""

    def __init__(self, model: LogitModel, table: EncodedTable) -> None:
        self._model, self._table = model, table
        self.before = model.logits(table)

    def logits(self, members: Sequence[int], cells: EncodedTable, rows: Integers, places: Integers) -> Floats:
        numeric, categorical = slots_of(self._model.layout, members)
        found = np.empty((len(rows), self.before.shape[1]))
        for start in range(0, len(rows), _ROWS_A_FORWARD):
            part = slice(start, start + _ROWS_A_FORWARD)
            mixed, taken = self._table.take(rows[part]), places[part]
            mixed.numeric[:, numeric] = cells.numeric[np.ix_(taken, numeric)]
            mixed.categorical[:, categorical] = cells.categorical[np.ix_(taken, categorical)]
            found[part] = self._model.logits(mixed)
        return found


class _EmbeddedSwaps:
    """A network, by embedded rows (D, B)."""

    def __init__(self, subject: Subject, table: EncodedTable) -> None:
        import torch

        from tabnet_engine.training.embedded import EmbeddedNetwork

        self._table = table
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self._network = EmbeddedNetwork(subject.network, device)
        at_once = _ROWS_ON_CPU if device == "cpu" else _ROWS_A_FORWARD
        self._size = min(at_once, self._network.n_rows_at_once)
        precise = self._network.embed(table)
        before = self._in_batches(precise)
        self.before = self._network.in_units(before)
        single = precise.to(torch.float32)
        missed = np.abs(self._in_batches(single) - before)
        # A network may magnify rounding: then everything is computed in double precision.
        is_safe = bool((missed <= _TOLERANCE * np.maximum(1.0, np.abs(before))).all())
        self._rows = single if is_safe else precise

    def logits(self, members: Sequence[int], cells: EncodedTable, rows: Integers, places: Integers) -> Floats:
        dimensions = self._network.tensor(np.flatnonzero(np.isin(self._network.column_feature, members)))
        embedded = self._rows if cells is self._table else self._network.embed(cells)
        given = embedded[dimensions].to(self._rows.dtype)
        chosen, taken = self._network.tensor(rows), self._network.tensor(places)
        found = np.empty((len(rows), self.before.shape[1]))
        for start in range(0, len(rows), self._size):
            part = slice(start, start + self._size)
            mixed = self._rows[:, chosen[part]]
            mixed[dimensions] = given[:, taken[part]]
            found[part] = self._network.head(mixed)
        return self._network.in_units(found)

    def _in_batches(self, rows: Tensor) -> Floats:
        """The head's outputs (B, K) of embedded rows."""
        starts = range(0, rows.shape[1], self._size)
        return np.concatenate([self._network.head(rows[:, start : start + self._size]) for start in starts])
