"""Which rows the page of one decision goes through, and in which order; cached, for a list may have a million rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages._ui import explain_access, kept, state, widgets
from tabnet_engine.data.schema import Kind, Task
from tabnet_engine.explain import store
from tabnet_engine.explain.row_numbers import rows_as_text, rows_from_text
from tabnet_engine.explain.row_outcomes import row_list, rows_with_text
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    import numpy.typing as npt

    from pages._ui.row_filter import Filter
    from tabnet_engine.runs.run import Run

    Rows = npt.NDArray[np.int64]

__all__ = ["LISTS", "choose_list", "id_column", "list_ids", "members", "remember_list", "rows_by_id"]

LISTS = {
    "chosen": msg("rows chosen on a chart"),
    "all": msg("all rows in order"),
    "test": msg("test rows in order"),
    "uncertain": msg("least certain first"),
    "wrong": msg("largest error first"),
    "shap": msg("rows with stored SHAP values"),
}
_CHOSEN = "rows_chosen_on_a_chart"
_THIS_VISIT = "chosen"  # in the address in place of row numbers that are too many for one


def choose_list(run: Run, target: str) -> str:
    """Let the user choose the list to go through; kept in the address as ``order``.

    Args:
        run: the run.
        target: whose predictions make the lists of uncertain and of wrong rows.
    """
    keys = ["all"]
    if _chosen(run) is not None:
        keys.insert(0, "chosen")
    if store.has_explanations(run, store.MASKS):
        regression = run.targets.of(target)[0].task is Task.REGRESSION
        # A regression has no probability to be uncertain about.
        keys += ["test", "wrong"] if regression else ["test", "uncertain", "wrong"]
    if store.has_explanations(run, store.SHAP):
        keys.append("shap")
    return kept.choice(
        "order",
        say("Go through"),
        {key: say(LISTS[key]) for key in keys},
        help_text=say("Previous and next walk through this list, and it starts with its first row."),
    )


def members(run: Run, target: str, name: str, where: Filter | None) -> Rows:
    """Row numbers of a list in its order, of those that meet the condition; may be empty.

    Args:
        run: the run.
        target: whose predictions order the list.
        name: a key of :data:`LISTS`.
        where: the condition, if there is one.
    """
    if name == "chosen":
        rows = _chosen(run)
        rows = np.empty(0, dtype=np.int64) if rows is None else rows
        return rows if where is None else rows[where.mask[rows]]
    if name == "all" and where is not None:
        return where.positions
    stored = explain_access.version(run, f"{store.MASKS}.parquet", f"{store.attribution_part(run)}.parquet")
    has_table = explain_access.frame(run) is not None
    return _members(stored, target, name, "" if where is None else where.words, run, where, has_table=has_table)


@st.cache_resource(show_spinner=False, max_entries=6)  # of a million rows 8 MB each
def _members(
    stored: str,  # noqa: ARG001 - what explained rows there are: a part of the cache's key
    target: str,
    name: str,
    words: str,  # noqa: ARG001 - as above
    _run: Run,
    _where: Filter | None,
    *,
    has_table: bool,  # noqa: ARG001 - as above
) -> Rows:
    rows = _whole_list(_run, target, name)
    return rows if _where is None else rows[_where.mask[rows]]


def _whole_list(run: Run, target: str, name: str) -> Rows:
    if name == "shap":
        values = explain_access.attribution(run)
        return np.empty(0, dtype=np.int64) if values is None else np.sort(values.rows)
    everything = explain_access.outcomes(run, target) if name in ("test", "uncertain", "wrong") else None
    if everything is not None:
        return row_list(everything, name)  # type: ignore[arg-type]
    table = explain_access.frame(run)
    return np.arange(0 if table is None else len(table), dtype=np.int64)


def list_ids(run: Run, rows: npt.ArrayLike) -> dict[str, str]:
    """What a link to the page of one decision carries so that it goes through these rows: ``**ids`` of a link.

    Many scattered rows do not fit into an address; they are remembered for this visit.

    Args:
        run: the run.
        rows: row numbers in the order to go through; not empty.
    """
    numbers = np.asarray(rows, dtype=np.int64)
    text = rows_as_text(numbers)
    if text is None:
        remember_list(run, numbers)
        text = _THIS_VISIT
    return {"run": run.run_id, "row": str(int(numbers[0])), "rows": text}


def remember_list(run: Run, rows: npt.ArrayLike) -> None:
    """Keep rows for this visit, for an address that says ``rows=chosen``."""
    st.session_state[_CHOSEN] = (run.run_id, np.asarray(rows, dtype=np.int64))


def _chosen(run: Run) -> Rows | None:
    """The rows that the address names, or that this visit remembers; None when it names none that there are."""
    text, table = state.asked("rows"), explain_access.frame(run)
    if not text or table is None:
        return None
    if text == _THIS_VISIT:
        run_id, rows = st.session_state.get(_CHOSEN, ("", None))
        if run_id == run.run_id and rows is not None:
            remembered: Rows = rows
            return remembered
        widgets.info(say("The rows chosen on a chart were too many for a link and are gone; all rows are shown"))
        return None
    named = rows_from_text(text, len(table))
    return named if len(named) else None


def rows_by_id(run: Run, text: str) -> Rows:
    """Row numbers whose id reads ``text``; empty where there is none, or no column that names rows."""
    name, table = id_column(run), explain_access.frame(run)
    return np.empty(0, dtype=np.int64) if name is None or table is None else rows_with_text(table[name], text)


def id_column(run: Run) -> str | None:
    """The column that names rows: the one that was chosen for it, else the first that looks like one."""
    table = explain_access.frame(run)
    likely = (column for column in run.schema.columns if column.kind is Kind.IDENTIFIER)
    column = run.schema.row_id or next(likely, None)
    return None if column is None or table is None or column.name not in table else column.name
