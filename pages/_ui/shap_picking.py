"""Rows chosen on a chart, or by a range for those who use no mouse, and the way from them to a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from pages._ui import explain_widgets, kept, state
from tabnet_engine.explain.filter_building import rounded_range
from tabnet_engine.explain.wording import signed
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    import numpy.typing as npt

    from pages._ui.shap_source import Source

__all__ = ["first_value", "picked_rows", "range_of"]


def range_of(name: str, label: str, values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_] | None:
    """A range of the values (B,), kept in the address; which are within it, None while all are.

    This is the keyboard's way to what a box on a chart chooses.

    Args:
        name: under which it is kept.
        label: what the values are.
        values: (B,); NaN are never within.
    """
    ends = rounded_range(values)
    chosen = None if ends is None else kept.stretch(name, label, *ends)
    return None if chosen is None else (values >= chosen[0]) & (values <= chosen[1])


def first_value(selection: Any, key: str) -> Any:
    """What the point carries that was clicked just now; None when the selection is the one of before."""
    points = selection.get("points") or []
    data = points[0].get("customdata") if points else None
    return data[0] if state.is_new_pick(key, data) and data is not None else None


def picked_rows(
    source: Source,
    selection: Any,
    within: npt.NDArray[np.bool_] | None,
    *,
    key: str,
    column: str | None = None,
) -> None:
    """The rows chosen on a chart, else those within a range, as a table that leads on to their decisions.

    Args:
        source: the rows that are shown.
        selection: Plotly's; the points carry row numbers first.
        within: which of the shown rows are within the range; None while it is open.
        key: unique on the page.
        column: whose cell and push the table shows beside each row.
    """
    chosen = {int(point["customdata"][0]) for point in selection.get("points") or [] if point.get("customdata")}
    rows = source.values.rows
    members = np.isin(rows, list(chosen)) if chosen else within
    if members is None:
        st.caption(
            say("Choose points on the chart (click, or draw a box), or narrow the range: their rows are listed here.")
        )
        return
    places = np.flatnonzero(members)
    st.markdown(f"**{say_plural('{count} row is chosen', '{count:,} rows are chosen', len(places))}**")
    if len(places):
        table = _table(source, places, column)
        explain_widgets.row_table(table, source.run.run_id, key=f"{key}_rows")
        explain_widgets.csv_button(say("Download these rows"), table, name=f"{key}-rows", key=f"{key}_rows_csv")


def _table(source: Source, places: npt.NDArray[np.int64], column: str | None) -> pd.DataFrame:
    values, cells, outcomes = source.values, source.cells(), source.outcomes()
    table = pd.DataFrame({"row": values.rows[places]})
    if column is not None:
        if cells is not None:
            table[column] = cells[1][column].to_numpy()[places]
        pushes = values.for_output(source.name)[places, values.features.index(column)]
        table[say("push of {column}", column=column)] = [signed(float(push)) for push in pushes]
    return table if outcomes is None else table.merge(outcomes.table(places), on="row", how="left")
