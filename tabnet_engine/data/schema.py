"""Columns, their kinds and roles: made once, travelling with every run (see ``FeatureSchema``)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from tabnet_engine.errors import SchemaError
from tabnet_engine.texts.speaking import msg

__all__ = ["KIND_NAMES", "SINGLE_TASKS", "Column", "FeatureSchema", "Kind", "Role", "Target", "Task"]


class Kind(StrEnum):
    """What the values of a column are."""

    NUMBER = "number"
    CATEGORY = "category"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"
    TEXT = "text"


# What a reader calls each kind.
KIND_NAMES = {
    Kind.NUMBER: msg("number"),
    Kind.CATEGORY: msg("category"),
    Kind.BOOLEAN: msg("boolean"),
    Kind.DATETIME: msg("datetime"),
    Kind.IDENTIFIER: msg("identifier"),
    Kind.CONSTANT: msg("constant"),
    Kind.TEXT: msg("text"),
}


class Role(StrEnum):
    """What a column is used for."""

    FEATURE = "feature"
    TARGET = "target"
    IGNORED = "ignored"
    ROW_ID = "row_id"


class Task(StrEnum):
    """What is predicted: one target of one of three kinds, several targets, or (in pretraining) the input itself."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
    MULTITASK = "multitask"
    PRETRAINING = "pretraining"


SINGLE_TASKS = (Task.BINARY, Task.MULTICLASS, Task.REGRESSION)


ENCODABLE = frozenset({Kind.NUMBER, Kind.CATEGORY, Kind.BOOLEAN, Kind.DATETIME})
CATEGORICAL = frozenset({Kind.CATEGORY, Kind.BOOLEAN})


@dataclass(frozen=True, kw_only=True)
class Column:
    """One raw column of the user's table.

    ``why`` is one plain sentence for the user: why this kind and role were chosen. ``categories`` is
    filled, from the training rows only, when the encoder is fitted. ``datetime_parts`` names the parts
    that a date is expanded to; every mask and attribution is still reported on this one column.
    """

    name: str
    kind: Kind
    role: Role = Role.FEATURE
    why: str = ""
    categories: tuple[str, ...] = ()
    integer: bool = False
    unit: str | None = None
    datetime_parts: tuple[str, ...] = ()
    group: str | None = None

    @property
    def is_feature(self) -> bool:
        """Whether the model reads this column."""
        return self.role is Role.FEATURE and self.kind in ENCODABLE


@dataclass(frozen=True, kw_only=True)
class Target:
    """One column to predict: its task, and its classes as text (for a binary task the second is the positive one)."""

    name: str
    task: Task
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FeatureSchema:
    """The columns in table order, and what is predicted. Methods return new schemas.

    ``classes`` holds the classes of a single target as text; for a binary task the second is the positive one,
    the class whose probability is reported. With several targets ``task`` is :attr:`Task.MULTITASK`,
    ``classes`` is empty and ``heads`` describes each target; read :attr:`targets`, which serves both.
    """

    columns: tuple[Column, ...]
    task: Task | None = None
    classes: tuple[str, ...] = ()
    heads: tuple[Target, ...] = ()

    @property
    def targets(self) -> tuple[Target, ...]:
        """What is predicted, in table order: none, one or several."""
        if self.heads or self.target is None or self.task is None:
            return self.heads
        return (Target(name=self.target.name, task=self.task, classes=self.classes),)

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns the model reads, in table order: the F of every mask and attribution."""
        return tuple(column for column in self.columns if column.is_feature)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of :attr:`features`."""
        return tuple(column.name for column in self.features)

    @property
    def own_words(self) -> frozenset[str]:
        """The user's own words: names of columns, categories and classes."""
        texts = [
            self.classes,
            *(target.classes for target in self.targets),
            *(item.categories for item in self.columns),
        ]
        return frozenset(item.name for item in self.columns).union(*texts)

    @property
    def n_categorical(self) -> int:
        """How many of :attr:`features` hold categories or truth values."""
        return sum(column.kind in CATEGORICAL for column in self.features)

    @property
    def target(self) -> Column | None:
        """The column to predict, when one is chosen; the first of several."""
        return next((column for column in self.columns if column.role is Role.TARGET), None)

    @property
    def row_id(self) -> Column | None:
        """The column that names rows, when one is chosen."""
        return next((column for column in self.columns if column.role is Role.ROW_ID), None)

    def column(self, name: str) -> Column:
        """The column called ``name``.

        Raises:
            SchemaError: no column has that name.
        """
        for column in self.columns:
            if column.name == name:
                return column
        names = ", ".join(repr(column.name) for column in self.columns[:20])
        more = ", …" if len(self.columns) > 20 else ""
        raise SchemaError(f"there is no column {name!r}; the columns are {names}{more}")

    def with_column(self, name: str, **changes: Any) -> Self:
        """The schema with some attributes of one column changed."""
        changed = dataclasses.replace(self.column(name), **changes)
        columns = tuple(changed if column.name == name else column for column in self.columns)
        return dataclasses.replace(self, columns=columns)

    def to_mapping(self) -> dict[str, Any]:
        """The schema as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote.

        Raises:
            SchemaError: a part is missing or is not what a schema holds.
        """
        try:
            columns = tuple(_column(item) for item in values["columns"])
            task = None if values["task"] is None else Task(values["task"])
            heads = tuple(_head(item) for item in values.get("heads", ()))
            _check_heads(columns, task, heads)
            return cls(columns=columns, task=task, classes=tuple(values["classes"]), heads=heads)
        except (KeyError, TypeError, ValueError) as error:
            raise SchemaError(f"the schema cannot be read: {error}") from error


def _column(item: Mapping[str, Any]) -> Column:
    texts = {key: tuple(item[key]) for key in ("categories", "datetime_parts")}
    return Column(**{**item, **texts, "kind": Kind(item["kind"]), "role": Role(item["role"])})


def _check_heads(columns: tuple[Column, ...], task: Task | None, heads: tuple[Target, ...]) -> None:
    chosen = [column.name for column in columns if column.role is Role.TARGET]
    several = task is Task.MULTITASK
    if several != (len(heads) > 1) or (len(chosen) > 1 and not several):
        raise ValueError("several targets must each be described")
    if heads and [head.name for head in heads] != chosen:
        raise ValueError("the targets described are not the columns with that role")


def _head(item: Mapping[str, Any]) -> Target:
    return Target(name=str(item["name"]), task=Task(item["task"]), classes=tuple(map(str, item["classes"])))
