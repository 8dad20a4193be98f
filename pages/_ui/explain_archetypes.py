"""In which ways the rows are read: the archetypes of a run, how many rows each has and how these fare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import explain_access, explain_widgets, widgets

if TYPE_CHECKING:
    from tabnet_engine.explain.archetypes import Archetypes, TargetRates
    from tabnet_engine.explain.estimates import Estimate
    from tabnet_engine.runs.run import Run

__all__ = ["archetype_table", "section"]

_MEANING = (
    "Rows whose steps read the same columns in the same order stand together. An archetype says what was read "
    "together, not why a row got its outcome."
)


def section(run: Run) -> None:
    """The archetypes of a run; nothing where none were found."""
    found = explain_access.archetypes(run)
    if found is None:
        return
    st.subheader("In which ways rows are read", anchor=False)
    st.caption(f"{_MEANING} {widgets.md(found.note)}")
    table = archetype_table(found)
    st.dataframe(table, hide_index=True, key="archetypes")
    explain_widgets.csv_button("Download the archetypes", table, name="archetypes", key="archetypes_csv")


def archetype_table(found: Archetypes) -> pd.DataFrame:
    """One line for each archetype: its name, its rows, and the outcome, prediction and error of each target."""
    lines = []
    for archetype in found.archetypes:
        line = {"archetype": archetype.name, "rows": archetype.n_rows, "of all rows": _share(archetype.size)}
        for rates in archetype.rates:
            line |= _rates(rates, named=len(archetype.rates) > 1)
        lines.append({**line, "example row": archetype.medoid})
    return pd.DataFrame(lines)


def _rates(rates: TargetRates, *, named: bool) -> dict[str, str]:
    target = f"{rates.target}: " if named else ""
    is_mean = list(rates.actual) == ["mean"]
    show = _amount if is_mean else _share
    cells = {}
    for name, estimate in rates.actual.items():
        cells[f"{target}{name}"] = show(estimate)
        cells[f"{target}{name}, predicted"] = show(rates.predicted[name])
    return {**cells, f"{target}{'mean error' if is_mean else 'wrong'}": show(rates.error)}


def _share(estimate: Estimate) -> str:
    if estimate.value is None:
        return "unknown"
    if estimate.low is None or estimate.high is None:
        return f"{100 * estimate.value:.1f} %"
    return f"{100 * estimate.value:.1f} % ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"


def _amount(estimate: Estimate) -> str:
    if estimate.value is None:
        return "unknown"
    if estimate.low is None or estimate.high is None:
        return widgets.number(estimate.value)
    return f"{widgets.number(estimate.value)} ({widgets.number(estimate.low)} to {widgets.number(estimate.high)})"
