"""Explaining a run as a job: the button, what it will cost, where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import data_access, explain_access, guard, state, widgets
from pages._ui.job_panel import check_process, time_text
from tabnet_engine.config import ExplainConfig
from tabnet_engine.explain.signed.budget import DEFAULT_PERMUTATIONS, MAX_FEATURES
from tabnet_engine.jobs.records import JobState
from tabnet_engine.jobs.spec import CertifyPayload, ExplainPayload

if TYPE_CHECKING:
    from tabnet_engine.jobs.records import JobRecord
    from tabnet_engine.jobs.spec import JobSpec
    from tabnet_engine.runs.run import Run

__all__ = ["budget_form", "follow", "missing", "no_shap", "submit", "submit_certificate"]


def follow(run: Run) -> bool:
    """Show the job that is explaining this run, or what stopped the last one; True while one works."""
    record = _latest(run.run_id)
    if record is None:
        return False
    if record.ended:
        if record.state is JobState.FAILED:
            what = "measurement" if record.spec.kind == "certify" else "explanation"
            widgets.error(f"The last {what} of this run failed: {record.error or 'no reason was given'}")
        return False
    _live(record.job_id)
    return True


def missing(run: Run, what: str) -> None:
    """Empty state of a page whose explanations are not there yet: why, and the button that computes them.

    Args:
        run: the run.
        what: what is missing, to follow "This run has no".
    """
    reason = explain_access.NO_TABLE if explain_access.imported(run) else None
    if reason is None and what == "SHAP values":
        reason = no_shap(run)
    if reason is not None:
        widgets.info(reason)
        return
    with st.container(border=True, gap="small"):
        st.subheader(f"This run has no {what} yet", anchor=False)
        st.write("They are computed from the run's own table in the background; the page can be left meanwhile.")
        if st.button("Compute them", type="primary", icon=":material/play_arrow:", key=f"explain_{run.run_id}"):
            submit(run, {})


def no_shap(run: Run) -> str | None:
    """Why this run can have no SHAP values; None when it can."""
    n_features = len(run.schema.features)
    if n_features <= MAX_FEATURES:
        return None
    return (
        f"SHAP values are computed for at most {MAX_FEATURES:,} columns and this model reads {n_features:,}; the masks "
        "can be seen, and a model trained on fewer columns can be compared"
    )


@st.dialog("Compute SHAP values again", icon=":material/tune:")
def budget_form(run: Run) -> None:
    """Another background, number of rows or budget, with the time it will take."""
    stored, default = explain_access.attribution(run), ExplainConfig()
    n_rows = st.number_input(
        "Rows to explain",
        1,
        100_000,
        stored.n_rows if stored else default.n_shap_rows,
        50,
        key="shap_rows",
        help="Drawn from the test rows, every class by its share.",
    )
    n_background = st.number_input(
        "Background rows",
        1,
        10_000,
        stored.background.n_rows if stored else default.n_background,
        10,
        key="shap_background",
        help="Training rows that stand for 'not knowing a column'. More make the base value steadier.",
    )
    orders = st.number_input(
        "Column orders",
        1,
        1_000,
        (stored.n_permutations if stored else 0) or DEFAULT_PERMUTATIONS,  # exact values know no orders
        5,
        key="shap_orders",
        help="Each order of the columns is walked forwards and backwards. More make the values more precise.",
    )
    n_evaluations = int(orders * (2 * len(run.schema.features) + 1))
    settings = {"n_shap_rows": int(n_rows), "n_background": int(n_background), "n_evaluations": n_evaluations}
    st.caption(f"{n_evaluations:,} evaluations a row. {_time_sentence(run, settings)}")
    if st.button("Compute", type="primary", icon=":material/play_arrow:", key="explain_again"):
        submit(run, settings)


def _time_sentence(run: Run, settings: dict[str, int]) -> str:
    from tabnet_engine.explain.cost import shap_seconds

    unit = explain_access.seconds_per_evaluation(run)
    if unit is None:
        return "How long it takes is known once the run has been explained for the first time."
    seconds = shap_seconds(
        unit,
        n_features=len(run.schema.features),
        n_rows=settings["n_shap_rows"],
        n_background=settings["n_background"],
        n_evaluations=settings["n_evaluations"],
    )
    return f"About {time_text(max(seconds, 1.0))}, judging by one row explained on this machine just now."


def submit(run: Run, settings: dict[str, Any]) -> None:
    """Queue the explanation once, however often the button was pressed, and draw the page again."""
    payload = ExplainPayload(
        run_id=run.run_id,
        settings=settings,
        dataset_id=run.manifest.dataset.dataset_id,
        title=f"Explain {run.manifest.title}",
    )
    _submit(run, payload.to_spec(), "The explanation is being computed")


def submit_certificate(run: Run, settings: dict[str, Any]) -> None:
    """Queue the certificate once, however often the button was pressed, and draw the page again."""
    payload = CertifyPayload(
        run_id=run.run_id,
        settings=settings,
        dataset_id=None if explain_access.frame(run) is None else run.manifest.dataset.dataset_id,
        title=f"Certify {run.manifest.title}",
    )
    _submit(run, payload.to_spec(), "The certificate is being measured")


def _submit(run: Run, spec: JobSpec, told: str) -> None:
    record = _latest(run.run_id)
    if record is None or record.ended:
        data_access.queue().submit(spec, idempotency_key=state.token(f"explain_{run.run_id}"))
        state.fresh_token(f"explain_{run.run_id}")
        st.toast(f"{told}; its progress is at the top of this page.", icon=":material/hourglass_top:")
    st.rerun()


def _latest(run_id: str) -> JobRecord | None:
    """The newest job that explains this run, or trains and then explains it."""
    return next((record for record in data_access.queue().list() if record.spec.run_id == run_id), None)


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
    phase = "Waiting for a free place" if record.state is JobState.QUEUED else progress.phase or "Starting"
    left = f"{time_text(progress.seconds_left)} left" if progress.seconds_left is not None else ""
    doing = "Measuring how far to trust this" if record.spec.kind == "certify" else "Explaining this run"
    text = " · ".join(part for part in (doing, phase, progress.message, left) if part)
    with st.container(border=True):
        st.progress(min(max(progress.fraction, 0.0), 1.0), text=widgets.md(text))
        stopping = record.cancel_requested
        label = "Stopping" if stopping else "Stop"
        if st.button(label, key=f"stop_{job_id}", icon=":material/stop_circle:", disabled=stopping):
            data_access.queue().request_cancel(job_id)
            st.rerun(scope="fragment")
