"""Jobs that did not end well or have not ended yet, with what to do about each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import data_access, job_panel, shell, widgets
from tabnet_engine.jobs.records import JobState
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.jobs.records import JobRecord

__all__ = ["job_list"]

_STATES = {
    JobState.QUEUED: (msg("Waiting"), ":material/hourglass_empty:", "gray"),
    JobState.RUNNING: (msg("Running"), ":material/play_arrow:", "blue"),
    JobState.FAILED: (msg("Failed"), ":material/error:", "red"),
    JobState.CANCELLED: (msg("Stopped"), ":material/stop_circle:", "orange"),
}
_SHOWN = 20


def job_list() -> None:
    """The latest jobs: open ones first on the page, ended ones folded away."""
    queue = data_access.queue()
    queue.reconcile()
    active = queue.list(states=job_panel.ACTIVE)
    ended = queue.list(states=(JobState.FAILED, JobState.CANCELLED), limit=_SHOWN)
    for record in active:
        with st.container(border=True):
            _line(record)
    if ended:
        with st.expander(say("Jobs that did not finish ({count:,})", count=len(ended)), icon=":material/report:"):
            for record in ended:
                _line(record)


def _line(record: JobRecord) -> None:
    label, icon, tone = _STATES[record.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(say(label), icon=icon, color=tone)  # type: ignore[arg-type]
        st.markdown(f"**{widgets.md(record.spec.title)}** · {record.created:%Y-%m-%d %H:%M} UTC")
        if not record.ended:
            shell.link("train", say("Follow"), icon=":material/visibility:", job=record.job_id)
        elif st.button(say("Try again"), key=f"list_retry_{record.job_id}", icon=":material/replay:"):
            job_panel.retry(record.job_id)
    if record.error:
        st.text(widgets.said(record.error))
