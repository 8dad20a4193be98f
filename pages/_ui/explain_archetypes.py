"""In which ways the rows are read: the archetypes of a run, how many rows each has and how these fare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import explain_access, explain_widgets, widgets

if TYPE_CHECKING:
    from tabnet_engine.explain.archetypes import Archetypes, TargetRates
    from tabnet_engine.runs.run import Run

__all__ = ["archetype_table", "section"]

_MEANING = "Rows whose steps read the same columns in the same order stand together."


def section(run: Run) -> None:
    """The archetypes of a run; nothing where none were found."""
    found = explain_access.archetypes(run)
    if found is None:
        return
    st.subheader("In which ways rows are read", anchor=False)
    st.caption(f"{_MEANING} {widgets.md(found.note)}")
    table = archetype_table(found)
    widgets.text_table(table.drop(columns=_said_twice(run, found)), alt="The ways in which rows are read")
    explain_widgets.csv_button("Download the archetypes", table, name="archetypes", key="archetypes_csv")


def archetype_table(found: Archetypes) -> pd.DataFrame:
    """One line for each archetype: its name, its rows, and the outcome, prediction and error of each target."""
    lines = []
    for archetype in found.archetypes:
        line = {
            "archetype": archetype.name,
            "rows": archetype.n_rows,
            "of all rows": explain_widgets.estimate_text(archetype.size, _share),
        }
        for rates in archetype.rates:
            line |= _rates(rates, named=len(archetype.rates) > 1)
        lines.append({**line, "example row": archetype.medoid})
    return pd.DataFrame(lines)


def _said_twice(run: Run, found: Archetypes) -> list[str]:
    """Columns of the class that the score is not for, where there are two: what is missing to a whole."""
    columns = []
    for rates in found.archetypes[0].rates:
        target = f"{rates.target}: " if len(found.archetypes[0].rates) > 1 else ""
        scored = run.targets.of(rates.target)[0].outputs
        others = [name for name in rates.actual if len(rates.actual) == 2 and name not in scored]
        for name in others:
            columns += [f"{target}{name}", f"{target}{name}, predicted"]
    return columns


def _rates(rates: TargetRates, *, named: bool) -> dict[str, str]:
    target = f"{rates.target}: " if named else ""
    is_mean = list(rates.actual) == ["mean"]
    show = widgets.number if is_mean else _share
    cells = {}
    for name, estimate in rates.actual.items():
        cells[f"{target}{name}"] = explain_widgets.estimate_text(estimate, show)
        cells[f"{target}{name}, predicted"] = explain_widgets.estimate_text(rates.predicted[name], show)
    cells[f"{target}{'mean error' if is_mean else 'wrong'}"] = explain_widgets.estimate_text(rates.error, show)
    return cells


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"
