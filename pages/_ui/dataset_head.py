"""The head of the tables page: which table, its size, adding and deleting, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import asked, data_access, dataset_add, dataset_words, shell, state, train_start, widgets
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from tabnet_engine.data.schema import FeatureSchema
    from tabnet_engine.runs.workspace import DatasetInfo

__all__ = ["choose", "facts", "next_step"]


def choose() -> str | None:
    """The table to show; None when the workspace has none yet."""
    names = data_access.dataset_names()
    if not names:
        return None
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    with left:
        dataset_id = widgets.choice(say("Table"), names, asked.item("dataset", names, "table"), key="dataset_choice")
    state.choose("dataset", dataset_id)
    with right:
        _delete(dataset_id, names[dataset_id])
    # Named after the uploader, so that it folds again once a file was added.
    with st.expander(say("Add another table"), icon=":material/add:", key=f"add_{state.token('upload')}"):
        if dataset_add.sources():
            st.rerun()
    return dataset_id


def _delete(dataset_id: str, name: str) -> None:
    with st.popover(say("Delete"), icon=":material/delete:", width="stretch"):
        st.markdown(
            say("Delete the table **{name}**? Its runs stay, but can no longer show its rows.", name=widgets.md(name))
        )
        if st.button(say("Delete this table"), type="primary", key=f"delete_{dataset_id}"):
            data_access.workspace().delete_dataset(dataset_id)
            state.clear("dataset")
            state.notify("success", say("The table “{name}” was deleted", name=name))
            st.rerun()


def facts(info: DatasetInfo, schema: FeatureSchema) -> None:
    """Size of the table and what is made of its columns."""
    features, task = say("Features"), say("Task")
    widgets.metrics(
        {
            say("Rows"): f"{info.n_rows:,}",
            say("Columns"): f"{info.n_columns:,}",
            features: f"{len(schema.features):,}",
            task: _task_words(schema),
        },
        help_texts={
            features: say("Columns that the model may read."),
            task: say("Found from the column to predict."),
        },
    )


def _task_words(schema: FeatureSchema) -> str:
    if schema.task is None:
        return say("not chosen")
    if len(schema.targets) > 1:
        return say("{n_targets} targets", n_targets=len(schema.targets))
    return dataset_words.task(schema.task)


def next_step(dataset_id: str, schema: FeatureSchema) -> None:
    """What to do now: choose a target and train, or pretrain without one."""
    if schema.target is None:
        widgets.info(say("Choose the column to predict; then a model can be trained"))
    elif not schema.features:
        widgets.info(say(train_start.NO_FEATURE))
    with st.container(horizontal=True, gap="small"):
        if schema.target is not None and schema.features:
            label = say("Train on this table")
            if st.button(label, type="primary", icon=":material/arrow_forward:", icon_position="right", key="go_train"):
                shell.open_page("train", dataset=dataset_id, mode=train_start.PREDICT)
        if st.button(
            say(train_start.MODES[train_start.PRETRAIN]),
            icon=":material/visibility_off:",
            key="go_pretrain",
            help=say("The network learns from the cells alone; a training can start from it."),
        ):
            shell.open_page("train", dataset=dataset_id, mode=train_start.PRETRAIN)
