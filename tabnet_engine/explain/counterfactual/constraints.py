"""What may change and how: the user's limits on single columns and on columns that move together.

Limits bind changes only: a row's own value may stay even where it lies outside them. No torch: pages import this.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import pandas as pd

from tabnet_engine.data.schema import Column, FeatureSchema, Kind
from tabnet_engine.data.values import as_timestamps
from tabnet_engine.data.wording import listed, quoted
from tabnet_engine.errors import ExplanationError, SchemaError
from tabnet_engine.texts.speaking import msg, say

__all__ = ["Bond", "Constraint", "Constraints", "Direction", "Together", "bound_number", "typed_bound"]

ORDERED = frozenset({Kind.NUMBER, Kind.DATETIME})


class Direction(StrEnum):
    """Which way a column may move. Of a truth value, up is from the first to the second category."""

    ANY = "any"
    UP = "up"
    DOWN = "down"


class Bond(StrEnum):
    """How columns that move together do so."""

    ALL_OR_NONE = "all or none"
    SAME_DIRECTION = "same direction"
    SAME_AMOUNT = "same amount"


_BOND_WORDS = {
    Bond.ALL_OR_NONE: msg("all or none"),
    Bond.SAME_DIRECTION: msg("same direction"),
    Bond.SAME_AMOUNT: msg("same amount"),
}


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """The limits of one column.

    ``low`` and ``high`` bound the proposed values: numbers, or dates as ISO text. ``step`` is the unit of change,
    counted from the row's own value: in the column's unit, for a date in days. ``categories`` are the ones allowed;
    empty for all. ``missing_allowed`` lets a proposal leave the cell empty. A cell that is missing has no up or
    down: under a direction it stays as it is.
    """

    column: str
    fixed: bool = False
    direction: Direction = Direction.ANY
    low: float | str | None = None
    high: float | str | None = None
    step: float | None = None
    categories: tuple[str, ...] = ()
    missing_allowed: bool = False

    def to_mapping(self) -> dict[str, Any]:
        """The constraint as plain JSON values."""
        return {**dataclasses.asdict(self), "direction": str(self.direction), "categories": list(self.categories)}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote, or a part of it; absent limits do not bind.

        Raises:
            ExplanationError: no column, an unknown limit, or a value of another type.
        """
        known = {item.name for item in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        names = ", ".join(sorted(known))
        if unknown:
            raise ExplanationError(f"there is no limit {unknown[0]!r}; a constraint holds {names}")
        if "column" not in values:
            raise ExplanationError(f"a limit must name its column; a constraint holds {names}")
        direction = str(values.get("direction", Direction.ANY))
        if direction not in set(Direction):
            raise ExplanationError(f"column {values['column']!r}: the direction is any, up or down, got {direction!r}")
        return cls(
            **{
                **values,
                "direction": Direction(direction),
                "categories": tuple(map(str, values.get("categories", ()))),
            }
        )


@dataclass(frozen=True, kw_only=True)
class Together:
    """Columns bound to each other.

    All or none: each of them changes, or none does. Same direction: those that change move the same way (numbers,
    dates and truth values). Same amount: all move by one amount, or none does (numbers, or dates).
    """

    columns: tuple[str, ...]
    bond: Bond = Bond.SAME_DIRECTION

    def to_mapping(self) -> dict[str, Any]:
        """The bond as plain JSON values."""
        return {"columns": list(self.columns), "bond": str(self.bond)}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote.

        Raises:
            ExplanationError: there is no such bond.
        """
        bond = str(values.get("bond", Bond.SAME_DIRECTION))
        if bond not in set(Bond):
            raise ExplanationError(f"columns move together by {', '.join(Bond)}; there is no {quoted(bond)}")
        return cls(columns=tuple(map(str, values["columns"])), bond=Bond(bond))


@dataclass(frozen=True, kw_only=True)
class Constraints:
    """All limits of one request."""

    columns: tuple[Constraint, ...] = ()
    together: tuple[Together, ...] = ()

    def of(self, column: str) -> Constraint:
        """The limits of a column; none where the user set none."""
        return next((item for item in self.columns if item.column == column), Constraint(column=column))

    def check(self, schema: FeatureSchema) -> None:
        """Compare the limits with the columns that the model reads.

        Args:
            schema: the run's, with the categories that training saw.

        Raises:
            ExplanationError: a limit that its column cannot have, or that contradicts another.
            SchemaError: no such column.
        """
        for name, count in Counter(item.column for item in self.columns).items():
            if count > 1:
                raise ExplanationError(f"column {name!r} has {count} sets of limits; give them as one")
        for constraint in self.columns:
            _check_one(constraint, _feature(schema, constraint.column))
        for name, count in Counter(name for group in self.together for name in group.columns).items():
            if count > 1:
                raise ExplanationError(f"column {name!r} is bound to others {count} times; bind it once")
        for group in self.together:
            if len(group.columns) < 2:
                raise ExplanationError("columns that move together are at least two")
            _check_bond(group, [_feature(schema, name) for name in group.columns])

    @property
    def words(self) -> tuple[str, ...]:
        """Each limit in a few words; empty where nothing is limited."""
        texts = (_words(item) for item in self.columns)
        return (
            *filter(None, texts),
            *(
                say(
                    "{columns} move together: {bond}", columns=", ".join(item.columns), bond=say(_BOND_WORDS[item.bond])
                )
                for item in self.together
            ),
        )

    def to_mapping(self) -> dict[str, Any]:
        """The constraints as plain JSON values."""
        return {
            "columns": [item.to_mapping() for item in self.columns],
            "together": [item.to_mapping() for item in self.together],
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote; raises as :meth:`Constraint.from_mapping` does."""
        return cls(
            columns=tuple(Constraint.from_mapping(item) for item in values.get("columns", ())),
            together=tuple(Together.from_mapping(item) for item in values.get("together", ())),
        )


def bound_number(column: Column, bound: float | str | None) -> float | None:
    """A bound as the number that is compared: itself, or microseconds since 1970 for a date.

    Raises:
        ExplanationError: it is no number, or no date.
    """
    if bound is None:
        return None
    if column.kind is Kind.DATETIME:
        try:
            moment = as_timestamps(pd.Series([str(bound)], name=column.name))[0]
        except SchemaError:
            raise ExplanationError(f"column {column.name!r}: the bound {quoted(str(bound))} is no date") from None
        return float(moment.astype("int64"))
    if isinstance(bound, (str, bool)) or not math.isfinite(bound):
        raise ExplanationError(f"column {column.name!r}: the bound {quoted(str(bound))} is no number")
    return float(bound)


def typed_bound(column: Column, text: str) -> float | str | None:
    """A bound as a person types it; None for an empty text.

    Raises:
        ExplanationError: it is no number, or no date.
    """
    typed = text.strip()
    if not typed:
        return None
    if column.kind is Kind.DATETIME:
        bound_number(column, typed)
        return typed
    try:
        number = float(typed.replace(",", ""))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ExplanationError(f"column {column.name!r}: the bound {quoted(typed)} is no number")
    return number


def _feature(schema: FeatureSchema, name: str) -> Column:
    column = schema.column(name)
    if not column.is_feature:
        raise ExplanationError(f"the model does not read column {name!r}, so changing it changes nothing; leave it out")
    return column


def _check_one(constraint: Constraint, column: Column) -> None:
    name = column.name
    moved = constraint.direction is not Direction.ANY or constraint.categories or constraint.missing_allowed
    bounded = constraint.step is not None or constraint.low is not None or constraint.high is not None
    if constraint.fixed and (moved or bounded):
        raise ExplanationError(f"column {name!r} is fixed and limited as well; give one of the two")
    if column.kind in ORDERED:
        _check_ordered(constraint, column)
        return
    if bounded:
        raise ExplanationError(
            f"column {name!r} holds categories, which have no range and no step; name the allowed ones"
        )
    if constraint.direction is not Direction.ANY and column.kind is not Kind.BOOLEAN:
        raise ExplanationError(f"column {name!r} holds categories, which have no up and down; name the allowed ones")
    unknown = [text for text in constraint.categories if text not in column.categories]
    if unknown:
        raise ExplanationError(
            f"column {name!r}: training saw no category {quoted(unknown[0])}; it saw {listed(column.categories)}"
        )


def _check_ordered(constraint: Constraint, column: Column) -> None:
    name = column.name
    if constraint.categories:
        raise ExplanationError(
            f"column {name!r} holds {column.kind}s, not categories; bound it from low to high instead"
        )
    low, high = bound_number(column, constraint.low), bound_number(column, constraint.high)
    if low is not None and high is not None and low > high:
        raise ExplanationError(
            f"column {name!r}: the range ends at {constraint.high} before it starts at {constraint.low}"
        )
    step = constraint.step
    if step is None:
        return
    if isinstance(step, (bool, str)) or not math.isfinite(step) or step <= 0:
        raise ExplanationError(f"column {name!r}: the step must be a number above 0, got {step}")
    if column.kind is Kind.NUMBER and column.integer and step != int(step):
        raise ExplanationError(f"column {name!r} holds whole numbers; the step must be one too, got {step:g}")


def _check_bond(group: Together, columns: list[Column]) -> None:
    kinds = {column.kind for column in columns}
    if group.bond is Bond.SAME_AMOUNT and kinds not in ({Kind.NUMBER}, {Kind.DATETIME}):
        raise ExplanationError(
            f"{', '.join(group.columns)} cannot move by one amount: they must all be numbers or dates"
        )
    if group.bond is Bond.SAME_DIRECTION and Kind.CATEGORY in kinds:
        name = next(column.name for column in columns if column.kind is Kind.CATEGORY)
        raise ExplanationError(f"column {name!r} holds categories, which have no direction; bind it all or none")


def _words(item: Constraint) -> str:
    if item.fixed:
        return say("{column} stays as it is", column=item.column)
    parts = []
    if item.direction is Direction.UP:
        parts.append(say("only up"))
    elif item.direction is Direction.DOWN:
        parts.append(say("only down"))
    if item.low is not None:
        parts.append(say("at least {low}", low=item.low))
    if item.high is not None:
        parts.append(say("at most {high}", high=item.high))
    if item.step is not None:
        parts.append(say("in steps of {step:g}", step=item.step))
    if item.categories:
        parts.append(say("one of {categories}", categories=listed(item.categories)))
    if item.missing_allowed:
        parts.append(say("may be left empty"))
    return f"{item.column}: {', '.join(parts)}" if parts else ""
