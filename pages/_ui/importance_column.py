"""One column of the importance page: how it is chosen, where it stands, and the ways on from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pages._ui import (
    effect_access,
    explain_access,
    explain_widgets,
    importance_data,
    kept,
    shap_source,
    shell,
    state,
    widgets,
)
from tabnet_engine.explain.column_rows import rows_moved, rows_reading
from tabnet_engine.explain.row_outcomes import row_outcomes
from tabnet_engine.explain.wording import column_name, percent, signed
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabnet_engine.explain.column_rows import ColumnRows
    from tabnet_engine.runs.run import Run

__all__ = ["choice", "leads_on", "picked", "rows"]

_N_ROWS = 20


def choice(run: Run, output: int, *, help_text: str) -> str:
    """The column that is looked at, the most important ones first; the same on all parts of the page."""
    ranked = importance_data.ranked_columns(run, output)
    first = next((name for name in ranked if effect_access.is_stored(run, name)), None)
    return kept.choice("column", say("Column"), {name: name for name in ranked}, default=first, help_text=help_text)


def picked(selection: Any, columns: Sequence[str], *, key: str, name: str = "column") -> None:
    """Take over the column of a bar that was clicked just now, and draw the page with it.

    Args:
        selection: Plotly's.
        columns: of the bars, from top to bottom.
        key: of the chart.
        name: under which the column is kept in the address.
    """
    points = selection.get("points") or []
    line = points[0].get("y") if points else None
    if not state.is_new_pick(key, line):
        return
    if isinstance(line, int | float) and 0 <= round(line) < len(columns):
        state.keep_asked(name, columns[round(line)], is_default=False)
        st.rerun()


def leads_on(run: Run, column: str, *, where: str = "", on_effects: bool = False) -> None:
    """The ways from a column to its effect, to its dependence and to the map of its rows.

    Args:
        run: the run.
        column: the chosen column.
        where: the condition that the map keeps to.
        on_effects: whether its effect is what is shown already.
    """
    ids = {"run": run.run_id, "column": column}
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        # The page itself is no link: the menu would mark it as the place where one is.
        if not on_effects and st.button(
            say("Its effect on the score"), icon=":material/show_chart:", type="tertiary", key="to_effects"
        ):
            state.keep_asked("column", column, is_default=False)
            state.keep_asked("view", "effects", is_default=False)
            st.rerun()
        shell.link(
            "shap_comparison",
            say("What each of its values did"),
            icon=":material/scatter_plot:",
            view="effects",
            chart="dependence",
            **ids,
        )
        shell.link(
            "masks",
            say("The rows in its order on the map"),
            icon=":material/grid_on:",
            order="column",
            where=where or None,
            **ids,
        )


def rows(run: Run, output: int, column: str) -> None:
    """The rows in which the column counts most, to go on to their decisions."""
    methods = importance_data.row_methods(run)
    if not methods:
        return
    st.subheader(say("Rows in which {column} counts most", column=widgets.md(column_name(column))), anchor=False)
    found, told, caption = _leading(run, output, column, methods[0])
    table = _table(run, output, column, found, told)
    explain_widgets.row_table(table, run.run_id, key="column_rows")
    st.caption(caption)
    explain_widgets.csv_button(say("Download these rows"), table, name="column-rows", key="column_rows_csv")


def _leading(run: Run, output: int, column: str, method: str) -> tuple[ColumnRows, dict[str, list[str]], str]:
    """The rows, what the column did in each, and how they were found."""
    if method == "masks":
        masks = explain_access.masks(run)
        if masks is None:
            raise ValueError("masks were offered without being there")
        found = rows_reading(masks, column, n_rows=_N_ROWS)
        shares = [percent(amount) for amount in found.amounts]
        caption = say(
            "The {n:,} of {n_rows:,} explained rows that read it most, by its share of the aggregated mask.",
            n=len(found.rows),
            n_rows=found.n_rows,
        )
        return found, {say("share of the reading"): shares}, caption
    values = importance_data.values_of(run, method, output)
    found = rows_moved(values, column, 0, n_rows=_N_ROWS)
    caption = say(
        "The {n:,} of {n_rows:,} explained rows whose score it moved farthest, up or down, by {method}.",
        n=len(found.rows),
        n_rows=found.n_rows,
        method=importance_data.comparison(run, output).of(method).name,
    )
    pushes = [signed(amount) for amount in found.amounts]
    return found, {say("push in {unit}", unit=explain_widgets.unit(run, output)): pushes}, caption


def _table(run: Run, output: int, column: str, found: ColumnRows, told: dict[str, list[str]]) -> pd.DataFrame:
    """Row numbers, the column's cells, what it did, and what was predicted and came where the table is known."""
    table, texts = pd.DataFrame({"row": found.rows}), explain_access.texts(run, found.rows)
    if texts is not None and column in texts:
        table[column if column != "row" else say("value")] = texts[column].to_numpy()
    for name, values in told.items():
        table[name] = values
    frame, masks_or_values = explain_access.frame(run), importance_data.row_methods(run)[0]
    if frame is None:
        return table
    codec, place = explain_widgets.target_of(run, output)
    if masks_or_values == "masks":
        stored = explain_access.masks(run)
        logits = None if stored is None else stored.logits[found.positions]
    else:
        logits = shap_source.stored_values(run, masks_or_values).logits[found.positions]
    if logits is None:
        return table
    outcomes = row_outcomes(codec, run.splits, frame, found.rows, logits, place=place)
    return table.merge(outcomes.table(), on="row", how="left")
