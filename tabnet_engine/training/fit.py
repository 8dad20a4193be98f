"""Training one network: epochs of steps, validation, early stopping, the best weights at the end.

Shape letters: B rows.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tabnet_engine.config import TrainingConfig
from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ConfigError
from tabnet_engine.model.tabnet import TabNet
from tabnet_engine.training.callbacks import Callback, CallbackList, EarlyStopping, TrainingState
from tabnet_engine.training.device import resolve_device, threads_for
from tabnet_engine.training.history import EpochRecord, History
from tabnet_engine.training.loop import TensorTable, batch_bounds, run_epoch
from tabnet_engine.training.losses import TaskLoss, balanced_weights
from tabnet_engine.training.metrics import METRICS, evaluate
from tabnet_engine.training.optimization import FlatParameters, Optimization
from tabnet_engine.training.prediction import rows_per_batch

__all__ = ["FitResult", "LabelledTable", "fit", "resolve_monitor"]


@dataclass(frozen=True)
class LabelledTable:
    """Rows with their target: ``y`` (B,) holds class codes, or numbers in the target's units."""

    encoded: EncodedTable
    y: npt.NDArray[np.int64] | npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class FitResult:
    """What a training did. ``best_epoch`` counts from 1; the network holds that epoch's weights."""

    history: History
    best_epoch: int
    stopped_early: bool
    device: str


def resolve_monitor(monitor: str, task: Task) -> str:
    """The score that chooses the best epoch; ``auto`` means the loss on the validation rows.

    Raises:
        ConfigError: the task has no such score.
    """
    if monitor in {"auto", "loss"}:
        return "loss"
    if monitor not in METRICS[task]:
        known = ", ".join(("auto", "loss", *METRICS[task]))
        raise ConfigError(f"monitor must be one of {known} for a {task} target, got {monitor!r}")
    return monitor


def fit(
    network: TabNet,
    train: LabelledTable,
    validation: LabelledTable,
    codec: TargetCodec,
    config: TrainingConfig,
    callbacks: Iterable[Callback] = (),
) -> FitResult:
    """Train ``network`` in place; it ends with the weights of the best epoch, on the CPU, in evaluation mode.

    The order of the rows follows ``config.seed`` alone, so the same network, rows, settings and machine give
    the same history and weights. No global random state is read or changed.

    Args:
        network: fresh, or trained before.
        train: at least two rows.
        validation: at least one row; only chooses the epoch.
        codec: task, classes and scale of the target.
        config: how to train.
        callbacks: called in order, after the early stopping that every training has.

    Raises:
        ConfigError: a setting that does not fit the rows, or a loss that became infinite or NaN.
        JobCancelledError: a callback asked to stop.
    """
    monitor = resolve_monitor(config.monitor, codec.task)
    if not len(validation):
        raise ConfigError("training needs at least one validation row to choose its best epoch; use a larger table")
    device = resolve_device(config.device)
    stopping = EarlyStopping(monitor, config.patience)
    training = _Training(network.to(device), train, validation, codec, config)
    try:
        with threads_for(config.batch_size * (network.encoder.n_d + network.encoder.n_a)):
            records, best_epoch = training.run(CallbackList((stopping, *callbacks)))
    finally:
        training.weights.release()
        network.to("cpu").eval()
    return FitResult(History(records, best_epoch), best_epoch, stopping.stopped, device.type)


class _Training:
    """The parts of one training, brought to its device."""

    def __init__(
        self,
        network: TabNet,
        train: LabelledTable,
        validation: LabelledTable,
        codec: TargetCodec,
        config: TrainingConfig,
    ) -> None:
        device = next(network.parameters()).device
        self.network = network
        self.codec = codec
        self.config = config
        self.loss = TaskLoss(codec, _class_weights(train, codec, config)).to(device)
        self.train = TensorTable.build(train.encoded, self.loss.target(train.y), device)
        self.validation = TensorTable.build(validation.encoded, self.loss.target(validation.y), device)
        self.validation_y = validation.y
        self.bounds = batch_bounds(len(train), config.batch_size)
        self.weights = FlatParameters(network)
        self.optimization = Optimization(self.weights, config, len(self.bounds))
        self.generator = torch.Generator().manual_seed(config.seed)

    def run(self, callback: Callback) -> tuple[tuple[EpochRecord, ...], int]:
        """All epochs; returns their records and the best epoch."""
        state = TrainingState(network=self.network, max_epochs=self.config.max_epochs, n_batches=len(self.bounds))
        records: list[EpochRecord] = []
        callback.on_train_begin(state)
        while state.epoch < state.max_epochs and not state.stop:
            state.epoch += 1
            callback.on_epoch_begin(state)
            state.record = self._epoch(callback, state)
            records.append(state.record)
            callback.on_epoch_end(state)
        callback.on_train_end(state)
        return tuple(records), state.best_epoch

    def _epoch(self, callback: Callback, state: TrainingState) -> EpochRecord:
        started = time.perf_counter()
        self.network.train()
        train_loss, sparsity = run_epoch(self._step, self.train.shuffled(self.generator), self.bounds, callback, state)
        self._require_finite(train_loss + sparsity, "training", state.epoch)
        validation_loss, logits = self._validate()
        self._require_finite(validation_loss, "validation", state.epoch)
        return EpochRecord(
            epoch=state.epoch,
            seconds=time.perf_counter() - started,
            train_loss=train_loss,
            validation_loss=validation_loss,
            learning_rate=self.optimization.learning_rate,
            sparsity=sparsity,
            validation=evaluate(self.codec.task, self.validation_y, logits, self.codec.classes),
        )

    def _step(self, batch: TensorTable) -> Tensor:
        output = self.network(batch.numeric, batch.categorical)
        loss = self.loss(output, batch.target)
        self.optimization.step(loss + self.config.sparsity_lambda * output.sparsity)
        return torch.stack((loss.detach(), output.sparsity.detach()))

    def _validate(self) -> tuple[float, npt.NDArray[np.float64]]:
        """The mean loss on the validation rows, and their logits (B, K)."""
        self.network.eval()
        losses, logits = [], []
        size = rows_per_batch(self.network)
        with torch.inference_mode():
            for start in range(0, len(self.validation), size):
                batch = self.validation.slice(start, min(start + size, len(self.validation)))
                output = self.network(batch.numeric, batch.categorical)
                losses.append(self.loss(output, batch.target).double() * len(batch))
                logits.append(output.logits)
            loss = float(torch.stack(losses).sum()) / len(self.validation)
        return loss, torch.cat(logits).double().cpu().numpy()

    def _require_finite(self, value: float, which: str, epoch: int) -> None:
        if not math.isfinite(value):
            raise ConfigError(
                f"the {which} loss became infinite or NaN in epoch {epoch}; "
                f"set learning_rate below {self.config.learning_rate:g}, for example to "
                f"{self.config.learning_rate / 10:g}"
            )


def _class_weights(train: LabelledTable, codec: TargetCodec, config: TrainingConfig) -> npt.NDArray[np.float64] | None:
    if config.class_weights == "none" or codec.task is Task.REGRESSION:
        return None
    return balanced_weights(np.asarray(train.y, np.int64), len(codec.classes))
