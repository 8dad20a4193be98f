"""What each kind of job does: the pipeline, fed from the workspace and reporting to the database."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from tabnet_engine.config import AuditConfig, CertifyConfig, CompareConfig
from tabnet_engine.data.kinds import propose_schema
from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.errors import ExplanationError, SchemaError
from tabnet_engine.explain.autoencoder.explanation import AutoencoderSettings
from tabnet_engine.jobs.auditing import AUDITING, measure_groups, store_groups
from tabnet_engine.jobs.certifying import CERTIFYING, certify_run
from tabnet_engine.jobs.checkpoints import checkpoint_folder
from tabnet_engine.jobs.comparing import SIDE_BY_SIDE, store_comparison
from tabnet_engine.jobs.context import JobContext, TaskTable
from tabnet_engine.jobs.explaining_pretraining import explain_pretraining
from tabnet_engine.jobs.monitor import COMPARING, EXPLAINING, PRETRAINING, TRAINING, Monitor
from tabnet_engine.jobs.pipeline import EXPLANATIONS, explain_run, explanation_settings, train_run
from tabnet_engine.jobs.pretraining import pretrain_run, worth_run
from tabnet_engine.jobs.reporting import REPORTING, make_reports
from tabnet_engine.jobs.source import Source
from tabnet_engine.jobs.spec import (
    AuditPayload,
    CertifyPayload,
    ComparePayload,
    ExplainPayload,
    PretrainPayload,
    ReportPayload,
    TrainPayload,
    WorthPayload,
)
from tabnet_engine.runs.artefact import DatasetRef, Run

__all__ = ["TASKS"]


def run_train(context: JobContext) -> None:
    """Train on a dataset of the workspace and explain the run.

    A second attempt after a crash goes on after the last epoch that the first one kept; where the run was saved
    already, it only explains it.
    """
    payload = TrainPayload.of(context.spec)
    folder = context.workspace.run_folder(context.spec.run_id)
    if folder.exists():
        run = _finished(context)
        _explain(context, run, payload.settings)
        return
    pretrained_id = payload.pretrained_run_id
    train_run(
        _source(context, payload),
        folder,
        payload.settings,
        title=payload.title,
        monitor=_monitor(context, TRAINING),
        pretrained=None if pretrained_id is None else context.workspace.run(pretrained_id),
        checkpoint=checkpoint_folder(context.workspace, context.claim.job_id),
    )


def run_pretrain(context: JobContext) -> None:
    """Pretrain on a dataset of the workspace; goes on after a crash as :func:`run_train` does."""
    payload = PretrainPayload.of(context.spec)
    folder = context.workspace.run_folder(context.spec.run_id)
    if folder.exists():
        _finished(context)
        return
    frame, schema = context.workspace.load_frame(payload.dataset_id), payload.schema
    pretrain_run(
        _plain_source(context, payload.dataset_id, propose_schema(frame) if schema is None else schema),
        folder,
        payload.settings,
        ignore=payload.ignore,
        title=payload.title,
        monitor=_monitor(context, PRETRAINING),
        checkpoint=checkpoint_folder(context.workspace, context.claim.job_id),
    )


def run_worth(context: JobContext) -> None:
    """Measure what a stored pretraining was worth on a dataset of the workspace."""
    payload = WorthPayload.of(context.spec)
    worth_run(
        context.workspace.run(payload.run_id),
        context.workspace.load_frame(payload.dataset_id),
        _chosen(payload.schema),
        budgets=payload.budgets,
        n_seeds=payload.n_seeds,
        settings=payload.settings,
        monitor=_monitor(context, COMPARING),
    )


def run_explain(context: JobContext) -> None:
    """Explain a stored run anew, with other methods, another background or budget; goes on after a crash."""
    payload = ExplainPayload.of(context.spec)
    run = context.workspace.run(payload.run_id)
    if run.is_pretraining:
        _explain_reconstruction(context, run, payload.settings)
    else:
        _explain(context, run, payload.settings)


def run_certify(context: JobContext) -> None:
    """Measure how far the explanations of a stored run can be trusted."""
    payload = CertifyPayload.of(context.spec)
    run, dataset_id = context.workspace.run(payload.run_id), payload.dataset_id
    certify_run(
        run,
        None if dataset_id is None else context.workspace.load_frame(dataset_id),
        CertifyConfig.suggest(n_features=run.encoder.layout.n_features).replace(**payload.settings),
        monitor=_monitor(context, CERTIFYING),
    )


def run_audit(context: JobContext) -> None:
    """Compare the groups of a protected column of a stored run's table."""
    payload = AuditPayload.of(context.spec)
    run = context.workspace.run(payload.run_id)
    frame = context.workspace.load_frame(_dataset_of(run))
    config = AuditConfig.from_mapping(payload.settings)
    store_groups(run, measure_groups(run, frame, config, monitor=_monitor(context, AUDITING)))


def run_compare(context: JobContext) -> None:
    """Compare two stored runs on the rows of a dataset; the second keeps the answers."""
    payload, workspace = ComparePayload.of(context.spec), context.workspace
    table = workspace.dataset(payload.dataset_id)
    store_comparison(
        workspace.run(payload.baseline_run_id),
        workspace.run(payload.run_id),
        workspace.load_frame(payload.dataset_id),
        CompareConfig.from_mapping(payload.settings),
        table=table.name,
        table_sha256=table.sha256,
        monitor=_monitor(context, SIDE_BY_SIDE),
    )


def run_report(context: JobContext) -> None:
    """Make one report or a batch; a batch goes on after a crash with the rows that are missing."""
    payload = ReportPayload.of(context.spec)
    made = make_reports(context.workspace, payload, context.claim.job_id, monitor=_monitor(context, REPORTING))
    context.note(made)


def _finished(context: JobContext) -> Run:
    """The run that an earlier attempt saved; its curve stays that of the job."""
    run = context.workspace.run(context.spec.run_id)
    context.resumed(len(run.history))
    return run


def _source(context: JobContext, payload: TrainPayload) -> Source:
    workspace, test_id = context.workspace, payload.test_dataset_id
    source = _plain_source(context, payload.dataset_id, _chosen(payload.schema))
    if test_id is None:
        return source
    test = workspace.dataset(test_id)
    told = (
        f"tested on the table {test.name!r} instead of held-out rows",
        *(f"test table: {note}" for note in test.notes),
    )
    return dataclasses.replace(source, test_frame=workspace.load_frame(test_id), notes=(*source.notes, *told))


def _plain_source(context: JobContext, dataset_id: str, schema: FeatureSchema) -> Source:
    info = context.workspace.dataset(dataset_id)
    return Source(
        frame=context.workspace.load_frame(info.dataset_id),
        schema=schema,
        dataset=DatasetRef(info.sha256, info.name, info.n_rows, info.n_columns, info.dataset_id),
        read_options=info.options,
        notes=tuple(info.notes),
    )


def _chosen(schema: FeatureSchema | None) -> FeatureSchema:
    if schema is None or not schema.targets:
        raise SchemaError("no target is chosen for this table; choose the column to predict, then train")
    return schema


def _explain(context: JobContext, run: Run, settings: Mapping[str, Any]) -> None:
    frame = context.workspace.load_frame(_dataset_of(run))
    kept = checkpoint_folder(context.workspace, context.claim.job_id) / EXPLANATIONS
    config = explanation_settings(run, settings)
    explain_run(run, frame, config, monitor=_monitor(context, EXPLAINING), checkpoint=kept)


def _explain_reconstruction(context: JobContext, run: Run, settings: Mapping[str, Any]) -> None:
    """What the reconstructions of a pretraining rest on."""
    frame, chosen = context.workspace.load_frame(_dataset_of(run)), AutoencoderSettings.from_mapping(settings)
    explain_pretraining(run, frame, chosen, _monitor(context, EXPLAINING))


def _dataset_of(run: Run) -> str:
    """The table of the workspace that the run was trained on."""
    if run.manifest.dataset.dataset_id is None:
        raise ExplanationError(
            f"the run {run.manifest.title!r} was not trained on a table of this workspace, so its rows cannot be "
            "explained here; use `python -m tabnet_engine explain` with any table"
        )
    return run.manifest.dataset.dataset_id


def _monitor(context: JobContext, phases: Mapping[str, tuple[float, float]]) -> Monitor:
    return Monitor(context.report, context.epoch, context.should_cancel, context.resumed, phases)


TASKS: TaskTable = {
    "train": run_train,
    "explain": run_explain,
    "pretrain": run_pretrain,
    "worth": run_worth,
    "certify": run_certify,
    "audit": run_audit,
    "compare": run_compare,
    "report": run_report,
}
