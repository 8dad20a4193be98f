"""Kind and role of each column, with the reason, editable in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pages._ui import data_access, dataset_words, state, widgets
from tabnet_engine.data.kinds import set_kind, set_role
from tabnet_engine.data.schema import FeatureSchema, Kind, Role
from tabnet_engine.errors import SchemaError
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from tabnet_engine.data.profile import TableProfile

__all__ = ["apply_edits", "columns_editor"]

_EDITOR = "columns_editor"
_ROLES = [Role.FEATURE, Role.IGNORED, Role.ROW_ID]
_ROLE_NAMES = dataset_words.ROLES


def columns_editor(dataset_id: str, schema: FeatureSchema, profile: TableProfile) -> None:
    """One line per column; a change of kind or role is stored at once, an impossible one says why."""
    st.caption(
        say(
            "Change a kind or a role in the table. Features may be read by the model; the target is chosen above; "
            "a row id names rows and is never read."
        )
    )
    key = f"{_EDITOR}_{state.token(_EDITOR)}"
    st.data_editor(
        _as_table(schema, profile),
        key=key,
        hide_index=True,
        height=widgets.table_height(len(schema.columns), 640),
        disabled=["column", "missing", "different", "examples", "why"],
        column_config={
            "column": st.column_config.TextColumn(say("Column"), width="medium", pinned=True),
            "kind": st.column_config.SelectboxColumn(
                say("Kind"), options=[str(kind) for kind in Kind], required=True, format_func=dataset_words.kind
            ),
            "role": st.column_config.SelectboxColumn(
                say("Role"),
                options=[*(_ROLE_NAMES[role] for role in _ROLES), _ROLE_NAMES[Role.TARGET]],
                required=True,
                format_func=widgets.said,
            ),
            "missing": st.column_config.NumberColumn(say("Missing, %"), format="%.2g", width="small"),
            "different": st.column_config.NumberColumn(
                say("Distinct"), format="localized", width="small", help=say("Different values")
            ),
            "examples": st.column_config.TextColumn(say("Frequent values"), width="medium"),
            "why": st.column_config.TextColumn(say("Why"), width="large"),
        },
        on_change=_store_edits,
        args=(key, dataset_id),
    )


def _as_table(schema: FeatureSchema, profile: TableProfile) -> pd.DataFrame:
    measured = {column.name: column for column in profile.columns}
    return pd.DataFrame(
        {
            "column": [column.name for column in schema.columns],
            "kind": [str(column.kind) for column in schema.columns],
            "role": [_ROLE_NAMES[column.role] for column in schema.columns],
            "missing": [100 * measured[column.name].missing_share for column in schema.columns],
            "different": [measured[column.name].n_unique for column in schema.columns],
            "examples": [", ".join(measured[column.name].top_values[:4]) for column in schema.columns],
            "why": [widgets.said(column.why) for column in schema.columns],
        }
    )


def _store_edits(key: str, dataset_id: str) -> None:
    """Run by Streamlit before the rerun; the editor starts afresh from the stored schema afterwards."""
    edits: dict[int, dict[str, Any]] = st.session_state[key]["edited_rows"]
    space = data_access.workspace()
    schema = data_access.schema(dataset_id)
    state.fresh_token(_EDITOR)
    try:
        changed = apply_edits(schema, data_access.frame(dataset_id), edits)
    except SchemaError as error:
        state.notify("error", str(error))
        return
    space.save_schema(dataset_id, changed)


def apply_edits(schema: FeatureSchema, frame: pd.DataFrame, edits: dict[int, dict[str, Any]]) -> FeatureSchema:
    """The schema with the edited lines of the table applied.

    Args:
        schema: what the table showed.
        frame: the rows.
        edits: line of the table to the cells that changed.

    Raises:
        SchemaError: a kind that the values do not allow, or a role that the kind does not allow.
    """
    names = [column.name for column in schema.columns]
    roles = {text: role for role, text in _ROLE_NAMES.items()}
    for line, cells in edits.items():
        name = names[int(line)]
        if "kind" in cells:
            schema = set_kind(schema, frame, name, cells["kind"])
        if "role" in cells:
            schema = set_role(schema, name, roles[cells["role"]])
    return schema
