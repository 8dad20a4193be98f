"""Reports on many rows: which rows, how many, and the archive that a job makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages._ui import (
    kept,
    report_access,
    report_made,
    report_stopped,
    row_filter,
    row_lists,
    run_jobs,
)
from tabnet_engine.jobs.report_spec import ReportPayload
from tabnet_engine.texts.speaking import msg, say, say_plural

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from tabnet_engine.config import ReportConfig
    from tabnet_engine.runs.run import Run

    Rows = npt.NDArray[np.int64]

__all__ = ["section"]

MOST_ROWS = 10_000  # of one archive
_TITLE = msg("Reports on many rows of {run}")
_FORMS = {"pdf": "PDF", "html": "HTML"}


def section(run: Run, table: pd.DataFrame, config: ReportConfig, *, busy: bool) -> None:
    """Choose the rows, queue the job, and the archives that were made."""
    rows = _rows(run, config)
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        form = kept.choice("form", say("Each report as"), _FORMS)
    with right:
        _told(rows, len(table))
    fits = 0 < len(rows) <= MOST_ROWS
    label = say_plural("Make {count} report", "Make {count:,} reports", len(rows))
    if st.button(label, type="primary", icon=":material/folder_zip:", key="make_batch", disabled=busy or not fits):
        payload = ReportPayload(
            run_id=run.run_id,
            dataset_id=run.manifest.dataset.dataset_id,
            config=config.to_mapping(),
            rows=tuple(rows.tolist()),
            is_batch=True,
            form="html" if form == "html" else "pdf",
            title=run_jobs.title(_TITLE, run.manifest.title),
        )
        told = say("The reports are being made; the progress is at the top of this page, which can be left.")
        run_jobs.queue_once(payload.to_spec(), told)
    if not busy:
        report_stopped.section(run)
    report_made.archives(run)


def _rows(run: Run, config: ReportConfig) -> Rows:
    """The rows of a list that meet the condition, and of these only the declined ones where that is wished."""
    target = config.target or run.targets.names[0]
    left, right = st.columns([1, 2])
    with left:
        name = row_lists.choose_list(run, target)
    with right:
        where = row_filter.filter_box(run)
    rows = row_lists.members(run, target, name, where)
    declined = report_access.declined(run, config)
    if declined is None:
        return rows
    if config.kind == "notice":
        st.caption(say("Letters go to declined rows only."))
        return rows[np.isin(rows, declined)]
    only = kept.toggle("declined", say("Declined rows only"), default=True)
    return rows[np.isin(rows, declined)] if only else rows


def _told(rows: Rows, n_all: int) -> None:
    """How many rows these are, and what to do when there are none or too many."""
    if not len(rows):
        st.caption(say("No row of this list; loosen the condition, or choose another list."))
    elif len(rows) > MOST_ROWS:
        st.caption(
            say(
                "{n_rows:,} rows; an archive holds at most {most:,} reports. Narrow them down with a condition.",
                n_rows=len(rows),
                most=MOST_ROWS,
            )
        )
    else:
        st.caption(
            say(
                "{n_rows:,} of {n_all:,} rows. A job that was stopped can be gone on with; you may leave the page.",
                n_rows=len(rows),
                n_all=n_all,
            )
        )
