"""Finding one row: by number, by its id, one after the other through a list, or at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages._ui import asked, explain_access, state, widgets
from tabnet_engine.explain.attribution import position_of
from tabnet_engine.explain.row_outcomes import row_list, rows_with_text

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from tabnet_engine.runs.run import Run

__all__ = ["pick_row"]

_LISTS = {
    "all": "all rows in order",
    "test": "test rows in order",
    "uncertain": "least certain first",
    "wrong": "largest error first",
    "shap": "rows with stored SHAP values",
}


def pick_row(run: Run, table: pd.DataFrame, target: str) -> int:
    """Let the user choose a row of the run's table; the address names it, so a link reopens it.

    Args:
        run: the run.
        table: the table it was trained on.
        target: whose predictions make the lists of uncertain and of wrong rows.

    Returns:
        The row number.
    """
    name = _list_choice(run, target)
    members = _members(run, table, name, target)
    row = _current(run, table, members, name)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input("Row", 0, len(table) - 1, row, key=f"row_number_{run.run_id}_{row}", width=140)
        if number != row:
            _go(int(number))
        _steps(members, row)
        _by_id(run, table, row)
    _where(members, row, name)
    return row


def _list_choice(run: Run, target: str) -> str:
    lists = dict(_LISTS)
    outcomes = explain_access.outcomes(run, target)
    if outcomes is None:
        lists = {key: lists[key] for key in ("all", "shap")}
    elif np.isnan(outcomes.confidence).all():
        del lists["uncertain"]  # a regression has no probability to be uncertain about
    if explain_access.attribution(run) is None:
        del lists["shap"]
    return str(
        st.selectbox(
            "Go through",
            list(lists),
            format_func=_LISTS.__getitem__,
            key=f"row_list_{run.run_id}_{target}",
            on_change=state.clear,
            args=("row",),
            help="Previous and next walk through this list, and it starts with its first row.",
        )
    )


def _members(run: Run, table: pd.DataFrame, name: str, target: str) -> npt.NDArray[np.int64]:
    """Row numbers of the list, in its order; never empty."""
    outcomes, values = explain_access.outcomes(run, target), explain_access.attribution(run)
    if name == "shap" and values is not None:
        return np.sort(values.rows)
    members = row_list(outcomes, name) if outcomes is not None else np.empty(0, dtype=np.int64)  # type: ignore[arg-type]
    return members if len(members) else np.arange(len(table), dtype=np.int64)


def _current(run: Run, table: pd.DataFrame, members: npt.NDArray[np.int64], name: str) -> int:
    """The row of the address; without one, a row of the list whose SHAP values are stored, else its first."""
    asked_for = asked.whole_number("row")
    if asked_for is not None and asked_for < len(table):
        row = asked_for
    else:
        values = explain_access.attribution(run) if name == "all" else None
        row = int(members[0] if values is None else values.rows.min())
    state.choose("row", str(row))
    return row


def _go(row: int) -> None:
    state.choose("row", str(row))
    st.rerun()


def _steps(members: npt.NDArray[np.int64], row: int) -> None:
    """Previous, next and any other row of the list."""
    place = position_of(members, row)
    before, after = (place - 1, place + 1) if place is not None else (-1, 0)
    if st.button("Previous", icon=":material/chevron_left:", disabled=before < 0, key="row_before"):
        _go(int(members[before]))
    if st.button("Next", icon=":material/chevron_right:", disabled=after >= len(members), key="row_after"):
        _go(int(members[after]))
    if st.button("Random", icon=":material/casino:", disabled=len(members) < 2, key="row_random"):
        _go(int(np.random.default_rng().choice(members[members != row])))


def _by_id(run: Run, table: pd.DataFrame, row: int) -> None:
    """Find a row by the column that names rows, where the table has one."""
    column = run.schema.row_id
    if column is None or column.name not in table:
        return
    shown = str(table[column.name].iloc[row])
    wanted = st.text_input(f"Find by {widgets.md(column.name)}", key=f"row_id_{row}", placeholder=shown, width=220)
    if not wanted.strip():
        return
    found = rows_with_text(table[column.name], wanted)
    if not len(found):
        st.caption(widgets.md(f"No row has the {column.name} “{wanted.strip()}”."))
    elif int(found[0]) != row:
        if len(found) > 1:
            state.notify("info", f"{len(found)} rows have this {column.name}; the first one is shown")
        _go(int(found[0]))


def _where(members: npt.NDArray[np.int64], row: int, name: str) -> None:
    place = position_of(members, row)
    where = f"{place + 1:,} of {len(members):,}" if place is not None else f"not among the {len(members):,}"
    st.caption(f"Row {row:,} is {where} in the list: {_LISTS[name]}. Rows count from 0.")
