"""What is predicted: the target column, the task found for it, the positive class."""

from __future__ import annotations

import streamlit as st

from pages._ui import data_access, widgets
from tabnet_engine.data.kinds import set_target
from tabnet_engine.data.schema import SINGLE_TASKS, FeatureSchema, Task
from tabnet_engine.errors import SchemaError

__all__ = ["TASK_NAMES", "target_controls"]

TASK_NAMES = {
    Task.BINARY: "binary: one of two classes",
    Task.MULTICLASS: "multiclass: one of several classes",
    Task.REGRESSION: "regression: a number",
}


def target_controls(dataset_id: str, schema: FeatureSchema) -> FeatureSchema:
    """Choose target, task and positive class; the schema is stored at each change and handed back.

    A choice that does not fit the column shows its reason and leaves the stored schema as it was.
    """
    left, middle, right = st.columns(3)
    with left:
        target = _target_choice(dataset_id, schema)
    if target is None:
        return schema
    if schema.target is None or schema.task is None or target != schema.target.name:
        return _store(dataset_id, schema, target, "auto", None)
    with middle:
        task = _task_choice(dataset_id, target, schema.task)
    if task is not schema.task:
        return _store(dataset_id, schema, target, task, None)
    with right:
        positive = _positive_choice(dataset_id, schema)
    if positive is not None and positive != schema.classes[1]:
        return _store(dataset_id, schema, target, task, positive)
    return schema


def _target_choice(dataset_id: str, schema: FeatureSchema) -> str | None:
    names = [column.name for column in schema.columns]
    current = schema.target
    return st.selectbox(
        "Column to predict",
        names,
        index=None if current is None else names.index(current.name),
        placeholder="Choose a column",
        key=f"target_{dataset_id}_{current.name if current else ''}",
        help="The target. Every other column with the role 'feature' may be read by the model.",
    )


def _task_choice(dataset_id: str, target: str, current: Task) -> Task:
    tasks = list(SINGLE_TASKS)
    return st.selectbox(
        "Task",
        tasks,
        index=tasks.index(current),
        format_func=TASK_NAMES.__getitem__,
        key=f"task_{dataset_id}_{target}_{current}",
        help="Found from the target's values; change it when the values mislead.",
    )


def _positive_choice(dataset_id: str, schema: FeatureSchema) -> str | None:
    if schema.task is not Task.BINARY or len(schema.classes) != 2:
        return None
    return st.selectbox(
        "Positive class",
        schema.classes,
        index=1,
        key=f"positive_{dataset_id}_{schema.classes[1]}",
        help="The class whose probability is reported and that contributions push towards.",
    )


def _store(dataset_id: str, schema: FeatureSchema, target: str, task: str, positive: str | None) -> FeatureSchema:
    try:
        changed = set_target(schema, data_access.frame(dataset_id), target, task=task, positive=positive)
    except SchemaError as error:
        widgets.error(str(error))
        return schema
    data_access.workspace().save_schema(dataset_id, changed)
    return st.rerun()
