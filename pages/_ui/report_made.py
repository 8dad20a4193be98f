"""What was made last of a run, below the form that makes it: the newest report, or the archives of batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import kept, report_access, report_archives, report_shown
from tabnet_engine.report.dates import moment_words
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from tabnet_engine.config.report import ReportKind
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
    found = [record for record in report_access.register().batches.list() if record.run_id == run.run_id]
    if not found:
        st.caption(say("No archive was made of this run yet. It holds an index and one file for each row."))
        return
    st.subheader(say("Archives"), anchor=False)
    for record in found[: report_archives.MOST]:
        report_archives.show(record)
