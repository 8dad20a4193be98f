"""A network that is asked many times for few rows.

Shapes: B rows, K outputs. torch is imported where the network runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.explain.subject import Subject

if TYPE_CHECKING:
    from tabnet_engine.training.embedded import EmbeddedNetwork

__all__ = ["SteadySubject"]

_ROWS_AT_ONCE = 4_080  # as for mixtures: the hidden layers stay in the processor's cache


@dataclass(frozen=True)
class SteadySubject(Subject):
    """A trained network whose copy in double precision is made once, where every call would make its own.

    A row has the same logits wherever it stands in a batch, up to the last digit of a double.
    """

    def logits(self, table: EncodedTable) -> npt.NDArray[np.float64]:
        """Logits (B, K) of the encoded rows, in double precision.

        Raises:
            SchemaError: a number is missing, and the network has no state for missing cells.
        """
        prepared = self._prepared
        size = max(1, min(_ROWS_AT_ONCE, prepared.n_rows_at_once, prepared.n_rows_in_cache))
        starts = range(0, max(1, len(table)), size)
        parts = (table.take(np.arange(start, min(start + size, len(table)))) for start in starts)
        return prepared.in_units(np.concatenate([prepared.head(prepared.embed(part)) for part in parts]))

    @cached_property
    def _prepared(self) -> EmbeddedNetwork:
        from tabnet_engine.training.embedded import EmbeddedNetwork

        return EmbeddedNetwork(self.network, "cpu")
