"""Explaining a run as a job: the button, what it will cost, where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import data_access, explain_access, guard, run_jobs, widgets
from pages._ui.job_panel import check_process, time_text
from tabnet_engine.explain.signed.budget import MAX_FEATURES
from tabnet_engine.jobs.records import JobState
from tabnet_engine.jobs.spec import CertifyPayload, ExplainPayload
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.runs.run import Run

__all__ = ["follow", "missing", "no_shap", "submit", "submit_certificate"]

# By the kind of job, and by what is missing.
_FAILED = {
    "explain": msg("The last explanation of this run failed: {reason}"),
    "certify": msg("The last measurement of this run failed: {reason}"),
    "audit": msg("The last comparison of groups of this run failed: {reason}"),
    "compare": msg("The last comparison with another run failed: {reason}"),
    "report": msg("The last report could not be made: {reason}"),
}
_DOING = {
    "explain": msg("Explaining this run"),
    "certify": msg("Measuring how far to trust this"),
    "audit": msg("Comparing groups"),
    "compare": msg("Comparing two runs"),
    "report": msg("Making reports"),
}
_MISSING = {
    "SHAP values": msg("This run has no SHAP values yet"),
    "masks": msg("This run has no masks yet"),
    "importances": msg("This run has no importances yet"),
    "background to explain against": msg("This run has no background to explain against yet"),
    "": msg("This run has no explanations yet"),
}


def follow(run: Run) -> bool:
    """Show the job that is explaining this run, or what stopped the last one; True while one works."""
    record = run_jobs.latest(run.run_id)
    if record is None:
        return False
    if record.ended:
        if record.state is JobState.FAILED:
            reason = widgets.said(record.error or "") or say("no reason was given")
            failed = _FAILED.get(record.spec.kind, _FAILED["explain"])
            widgets.error(say(failed, reason=reason))
        return False
    _live(record.job_id)
    return True


def missing(run: Run, what: str) -> None:
    """Empty state of a page whose explanations are not there yet: why, and the button that computes them.

    Args:
        run: the run.
        what: a key of :data:`_MISSING`.
    """
    reason = say(explain_access.NO_TABLE) if explain_access.imported(run) else None
    if reason is None and what == "SHAP values":
        reason = no_shap(run)
    if reason is not None:
        widgets.info(reason)
        return
    with st.container(border=True, gap="small"):
        st.subheader(say(_MISSING.get(what, _MISSING[""])), anchor=False)
        st.write(say("They are computed from the run's own table in the background; the page can be left meanwhile."))
        if st.button(say("Compute them"), type="primary", icon=":material/play_arrow:", key=f"explain_{run.run_id}"):
            submit(run, {})


def no_shap(run: Run) -> str | None:
    """Why this run can have no SHAP values; None when it can."""
    n_features = len(run.schema.features)
    if n_features <= MAX_FEATURES:
        return None
    return say(
        "SHAP values are computed for at most {most:,} columns and this model reads {n_features:,}; the masks can be "
        "seen, and a model trained on fewer columns can be compared",
        most=MAX_FEATURES,
        n_features=n_features,
    )


def submit(run: Run, settings: dict[str, Any]) -> None:
    """Queue the explanation once, however often the button was pressed, and draw the page again."""
    payload = ExplainPayload(
        run_id=run.run_id,
        settings=settings,
        dataset_id=run.manifest.dataset.dataset_id,
        title=f"Explain {run.manifest.title}",
    )
    told = say("The explanation is being computed; its progress is at the top of this page.")
    run_jobs.queue_once(payload.to_spec(), told)


def submit_certificate(run: Run, settings: dict[str, Any]) -> None:
    """Queue the certificate once, however often the button was pressed, and draw the page again."""
    payload = CertifyPayload(
        run_id=run.run_id,
        settings=settings,
        dataset_id=None if explain_access.frame(run) is None else run.manifest.dataset.dataset_id,
        title=f"Certify {run.manifest.title}",
    )
    told = say("The certificate is being measured; its progress is at the top of this page.")
    run_jobs.queue_once(payload.to_spec(), told)


@st.fragment(run_every=1.0)
def _live(job_id: str) -> None:
    with guard.sentences():
        _draw(job_id)


def _draw(job_id: str) -> None:
    check_process(job_id)
    record = data_access.queue().job(job_id)
    if record.ended:
        st.rerun()
    progress = record.progress
    if record.state is JobState.QUEUED:
        phase = say("Waiting for a free place")
    else:
        phase = widgets.said(progress.phase) or say("Starting")
    left = "" if progress.seconds_left is None else say("{time} left", time=time_text(progress.seconds_left))
    doing = say(_DOING.get(record.spec.kind, _DOING["explain"]))
    text = " · ".join(part for part in (doing, phase, widgets.said(progress.message), left) if part)
    with st.container(border=True):
        st.progress(min(max(progress.fraction, 0.0), 1.0), text=widgets.md(text))
        stopping = record.cancel_requested
        label = say("Stopping") if stopping else say("Stop")
        if st.button(label, key=f"stop_{job_id}", icon=":material/stop_circle:", disabled=stopping):
            data_access.queue().request_cancel(job_id)
            st.rerun(scope="fragment")
