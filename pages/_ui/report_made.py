"""What was made last of a run, below the form that makes it: the newest report, or the archives of batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import data_access, kept, report_access, report_shown, widgets
from pages._ui.report_words import KINDS
from tabnet_engine.jobs.reporting import BATCHES
from tabnet_engine.report.batch import list_batches
from tabnet_engine.report.dates import moment_words
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    from tabnet_engine.config.report import ReportKind
    from tabnet_engine.report.batch import BatchRecord
    from tabnet_engine.runs.run import Run

__all__ = ["archives", "latest"]

_MOST = 20  # that are listed


def latest(run: Run, kind: ReportKind, *, row: int | None = None) -> None:
    """The newest report of this kind about this run, or about one row of it; others of it can be chosen."""
    found = [record for record in report_access.register().list(run.run_id, kind) if record.row == row][:_MOST]
    if not found:
        st.caption(say("None was made yet. It is kept in the history, as a draft until somebody reviews it."))
        return
    names = {record.case_id: f"{moment_words(record.created)} · {record.case_id}" for record in found}
    case = next(iter(names))
    if len(found) > 1:
        case = kept.choice("case", say("Reports made so far"), names)
    report_shown.show(next(record for record in found if record.case_id == case))


def archives(run: Run) -> None:
    """The archives that were made of this run, newest first, each to take away."""
    found = [record for record in list_batches(data_access.root() / BATCHES) if record.run_id == run.run_id]
    if not found:
        st.caption(say("No archive was made of this run yet. It holds an index and one file for each row."))
        return
    st.subheader(say("Archives"), anchor=False)
    for record in found[:_MOST]:
        _archive(record)


def _archive(record: BatchRecord) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{widgets.md(say(KINDS[record.kind]))}** · {widgets.md(moment_words(record.created))}")
        st.markdown(widgets.md(_counts(record)))
        st.download_button(
            say("Download"),
            data=record.archive.read_bytes,
            file_name=f"{record.batch_id}.zip",
            mime="application/zip",
            icon=":material/download:",
            on_click="ignore",
            key=f"batch_{record.batch_id}",
            help=say("SHA-256 {digest}", digest=record.sha256),
        )


def _counts(record: BatchRecord) -> str:
    """How many reports there are, and how many are blocked or could not be made."""
    made = say_plural("{count} report", "{count:,} reports", record.n_made + record.n_blocked)
    places = {"made": made, "n_blocked": record.n_blocked, "n_refused": record.n_refused}
    if record.n_blocked and record.n_refused:
        return say("{made}, {n_blocked:,} of them blocked; {n_refused:,} rows without one", **places)
    if record.n_blocked:
        return say("{made}, {n_blocked:,} of them blocked", **places)
    return say("{made}; {n_refused:,} rows without one", **places) if record.n_refused else made
