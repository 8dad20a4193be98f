"""The head of the tables page: which table, its size, adding and deleting, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import asked, data_access, dataset_add, shell, state, train_start, widgets

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
        dataset_id = widgets.choice("Table", names, asked.item("dataset", names, "table"), key="dataset_choice")
    state.choose("dataset", dataset_id)
    with right:
        _delete(dataset_id, names[dataset_id])
    # Named after the uploader, so that it folds again once a file was added.
    with st.expander("Add another table", icon=":material/add:", key=f"add_{state.token('upload')}"):
        if dataset_add.sources():
            st.rerun()
    return dataset_id


def _delete(dataset_id: str, name: str) -> None:
    with st.popover("Delete", icon=":material/delete:", width="stretch"):
        st.markdown(f"Delete the table **{widgets.md(name)}**? Its runs stay, but can no longer show its rows.")
        if st.button("Delete this table", type="primary", key=f"delete_{dataset_id}"):
            data_access.workspace().delete_dataset(dataset_id)
            state.clear("dataset")
            state.notify("success", f"The table {name!r} was deleted")
            st.rerun()


def facts(info: DatasetInfo, schema: FeatureSchema) -> None:
    """Size of the table and what is made of its columns."""
    widgets.metrics(
        {
            "Rows": f"{info.n_rows:,}",
            "Columns": f"{info.n_columns:,}",
            "Features": f"{len(schema.features):,}",
            "Task": _task_words(schema),
        },
        help_texts={"Features": "Columns that the model may read.", "Task": "Found from the column to predict."},
    )


def _task_words(schema: FeatureSchema) -> str:
    if schema.task is None:
        return "not chosen"
    return f"{len(schema.targets)} targets" if len(schema.targets) > 1 else schema.task.value


def next_step(dataset_id: str, schema: FeatureSchema) -> None:
    """What to do now: choose a target and train, or pretrain without one."""
    if schema.target is None:
        widgets.info("Choose the column to predict; then a model can be trained")
    elif not schema.features:
        widgets.info(train_start.NO_FEATURE)
    with st.container(horizontal=True, gap="small"):
        if schema.target is not None and schema.features:
            label = "Train on this table"
            if st.button(label, type="primary", icon=":material/arrow_forward:", icon_position="right", key="go_train"):
                shell.open_page("train", dataset=dataset_id, mode=train_start.PREDICT)
        if st.button(
            train_start.PRETRAIN,
            icon=":material/visibility_off:",
            key="go_pretrain",
            help="The network learns from the cells alone; a training can start from it.",
        ):
            shell.open_page("train", dataset=dataset_id, mode=train_start.PRETRAIN)
