"""The target and its task: binary, multiclass or regression, found from the values."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from tabnet_engine.data.proposals import propose_column, propose_schema
from tabnet_engine.data.schema import ENCODABLE, SINGLE_TASKS, Column, FeatureSchema, Kind, Role, Target, Task
from tabnet_engine.data.values import as_numbers, factorise, value_order
from tabnet_engine.data.wording import listed, quoted
from tabnet_engine.errors import SchemaError

__all__ = ["MAX_CLASSES", "find_target", "mark_target", "set_target", "without_targets"]

MAX_CLASSES = 100
# Whole numbers are classes when they are few and each occurs several times; otherwise a quantity.
_MAX_NUMBER_CLASSES = 20
_ROWS_PER_NUMBER_CLASS = 5

_AFFIRMATIVE = frozenset({"true", "yes", "y", "t", "positive", "pos"})


def set_target(
    schema: FeatureSchema, frame: pd.DataFrame, target: str, task: Task | str = "auto", positive: str | None = None
) -> FeatureSchema:
    """The schema with a target, its task and its classes.

    With ``task="auto"``: two different values are binary; texts and few whole numbers multiclass; all
    other numbers regression. The positive class of a binary task is ``positive``, else an affirmative
    one (true, yes, positive), else the larger of two numbers or the one written with ">", else the
    rarer one.

    Args:
        schema: the columns; former targets become features again, where their kinds allow.
        frame: the table.
        target: name of the column to predict.
        task: the task, or "auto".
        positive: the class whose probability is reported; only for a binary task.

    Raises:
        SchemaError: no such column, task or class; a target that is missing everywhere, has one value,
            names rows, holds dates, has too many classes, or does not fit the task.
    """
    found = find_target(schema, frame, target, task, positive)
    changed = mark_target(without_targets(schema, frame, keep=(target,)), found)
    return dataclasses.replace(changed, task=found.task, classes=found.classes)


def find_target(
    schema: FeatureSchema, frame: pd.DataFrame, name: str, task: Task | str = "auto", positive: str | None = None
) -> Target:
    """The task and the classes of one column to predict; arguments and errors are those of :func:`set_target`."""
    column = schema.column(name)
    series = frame[name]
    counts = _class_counts(series)
    _refuse_unusable(name, column.kind, counts, task)
    found = _found_task(series, counts) if task == "auto" else _asked_task(task)
    _check_task(series, counts, found)
    if found is Task.BINARY:
        return Target(name=name, task=found, classes=_positive_last(name, counts, positive))
    if positive is not None:
        raise SchemaError(f"a positive class is chosen for two classes only; the task of {name!r} is {found}")
    classes = () if found is Task.REGRESSION else tuple(sorted(counts, key=value_order))
    return Target(name=name, task=found, classes=classes)


def mark_target(schema: FeatureSchema, target: Target) -> FeatureSchema:
    """The schema with the role and the reason of a target on its column; its task is left to the caller."""
    why = f"The target: {len(target.classes)} classes."
    if target.task is Task.REGRESSION:
        why = "The target: a quantity."
    elif target.task is Task.BINARY:
        why = f"The target: {listed(target.classes[1:])} is the positive class, against {listed(target.classes[:1])}."
    return schema.with_column(target.name, role=Role.TARGET, why=why, categories=())


def without_targets(schema: FeatureSchema, frame: pd.DataFrame, *, keep: Collection[str] = ()) -> FeatureSchema:
    """The schema without a task; targets become features again where their kind allows, except those to ``keep``."""
    changed = dataclasses.replace(schema, task=None, classes=(), heads=())
    for column in schema.columns:
        if column.role is Role.TARGET and column.name not in keep:
            changed = _as_before(changed, frame, column)
    return changed


def _class_counts(series: pd.Series[Any]) -> dict[str, int]:
    codes, texts = factorise(series)
    counts: dict[str, int] = {}
    for text, count in zip(texts, np.bincount(codes[codes >= 0], minlength=len(texts)).tolist(), strict=True):
        counts[text] = counts.get(text, 0) + count
    return counts


def _refuse_unusable(target: str, kind: Kind, counts: dict[str, int], task: str) -> None:
    if not counts:
        raise SchemaError(f"the target {target!r} is missing in every row; choose another target")
    if len(counts) == 1:
        only = next(iter(counts))
        raise SchemaError(
            f"the target {target!r} has one value only, {quoted(only)}: nothing to predict; choose another"
        )
    if kind is Kind.DATETIME:
        raise SchemaError(f"the target {target!r} holds dates, which cannot be predicted; choose another target")
    if kind in {Kind.IDENTIFIER, Kind.TEXT} and task == "auto" and len(counts) > 2:
        raise SchemaError(
            f"the target {target!r} is of kind {kind}, a different value in almost every row; choose another target, "
            "or its task if it is meant"
        )


def _found_task(series: pd.Series[Any], counts: dict[str, int]) -> Task:
    if len(counts) == 2:
        return Task.BINARY
    if not pd.api.types.is_numeric_dtype(series.dtype):
        return Task.MULTICLASS
    numbers = as_numbers(series)
    whole = bool((numbers == np.floor(numbers))[~np.isnan(numbers)].all())
    few = len(counts) <= min(_MAX_NUMBER_CLASSES, sum(counts.values()) / _ROWS_PER_NUMBER_CLASS)
    return Task.MULTICLASS if whole and few else Task.REGRESSION


def _asked_task(task: Task | str) -> Task:
    if task not in SINGLE_TASKS:
        raise SchemaError(f"there is no task {str(task)!r}; the tasks are auto, {', '.join(SINGLE_TASKS)}")
    return Task(task)


def _check_task(series: pd.Series[Any], counts: dict[str, int], task: Task) -> None:
    if task is Task.REGRESSION:
        as_numbers(series)
    elif task is Task.BINARY and len(counts) != 2:
        names = listed(sorted(counts, key=value_order), 3)
        raise SchemaError(f"a binary target has two values; {series.name!r} has {len(counts):,}: {names}")
    elif len(counts) > MAX_CLASSES:
        raise SchemaError(
            f"the target {series.name!r} has {len(counts):,} different values; at most {MAX_CLASSES} can be classes; "
            "choose another target, or regression if its values are numbers"
        )


def _positive_last(target: str, counts: dict[str, int], positive: str | None) -> tuple[str, ...]:
    ordered = sorted(counts, key=value_order)
    if positive is None:
        positive = _natural_positive(ordered, counts)
    elif positive not in counts:
        raise SchemaError(f"{quoted(positive)} is no class of {target!r}; its classes are {listed(ordered)}")
    return (*(name for name in ordered if name != positive), positive)


def _natural_positive(ordered: list[str], counts: dict[str, int]) -> str:
    for name in ordered:
        if name.casefold() in _AFFIRMATIVE:
            return name
    if value_order(ordered[0])[0] == 0 and value_order(ordered[1])[0] == 0:
        return ordered[1]
    greater = [name for name in ordered if name.startswith((">", "≥"))]
    if len(greater) == 1:
        return greater[0]
    return ordered[0] if counts[ordered[0]] < counts[ordered[1]] else ordered[1]


def _as_before(schema: FeatureSchema, frame: pd.DataFrame, former: Column) -> FeatureSchema:
    proposal = propose_column(former.name, frame[former.name])
    if proposal.kind is not former.kind:  # proposed among the other columns, or chosen by the user
        proposal = propose_schema(frame).column(former.name)
    why = proposal.why if proposal.kind is former.kind else f"Kind {former.kind} was chosen by the user."
    role = Role.FEATURE if former.kind in ENCODABLE else Role.IGNORED
    return schema.with_column(former.name, role=role, why=why)
