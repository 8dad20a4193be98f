"""Finding one row: by number, by its id, one after the other through a list, or at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages._ui import explain_access, state, widgets
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


def pick_row(run: Run, table: pd.DataFrame) -> int:
    """Let the user choose a row of the run's table; the address names it, so a link reopens it.

    Args:
        run: the run.
        table: the table it was trained on.

    Returns:
        The row number.
    """
    name = _list_choice(run)
    members = _members(run, table, name)
    row = _current(table, members)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input("Row", 0, len(table) - 1, row, key=f"row_number_{run.run_id}_{row}", width=140)
        if number != row:
            _go(int(number))
        _steps(members, row)
        _by_id(run, table, row)
    _where(members, row, name)
    return row


def _list_choice(run: Run) -> str:
    lists = dict(_LISTS)
    outcomes = explain_access.outcomes(run)
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
            format_func=_LISTS.get,
            key=f"row_list_{run.run_id}",
            help="Previous and next walk through this list.",
        )
    )


def _members(run: Run, table: pd.DataFrame, name: str) -> npt.NDArray[np.int64]:
    """Row numbers of the list, in its order; never empty."""
    outcomes, values = explain_access.outcomes(run), explain_access.attribution(run)
    if name == "shap" and values is not None:
        return np.sort(values.rows)
    members = row_list(outcomes, name) if outcomes is not None else np.empty(0, dtype=np.int64)  # type: ignore[arg-type]
    return members if len(members) else np.arange(len(table), dtype=np.int64)
