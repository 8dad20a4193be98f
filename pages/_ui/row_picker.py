"""Finding one row: by number, by its id, by a condition, one after the other through a list, or at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages._ui import asked, explain_access, explain_widgets, row_filter, row_lists, state, widgets
from pages._ui.row_lists import list_ids, remember_list
from tabnet_engine.explain.attribution import position_of
from tabnet_engine.explain.row_numbers import rows_as_text
from tabnet_engine.explain.stored_outcomes import outcomes_in_order
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from tabnet_engine.runs.run import Run

    Rows = npt.NDArray[np.int64]

__all__ = ["list_ids", "pick_row", "remember_list"]

_LISTED = 200  # rows of the list that are shown around the current one
_BEFORE = 20


def pick_row(run: Run, table: pd.DataFrame, target: str) -> int:
    """Let the user choose a row of the run's table; the address names it, so a link reopens it.

    Args:
        run: the run.
        table: the table it was trained on.
        target: whose predictions make the lists of uncertain and of wrong rows.

    Returns:
        The row number.
    """
    before = _list_asked()
    left, right = st.columns([1, 2])
    with left:
        name = row_lists.choose_list(run, target)
    with right:
        where = row_filter.filter_box(run)
    members = row_lists.members(run, target, name, where)
    if before != _list_asked() and len(members):
        _go(int(members[0]))  # the user has just chosen another list or another condition
    row = _current(run, table, members, everything=name == "all" and where is None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input(say("Row"), 0, len(table) - 1, row, key=f"row_number_{run.run_id}_{row}", width=140)
        if number != row:
            _go(int(number))
        _steps(members, row)
        _by_id(run, table, row)
    _place(members, row, name)
    if where is not None or name != "all":
        _list(run, table, target, members, row)
    return row


def _list_asked() -> tuple[str, str]:
    return state.asked("order") or "", state.asked("where") or ""


def _current(run: Run, table: pd.DataFrame, members: Rows, *, everything: bool) -> int:
    """The row of the address; without one, a row of the list whose SHAP values are stored, else its first."""
    asked_for = asked.whole_number("row")
    values = explain_access.attribution(run) if everything else None
    if asked_for is not None and asked_for < len(table):
        row = asked_for
    elif values is not None:
        row = int(values.rows.min())
    else:
        row = int(members[0]) if len(members) else 0
    state.choose("row", str(row))
    return row


def _go(row: int) -> None:
    state.choose("row", str(row))
    st.rerun()


def _steps(members: Rows, row: int) -> None:
    """Previous, next and any other row of the list."""
    place = position_of(members, row)
    before, after = (place - 1, place + 1) if place is not None else (-1, 0)
    if st.button(say("Previous"), icon=":material/chevron_left:", disabled=before < 0, key="row_before"):
        _go(int(members[before]))
    if st.button(say("Next"), icon=":material/chevron_right:", disabled=after >= len(members), key="row_after"):
        _go(int(members[after]))
    others = len(members) - (place is not None)
    if st.button(say("Random"), icon=":material/casino:", disabled=others < 1, key="row_random"):
        _go(int(np.random.default_rng().choice(members[members != row])))


def _by_id(run: Run, table: pd.DataFrame, row: int) -> None:
    """Find a row by the column that names rows, where the table has one."""
    column = row_lists.id_column(run)
    if column is None:
        return
    shown = str(table[column].iloc[row])
    label = say("Find by {column}", column=widgets.md(column))
    wanted = st.text_input(label, key=f"row_id_{row}", placeholder=shown, width=220).strip()
    if not wanted:
        return
    found = row_lists.rows_by_id(run, wanted)
    if not len(found):
        missing = say("No row has the {column} “{text}”.", column=column, text=wanted)
        st.caption(widgets.md(missing))
    elif int(found[0]) != row:
        if len(found) > 1:
            _name_several(column, found)
        _go(int(found[0]))


def _name_several(column: str, found: Rows) -> None:
    """Several rows share an id: go through them, and say so."""
    many = say_plural(
        "{count} row has this {column}",
        "{count:,} rows have this {column}; the first one is shown, next goes through the others",
        len(found),
        column=column,
    )
    state.notify("info", many)
    state.keep_asked("rows", rows_as_text(found) or "", is_default=rows_as_text(found) is None)
    state.keep_asked("order", "chosen", is_default=True)


def _place(members: Rows, row: int, name: str) -> None:
    """Where the row stands in the list."""
    place = position_of(members, row)
    words = {"row": row, "n_rows": len(members), "list": say(row_lists.LISTS[name])}
    if not len(members):
        st.caption(say("Row {row:,} stays open; there is no row in the list: {list}. Rows count from 0.", **words))
    elif place is None:
        st.caption(say("Row {row:,} is not among the {n_rows:,} in the list: {list}. Rows count from 0.", **words))
    else:
        st.caption(
            say("Row {row:,} is {place:,} of {n_rows:,} in the list: {list}. Rows count from 0.",
                place=place + 1, **words)
        )  # fmt: skip


def _list(run: Run, table: pd.DataFrame, target: str, members: Rows, row: int) -> None:
    """The rows of the list around the current one; a ticked one is opened."""
    if not len(members):
        return
    start = max(0, (position_of(members, row) or 0) - _BEFORE)
    visible = members[start : start + _LISTED]
    with st.expander(say("Rows of the list"), icon=":material/list:"):
        known = explain_access.outcomes(run, target)
        told = None if known is None else outcomes_in_order(known, visible)
        lines = table.iloc[visible][[]].assign(row=visible) if told is None else told.table()
        column = row_lists.id_column(run)
        if column is not None and column not in lines:
            lines.insert(1, column, table[column].iloc[lines["row"].to_numpy()].astype(str).to_numpy())
        if len(visible) < len(members):
            st.caption(
                say("Rows {first:,} to {last:,} of {n_rows:,} in the list.", first=start + 1,
                    last=start + len(visible), n_rows=len(members))
            )  # fmt: skip
        chosen = st.dataframe(
            explain_widgets.in_per_cent(lines, "probability"),
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            column_config=_columns(),
            height=widgets.table_height(len(lines), 320),
            key=f"row_list_{run.run_id}_{row}_{len(members)}",
        ).selection.rows
        if chosen and int(lines["row"].iloc[chosen[0]]) != row:
            _go(int(lines["row"].iloc[chosen[0]]))
        st.caption(say("Tick a row to open it."))


def _columns() -> dict[str, object]:
    return {
        "row": st.column_config.NumberColumn(say("row"), format="%d"),
        "predicted": st.column_config.Column(say("predicted")),
        "actual": st.column_config.Column(say("actual")),
        "probability": st.column_config.ProgressColumn(
            say("probability"), min_value=0, max_value=100, format="%.1f %%"
        ),
        "error": st.column_config.NumberColumn(say("error"), format="%.3g"),
        "part": st.column_config.Column(say("part of the table")),
    }
