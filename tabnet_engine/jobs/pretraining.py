"""From a table without a target to a pretrained run, and what that pretraining was worth."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabnet_engine.config import TrainingConfig, choose_pretraining_settings
from tabnet_engine.data.kinds import set_role
from tabnet_engine.data.schema import ENCODABLE, Column, FeatureSchema, Role
from tabnet_engine.errors import DamagedRunError, SchemaError, UserError
from tabnet_engine.jobs.checkpoints import remove_checkpoint
from tabnet_engine.jobs.monitor import COMPARING, PRETRAINING, Monitor
from tabnet_engine.jobs.settings import choose_fine_tuning_settings
from tabnet_engine.jobs.source import Source, fit_options
from tabnet_engine.runs.artefact import Run, add_part, save_pretraining
from tabnet_engine.training.pretraining_worth import PretrainingWorth

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "WORTH",
    "fine_tuning_schema",
    "load_worth",
    "measure_worth",
    "pretrain_run",
    "pretraining_schema",
    "require_pretraining",
    "worth_run",
]

WORTH = "pretraining_worth.json"


def pretraining_schema(schema: FeatureSchema, ignore: Sequence[str]) -> FeatureSchema:
    """The columns that a pretraining learns from: all features but those to leave out.

    Targets are never learned from, since a training must be able to start from the pretraining.

    Raises:
        SchemaError: a column to leave out does not exist, or none is left.
    """
    for name in ignore:
        if schema.column(name).role is not Role.TARGET:
            schema = set_role(schema, name, Role.IGNORED)
    if not schema.features:
        raise SchemaError("no column is left to learn from; leave out fewer columns, or bring a table with more rows")
    return schema


def require_pretraining(run: Run) -> None:
    """Refuse a run that no training can start from.

    Raises:
        UserError: the run is no pretraining.
    """
    if not run.is_pretraining:
        raise UserError(f"the run {run.manifest.title!r} is no pretraining; choose one, or pretrain first")


def fine_tuning_schema(schema: FeatureSchema, pretrained: FeatureSchema) -> FeatureSchema:
    """The labelled table's columns, where a few rows hide what the pretraining saw of them.

    A column that a small table holds one value of, or only different ones, cannot be learned from there; the
    pretraining read it, so it is read again. Targets and what the user left out stay as they are.
    """
    known = {column.name: column for column in pretrained.features}

    def read(column: Column) -> Column:
        unfit = column.role is not Role.TARGET and column.kind not in ENCODABLE
        return known.get(column.name, column) if unfit else column

    return dataclasses.replace(schema, columns=tuple(map(read, schema.columns)))


def pretrain_run(
    source: Source,
    folder: Path,
    settings: Mapping[str, Any],
    *,
    ignore: Sequence[str] = (),
    title: str,
    monitor: Monitor | None = None,
    checkpoint: Path | None = None,
) -> Run:
    """Pretrain on the source's columns and save the run folder.

    Args:
        source: the table; a target is not needed.
        folder: the run folder to make.
        settings: any of model and pretraining, by name, and ``preset``.
        ignore: columns to leave out, beside those that the schema leaves out.
        title: the run's name for people.
        monitor: follows the work.
        checkpoint: a folder for going on after the process died; removed once the run is saved.

    Raises:
        UserError: settings or columns that do not fit the table.
        StorageError: the folder cannot be written.
        JobCancelledError: the monitor asked to stop.
    """
    from tabnet_engine.training.pretrain import pretrain_model

    monitor = monitor or Monitor(phases=PRETRAINING)
    schema = pretraining_schema(source.schema, ignore)
    model_config, config = choose_pretraining_settings(
        settings,
        n_rows=len(source.frame),
        n_features=len(schema.features),
        n_categorical=schema.n_categorical,
    )
    monitor.begin("Pretraining", "preparing the table")
    model = pretrain_model(
        source.frame,
        schema,
        model_config,
        config,
        callbacks=monitor.callbacks("Pretraining"),
        options=fit_options(checkpoint),
    )
    run = save_pretraining(
        model, folder, dataset=source.dataset, read_options=source.read_options, title=title, notes=source.notes
    )
    if checkpoint is not None:
        remove_checkpoint(checkpoint)
    return run


def measure_worth(
    run: Run,
    frame: pd.DataFrame,
    schema: FeatureSchema,
    *,
    budgets: Sequence[int],
    n_seeds: int,
    settings: Mapping[str, Any],
    monitor: Monitor | None = None,
) -> PretrainingWorth:
    """Train with and without a pretraining on the same labelled rows, and compare the test scores.

    Args:
        run: the pretraining.
        frame: a table with its columns and the target.
        schema: says what is predicted.
        budgets: numbers of labelled training rows.
        n_seeds: how many seeds, counted from the setting ``seed``.
        settings: of the training, by name.
        monitor: follows the work.

    Raises:
        UserError: the run is no pretraining, or target, budgets or settings do not fit the table.
        JobCancelledError: the monitor asked to stop.
    """
    from tabnet_engine.training.pretraining_worth import pretraining_worth

    require_pretraining(run)
    monitor = monitor or Monitor(phases=COMPARING)

    def config(budget: int) -> TrainingConfig:
        size = {"n_features": len(run.schema.features), "n_categorical": run.schema.n_categorical}
        return choose_fine_tuning_settings(settings, pretrained=run.model_config, n_rows=budget, **size)[1]

    first = config(max(budgets)).seed
    monitor.begin("Comparing", "preparing the table")
    return pretraining_worth(
        frame,
        fine_tuning_schema(schema, run.schema),
        run.pretrained(),
        config,
        budgets=budgets,
        seeds=range(first, first + n_seeds),
        progress=monitor.counter("Comparing", "trainings"),
        should_cancel=monitor.should_cancel,
    )


def worth_run(
    run: Run,
    frame: pd.DataFrame,
    schema: FeatureSchema,
    *,
    budgets: Sequence[int],
    n_seeds: int,
    settings: Mapping[str, Any],
    monitor: Monitor | None = None,
) -> Run:
    """Measure as :func:`measure_worth` does, and keep the result with the pretraining.

    Returns:
        The pretraining with its new part; an earlier measurement is replaced.

    Raises:
        UserError: as :func:`measure_worth`.
        StorageError: the run folder cannot be written.
        JobCancelledError: the monitor asked to stop.
    """
    worth = measure_worth(run, frame, schema, budgets=budgets, n_seeds=n_seeds, settings=settings, monitor=monitor)
    content = json.dumps(worth.to_mapping(), ensure_ascii=False, allow_nan=False) + "\n"

    def write(path: Path) -> None:
        path.write_text(content, encoding="utf-8")

    return add_part(run, WORTH, write)


def load_worth(run: Run) -> PretrainingWorth | None:
    """What was measured of a pretraining; None when nothing was yet.

    Raises:
        DamagedRunError: what is stored cannot be read.
    """
    if WORTH not in run:
        return None
    try:
        return PretrainingWorth.from_mapping(json.loads(run.read(WORTH)))
    except ValueError as error:
        raise DamagedRunError(
            f"the run {run.manifest.title!r} is damaged: its part {WORTH!r} cannot be read ({error}); measure again"
        ) from error
