"""One epoch over a table that lies in memory: no loader, no workers, one permutation an epoch.

Shape letters: B rows, N rows of the table, Q quantities that a step reports.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import ConfigError
from tabnet_engine.model.norm import ghost_chunks
from tabnet_engine.training.callbacks import Callback, TrainingState

__all__ = ["Step", "TensorTable", "batch_bounds", "run_epoch"]


@dataclass(frozen=True)
class TensorTable:
    """Rows that the network can read, on one device.

    Shape: numeric (N, n_numeric) float32 with NaN where missing, categorical (N, n_categorical) int64,
    target (N,) float32 or int64; zeros where there is no target.
    """

    numeric: Tensor
    categorical: Tensor
    target: Tensor

    @classmethod
    def build(cls, encoded: EncodedTable, target: Tensor | None, device: torch.device) -> TensorTable:
        """Bring an encoded table to a device."""
        if target is None:
            target = torch.zeros(len(encoded))
        parts = (_tensor(encoded.numeric), _tensor(encoded.categorical), target)
        return cls(*(part.to(device) for part in parts))

    def __len__(self) -> int:
        return len(self.target)

    def take(self, rows: Tensor) -> TensorTable:
        """The rows with these positions, in their order."""
        return TensorTable(*(part.index_select(0, rows) for part in (self.numeric, self.categorical, self.target)))

    def slice(self, start: int, stop: int) -> TensorTable:
        """The rows from ``start`` to before ``stop``, without a copy."""
        return TensorTable(self.numeric[start:stop], self.categorical[start:stop], self.target[start:stop])

    def batches(self, bounds: Sequence[tuple[int, int]]) -> Iterator[TensorTable]:
        """The slices with these bounds."""
        return (self.slice(start, stop) for start, stop in bounds)

    def shuffled(self, generator: torch.Generator) -> TensorTable:
        """All rows in a random order; the order depends on the generator only, not on the device."""
        return self.take(torch.randperm(len(self), generator=generator).to(self.target.device))


def _tensor(values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> Tensor:
    """A tensor over a writable, contiguous array; read-only arrays are copied."""
    return torch.from_numpy(np.require(values, requirements=["C", "W"]))


Step = Callable[[TensorTable], Tensor]

# Asking whether a sum is finite waits for the device, so it is not asked at every batch.
FINITE_CHECK_INTERVAL = 50


def batch_bounds(n_rows: int, batch_size: int) -> tuple[tuple[int, int], ...]:
    """Cut N rows into batches whose sizes differ by at most one, so that no short batch at the end counts more.

    No batch has a single row, which batch norm cannot train on: three rows in batches of two are one batch of
    three.

    Raises:
        ConfigError: fewer than two rows.
    """
    if n_rows < 2:
        raise ConfigError(f"training needs at least 2 rows, got {n_rows}; use a larger table or smaller splits")
    edges = (0, *itertools.accumulate(ghost_chunks(n_rows, batch_size)))
    return tuple(itertools.pairwise(edges))


def run_epoch(
    step: Step, table: TensorTable, bounds: Sequence[tuple[int, int]], callback: Callback, state: TrainingState
) -> list[float]:
    """Call ``step`` on every batch and average what it reports over the rows.

    Args:
        step: does all of one batch and returns the quantities to average, (Q,).
        table: the rows in the order of this epoch.
        bounds: where each batch starts and stops.
        callback: told before and after every batch.
        state: its ``batch`` is counted up from 1.

    Returns:
        The Q means, each batch weighted by its rows. Once a sum is infinite or NaN the epoch ends early and
        that value is returned: no later batch could mend it.
    """
    total = torch.zeros((), dtype=torch.float64, device=table.target.device)
    for index, batch in enumerate(table.batches(bounds)):
        state.batch = index + 1
        callback.on_batch_begin(state)
        total = total + step(batch) * len(batch)
        callback.on_batch_end(state)
        if state.batch % FINITE_CHECK_INTERVAL == 0 and not torch.isfinite(total).all():
            break
    means: list[float] = (total / len(table)).tolist()
    return means
