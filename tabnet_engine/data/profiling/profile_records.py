"""What a profile says about a table: plain records that travel as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from tabnet_engine.data.schema import Kind, Role
from tabnet_engine.errors import SchemaError

__all__ = [
    "Association",
    "ColumnProfile",
    "Histogram",
    "Severity",
    "TableProfile",
    "TableWarning",
    "TargetProfile",
    "Topic",
]


class Severity(StrEnum):
    """How much a warning may change what the model is worth."""

    INFO = "info"
    WARNING = "warning"
    SERIOUS = "serious"


class Topic(StrEnum):
    """What a warning is about."""

    LEAKAGE = "leakage"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"
    TEXT = "text"
    DUPLICATED_ROWS = "duplicated_rows"
    DUPLICATED_COLUMNS = "duplicated_columns"
    CLASS_IMBALANCE = "class_imbalance"
    MISSING = "missing"
    CAPPED_TARGET = "capped_target"


@dataclass(frozen=True)
class TableWarning:
    """Something the user should know before training: the number measured and what to do about it."""

    severity: Severity
    topic: Topic
    columns: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Association:
    """How strongly one column goes with the target, alone, from 0 (none) to 1 (complete)."""

    measure: str
    value: float


@dataclass(frozen=True)
class Histogram:
    """Rows in each bin; ``edges`` has one entry more than ``counts``. Dates are seconds since 1970 (UTC)."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class ColumnProfile:
    """One column in numbers.

    ``top_values`` are the most frequent values as text with ``top_counts`` rows each; ``n_other`` rows
    hold any other value. Numbers and dates have a histogram and the five statistics (a date's are
    seconds since 1970, UTC, ``std`` in seconds); they are None elsewhere, and where the range of the
    values is too wide for a float. ``association`` is that with the first target.
    """

    name: str
    kind: Kind
    role: Role
    n_missing: int
    missing_share: float
    n_unique: int
    top_values: tuple[str, ...] = ()
    top_counts: tuple[int, ...] = ()
    n_other: int = 0
    histogram: Histogram | None = None
    minimum: float | None = None
    median: float | None = None
    mean: float | None = None
    maximum: float | None = None
    std: float | None = None
    association: Association | None = None


@dataclass(frozen=True, kw_only=True)
class TargetProfile:
    """One target: the rows of each of its classes, and how each column goes with it (by the column's name)."""

    name: str
    classes: tuple[str, ...] = ()
    class_counts: tuple[int, ...] = ()
    associations: Mapping[str, Association] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TableProfile:
    """A table in numbers.

    ``targets`` describes every target in table order; ``target``, ``classes`` and ``class_counts`` are those
    of the first. ``notes`` say what was measured on a part of the rows or columns only.
    """

    n_rows: int
    n_columns: int
    columns: tuple[ColumnProfile, ...]
    warnings: tuple[TableWarning, ...] = ()
    notes: tuple[str, ...] = ()
    target: str | None = None
    classes: tuple[str, ...] = ()
    class_counts: tuple[int, ...] = ()
    targets: tuple[TargetProfile, ...] = ()

    def column(self, name: str) -> ColumnProfile:
        """The profile of the column called ``name``.

        Raises:
            SchemaError: no column has that name.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise SchemaError(f"the profile has no column {name!r}; profile the table again")

    def to_mapping(self) -> dict[str, Any]:
        """The profile as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote.

        Raises:
            SchemaError: a part is missing or is not what a profile holds.
        """
        try:
            tuples = {key: tuple(values[key]) for key in ("notes", "classes", "class_counts")}
            return cls(
                n_rows=int(values["n_rows"]),
                n_columns=int(values["n_columns"]),
                columns=tuple(_column(item) for item in values["columns"]),
                warnings=tuple(_warning(item) for item in values["warnings"]),
                target=values["target"],
                targets=tuple(_target(item) for item in values["targets"]),
                **tuples,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise SchemaError(f"the profile cannot be read: {error}") from error


def _warning(item: Mapping[str, Any]) -> TableWarning:
    severity, topic = Severity(item["severity"]), Topic(item["topic"])
    return TableWarning(severity, topic, tuple(item["columns"]), str(item["text"]))


def _target(item: Mapping[str, Any]) -> TargetProfile:
    return TargetProfile(
        name=str(item["name"]),
        classes=tuple(item["classes"]),
        class_counts=tuple(item["class_counts"]),
        associations={name: _association(value) for name, value in item["associations"].items()},
    )


def _association(item: Mapping[str, Any]) -> Association:
    return Association(item["measure"], item["value"])


def _column(item: Mapping[str, Any]) -> ColumnProfile:
    histogram, association = item["histogram"], item["association"]
    changed = {
        "kind": Kind(item["kind"]),
        "role": Role(item["role"]),
        "top_values": tuple(item["top_values"]),
        "top_counts": tuple(item["top_counts"]),
        "histogram": histogram and Histogram(tuple(histogram["edges"]), tuple(histogram["counts"])),
        "association": association and _association(association),
    }
    return ColumnProfile(**{**item, **changed})
