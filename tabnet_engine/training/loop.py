"""Epochs over a table that lies in memory: no loader, no workers, one permutation an epoch.

Shape letters: B rows, N rows of the table, T targets, Q quantities that a step reports.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import ConfigError
from tabnet_engine.model.norm import ghost_chunks
from tabnet_engine.training.callbacks import Callback, TrainingState
from tabnet_engine.training.history import EpochRecord

__all__ = ["EpochStore", "LoopState", "Step", "TensorTable", "batch_bounds", "run_epoch", "run_training"]


@dataclass(frozen=True)
class TensorTable:
    """Rows that the network can read, on one device.

    Shape: numeric (N, n_numeric) float32 with NaN where missing, categorical (N, n_categorical) int64,
    target (N,) float32 or int64, or (N, T) float32 of several targets; zeros where there is no target.
    weight (N,) float32, None where every row counts the same.
    """

    numeric: Tensor
    categorical: Tensor
    target: Tensor
    weight: Tensor | None = None

    @classmethod
    def build(
        cls, encoded: EncodedTable, target: Tensor | None, device: torch.device, weight: Tensor | None = None
    ) -> TensorTable:
        """Bring an encoded table to a device."""
        if target is None:
            target = torch.zeros(len(encoded))
        numeric, categorical = _tensor(encoded.numeric), _tensor(encoded.categorical)
        return cls(numeric, categorical, target, weight).to(device)

    def __len__(self) -> int:
        return len(self.target)

    def to(self, device: torch.device) -> TensorTable:
        """The same rows on a device."""
        return self._each(lambda part: part.to(device))

    def take(self, rows: Tensor) -> TensorTable:
        """The rows with these positions, in their order."""
        return self._each(lambda part: part.index_select(0, rows))

    def slice(self, start: int, stop: int) -> TensorTable:
        """The rows from ``start`` to before ``stop``, without a copy."""
        return self._each(lambda part: part[start:stop])

    def batches(self, bounds: Sequence[tuple[int, int]]) -> Iterator[TensorTable]:
        """The slices with these bounds."""
        return (self.slice(start, stop) for start, stop in bounds)

    def shuffled(self, generator: torch.Generator) -> TensorTable:
        """All rows in a random order; the order depends on the generator only, not on the device."""
        return self.take(torch.randperm(len(self), generator=generator).to(self.target.device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> TensorTable:
        weight = None if self.weight is None else change(self.weight)
        return TensorTable(change(self.numeric), change(self.categorical), change(self.target), weight)


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


@dataclass(frozen=True, kw_only=True)
class LoopState:
    """What the loop itself must remember at the end of an epoch, beside the state of its parts."""

    records: tuple[EpochRecord, ...] = ()
    best_epoch: int = 0
    stop: bool = False


class EpochStore(Protocol):
    """Where the end of an epoch is kept, so that another process can go on from there."""

    def save(self, state: LoopState) -> None:
        """Keep where the training is now."""
        ...

    def restore(self) -> LoopState | None:
        """Bring every part of the training back to what was kept; None when nothing is."""
        ...


def run_training(
    one_epoch: Callable[[TrainingState], EpochRecord],
    state: TrainingState,
    callback: Callback,
    store: EpochStore | None = None,
) -> LoopState:
    """All epochs with their hooks; supervised training and pretraining differ only in ``one_epoch``.

    Args:
        one_epoch: trains and validates one epoch; ``state.epoch`` is its number.
        state: fresh; counted up here. ``resumed_from`` and ``best_epoch`` are set when the store holds epochs.
        callback: its ``on_epoch_end`` may set ``state.best_epoch`` and ``state.stop``.
        store: keeps the end of each epoch, and is asked first for epochs that were done before.

    Returns:
        The records of all epochs, those before a resumption included, and the best epoch.
    """
    found = None if store is None else store.restore()
    done = LoopState() if found is None else found
    state.epoch = state.resumed_from = len(done.records)
    state.record = done.records[-1] if done.records else None
    state.best_epoch, state.stop = done.best_epoch, done.stop
    callback.on_train_begin(state)
    while state.epoch < state.max_epochs and not state.stop:
        state.epoch += 1
        callback.on_epoch_begin(state)
        state.record = one_epoch(state)
        callback.on_epoch_end(state)
        records = (*done.records, state.record)
        done = LoopState(records=records, best_epoch=state.best_epoch, stop=state.stop)
        if store is not None:
            store.save(done)
    callback.on_train_end(state)
    return done
