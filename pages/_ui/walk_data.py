"""The walkthrough's first steps: a table, and what is to be predicted."""

from __future__ import annotations

import streamlit as st

from pages._ui import data_access, dataset_add, dataset_profile, dataset_target, dataset_words, state, widgets
from pages._ui.dataset_preview import dates_config
from pages._ui.job_panel import ACTIVE
from tabnet_engine.texts.speaking import say

__all__ = ["table", "target"]

_ROWS_SHOWN = 8


def table() -> bool:
    """Upload a table, take a sample, or go on with one that is there."""
    st.markdown(
        say(
            "TabNet reads a row in a few **decision steps**; in each, a **mask** says which columns it looked at. At "
            "the end of this walkthrough stands one question: why did this row get its answer?"
        )
    )
    st.markdown(
        say(
            "**Look at:** the credit applications, for their true rule is known and you can judge what you will see; "
            "or bring a table of your own."
        )
    )
    with st.container(border=True):
        if dataset_add.sources():
            state.clear("run", "job", "row", "class")
            state.choose("stage", "2")
            st.rerun()
    _resume()
    names = data_access.dataset_names()
    if not names:
        return False
    current = state.current("dataset")
    dataset_id = widgets.choice(say("Or go on with a table of this workspace"), names, current, key="walk")
    if current is not None and dataset_id != current:
        state.clear("run", "job", "row", "class")  # what was trained on another table is another walk
    state.choose("dataset", dataset_id)
    return True


def _resume() -> None:
    """Offer the training that is going on, or the newest run: a walk that was left goes on from there."""
    job = next((record for record in data_access.queue().list(states=ACTIVE) if record.spec.kind == "train"), None)
    trained = data_access.run_names()
    mine = (item for item in data_access.runs() if item.run_id in trained)
    run = next((item for item in mine if item.manifest and item.manifest.dataset.dataset_id is not None), None)
    if job is not None:
        title, ids = job.spec.title, {"dataset": job.spec.dataset_id, "job": job.job_id, "stage": "3"}
    elif run is not None and run.manifest is not None:
        title, ids = run.title, {"dataset": run.manifest.dataset.dataset_id, "run": run.run_id, "stage": "4"}
    else:
        return
    label = say("Resume: {title}", title=widgets.md(title))
    if st.button(label, key="resume", icon=":material/play_circle:", help=say("Go on where the last training stands.")):
        for name, value in ids.items():
            if value is not None:
                state.choose(name, value)
        st.rerun()


def target() -> bool:
    """Choose the column to predict, with the first rows in view."""
    dataset_id = state.current("dataset")
    if dataset_id not in data_access.dataset_names():
        widgets.info(say("This step needs a table; go back and choose one"))
        return False
    st.markdown(say("**Look at:** the first rows. Which column would you like to know before it happens?"))
    rows = data_access.frame(dataset_id)
    part = rows.head(_ROWS_SHOWN)
    st.dataframe(part, key=f"walk_rows_{dataset_id}", column_config=dates_config(part), placeholder=say("missing"))
    st.caption(
        say(
            "The first {n_shown} of {n_rows:,} rows, {n_columns:,} columns.",
            n_shown=min(_ROWS_SHOWN, len(rows)),
            n_rows=len(rows),
            n_columns=rows.shape[1],
        )
    )
    schema = dataset_target.target_controls(dataset_id, data_access.schema(dataset_id))
    if schema.target is None:
        return False
    targets = [schema.column(target.name) for target in schema.targets]
    for column in targets:
        introduced = f"{column.name}: {widgets.said(column.why)}" if len(targets) > 1 else widgets.said(column.why)
        st.caption(widgets.as_sentence(introduced, capital=len(targets) == 1))
    dataset_profile.serious_warnings(data_access.profile(dataset_id, schema), dataset_id)
    left_out = [column for column in schema.columns if column not in targets and not column.is_feature]
    if left_out:
        sentences = [
            f"{column.name}: {widgets.said(column.why) or dataset_words.kind(column.kind)}" for column in left_out
        ]
        widgets.notes(say("Left out of the model"), sentences[:10])
    return True
