"""Rows of a comparison as a list, and the way from one of them to its decision in each run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import runs_compare_access, shell, state, widgets
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from pages._ui.runs_compare_access import Pair

__all__ = ["MOST_ROWS", "row_list"]

MOST_ROWS = 500  # a selectable table is sent whole with every click


def row_list(pair: Pair, table: pd.DataFrame, *, n_all: int, key: str, everything: Callable[[], pd.DataFrame]) -> None:
    """A table of rows; one that is ticked, or chosen by its number, opens in either run.

    Args:
        pair: the runs.
        table: at most :data:`MOST_ROWS` rows; its first column holds row numbers.
        n_all: how many there are.
        key: unique on the page.
        everything: makes the table of all, to be downloaded.
    """
    if len(table) < n_all:
        st.caption(
            say(
                "The first {n_shown:,} of {n_all:,} rows; the download has all of them.",
                n_shown=len(table),
                n_all=n_all,
            )
        )
    event = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height=widgets.table_height(len(table), 360),
        column_config=_formats(table),
        key=key,
        placeholder="–",
    )
    widgets.data_button(everything, key=key)
    if not pair.is_own_table:
        st.caption(say("These are rows of another table than the one the runs were trained on, so none can be opened."))
        return
    _open(pair, table, event.selection.rows)


def _open(pair: Pair, table: pd.DataFrame, ticked: list[int]) -> None:
    """Which row, and its decision in both runs."""
    numbers = table.iloc[:, 0].astype(int).tolist()
    current = str(numbers[ticked[0]]) if ticked else state.current("row")
    options = {str(number): f"{number:,}" for number in numbers}
    row = widgets.choice(
        say("Row to open"),
        options,
        current if current in options else None,
        key="compared_row",
        help_text=say("Tick a row above, or choose its number here."),
    )
    names = runs_compare_access.run_labels([pair.first, pair.second])
    with st.container(horizontal=True, gap="medium"):
        for run, name in zip((pair.first, pair.second), names, strict=True):
            label = say("Row {row} in {run}", row=f"{int(row):,}", run=widgets.md(name))
            shell.link("decision", label, icon=":material/arrow_forward:", run=run.run_id, row=row)


def _formats(table: pd.DataFrame) -> dict[str, Any]:
    return {
        str(name): st.column_config.NumberColumn(format="%.4g")
        for name in table.columns[1:]
        if table[name].dtype.kind == "f"
    }
