"""Two runs asked anew about the rows of one table, and the answers kept with the second."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tabnet_engine.explain.comparison.predicted import predicted_evidence
from tabnet_engine.explain.comparison.stored import save_comparison
from tabnet_engine.explain.comparison.targets import require_trained
from tabnet_engine.jobs.monitor import Monitor
from tabnet_engine.jobs.records import JobProgress

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.config import CompareConfig
    from tabnet_engine.explain.comparison.evidence import Evidence
    from tabnet_engine.runs.run import Run

__all__ = ["SIDE_BY_SIDE", "compare_anew", "store_comparison"]

SIDE_BY_SIDE = {"Scoring": (0.0, 0.2), "Explaining": (0.2, 1.0)}
_SCORING, _EXPLAINING = SIDE_BY_SIDE


def compare_anew(
    first: Run,
    second: Run,
    frame: pd.DataFrame,
    config: CompareConfig,
    *,
    table_sha256: str,
    monitor: Monitor | None = None,
) -> Evidence:
    """Score every row of a table with both runs and explain the same rows of it.

    Args:
        first: a trained run.
        second: another one.
        frame: a table with the columns of both.
        config: which target, how many rows.
        table_sha256: that of the table's file.
        monitor: follows the work; its phases are set here.

    Raises:
        UserError: a pretraining, no shared target, or a table that lacks a column.
        JobCancelledError: the monitor asked to stop.
    """
    monitor = dataclasses.replace(monitor or Monitor(), phases=SIDE_BY_SIDE)
    for run in (first, second):
        require_trained(run)
    found = predicted_evidence(
        first,
        second,
        frame,
        config,
        table_sha256=table_sha256,
        scoring=monitor.steering(_SCORING),
        explaining=monitor.steering(_EXPLAINING),
    )
    monitor.report(JobProgress(phase=_EXPLAINING, fraction=1.0, message="done"))
    return found


def store_comparison(
    first: Run, second: Run, frame: pd.DataFrame, config: CompareConfig, *, table: str, table_sha256: str,
    monitor: Monitor | None = None,
) -> Run:  # fmt: skip
    """The same, kept with the second run.

    Raises:
        UserError, JobCancelledError: as :func:`compare_anew`.
        StorageError: the run folder cannot be written.
    """
    found = compare_anew(first, second, frame, config, table_sha256=table_sha256, monitor=monitor)
    settings = config.to_mapping()
    return save_comparison(first, second, found, table=table, table_sha256=table_sha256, settings=settings)
