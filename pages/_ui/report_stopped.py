"""Batches of reports that were stopped: to go on with, or to remove with what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import guard, report_access, run_jobs, state, widgets
from pages._ui.report_words import KINDS
from tabnet_engine.jobs.report_spec import ReportPayload
from tabnet_engine.report.batch import discard_batch, unfinished_batches
from tabnet_engine.report.dates import moment_words
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.report.batch import UnfinishedBatch
    from tabnet_engine.runs.run import Run

__all__ = ["section"]

_MOST = 5  # that are shown
_TITLE = msg("Reports on many rows of {run}")


def section(run: Run) -> None:
    """The stopped batches of this run; call it only while no job of the run is at work."""
    shelf = report_access.register().batches
    with guard.sentences():
        shelf.settle()  # what lacks nothing but its line is finished, not stopped
    found = [begun for begun in unfinished_batches(shelf.folder) if begun.run_id == run.run_id]
    if not found:
        return
    st.subheader(say("Stopped"), anchor=False)
    for begun in found[:_MOST]:
        _stopped(run, begun)


def _stopped(run: Run, begun: UnfinishedBatch) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        kind = say(KINDS[begun.request["kind"]])
        st.markdown(f"**{widgets.md(kind)}** · {widgets.md(moment_words(begun.created))}")
        st.markdown(say("{n_done:,} of {n_rows:,} rows are done", n_done=begun.n_done, n_rows=len(begun.rows)))
        if st.button(say("Go on"), icon=":material/play_arrow:", key=f"go_on_{begun.batch_id}"):
            _go_on(run, begun)
        with st.popover(say("Remove"), icon=":material/delete:"):
            st.markdown(say("Remove this batch and the reports that are written of it?"))
            if st.button(say("Remove it"), type="primary", key=f"remove_{begun.batch_id}"):
                discard_batch(report_access.register().batches.folder, begun.batch_id)
                state.notify("success", say("The batch was removed"))
                st.rerun()


def _go_on(run: Run, begun: UnfinishedBatch) -> None:
    payload = ReportPayload(
        run_id=run.run_id,
        dataset_id=run.manifest.dataset.dataset_id,
        config=begun.request,
        rows=begun.rows,
        is_batch=True,
        form=begun.form,
        batch_id=begun.batch_id,
        title=run_jobs.title(_TITLE, run.manifest.title),
    )
    told = say("The remaining reports are being made; the progress is at the top of this page, which can be left.")
    run_jobs.queue_once(payload.to_spec(), told)
