"""Reports of a workspace's run: one into the register, or a batch into an archive beside it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from tabnet_engine.errors import ReportError
from tabnet_engine.explain.row_filter import parse_filter
from tabnet_engine.jobs.monitor import Monitor
from tabnet_engine.report.batch import planned_time, write_batch
from tabnet_engine.report.batch_shelf import BATCHES
from tabnet_engine.report.desk import Desk
from tabnet_engine.report.making import ReportMaker, desk_materials
from tabnet_engine.report.register import ReportRegister
from tabnet_engine.texts.speaking import msg

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.jobs.report_spec import ReportPayload
    from tabnet_engine.runs.run import Run
    from tabnet_engine.runs.workspace import Workspace

__all__ = ["BATCHES", "DESK", "REPORTING", "REPORTS", "make_reports"]

# Rooms of a workspace: what people write for reports, and the reports; the batches lie beside these.
DESK, REPORTS = "desk", "reports"
REPORTING = {msg("Preparing"): (0.0, 0.2), msg("Writing reports"): (0.2, 1.0)}
_PREPARING, _WRITING = REPORTING


def make_reports(workspace: Workspace, payload: ReportPayload, job_id: str, *, monitor: Monitor | None = None) -> str:
    """Make what the payload asks for.

    Args:
        workspace: where the run, its table, the desk and the register are.
        payload: what is asked for.
        job_id: names the folder of a batch, so that a second attempt goes on with it, unless the payload names one.
        monitor: follows the work; its phases are set here.

    Returns:
        The case id of the report, or the id of the batch.

    Raises:
        UserError: the run or its table is not there, no row meets the condition, or a report cannot be made.
        StorageError: the disk refuses.
        JobCancelledError: the monitor asked to stop.
    """
    monitor = dataclasses.replace(monitor or Monitor(), phases=REPORTING)
    run, config = workspace.run(payload.run_id), payload.settings
    folder = workspace.root / BATCHES / (payload.batch_id or job_id)
    baseline = None if payload.baseline_run_id is None else workspace.run(payload.baseline_run_id)
    monitor.begin(_PREPARING, run.manifest.title)
    frame, digest = _frame(workspace, payload, run)
    if not payload.is_single:
        config = config.replace(time=planned_time(folder) or config.time)
    register = ReportRegister(workspace.root / REPORTS)
    materials = desk_materials(Desk(workspace.root / DESK), run, config)
    following = monitor.steering(_PREPARING)
    maker = ReportMaker.of(run, frame, config, materials, baseline=baseline, table_sha256=digest, steering=following)
    if payload.is_single:
        monitor.steering(_WRITING, "reports").step(0, 1)
        made = maker.make(payload.rows[0] if payload.rows else None)
        return register.add(made.document, made.parts).case_id
    rows = _rows(payload, run, frame)
    following, finish = monitor.steering(_WRITING, "reports"), register.batches.finish
    return write_batch(maker, rows, folder, form=payload.form, steering=following, finish=finish).batch_id


def _frame(workspace: Workspace, payload: ReportPayload, run: Run) -> tuple[pd.DataFrame | None, str]:
    """The run's table, or another that was named, and the SHA-256 of its file; None where a report may do without."""
    dataset_id = payload.dataset_id or run.manifest.dataset.dataset_id
    known = {info.dataset_id: info.sha256 for info in workspace.list_datasets()}
    if dataset_id is None or dataset_id not in known:
        return None, ""
    return workspace.load_frame(dataset_id), known[dataset_id]


def _rows(payload: ReportPayload, run: Run, frame: pd.DataFrame | None) -> tuple[int, ...]:
    if payload.rows:
        return payload.rows
    if frame is None:
        raise ReportError("a condition needs the table whose rows meet it, and that table is not in this workspace")
    found = np.flatnonzero(parse_filter(payload.where, run.schema).mask(frame))
    if not len(found):
        raise ReportError(f"no row meets the condition {payload.where!r}; loosen it")
    return tuple(map(int, found))
