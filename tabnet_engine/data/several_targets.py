"""Several columns to predict at once, and what is left when one of them is given another role."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import pandas as pd

from tabnet_engine.data.schema import FeatureSchema, Task
from tabnet_engine.data.tasks import find_target, mark_target, set_target, without_targets
from tabnet_engine.data.wording import listed
from tabnet_engine.errors import SchemaError

__all__ = ["set_targets", "without_head"]


def set_targets(
    schema: FeatureSchema,
    frame: pd.DataFrame,
    names: Sequence[str],
    tasks: Mapping[str, Task | str] | None = None,
    positives: Mapping[str, str] | None = None,
) -> FeatureSchema:
    """The schema with one or several targets, each with its own task and classes.

    Args:
        schema: the columns; former targets that are not named become features again, where their kinds allow.
        frame: the table.
        names: the columns to predict, in any order; the schema keeps that of the table. One name is the same
            as :func:`~tabnet_engine.data.tasks.set_target`.
        tasks: the task of some of them; it is found from the values for the others, as ``"auto"`` says.
        positives: the class whose probability is reported, for some of the binary ones.

    Raises:
        SchemaError: no name, one name twice, a task or class for a column that is not named, or whatever
            :func:`~tabnet_engine.data.tasks.set_target` refuses in one of them.
    """
    tasks, positives = tasks or {}, positives or {}
    _check_names(names, {**tasks, **positives})
    if len(names) == 1:
        return set_target(schema, frame, names[0], tasks.get(names[0], "auto"), positives.get(names[0]))
    for name in names:
        schema.column(name)
    ordered = [column.name for column in schema.columns if column.name in names]
    heads = tuple(find_target(schema, frame, name, tasks.get(name, "auto"), positives.get(name)) for name in ordered)
    changed = without_targets(schema, frame, keep=ordered)
    for head in heads:
        changed = mark_target(changed, head)
    return dataclasses.replace(changed, task=Task.MULTITASK, heads=heads)


def without_head(schema: FeatureSchema, name: str) -> FeatureSchema:
    """What is predicted once the column ``name``, whose role has changed already, is no target any more."""
    left = tuple(head for head in schema.targets if head.name != name)
    if len(left) > 1:
        return dataclasses.replace(schema, heads=left)
    task, classes = (left[0].task, left[0].classes) if left else (None, ())
    return dataclasses.replace(schema, task=task, classes=classes, heads=())


def _check_names(names: Sequence[str], described: Mapping[str, object]) -> None:
    if not names:
        raise SchemaError("no target is chosen; choose the column to predict")
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise SchemaError(f"the target {twice[0]!r} is named twice; name each column to predict once")
    unknown = [name for name in described if name not in names]
    if unknown:
        raise SchemaError(
            f"a task or a positive class is given for {unknown[0]!r}, which is no target; "
            f"the targets are {listed(names)}"
        )
