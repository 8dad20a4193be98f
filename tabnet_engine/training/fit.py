"""Training one network: epochs of steps, validation, early stopping, the best weights at the end.

Shape letters: B rows, N training rows, T targets, K outputs.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tabnet_engine.config import TrainingConfig
from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ConfigError
from tabnet_engine.model.tabnet import TabNet, TabNetOutput
from tabnet_engine.training.callbacks import Callback, CallbackList, EarlyStopping, LastWeights, TrainingState
from tabnet_engine.training.checkpoint import Checkpoint, GeneratorState, training_identity
from tabnet_engine.training.device import mixed_precision, resolve_device, threads_for
from tabnet_engine.training.history import EpochRecord, History
from tabnet_engine.training.loop import LoopState, TensorTable, batch_bounds, run_epoch, run_training
from tabnet_engine.training.losses import TaskLoss, as_targets, balanced_weights
from tabnet_engine.training.metrics import Scores, evaluate_targets
from tabnet_engine.training.monitor import Monitor, resolve_monitor
from tabnet_engine.training.optimization import make_stepper
from tabnet_engine.training.options import FitOptions
from tabnet_engine.training.prediction import rows_per_batch
from tabnet_engine.training.sampling import RowSampler, balanced_rows, checked_weights

__all__ = ["FitResult", "LabelledTable", "fit", "resolve_monitor"]


@dataclass(frozen=True)
class LabelledTable:
    """Rows with their targets.

    ``y`` holds class codes, or numbers in the target's units: (B,) of one target, (B, T) of several.
    ``weight`` (B,) says how much each row counts in the loss; all the same when absent.
    """

    encoded: EncodedTable
    y: npt.NDArray[np.int64] | npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class FitResult:
    """What a training did.

    ``best_epoch`` counts from 1; the network holds that epoch's weights. ``resumed_from`` is the epoch after
    which an interrupted training went on, 0 when it started anew; ``notes`` are sentences for the user.
    """

    history: History
    best_epoch: int
    stopped_early: bool
    device: str
    resumed_from: int = 0
    notes: tuple[str, ...] = ()


def fit(
    network: TabNet,
    train: LabelledTable,
    validation: LabelledTable | None,
    targets: TargetCodecs | TargetCodec,
    config: TrainingConfig,
    callbacks: Iterable[Callback] = (),
    *,
    options: FitOptions | None = None,
) -> FitResult:
    """Train ``network`` in place; it ends with the weights of the best epoch, on the CPU, in evaluation mode.

    The order of the rows follows ``config.seed`` alone, so the same network, rows, settings and machine give
    the same history and weights. No global random state is read or changed.

    Args:
        network: fresh, or trained before.
        train: at least two rows.
        validation: at least one row, only chooses the epoch; without it (and without a monitored evaluation set)
            all epochs are trained and the last weights are kept.
        targets: task, classes and scale of the target, or of each of several.
        config: how to train.
        callbacks: called in order, after the early stopping that every training has.
        options: functions and further tables.

    Raises:
        ConfigError: a setting that does not fit the rows, or a loss that became infinite or NaN.
        JobCancelledError: a callback asked to stop.
        StorageError: a checkpoint cannot be written.
    """
    options = FitOptions() if options is None else options
    chosen = as_targets(targets)
    if validation is not None and not len(validation):
        raise ConfigError("training needs at least one validation row to choose its best epoch; use a larger table")
    empty = [name for name, table in options.evaluation.items() if not len(table)]
    if empty:
        raise ConfigError(f"the evaluation set {empty[0]!r} has no rows to score; leave it out")
    monitor = resolve_monitor(options.monitor or config.monitor, chosen, options.metrics, table=options.monitor_set)
    watched = validation is not None or monitor.table is not None
    keeper = EarlyStopping(monitor, config.patience) if watched else LastWeights()
    device = resolve_device(config.device)
    training = _Training(network.to(device), train, validation, chosen, config, options)
    training.watched = monitor if watched else None
    state = TrainingState(network=network, max_epochs=config.max_epochs, n_batches=len(training.bounds))
    try:
        store = _checkpoint(training, keeper, train, validation)
        with threads_for(config.batch_size * (network.encoder.n_d + network.encoder.n_a)):
            every = CallbackList((keeper, *callbacks))
            done = run_training(lambda at: training.epoch(every, at), state, every, store)
    finally:
        training.stepper.release()
        network.to("cpu").eval()
    return _result(done, state, device, keeper, store)


def _result(
    done: LoopState, state: TrainingState, device: torch.device, keeper: Callback, store: Checkpoint | None
) -> FitResult:
    return FitResult(
        history=History(done.records, done.best_epoch),
        best_epoch=done.best_epoch,
        stopped_early=isinstance(keeper, EarlyStopping) and keeper.stopped,
        device=device.type,
        resumed_from=state.resumed_from,
        notes=() if store is None or store.note is None else (store.note,),
    )


class _Scored:
    """A table that is scored after every epoch, on the network's device."""

    def __init__(self, table: LabelledTable, loss: TaskLoss, device: torch.device) -> None:
        self.rows = _on_device(table, loss, device, "the sample weights of an evaluation table")
        self.y = table.y

    def __len__(self) -> int:
        return len(self.rows)


class _Training:
    """The parts of one training, brought to its device."""

    def __init__(
        self,
        network: TabNet,
        train: LabelledTable,
        validation: LabelledTable | None,
        targets: TargetCodecs,
        config: TrainingConfig,
        options: FitOptions,
    ) -> None:
        self.device = next(network.parameters()).device
        self.network, self.targets, self.config, self.options = network, targets, config, options
        weights = _class_weights(train, targets, config, options)
        self.loss = TaskLoss(targets, weights, config.task_weights, options.loss).to(self.device)
        self.train = _on_device(train, self.loss, self.device, "the sample weights")
        self.validation = None if validation is None else _Scored(validation, self.loss, self.device)
        self.evaluation = {name: _Scored(rows, self.loss, self.device) for name, rows in options.evaluation.items()}
        self.class_targets = tuple(codec.task is not Task.REGRESSION for codec in targets.codecs)
        self.sampler = RowSampler(len(train), _draw_weights(train, targets, config, options))
        self.bounds = batch_bounds(len(train), config.batch_size)
        self.generator = torch.Generator().manual_seed(config.seed)
        self.watched: Monitor | None = None
        self.stepper = make_stepper(network, config, options, len(self.bounds))

    def epoch(self, callback: Callback, state: TrainingState) -> EpochRecord:
        """Train one epoch and score every table."""
        started = time.perf_counter()
        self.network.train()
        rows = self.train.take(self.sampler.draw(self.generator).to(self.device))
        train_loss, sparsity = run_epoch(self._step, rows, self.bounds, callback, state)
        self._require_finite(train_loss + sparsity, "training", state.epoch)
        rate = self.stepper.learning_rate
        scores: Scores = {} if self.validation is None else self._score(self.validation, state.epoch)
        record = EpochRecord(
            epoch=state.epoch,
            seconds=0.0,
            train_loss=train_loss,
            validation_loss=scores.pop("loss", None),
            learning_rate=rate,
            sparsity=sparsity,
            validation=scores,
            evaluation={name: self._score(table, state.epoch) for name, table in self.evaluation.items()},
        )
        self.stepper.end_epoch(train_loss if self.watched is None else self.watched.value(record))
        return dataclasses.replace(record, seconds=time.perf_counter() - started)

    def _step(self, batch: TensorTable) -> Tensor:
        if self.options.augmentation is not None:
            batch = self.options.augmentation(batch, self.class_targets, self.generator)
        output = self._forward(batch)
        loss = self.loss(output, batch.target, batch.weight)
        self.stepper.step(loss + self.config.sparsity_lambda * output.sparsity)
        return torch.stack((loss.detach(), output.sparsity.detach()))

    def _forward(self, batch: TensorTable) -> TabNetOutput:
        output: TabNetOutput
        if self.config.precision == "float32":
            output = self.network(batch.numeric, batch.categorical)
            return output
        with mixed_precision(self.config.precision, self.device):
            output = self.network(batch.numeric, batch.categorical)
        # The loss keeps single precision: bfloat16 has three digits.
        contributions = output.step_contributions.float()
        logits = contributions.sum(dim=0) + self.network.output_offset.float()
        return dataclasses.replace(
            output, logits=logits, step_contributions=contributions, sparsity=output.sparsity.float()
        )

    def _score(self, table: _Scored, epoch: int) -> Scores:
        """The mean loss on a table, in double precision, and its scores."""
        self.network.eval()
        raw, logits = [], []
        size = rows_per_batch(self.network)
        with torch.inference_mode():
            for start in range(0, len(table), size):
                batch = table.rows.slice(start, min(start + size, len(table)))
                output = self.network(batch.numeric, batch.categorical)
                raw.append(self.loss.read(output))
                logits.append(output.logits)
            whole = torch.cat(raw) if self.options.loss is not None else torch.cat(raw).double()
            loss = float(self.loss.of(whole, table.rows.target, table.rows.weight))
        self._require_finite(loss, "validation", epoch)
        found = torch.cat(logits).double().cpu().numpy()
        return {"loss": loss, **evaluate_targets(self.targets, table.y, found, self.options.metrics)}

    def _require_finite(self, value: float, which: str, epoch: int) -> None:
        if not math.isfinite(value):
            raise ConfigError(
                f"the {which} loss became infinite or NaN in epoch {epoch}; "
                f"set learning_rate below {self.config.learning_rate:g}, for example to "
                f"{self.config.learning_rate / 10:g}"
            )


def _on_device(table: LabelledTable, loss: TaskLoss, device: torch.device, weights: str) -> TensorTable:
    weight = None
    if table.weight is not None:
        weight = torch.as_tensor(checked_weights(table.weight, len(table), weights), dtype=torch.float32)
    return TensorTable.build(table.encoded, loss.target(table.y), device, weight)


def _class_weights(
    train: LabelledTable, targets: TargetCodecs, config: TrainingConfig, options: FitOptions
) -> tuple[npt.NDArray[np.float64] | None, ...] | None:
    if options.class_weights is not None:
        return options.class_weights
    if config.class_weights == "none":
        return None
    return tuple(
        None
        if codec.task is Task.REGRESSION
        else balanced_weights(targets.column(np.asarray(train.y), place), len(codec.classes))
        for place, codec in enumerate(targets.codecs)
    )


def _draw_weights(
    train: LabelledTable, targets: TargetCodecs, config: TrainingConfig, options: FitOptions
) -> npt.NDArray[np.float64] | None:
    if options.sampling is not None or config.sampler == "shuffle":
        return options.sampling
    return balanced_rows(targets, np.asarray(train.y))


def _checkpoint(
    training: _Training, keeper: Callback, train: LabelledTable, validation: LabelledTable | None
) -> Checkpoint | None:
    """The store of a training that is to be resumable."""
    options = training.options
    if options.checkpoint is None:
        return None
    parts: dict[str, Any] = {
        "network": training.network,
        "stepper": training.stepper,
        "generator": GeneratorState(training.generator),
    }
    if isinstance(keeper, EarlyStopping):
        parts["keeper"] = keeper
    tables = [train, *([] if validation is None else [validation]), *options.evaluation.values()]
    return Checkpoint(
        options.checkpoint,
        parts,
        _identity(training, tables),
        resume=options.resume,
        seconds=options.checkpoint_seconds,
    )


def _identity(training: _Training, tables: list[LabelledTable]) -> str:
    """What tells this training from others: settings, first weights and moments, and every number it reads."""
    options = training.options
    plain = {
        "settings": training.config.to_mapping(),
        "targets": training.targets.to_mapping(),
        "monitor": dataclasses.asdict(training.watched) if training.watched else None,
        "loss": getattr(options.loss, "__qualname__", type(options.loss).__qualname__),
        "metrics": [metric.name for metric in options.metrics],
        "evaluation": list(options.evaluation),
        "augmentation": repr(options.augmentation),
        "scheduler_per_batch": options.scheduler_per_batch,
    }
    arrays = [array for table in tables for array in _arrays(table)]
    arrays += [weights for weights in (*(options.class_weights or ()), options.sampling) if weights is not None]
    return training_identity(training.network, training.stepper, plain, arrays)


def _arrays(table: LabelledTable) -> list[npt.NDArray[Any]]:
    given = (table.encoded.numeric, table.encoded.categorical, table.y, table.weight)
    return [np.asarray(array) for array in given if array is not None]
