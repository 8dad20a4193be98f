"""A job on the page: where it stands, its curves as they grow, stop, retry, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import data_access, guard, run_charts, shell, state, widgets
from tabnet_engine.errors import JobError
from tabnet_engine.figures.training import loss_curves, metric_curves, metric_label, split_metric
from tabnet_engine.jobs.records import JobState
from tabnet_engine.texts.speaking import msg, say, say_plural

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


_STANDING = {JobState.QUEUED: msg("**{title}** is waiting."), JobState.RUNNING: msg("**{title}** is running.")}
_STOPPED = {
    "train": msg("This training was stopped before it ended"),
    "pretrain": msg("This pretraining was stopped before it ended"),
    "explain": msg("This explanation was stopped before it ended"),
    "worth": msg("This comparison was stopped before it ended"),
    "certify": msg("This certificate was stopped before it ended"),
    "audit": msg("This comparison of groups was stopped before it ended"),
    "compare": msg("This comparison of runs was stopped before it ended"),
    "report": msg("These reports were stopped before they were all made"),
}
_FAILED = {
    "train": msg("This training failed"),
    "pretrain": msg("This pretraining failed"),
    "explain": msg("This explanation failed"),
    "worth": msg("This comparison failed"),
    "certify": msg("This certificate failed"),
    "audit": msg("This comparison of groups failed"),
    "compare": msg("This comparison of runs failed"),
    "report": msg("These reports could not be made"),
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
    phase = say("Waiting for a free place") if waiting else widgets.said(progress.phase) or say("Starting")
    text = " · ".join(part for part in (phase, widgets.said(progress.message)) if part)
    st.progress(min(max(progress.fraction, 0.0), 1.0), text=widgets.md(text))
    records = queue.epochs(job_id)
    _numbers(record, records)
    st.button(
        say("Stopping") if record.cancel_requested else say("Stop"),
        key=f"stop_{job_id}",
        icon=":material/stop_circle:",
        disabled=record.cancel_requested,
        on_click=queue.request_cancel,
        args=(job_id,),
        help=say("It stops after the current batch. A run that was already saved stays."),
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
    values = {say("Time left"): time_text(progress.seconds_left)}
    if record.spec.kind in _LEARNING:
        done = progress.epoch or len(records)
        epoch = say("{done} of {most}", done=done, most=progress.max_epochs) if progress.max_epochs else "–"
        values = {say("Epoch"): epoch, **values}
    names, last = _main_metrics(records), records[-1] if records else None
    if last is not None and names:
        values |= {
            say("Validation {score}", score=metric_label(name)): widgets.score(name, last.validation[name])
            for name in names
        }
        values[say("Validation loss")] = widgets.score("loss", last.validation_loss)
    widgets.metrics(values)


def _curves(job_id: str, records: Sequence[EpochRecord]) -> None:
    alt = say_plural(
        "Training and validation loss of {count} epoch",
        "Training and validation loss of {count:,} epochs",
        len(records),
    )
    figures = [(loss_curves(records), alt)]
    drawn = _main_metrics(records)[:1]
    if drawn:
        alt = say("Validation {score} by epoch", score=metric_label(drawn[0]))
        figures.append((metric_curves(records, drawn), alt))
    run_charts.charts_row(figures, records, key=f"live_{job_id}")


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
        return say("under 1 s")
    if whole < 90:
        return say("{seconds} s", seconds=whole)
    minutes = round(whole / 60)
    if minutes < 90:
        return say("{minutes} min", minutes=minutes)
    return say("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)


def running_banner() -> None:
    """Point to trainings that are going on, whoever started them."""
    queue = data_access.queue()
    queue.reconcile()
    for record in queue.list(states=ACTIVE):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(say(_STANDING[record.state], title=widgets.md(record.spec.title)))
            shell.link("train", say("Follow it"), icon=":material/visibility:", job=record.job_id)


def _unfinished(record: JobRecord) -> None:
    if record.state is JobState.CANCELLED:
        widgets.info(say(_STOPPED[record.spec.kind]))
    else:
        widgets.error(record.error or say(_FAILED[record.spec.kind]))
    log = data_access.queue().log_text(record.job_id)
    if log:
        with st.expander(say("Log of the process"), icon=":material/article:"):
            st.code(log, language=None)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(say("Try again"), key=f"retry_{record.job_id}", icon=":material/replay:", type="primary"):
            retry(record.job_id)
        shell.link("train", say("Change the settings"), icon=":material/tune:", dataset=record.spec.dataset_id)


def retry(job_id: str) -> None:
    """Queue an ended job again and follow it."""
    try:
        data_access.queue().retry(job_id)
    except JobError as error:
        state.notify("error", str(error))
    state.choose("job", job_id)
    st.rerun()
