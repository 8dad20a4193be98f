"""Mixed rows of a network, composed behind its embedding: the cells are embedded once for a whole computation.

Shapes: M background rows, P players, U mixed rows, K outputs, D encoded width. torch is imported here.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed.mixtures import CellKeys
from tabnet_engine.model.tabnet import TabNet
from tabnet_engine.training.embedded import EmbeddedNetwork

__all__ = ["NetworkMixtures"]

# Mixtures of one forward pass. Measured with one thread: 2,000 to 4,000 rows are the quickest, since their hidden
# layers stay in the processor's cache; an accelerator wants more.
ROWS_ON_CPU = 4_080
ROWS_ON_DEVICE = 65_520

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class NetworkMixtures:
    """One network and its background, ready for one row after another; see :class:`Mixtures`.

    Single precision halves the time. Its outputs differ from those in double precision by about 1e-6 of their size,
    far below the error of sampling; :class:`RowGame` checks that they do.

    Raises:
        SchemaError: a number is missing, and the network has no state for missing cells.
    """

    def __init__(
        self, network: TabNet, layout: InputLayout, players: Players, background: EncodedTable, device: str | None
    ) -> None:
        chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.network = EmbeddedNetwork(network, chosen)
        most = min(ROWS_ON_CPU, self.network.n_rows_in_cache) if chosen == "cpu" else ROWS_ON_DEVICE
        self.rows_at_once = min(most, self.network.n_rows_at_once)
        self.player = self.network.tensor(players.of_feature[self.network.column_feature])
        self.keys = CellKeys(layout, players, background)
        self._double = self.network.embed(background)
        self._single = self._double.float()
        self.background_logits: Floats = self.network.in_units(self.network.head(self._double))
        self.base: Floats = self.background_logits.mean(axis=0)

    @property
    def units(self) -> tuple[Floats, Floats]:
        """The units of the head: a target's mean and spread, or 0 and 1 for classes."""
        return self.network.offset, self.network.scale

    def background(self, *, is_single: bool) -> Tensor:
        """The embedded background (D, M)."""
        return self._single if is_single else self._double

    def of_row(self, row: EncodedTable, *, is_single: bool = False) -> NetworkRow:
        """One explained row."""
        return NetworkRow(self, self.network.embed(row), is_single=is_single)


class NetworkRow:
    """One embedded row; see :class:`RowMixtures`."""

    def __init__(self, mixtures: NetworkMixtures, embedded: Tensor, *, is_single: bool) -> None:
        self._mixtures = mixtures
        self._background = mixtures.background(is_single=is_single)
        self._row = embedded.to(self._background.dtype)
        self.full: Floats = mixtures.network.in_units(mixtures.network.head(embedded)[0])

    def logits(self, known: npt.NDArray[np.bool_], background: Integers) -> Floats:
        """Logits (U, K) of mixtures."""
        network = self._mixtures.network
        players, rest = network.tensor(known.T), network.tensor(background)
        parts = []
        for part in _equal_parts(len(background), self._mixtures.rows_at_once):
            is_known = players[:, part].index_select(0, self._mixtures.player)
            mixed = torch.where(is_known, self._row, self._background.index_select(1, rest[part]))
            parts.append(network.head(mixed))
        return network.in_units(np.concatenate(parts))


def _equal_parts(n_rows: int, most: int) -> list[slice]:
    """So many rows in parts of about the same size, at most ``most``: a small rest would be slow."""
    n_parts = max(1, -(-n_rows // most))
    edges = [n_rows * part // n_parts for part in range(n_parts + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]
