"""What may look on while a network trains: no-op hooks, and the few callbacks that every training has."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tabnet_engine.errors import JobCancelledError
from tabnet_engine.training.history import EpochRecord
from tabnet_engine.training.monitor import Monitor

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = [
    "Callback",
    "CallbackList",
    "Cancellation",
    "EarlyStopping",
    "LastWeights",
    "Progress",
    "ProgressReport",
    "TrainingState",
]


@dataclass(kw_only=True)
class TrainingState:
    """Where a training is. Callbacks read it, and may set ``stop`` to end after the running epoch.

    ``epoch`` and ``batch`` count from 1 and are 0 before the first; ``record`` is that of the last finished
    epoch; ``best_epoch`` is the one whose weights would be kept now. ``resumed_from`` is the epoch after which
    an interrupted training went on here; 0 for one that started anew.
    """

    network: nn.Module
    max_epochs: int
    n_batches: int
    epoch: int = 0
    batch: int = 0
    record: EpochRecord | None = None
    best_epoch: int = 0
    stop: bool = False
    resumed_from: int = 0


class Callback:
    """Six hooks that do nothing; override the ones that matter. An exception raised in one ends the training."""

    def on_train_begin(self, state: TrainingState) -> None:
        """Before the first epoch."""

    def on_train_end(self, state: TrainingState) -> None:
        """After the last epoch, however many there were."""

    def on_epoch_begin(self, state: TrainingState) -> None:
        """Before the first batch of an epoch."""

    def on_epoch_end(self, state: TrainingState) -> None:
        """After an epoch and its validation; ``state.record`` is new."""

    def on_batch_begin(self, state: TrainingState) -> None:
        """Before a batch."""

    def on_batch_end(self, state: TrainingState) -> None:
        """After a batch and its optimizer step."""


class CallbackList(Callback):
    """Several callbacks as one, called in their order."""

    def __init__(self, callbacks: Iterable[Callback]) -> None:
        self.callbacks = tuple(callbacks)

    def on_train_begin(self, state: TrainingState) -> None:
        """Pass on."""
        for callback in self.callbacks:
            callback.on_train_begin(state)

    def on_train_end(self, state: TrainingState) -> None:
        """Pass on."""
        for callback in self.callbacks:
            callback.on_train_end(state)

    def on_epoch_begin(self, state: TrainingState) -> None:
        """Pass on."""
        for callback in self.callbacks:
            callback.on_epoch_begin(state)

    def on_epoch_end(self, state: TrainingState) -> None:
        """Pass on."""
        for callback in self.callbacks:
            callback.on_epoch_end(state)

    def on_batch_begin(self, state: TrainingState) -> None:
        """Pass on."""
        for callback in self.callbacks:
            callback.on_batch_begin(state)

    def on_batch_end(self, state: TrainingState) -> None:
        """Pass on."""
        for callback in self.callbacks:
            callback.on_batch_end(state)


class EarlyStopping(Callback):
    """Keeps the weights of the best epoch, and stops after ``patience`` epochs without a new best.

    Args:
        monitor: what is compared; a word is a score on the validation rows, ``loss`` the loss on them.
        patience: epochs without a new best before stopping; 0 never stops, the best weights are kept all
            the same.
    """

    def __init__(self, monitor: Monitor | str, patience: int) -> None:
        self.monitor = Monitor.built_in(monitor) if isinstance(monitor, str) else monitor
        self.patience = patience
        self.stopped = False
        self._best = math.inf
        self._weights: dict[str, Tensor] = {}

    def on_epoch_end(self, state: TrainingState) -> None:
        """Compare the epoch with the best so far.

        Raises:
            ConfigError: the rows do not define the monitored score.
        """
        if state.record is None:
            raise ValueError("an epoch ended without a record")
        value = self.monitor.value(state.record) * (-1.0 if self.monitor.greater_is_better else 1.0)
        if value < self._best:
            self._best = value
            state.best_epoch = state.epoch
            self._weights = {name: tensor.detach().clone() for name, tensor in state.network.state_dict().items()}
        elif self.patience and state.epoch - state.best_epoch >= self.patience:
            self.stopped = state.epoch < state.max_epochs
            state.stop = True

    def on_train_end(self, state: TrainingState) -> None:
        """Put the best weights back, if there was an epoch at all."""
        if self._weights:
            state.network.load_state_dict(self._weights)

    def state_dict(self) -> dict[str, Any]:
        """What an interrupted training needs to go on."""
        return {"stopped": self.stopped, "best": self._best, "weights": self._weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave."""
        self.stopped, self._best, self._weights = state["stopped"], state["best"], state["weights"]


class LastWeights(Callback):
    """Keeps the weights of the last epoch, where there is no table to choose by."""

    def on_epoch_end(self, state: TrainingState) -> None:
        """The last epoch is the best one known."""
        state.best_epoch = state.epoch


class Cancellation(Callback):
    """Ends the training at the next batch once asked to.

    Args:
        should_cancel: asked before every batch, so it must answer at once.
    """

    def __init__(self, should_cancel: Callable[[], bool]) -> None:
        self.should_cancel = should_cancel

    def on_batch_begin(self, state: TrainingState) -> None:
        """Ask.

        Raises:
            JobCancelledError: the answer was yes.
        """
        if self.should_cancel():
            raise JobCancelledError(f"training was cancelled in epoch {state.epoch} of {state.max_epochs}")


@dataclass(frozen=True, kw_only=True)
class ProgressReport:
    """How far a training is. ``record`` is set when an epoch has just ended."""

    fraction: float
    epoch: int
    max_epochs: int
    seconds_left: float
    record: EpochRecord | None = None


@dataclass
class Progress(Callback):
    """Reports after every epoch, and within an epoch at most every ``interval`` seconds.

    ``seconds_left`` is reckoned to the last epoch; early stopping may end sooner.
    """

    report: Callable[[ProgressReport], None]
    interval: float = 0.5
    clock: Callable[[], float] = time.monotonic
    _started: float = field(default=0.0, init=False)
    _reported: float = field(default=-math.inf, init=False)

    def on_train_begin(self, state: TrainingState) -> None:  # noqa: ARG002 - the hook's signature
        """Start the clock."""
        self._started = self.clock()

    def on_batch_end(self, state: TrainingState) -> None:
        """Report when the last report is old enough."""
        if self.clock() - self._reported >= self.interval:
            self._send(state, None)

    def on_epoch_end(self, state: TrainingState) -> None:
        """Report the finished epoch."""
        self._send(state, state.record)

    def _send(self, state: TrainingState, record: EpochRecord | None) -> None:
        self._reported = self.clock()
        done = (state.epoch - 1) + state.batch / state.n_batches
        done_here = done - state.resumed_from
        elapsed = self._reported - self._started
        self.report(
            ProgressReport(
                fraction=done / state.max_epochs,
                epoch=state.epoch,
                max_epochs=state.max_epochs,
                seconds_left=elapsed / done_here * (state.max_epochs - done),
                record=record,
            )
        )
