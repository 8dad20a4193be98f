"""From a table and its schema to a trained and scored model: the one path that browser and command line share."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from tabnet_engine.config import ModelConfig, TrainingConfig
from tabnet_engine.data.alignment import align_labels
from tabnet_engine.data.encoding import EncodedTable, TableEncoder
from tabnet_engine.data.schema import FeatureSchema, Task
from tabnet_engine.data.splits import Splits, make_splits
from tabnet_engine.data.targets import TargetCodec, usable_rows
from tabnet_engine.errors import SchemaError
from tabnet_engine.model.tabnet import TabNet
from tabnet_engine.training.callbacks import Callback
from tabnet_engine.training.device import resolve_device
from tabnet_engine.training.fit import LabelledTable, fit
from tabnet_engine.training.history import History
from tabnet_engine.training.memory import MemoryEstimate, available_memory, require_memory
from tabnet_engine.training.metrics import Scores, evaluate
from tabnet_engine.training.prediction import predict_logits

__all__ = ["TrainedModel", "build_network", "train_model"]


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """All that a run folder keeps of a training.

    ``splits`` are positions in the table that was trained on. ``metrics`` maps ``validation`` and ``test`` to
    their scores; ``test`` is absent when no rows were kept for it. ``notes`` are sentences for the user:
    rows left out, labels read differently. ``network`` is on the CPU in evaluation mode.
    """

    network: TabNet
    encoder: TableEncoder
    codec: TargetCodec
    splits: Splits
    history: History
    metrics: dict[str, Scores]
    model_config: ModelConfig
    training_config: TrainingConfig
    notes: tuple[str, ...]
    device: str
    seconds: float


def train_model(
    frame: pd.DataFrame,
    schema: FeatureSchema,
    model_config: ModelConfig,
    training_config: TrainingConfig,
    *,
    test_frame: pd.DataFrame | None = None,
    callbacks: Iterable[Callback] = (),
) -> TrainedModel:
    """Split, encode, train and score.

    Everything that is learned, bins and categories included, comes from the training rows alone.

    Args:
        frame: the user's table.
        schema: its columns, target and task.
        model_config: shape of the network.
        training_config: how to train; ``test_fraction`` is not used with a test table.
        test_frame: a table to test on. Labels written slightly differently (a final dot) are read as the
            known class, which a note says.
        callbacks: told about every epoch and batch.

    Raises:
        SchemaError: columns or a target that do not fit.
        ConfigError: settings that do not fit the table or the machine.
        JobCancelledError: a callback asked to stop.
    """
    started = time.perf_counter()
    prepared = _prepare(frame, schema, model_config, training_config, test_frame)
    network = build_network(prepared.encoder, prepared.codec, model_config, training_config)
    result = fit(network, prepared.train, prepared.validation, prepared.codec, training_config, callbacks)
    tables = {"validation": prepared.validation, "test": prepared.test}
    return TrainedModel(
        network=network,
        encoder=prepared.encoder,
        codec=prepared.codec,
        splits=prepared.splits,
        history=result.history,
        metrics={name: _score(network, table, prepared.codec) for name, table in tables.items() if table is not None},
        model_config=model_config,
        training_config=training_config,
        notes=prepared.notes,
        device=result.device,
        seconds=time.perf_counter() - started,
    )


def build_network(
    encoder: TableEncoder, codec: TargetCodec, model_config: ModelConfig, training_config: TrainingConfig
) -> TabNet:
    """A fresh network whose first weights follow the seed alone; the global random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(training_config.seed)
        network = TabNet(encoder.layout, len(codec.outputs), model_config)
    if codec.task is Task.REGRESSION:
        network.set_output_scale(*torch.tensor([[codec.mean], [codec.scale]], dtype=torch.float64))
    return network


@dataclass(frozen=True)
class _Prepared:
    """What training needs of the table."""

    encoder: TableEncoder
    codec: TargetCodec
    splits: Splits
    train: LabelledTable
    validation: LabelledTable
    test: LabelledTable | None
    notes: tuple[str, ...]


def _prepare(
    frame: pd.DataFrame,
    schema: FeatureSchema,
    model_config: ModelConfig,
    training_config: TrainingConfig,
    test_frame: pd.DataFrame | None,
) -> _Prepared:
    rows, note = usable_rows(frame, schema)
    splits, codec = _split(frame, schema, rows, training_config, keep_test=test_frame is None)
    encoder = TableEncoder.fit(frame, schema, rows=splits.train, n_bins=model_config.n_bins)
    estimate = MemoryEstimate.of(model_config, training_config, encoder.layout, len(codec.outputs), len(rows))
    require_memory(estimate, available_memory(resolve_device(training_config.device)), model_config, training_config)
    encoded, notes = encoder.transform(frame), [note]
    test = _labelled(encoded, frame, codec, splits.test) if len(splits.test) else None
    if test_frame is not None:
        test, test_notes = _read_test_table(test_frame, encoder, codec)
        notes += test_notes
    return _Prepared(
        encoder=encoder,
        codec=codec,
        splits=splits,
        train=_labelled(encoded, frame, codec, splits.train),
        validation=_labelled(encoded, frame, codec, splits.validation),
        test=test,
        notes=tuple(sentence for sentence in notes if sentence is not None),
    )


def _split(
    frame: pd.DataFrame,
    schema: FeatureSchema,
    rows: npt.NDArray[np.int64],
    config: TrainingConfig,
    *,
    keep_test: bool,
) -> tuple[Splits, TargetCodec]:
    """Positions in ``frame`` of each part, and the target as the training rows show it."""
    y = TargetCodec.fit(frame, schema, rows).encode(frame, rows=rows)
    parts = make_splits(
        y,
        schema.task or Task.REGRESSION,
        validation_fraction=config.validation_fraction,
        test_fraction=config.test_fraction if keep_test else 0.0,
        seed=config.seed,
    ).of(rows)
    return parts, TargetCodec.fit(frame, schema, parts.train)


def _labelled(
    encoded: EncodedTable, frame: pd.DataFrame, codec: TargetCodec, rows: npt.NDArray[np.int64]
) -> LabelledTable:
    return LabelledTable(encoded.take(rows), codec.encode(frame, rows=rows))


def _read_test_table(
    test_frame: pd.DataFrame, encoder: TableEncoder, codec: TargetCodec
) -> tuple[LabelledTable, list[str | None]]:
    """The test table as the network reads it, and what was done to it.

    Raises:
        SchemaError: it does not have the columns or the classes of the first table; the text says that the
            test table is meant.
    """
    try:
        rows, left_out = usable_rows(test_frame, encoder.schema)
        aligned, alignment = _align(test_frame, codec)
        table = LabelledTable(encoder.transform(test_frame).take(rows), codec.encode(aligned, rows=rows))
    except SchemaError as error:
        raise SchemaError(f"test table: {error}") from error
    return table, [f"test table: {note}" for note in (left_out, alignment) if note is not None]


def _align(test_frame: pd.DataFrame, codec: TargetCodec) -> tuple[pd.DataFrame, str | None]:
    if codec.task is Task.REGRESSION:
        return test_frame, None
    labels, note = align_labels(test_frame[codec.name], codec.classes)
    return test_frame.assign(**{codec.name: labels}), note


def _score(network: TabNet, table: LabelledTable, codec: TargetCodec) -> Scores:
    return evaluate(codec.task, table.y, predict_logits(network, table.encoded), codec.classes)
