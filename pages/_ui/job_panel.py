"""A job on the page: where it stands, its curves as they grow, stop, retry, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import data_access, guard, shell, state, widgets
from tabnet_engine.errors import JobError
from tabnet_engine.figures.training import loss_curves, metric_curves, metric_label, split_metric
from tabnet_engine.jobs.records import JobState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabnet_engine.jobs.records import JobRecord
    from tabnet_engine.training.history import EpochRecord

__all__ = ["ACTIVE", "check_process", "job_panel", "retry", "running_banner", "time_text"]

ACTIVE = (JobState.QUEUED, JobState.RUNNING)
_TICKS_BETWEEN_CHECKS = 5
_LEARNING = ("train", "pretrain")  # kinds of jobs that have epochs
_FIRST_LOOK = ("auc", "accuracy", "rmse")
_MOST_TARGETS = 4  # scores beside each other


_STANDING = {JobState.QUEUED: "waiting", JobState.RUNNING: "running"}
_NAMES = {
    "train": "training",
    "pretrain": "pretraining",
    "explain": "explanation",
    "worth": "comparison",
    "certify": "certificate",
}


def job_panel(job_id: str) -> JobRecord | None:
    """Show a job: live while it is queued or running, else what became of it.

    Returns:
        The job once it has ended well, for the page to show its result; else None.
    """
    record = data_access.queue().job(job_id)
    if record.state is JobState.SUCCEEDED:
        return record
    if record.ended:
        _unfinished(record)
    else:
        _live(job_id)
    return None


@st.fragment(run_every=1.0)
def _live(job_id: str) -> None:
    with guard.sentences():
        _draw(job_id)


def _draw(job_id: str) -> None:
    queue = data_access.queue()
    record = queue.job(job_id)
    if record.ended:
        st.rerun()
    check_process(job_id)
    progress = record.progress
    waiting = record.state is JobState.QUEUED
    phase = "Waiting for a free place" if waiting else progress.phase or "Starting"
    text = " · ".join(part for part in (phase, progress.message) if part)
    st.progress(min(max(progress.fraction, 0.0), 1.0), text=widgets.md(text))
    records = queue.epochs(job_id)
    _numbers(record, records)
    st.button(
        "Stopping" if record.cancel_requested else "Stop",
        key=f"stop_{job_id}",
        icon=":material/stop_circle:",
        disabled=record.cancel_requested,
        on_click=queue.request_cancel,
        args=(job_id,),
        help="It stops after the current batch. A run that was already saved stays.",
    )
    if record.spec.kind in _LEARNING:
        _curves(job_id, records)


def check_process(job_id: str) -> None:
    """Every few ticks, let the queue find workers that died: nobody else looks while the page is open."""
    key = f"ticks_{job_id}"
    st.session_state[key] = st.session_state.get(key, 0) + 1
    if st.session_state[key] % _TICKS_BETWEEN_CHECKS == 0:
        data_access.queue().reconcile()


def _numbers(record: JobRecord, records: Sequence[EpochRecord]) -> None:
    progress = record.progress
    values = {"Time left": time_text(progress.seconds_left)}
    if record.spec.kind in _LEARNING:
        epoch = f"{progress.epoch or len(records)} of {progress.max_epochs}" if progress.max_epochs else "–"
        values = {"Epoch": epoch, **values}
    names, last = _main_metrics(records), records[-1] if records else None
    if last is not None and names:
        values |= {f"Validation {metric_label(name)}": widgets.score(name, last.validation[name]) for name in names}
        values["Validation loss"] = widgets.score("loss", last.validation_loss)
    widgets.metrics(values)


def _curves(job_id: str, records: Sequence[EpochRecord]) -> None:
    figures = [(loss_curves(records), f"Training and validation loss of {len(records)} epochs")]
    drawn = _main_metrics(records)[:1]
    if drawn:
        alt = f"Validation {metric_label(drawn[0])} of {len(records)} epochs"
        figures.append((metric_curves(records, drawn), alt))
    widgets.figures_row(figures, key=f"live_{job_id}")


def _main_metrics(records: Sequence[EpochRecord]) -> list[str]:
    """The metric of each target that people look at first, among those that the epochs carry."""
    found: dict[str, str] = {}
    for wanted in _FIRST_LOOK:
        for key, value in records[-1].validation.items() if records else ():
            target, metric = split_metric(key)
            if metric == wanted and value is not None:
                found.setdefault(target, key)
    return list(found.values())[:_MOST_TARGETS]


def time_text(seconds: float | None) -> str:
    """Seconds as a person says them: "under 1 s", "40 s", "3 min", "1 h 20 min"."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < 1:
        return "under 1 s"
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def running_banner() -> None:
    """Point to trainings that are going on, whoever started them."""
    queue = data_access.queue()
    queue.reconcile()
    for record in queue.list(states=ACTIVE):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{widgets.md(record.spec.title)}** is {_STANDING[record.state]}.")
            shell.link("train", "Follow it", icon=":material/visibility:", job=record.job_id)


def _unfinished(record: JobRecord) -> None:
    if record.state is JobState.CANCELLED:
        widgets.info(f"This {_NAMES[record.spec.kind]} was stopped before it ended")
    else:
        widgets.error(record.error or f"This {_NAMES[record.spec.kind]} failed")
    log = data_access.queue().log_text(record.job_id)
    if log:
        with st.expander("Log of the process", icon=":material/article:"):
            st.code(log, language=None)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Try again", key=f"retry_{record.job_id}", icon=":material/replay:", type="primary"):
            retry(record.job_id)
        shell.link("train", "Change the settings", icon=":material/tune:", dataset=record.spec.dataset_id)


def retry(job_id: str) -> None:
    """Queue an ended job again and follow it."""
    try:
        data_access.queue().retry(job_id)
    except JobError as error:
        state.notify("error", str(error))
    state.choose("job", job_id)
    st.rerun()
