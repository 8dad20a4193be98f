"""From a table without a target to a pretrained encoder (Arik & Pfister 2021, section 3.5)."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from tabnet_engine.config import ModelConfig, PretrainingConfig
from tabnet_engine.data.encoding import EncodedTable, TableEncoder
from tabnet_engine.data.schema import FeatureSchema, Kind, Role, Task
from tabnet_engine.data.splits import MIN_ROWS, Splits, make_splits
from tabnet_engine.data.wording import listed
from tabnet_engine.errors import SchemaError
from tabnet_engine.model.decoder import CellTargets, TabNetAutoencoder
from tabnet_engine.training.callbacks import Callback, CallbackList, EarlyStopping, TrainingState
from tabnet_engine.training.device import resolve_device, threads_for
from tabnet_engine.training.finetuning import require_states
from tabnet_engine.training.history import History
from tabnet_engine.training.loop import run_training
from tabnet_engine.training.masked_reconstruction import LEAST_SHARE, MaskedReconstruction
from tabnet_engine.training.memory import MemoryEstimate, available_memory, require_memory
from tabnet_engine.training.options import FitOptions
from tabnet_engine.training.reconstruction import (
    CONSTANT,
    CellSums,
    Floats,
    Reconstruction,
    column_reconstructions,
    mean_error,
    skipped_column,
)

__all__ = ["PretrainedModel", "build_autoencoder", "pretrain_model"]


@dataclass(frozen=True, kw_only=True)
class PretrainedModel:
    """All that a run folder keeps of a pretraining.

    ``splits`` are positions in the table; its test part is empty. ``reconstruction`` was measured on the
    validation rows. ``notes`` are sentences for the user, constant columns among them. ``network`` is on the
    CPU in evaluation mode.
    """

    network: TabNetAutoencoder
    encoder: TableEncoder
    splits: Splits
    history: History
    reconstruction: Reconstruction
    model_config: ModelConfig
    config: PretrainingConfig
    notes: tuple[str, ...]
    device: str
    seconds: float


def pretrain_model(
    frame: pd.DataFrame,
    schema: FeatureSchema,
    model_config: ModelConfig,
    config: PretrainingConfig,
    *,
    callbacks: Iterable[Callback] = (),
    options: FitOptions | None = None,
) -> PretrainedModel:
    """Learn to fill in hidden cells from the others.

    Every feature column takes part; targets do not, whether chosen or not. Categories, scales and bins come
    from the training rows alone.

    Args:
        frame: the user's table; all rows take part.
        schema: its columns; no target is needed.
        model_config: shape of the network.
        config: how to pretrain.
        callbacks: told about every epoch and batch.
        options: its optimizer, scheduler and checkpoint are used; the rest belongs to trainings with a target.

    Raises:
        SchemaError: too few rows, or fewer than two columns that vary.
        ConfigError: settings that do not fit the table or the machine.
        JobCancelledError: a callback asked to stop.
    """
    started = time.perf_counter()
    reading = _without_targets(schema)
    splits = _split(len(frame), config)
    encoder = TableEncoder.fit(frame, reading, rows=splits.train, n_bins=model_config.n_bins)
    encoded = encoder.transform(frame)
    shape, state_note = require_states(model_config, [encoded.numeric], pretrained=False)
    _require_memory(encoder, shape, config, len(frame))
    network = build_autoencoder(encoder, shape, config)
    done = _pretrain(network, encoded, splits, config, callbacks, options or FitOptions())
    reconstruction = _reconstruction(done, reading, config, len(splits.validation))
    notes = (state_note, _constant_note(reconstruction), done.note)
    return PretrainedModel(
        network=network,
        encoder=encoder,
        splits=splits,
        history=done.history,
        reconstruction=reconstruction,
        model_config=shape,
        config=config,
        notes=tuple(note for note in notes if note is not None),
        device=done.device,
        seconds=time.perf_counter() - started,
    )


def build_autoencoder(encoder: TableEncoder, model_config: ModelConfig, config: PretrainingConfig) -> TabNetAutoencoder:
    """A fresh network whose first weights follow the seed alone; the global random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(config.seed)
        return TabNetAutoencoder(encoder.layout, model_config, config)


def _without_targets(schema: FeatureSchema) -> FeatureSchema:
    """The same columns with nothing to predict; a former target is ignored."""
    columns = tuple(
        dataclasses.replace(column, role=Role.IGNORED) if column.role is Role.TARGET else column
        for column in schema.columns
    )
    return dataclasses.replace(schema, columns=columns, task=None, classes=(), heads=())


@dataclass(frozen=True)
class _Done:
    """What a pretraining did; ``variance`` (F,) is that of the training rows."""

    history: History
    sums: CellSums
    variance: Floats
    device: str
    note: str | None


def _split(n_rows: int, config: PretrainingConfig) -> Splits:
    if n_rows < MIN_ROWS:
        raise SchemaError(f"the table has {n_rows} rows; at least {MIN_ROWS} are needed to pretrain")
    return make_splits(
        np.zeros(n_rows),
        Task.REGRESSION,
        validation_fraction=config.validation_fraction,
        test_fraction=0.0,
        seed=config.seed,
    )


def _require_memory(encoder: TableEncoder, shape: ModelConfig, config: PretrainingConfig, n_rows: int) -> None:
    settings = config.training()
    n_values = len(CellTargets(encoder.layout)) * shape.n_steps
    estimate = MemoryEstimate.of(shape, settings, encoder.layout, n_values, n_rows)
    require_memory(estimate, available_memory(resolve_device(config.device)), shape, settings)


def _pretrain(
    network: TabNetAutoencoder,
    encoded: EncodedTable,
    splits: Splits,
    config: PretrainingConfig,
    callbacks: Iterable[Callback],
    options: FitOptions,
) -> _Done:
    """Train ``network`` in place; it ends with the weights of the best epoch, on the CPU, in evaluation mode."""
    device = resolve_device(config.device)
    parts = (encoded.take(splits.train), encoded.take(splits.validation))
    training = MaskedReconstruction(network.to(device), *parts, config, options)
    if int((training.variance > 0).sum()) < 2:
        raise SchemaError("pretraining fills in a hidden column from the others, so two or more columns must vary")
    keeper = EarlyStopping("loss", config.patience)
    callback, store = CallbackList((keeper, *callbacks)), training.store(keeper)
    state = TrainingState(network=network, max_epochs=config.max_epochs, n_batches=len(training.bounds))
    try:
        with threads_for(config.batch_size * (network.encoder.n_d + network.encoder.n_a)):
            done = run_training(lambda at: training.one_epoch(callback, at), state, callback, store)
            sums = training.measure()
    finally:
        training.stepper.release()
        network.to("cpu").eval()
    return _Done(
        History(done.records, done.best_epoch), sums, training.variance, device.type, store.note if store else None
    )


def _reconstruction(done: _Done, schema: FeatureSchema, config: PretrainingConfig, n_rows: int) -> Reconstruction:
    """The measurement of every feature, and of columns known to be constant, in table order."""
    least_spread = LEAST_SHARE * done.variance
    measured = {c.name: c for c in column_reconstructions(schema.feature_names, done.sums, least_spread)}
    shown = (c.name for c in schema.columns if c.is_feature or (c.kind is Kind.CONSTANT and c.role is Role.FEATURE))
    return Reconstruction(
        columns=tuple(measured.get(name) or skipped_column(name) for name in shown),
        overall=mean_error(done.sums.ratio(least_spread)),
        mask_rate=config.mask_rate,
        n_rows=n_rows,
        seed=config.seed,
    )


def _constant_note(reconstruction: Reconstruction) -> str | None:
    names = [column.name for column in reconstruction.columns if column.skipped == CONSTANT]
    return f"constant, so not reconstructed: {listed(names)}" if names else None
