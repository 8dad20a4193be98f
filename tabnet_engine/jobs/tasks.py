"""What each kind of job does: the pipeline, fed from the workspace and reporting to the database."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from tabnet_engine.config import ExplainConfig, split_settings
from tabnet_engine.errors import SchemaError
from tabnet_engine.jobs.context import JobContext, TaskTable
from tabnet_engine.jobs.pipeline import Monitor, Source, explain_run, train_run
from tabnet_engine.jobs.spec import ExplainPayload, TrainPayload
from tabnet_engine.runs.artefact import DatasetRef

__all__ = ["TASKS"]


def run_train(context: JobContext) -> None:
    """Train on a dataset of the workspace and explain the run.

    A second attempt after a crash finds the run when it was saved already, and only explains it.
    """
    payload = TrainPayload.of(context.spec)
    folder = context.workspace.run_folder(context.spec.run_id)
    if folder.exists():
        _explain(context, context.spec.run_id, split_settings(payload.settings)[2])
        return
    train_run(_source(context, payload), folder, payload.settings, title=payload.title, monitor=_monitor(context))


def run_explain(context: JobContext) -> None:
    """Explain a stored run anew, with another background or budget."""
    payload = ExplainPayload.of(context.spec)
    _explain(context, payload.run_id, payload.settings)


def _source(context: JobContext, payload: TrainPayload) -> Source:
    workspace, test_id = context.workspace, payload.test_dataset_id
    if payload.schema is None:
        raise SchemaError("no target is chosen for this table; choose the column to predict, then train")
    info = workspace.dataset(payload.dataset_id)
    notes = list(info.notes)
    if test_id is not None:
        test = workspace.dataset(test_id)
        notes.append(f"tested on the table {test.name!r} instead of held-out rows")
        notes.extend(f"test table: {note}" for note in test.notes)
    return Source(
        frame=workspace.load_frame(info.dataset_id),
        schema=payload.schema,
        dataset=DatasetRef(info.sha256, info.name, info.n_rows, info.n_columns, info.dataset_id),
        read_options=info.options,
        test_frame=None if test_id is None else workspace.load_frame(test_id),
        notes=tuple(notes),
    )


def _explain(context: JobContext, run_id: str, settings: Mapping[str, Any]) -> None:
    run = context.workspace.run(run_id)
    dataset_id = run.manifest.dataset.dataset_id
    if dataset_id is None:
        raise SchemaError(f"the run {run.manifest.title!r} does not say which table of the workspace it was trained on")
    frame = context.workspace.load_frame(dataset_id)
    monitor = dataclasses.replace(_monitor(context), trains=False)
    explain_run(run, frame, ExplainConfig.from_mapping(settings), monitor=monitor)


def _monitor(context: JobContext) -> Monitor:
    return Monitor(context.report, context.epoch, context.should_cancel)


TASKS: TaskTable = {"train": run_train, "explain": run_explain}
