"""What is predicted: one column or several, the task found for each, the positive class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import data_access, widgets
from tabnet_engine.data.kinds import set_targets
from tabnet_engine.data.schema import SINGLE_TASKS, FeatureSchema, Target, Task
from tabnet_engine.errors import SchemaError
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

__all__ = ["TASK_NAMES", "target_controls"]

TASK_NAMES = {
    Task.BINARY: msg("binary: one of two classes"),
    Task.MULTICLASS: msg("multiclass: one of several classes"),
    Task.REGRESSION: msg("regression: a number"),
}


def target_controls(dataset_id: str, schema: FeatureSchema) -> FeatureSchema:
    """Choose targets, the task of each and its positive class; the schema is stored at each change and handed back.

    A choice that does not fit the column shows its reason and leaves the stored schema as it was.
    """
    left, middle, right = st.columns(3)
    with left:
        first = _first_choice(dataset_id, schema)
    if first is None:
        return schema
    present = _first_name(dataset_id, schema)
    if first != present:
        others = [name for name in _names(schema) if name not in (present, first)]
        return _store(dataset_id, schema, [first, *others])
    # Where there are several, the task of each has a line of its own below.
    several = len(schema.targets) > 1
    if several:
        with middle:
            further = _further_choice(dataset_id, schema, first)
        changed = _lines(dataset_id, schema)
    else:
        changed = _task_and_class(dataset_id, schema, schema.targets[0], middle, right)
        further = _further_choice(dataset_id, schema, first)
    if changed is not schema:
        return changed
    if set(further) != set(_names(schema)) - {first}:
        return _store(dataset_id, schema, [first, *further])
    return schema


def _names(schema: FeatureSchema) -> list[str]:
    return [target.name for target in schema.targets]


def _first_name(dataset_id: str, schema: FeatureSchema) -> str | None:
    """The target that was chosen first: the schema keeps the table's order, the page the user's."""
    names = _names(schema)
    chosen = st.session_state.get(f"first_target_{dataset_id}")
    return chosen if chosen in names else names[0] if names else None


def _in_users_order(dataset_id: str, schema: FeatureSchema) -> list[str]:
    first = _first_name(dataset_id, schema)
    return sorted(_names(schema), key=lambda name: name != first)


def _first_choice(dataset_id: str, schema: FeatureSchema) -> str | None:
    names = [column.name for column in schema.columns]
    current = _first_name(dataset_id, schema)
    return st.selectbox(
        say("Column to predict"),
        names,
        index=None if current is None else names.index(current),
        placeholder=say("Choose a column"),
        key=f"target_{dataset_id}_{current or ''}",
        help=say("The target. Every other column with the role 'feature' may be read by the model."),
    )


def _further_choice(dataset_id: str, schema: FeatureSchema, first: str) -> list[str]:
    chosen = [name for name in _names(schema) if name != first]
    digest = "|".join([first, *chosen])
    return st.multiselect(
        say("Also predict"),
        [column.name for column in schema.columns if column.name != first],
        default=chosen,
        placeholder=say("no other column"),
        key=f"further_{dataset_id}_{digest}",
        help=say("One model can predict several columns at once, numbers and classes together. It reads none of them."),
    )


def _lines(dataset_id: str, schema: FeatureSchema) -> FeatureSchema:
    """One line for each of several targets: its task, its positive class."""
    for target in schema.targets:
        left, middle, _ = st.columns(3)
        changed = _task_and_class(dataset_id, schema, target, left, middle)
        if changed is not schema:
            return changed
    return schema


def _task_and_class(
    dataset_id: str, schema: FeatureSchema, target: Target, for_task: DeltaGenerator, for_class: DeltaGenerator
) -> FeatureSchema:
    """Task and positive class of one target; the schema itself where nothing was changed."""
    several, name = len(schema.targets) > 1, widgets.md(target.name)
    with for_task:
        task = _task_choice(dataset_id, target, say("Task of {name}", name=name) if several else say("Task"))
    if task is not target.task:
        return _store(dataset_id, schema, _in_users_order(dataset_id, schema), tasks={target.name: task})
    with for_class:
        label = say("Positive class of {name}", name=name) if several else say("Positive class")
        positive = _positive_choice(dataset_id, target, label)
    if positive is not None and positive != target.classes[1]:
        return _store(dataset_id, schema, _in_users_order(dataset_id, schema), positives={target.name: positive})
    return schema


def _task_choice(dataset_id: str, target: Target, label: str) -> Task:
    tasks = list(SINGLE_TASKS)
    return st.selectbox(
        label,
        tasks,
        index=tasks.index(target.task),
        format_func=lambda task: say(TASK_NAMES[task]),
        key=f"task_{dataset_id}_{target.name}_{target.task}",
        help=say("Found from the target's values; change it when the values mislead."),
    )


def _positive_choice(dataset_id: str, target: Target, label: str) -> str | None:
    if target.task is not Task.BINARY or len(target.classes) != 2:
        return None
    return st.selectbox(
        label,
        target.classes,
        index=1,
        key=f"positive_{dataset_id}_{target.name}_{target.classes[1]}",
        help=say("The class whose probability is reported and that contributions push towards."),
    )


def _store(
    dataset_id: str,
    schema: FeatureSchema,
    names: list[str],
    *,
    tasks: dict[str, Task] | None = None,
    positives: dict[str, str] | None = None,
) -> FeatureSchema:
    """Store what was chosen; targets that stay keep their task and positive class unless these were changed."""
    staying = [target for target in schema.targets if target.name in names and target.name not in (tasks or {})]
    kept = {target.name: target.classes[1] for target in staying if target.task is Task.BINARY}
    try:
        changed = set_targets(
            schema,
            data_access.frame(dataset_id),
            names,
            tasks={**{target.name: target.task for target in staying}, **(tasks or {})},
            positives={**kept, **(positives or {})},
        )
    except SchemaError as error:
        widgets.error(str(error))
        return schema
    st.session_state[f"first_target_{dataset_id}"] = names[0]
    data_access.workspace().save_schema(dataset_id, changed)
    return st.rerun()
