"""The walkthrough's third step: train with the settings that fit the table, and watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import asked, data_access, job_panel, job_submit, run_view, state, train_start, widgets
from tabnet_engine.data.schema import Task
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from tabnet_engine.runs.run import Run

__all__ = ["training"]


def training() -> bool:
    """Train with the suggested settings, or follow the training that was started."""
    job_id = asked.job()
    if job_id is not None:
        return _follow(job_id)
    dataset_id = state.current("dataset")
    if dataset_id not in data_access.dataset_names() or data_access.schema(dataset_id).target is None:
        widgets.info(say("This step needs a table with a column to predict; go back and choose them"))
        return False
    active = data_access.queue().list(states=job_panel.ACTIVE)
    mine = next((job for job in active if job.spec.kind == "train" and job.spec.dataset_id == dataset_id), None)
    if mine is not None:
        state.choose("job", mine.job_id)
        return _follow(mine.job_id)
    run = _run_of(dataset_id)
    if run is not None:
        _look_at_losses()
        _result(run)
    _start(dataset_id, again=run is not None)
    return run is not None


def _start(dataset_id: str, *, again: bool) -> None:
    info, schema = data_access.workspace().dataset(dataset_id), data_access.schema(dataset_id)
    targets = ", ".join(target.name for target in schema.targets)
    if not train_start.enough_rows(info):
        return
    if not again:
        st.markdown(
            say(
                "**Look at:** what is learned: **{name}** from {n_features} columns, with some rows held back to test "
                "it; the suggested settings are fine for a first look.",
                name=widgets.md(targets),
                n_features=len(schema.features),
            )
        )
    label, kind = (say("Train again"), "secondary") if again else (say("Train"), "primary")
    if st.button(label, type=kind, icon=":material/play_arrow:", key="walk_train"):  # type: ignore[arg-type]
        # No settings: the worker takes those that fit the table.
        state.choose("job", job_submit.training(dataset_id, {}, title=f"{info.name}: {targets}"))
        state.fresh_token("train")
        st.rerun()


def _run_of(dataset_id: str) -> Run | None:
    """The run to show for this table: the one last looked at, else the newest; so a walk that was left goes on."""
    mine = [
        item.run_id
        for item in data_access.runs()
        if item.manifest is not None
        and item.manifest.task is not Task.PRETRAINING
        and item.manifest.dataset.dataset_id == dataset_id
    ]
    current = state.current("run")
    if not mine:
        return None
    run_id = current if current in mine else mine[0]
    _take(run_id)
    return data_access.run(run_id)


def _take(run_id: str) -> None:
    """Go on with this run; a row and a class of another mean nothing in it."""
    if state.current("run") != run_id:
        state.clear("row", "class")
    state.choose("run", run_id)


def _follow(job_id: str) -> bool:
    _look_at_losses()
    record = job_panel.job_panel(job_id)
    if record is None:
        return False
    if record.spec.run_id not in data_access.run_names():
        widgets.info(say("The run that this training made was deleted, or is damaged"))
        if record.spec.dataset_id in data_access.dataset_names():
            _start(record.spec.dataset_id, again=True)
        return False
    _take(record.spec.run_id)
    _result(data_access.run(record.spec.run_id))
    return True


def _result(run: Run) -> None:
    run_view.summary(run)
    run_view.curves(run, schedule=False)


def _look_at_losses() -> None:
    st.markdown(
        say(
            "**Look at:** the two losses. Both should fall; when only the training loss still falls, the model starts "
            "to learn by heart, and the epoch before that is kept."
        )
    )
