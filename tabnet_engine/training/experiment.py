"""From a table and its schema to a trained and scored model: the one path that browser and command line share."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from tabnet_engine.config import ModelConfig, TrainingConfig
from tabnet_engine.data.alignment import align_labels
from tabnet_engine.data.encoding import EncodedTable, TableEncoder
from tabnet_engine.data.schema import FeatureSchema, Target, Task
from tabnet_engine.data.splits import Splits, make_splits
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec, usable_rows
from tabnet_engine.errors import ConfigError, SchemaError
from tabnet_engine.model.tabnet import TabNet
from tabnet_engine.training.callbacks import Callback
from tabnet_engine.training.device import resolve_device
from tabnet_engine.training.finetuning import adopt, require_states, start_from
from tabnet_engine.training.fit import LabelledTable, fit
from tabnet_engine.training.history import History
from tabnet_engine.training.memory import MemoryEstimate, available_memory, require_memory
from tabnet_engine.training.metrics import Scores, evaluate_targets
from tabnet_engine.training.options import FitOptions
from tabnet_engine.training.prediction import predict_logits

if TYPE_CHECKING:
    from tabnet_engine.training.pretrain import PretrainedModel

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
    targets: TargetCodecs
    splits: Splits
    history: History
    metrics: dict[str, Scores]
    model_config: ModelConfig
    training_config: TrainingConfig
    notes: tuple[str, ...]
    device: str
    seconds: float

    @property
    def codec(self) -> TargetCodec:
        """The codec of a single target.

        Raises:
            ValueError: there are several.
        """
        return self.targets.only


def train_model(
    frame: pd.DataFrame,
    schema: FeatureSchema,
    model_config: ModelConfig,
    training_config: TrainingConfig,
    *,
    test_frame: pd.DataFrame | None = None,
    callbacks: Iterable[Callback] = (),
    options: FitOptions | None = None,
    pretrained: PretrainedModel | None = None,
) -> TrainedModel:
    """Split, encode, train and score.

    Everything that is learned, bins and categories included, comes from the training rows alone; after a
    pretraining from its rows.

    Args:
        frame: the user's table.
        schema: its columns, targets and tasks.
        model_config: shape of the network; a pretrained network brings its own instead.
        training_config: how to train; ``test_fraction`` is not used with a test table.
        test_frame: a table to test on. Labels written slightly differently (a final dot) are read as the
            known class, which a note says.
        callbacks: told about every epoch and batch.
        options: what ``fit`` can do beyond its settings.
        pretrained: gives the first weights, and how columns are read.

    Raises:
        SchemaError: columns or a target that do not fit.
        ConfigError: settings that do not fit the table or the machine.
        JobCancelledError: a callback asked to stop.
    """
    started = time.perf_counter()
    if pretrained is None and training_config.freeze_epochs:
        raise ConfigError("freeze_epochs keeps a pretrained encoder as it is; set it to 0, or start from a pretraining")
    plan = _plan(frame, schema, model_config, pretrained)
    without_effect = _without_effect(plan.schema, training_config)
    prepared = _prepare(frame, plan, training_config, test_frame)
    network = build_network(prepared.encoder, prepared.targets, prepared.model_config, training_config)
    if pretrained is not None:
        start_from(network, pretrained, prepared.train.encoded, seed=training_config.seed)
    result = fit(
        network, prepared.train, prepared.validation, prepared.targets, training_config, callbacks, options=options
    )
    tables = {"validation": prepared.validation, "test": prepared.test}
    return TrainedModel(
        network=network,
        encoder=prepared.encoder,
        targets=prepared.targets,
        splits=prepared.splits,
        history=result.history,
        metrics={name: _score(network, table, prepared.targets) for name, table in tables.items() if table is not None},
        model_config=prepared.model_config,
        training_config=training_config,
        notes=(*prepared.notes, *without_effect, *result.notes),
        device=result.device,
        seconds=time.perf_counter() - started,
    )


def _without_effect(schema: FeatureSchema, config: TrainingConfig) -> tuple[str, ...]:
    """A sentence for each setting about classes where no target has any."""
    if any(target.task is not Task.REGRESSION for target in schema.targets):
        return ()
    balanced = [name for name in ("class_weights", "sampler") if getattr(config, name) == "balanced"]
    return tuple(f"{name}=balanced has no effect: no target has classes" for name in balanced)


def build_network(
    encoder: TableEncoder, targets: TargetCodecs, model_config: ModelConfig, training_config: TrainingConfig
) -> TabNet:
    """A fresh network whose first weights follow the seed alone; the global random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(training_config.seed)
        network = TabNet(encoder.layout, len(targets.outputs), model_config)
    network.set_output_scale(torch.from_numpy(targets.output_offset), torch.from_numpy(targets.output_scale))
    return network


@dataclass(frozen=True)
class _Plan:
    """What will be trained, once the settings and the pretraining have had their say.

    ``encoder`` is that of the pretraining; without one it is still to be learned.
    """

    schema: FeatureSchema
    model_config: ModelConfig
    encoder: TableEncoder | None
    notes: tuple[str, ...]


def _plan(
    frame: pd.DataFrame, schema: FeatureSchema, model_config: ModelConfig, pretrained: PretrainedModel | None
) -> _Plan:
    if schema.target is not None and not schema.targets:
        raise SchemaError(f"no task is chosen for the target {schema.target.name!r}")
    notes: tuple[str, ...] = ()
    if model_config.two_logits:
        schema, notes = _with_two_logits(schema)
    if pretrained is None:
        return _Plan(schema, model_config, None, notes)
    adopted = adopt(pretrained, frame, schema)
    shape = pretrained.model_config.replace(two_logits=model_config.two_logits)
    return _Plan(adopted.encoder.schema, shape, adopted.encoder, (*notes, *adopted.notes))


def _with_two_logits(schema: FeatureSchema) -> tuple[FeatureSchema, tuple[str, ...]]:
    """Every target of two classes as a target of many, so that each class has a logit of its own (paper section 3)."""
    names = [target.name for target in schema.targets if target.task is Task.BINARY]
    heads = tuple(_as_multiclass(head) for head in schema.heads)
    task = Task.MULTICLASS if schema.task is Task.BINARY else schema.task
    notes = tuple(f"{name!r} has one logit for each of its two classes (two_logits)" for name in names)
    return dataclasses.replace(schema, task=task, heads=heads), notes


def _as_multiclass(head: Target) -> Target:
    return dataclasses.replace(head, task=Task.MULTICLASS) if head.task is Task.BINARY else head


@dataclass(frozen=True)
class _Prepared:
    """What training needs of the table."""

    encoder: TableEncoder
    targets: TargetCodecs
    model_config: ModelConfig
    splits: Splits
    train: LabelledTable
    validation: LabelledTable
    test: LabelledTable | None
    notes: tuple[str, ...]


def _prepare(
    frame: pd.DataFrame, plan: _Plan, training_config: TrainingConfig, test_frame: pd.DataFrame | None
) -> _Prepared:
    rows, note = usable_rows(frame, plan.schema)
    splits, targets = _split(frame, plan.schema, rows, training_config, keep_test=test_frame is None)
    encoder = plan.encoder or TableEncoder.fit(frame, plan.schema, rows=splits.train, n_bins=plan.model_config.n_bins)
    estimate = MemoryEstimate.of(plan.model_config, training_config, encoder.layout, len(targets.outputs), len(rows))
    available = available_memory(resolve_device(training_config.device))
    require_memory(estimate, available, plan.model_config, training_config)
    encoded, notes = encoder.transform(frame), [*plan.notes, note]
    test = _labelled(encoded, frame, targets, splits.test) if len(splits.test) else None
    if test_frame is not None:
        test, test_notes = _read_test_table(test_frame, encoder, targets)
        notes += test_notes
    numbers = [encoded.numeric[rows], *([] if test is None else [test.encoded.numeric])]
    model_config, state_note = require_states(plan.model_config, numbers, pretrained=plan.encoder is not None)
    return _Prepared(
        encoder=encoder,
        targets=targets,
        model_config=model_config,
        splits=splits,
        train=_labelled(encoded, frame, targets, splits.train),
        validation=_labelled(encoded, frame, targets, splits.validation),
        test=test,
        notes=tuple(sentence for sentence in (*notes, state_note) if sentence is not None),
    )


def _split(
    frame: pd.DataFrame,
    schema: FeatureSchema,
    rows: npt.NDArray[np.int64],
    config: TrainingConfig,
    *,
    keep_test: bool,
) -> tuple[Splits, TargetCodecs]:
    """Positions in ``frame`` of each part, and the targets as the training rows show them."""
    everything = TargetCodecs.fit(frame, schema, rows)
    parts = make_splits(
        everything.encode(frame, rows=rows),
        everything.task,
        validation_fraction=config.validation_fraction,
        test_fraction=config.test_fraction if keep_test else 0.0,
        seed=config.seed,
        tasks=tuple(codec.task for codec in everything.codecs),
    ).of(rows)
    return parts, TargetCodecs.fit(frame, schema, parts.train)


def _labelled(
    encoded: EncodedTable, frame: pd.DataFrame, targets: TargetCodecs, rows: npt.NDArray[np.int64]
) -> LabelledTable:
    return LabelledTable(encoded.take(rows), targets.encode(frame, rows=rows))


def _read_test_table(
    test_frame: pd.DataFrame, encoder: TableEncoder, targets: TargetCodecs
) -> tuple[LabelledTable, list[str | None]]:
    """The test table as the network reads it, and what was done to it.

    Raises:
        SchemaError: it does not have the columns or the classes of the first table; the text says that the
            test table is meant.
    """
    try:
        rows, left_out = usable_rows(test_frame, encoder.schema)
        aligned, alignments = _align(test_frame, targets)
        table = LabelledTable(encoder.transform(test_frame).take(rows), targets.encode(aligned, rows=rows))
    except SchemaError as error:
        raise SchemaError(f"test table: {error}") from error
    return table, [f"test table: {note}" for note in (left_out, *alignments) if note is not None]


def _align(test_frame: pd.DataFrame, targets: TargetCodecs) -> tuple[pd.DataFrame, list[str | None]]:
    """The test table with every class target's labels as training wrote them."""
    frame, notes = test_frame, []
    for codec in targets.codecs:
        if codec.task is not Task.REGRESSION:
            labels, note = align_labels(frame[codec.name], codec.classes)
            frame = frame.assign(**{codec.name: labels})
            notes.append(note)
    return frame, notes


def _score(network: TabNet, table: LabelledTable, targets: TargetCodecs) -> Scores:
    return evaluate_targets(targets, table.y, predict_logits(network, table.encoded))
