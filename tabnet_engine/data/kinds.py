"""Kinds and roles of columns: the proposal, and the user's corrections.

Each function returns a new schema and checks against the table that the change is possible.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from tabnet_engine.data.moments import datetime_parts
from tabnet_engine.data.proposals import propose_schema
from tabnet_engine.data.schema import ENCODABLE, FeatureSchema, Kind, Role
from tabnet_engine.data.several_targets import set_targets, without_head
from tabnet_engine.data.tasks import set_target
from tabnet_engine.data.values import as_numbers, as_text, as_timestamps, factorise
from tabnet_engine.data.wording import quoted
from tabnet_engine.errors import SchemaError

__all__ = ["as_text", "propose_schema", "set_kind", "set_role", "set_target", "set_targets"]

_ROLE_CHOSEN = {
    Role.FEATURE: "Learned from, by the user's choice.",
    Role.IGNORED: "Ignored, by the user's choice.",
    Role.ROW_ID: "It names rows: shown beside each row, not learned from.",
}


def set_kind(schema: FeatureSchema, frame: pd.DataFrame, name: str, kind: Kind | str) -> FeatureSchema:
    """The schema with one column read as another kind.

    A column that was ignored because of its kind becomes a feature when the new kind can be learned
    from, and the other way round; a row id stays one.

    Raises:
        SchemaError: no such column, no such kind, the column is the target, or a cell that the kind
            cannot hold; the text names its row and value.
    """
    column = schema.column(name)
    wanted = _kind(kind)
    if column.role is Role.TARGET:
        raise SchemaError(f"column {name!r} is the target; choose its task instead of its kind")
    series = frame[name]
    parts = _check_kind(series, wanted)
    role = column.role
    if role is not Role.ROW_ID and wanted is not column.kind:
        usable = wanted in ENCODABLE
        was_usable = column.kind in ENCODABLE
        role = Role.IGNORED if not usable else role if was_usable else Role.FEATURE
    return schema.with_column(
        name, kind=wanted, role=role, why=f"Kind {wanted} was chosen by the user.", datetime_parts=parts, categories=()
    )


def _kind(kind: Kind | str) -> Kind:
    try:
        return Kind(kind)
    except ValueError:
        raise SchemaError(f"there is no kind {str(kind)!r}; the kinds are {', '.join(Kind)}") from None


def _check_kind(series: pd.Series[Any], kind: Kind) -> tuple[str, ...]:
    """Raise unless the column can be read as ``kind``; the date parts where it is a date."""
    if kind is Kind.NUMBER:
        as_numbers(series)
    elif kind is Kind.DATETIME:
        return datetime_parts(as_timestamps(series))
    elif kind in {Kind.BOOLEAN, Kind.CONSTANT}:
        _check_few_values(series, kind, 2 if kind is Kind.BOOLEAN else 1)
    return ()


def _check_few_values(series: pd.Series[Any], kind: Kind, allowed: int) -> None:
    codes, texts = factorise(series)
    if len(texts) > allowed:
        row = int((codes == allowed).argmax())  # codes are numbered in order of appearance
        raise SchemaError(
            f"column {series.name!r}, row {row}: {quoted(texts[allowed])} is a further value; a {kind} column has at "
            f"most {allowed} of the {len(texts):,} here"
        )


def set_role(schema: FeatureSchema, name: str, role: Role | str) -> FeatureSchema:
    """The schema with one column used for something else.

    There is at most one row id: an earlier one becomes ignored. Taking the role from the only target leaves
    the schema without a task; taking it from one of two leaves a schema with a single target.

    Raises:
        SchemaError: no such column or role, a feature of a kind that cannot be learned from, or the role
            target, which :func:`set_target` gives because it needs the values.
    """
    column = schema.column(name)
    wanted = _role(role)
    if wanted is column.role:
        return schema
    if wanted is Role.TARGET:
        raise SchemaError(f"choose {name!r} as the target together with its task")
    if wanted is Role.FEATURE and column.kind not in ENCODABLE:
        raise SchemaError(f"column {name!r} is of kind {column.kind}, which cannot be learned from; set its kind first")
    changed = schema
    if wanted is Role.ROW_ID and schema.row_id is not None:
        changed = changed.with_column(schema.row_id.name, role=Role.IGNORED)
    changed = changed.with_column(name, role=wanted, why=_ROLE_CHOSEN[wanted])
    return without_head(changed, name) if column.role is Role.TARGET else changed


def _role(role: Role | str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise SchemaError(f"there is no role {str(role)!r}; the roles are {', '.join(Role)}") from None
