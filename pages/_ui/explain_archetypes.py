"""In which ways the rows are read: the archetypes of a run, how many rows each has, how these fare, and their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from pages._ui import explain_access, explain_widgets, guard, masks_list, measures, shell, state, widgets
from tabnet_engine.errors import StorageError, UserError
from tabnet_engine.explain.wording import class_name
from tabnet_engine.figures.archetypes import archetype_map
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from pages._ui.masks_rows import ShownRows
    from tabnet_engine.explain.archetypes import Archetypes, TargetRates
    from tabnet_engine.runs.run import Run

__all__ = ["archetype_table", "section"]


def section(shown: ShownRows, output: int) -> None:
    """The archetypes of all explained rows: what each reads, how its rows fare, its rows and its name."""
    run = shown.run
    st.subheader(say("In which ways rows are read"), anchor=False, help=measures.help_text("archetype"))
    found = explain_access.archetypes(run)
    if found is None:
        widgets.info(say("No ways of reading were looked for in this run; explain it again to find them"))
        return
    meaning = say("Rows whose steps read the same columns in the same order stand together.")
    st.caption(f"{meaning} {widgets.md(widgets.said(found.note))}")
    if shown.words:
        st.caption(say("They are those of all explained rows; what is chosen above does not narrow them."))
    table = archetype_table(found)
    widgets.text_table(table.drop(columns=_said_twice(run, found)), alt=say("The ways in which rows are read"))
    widgets.data_button(lambda: table, key="archetypes")
    widgets.chart(
        archetype_map(found),
        key="archetype_map",
        alt=say("What each step reads in each way of reading"),
        data=found.path_table,
    )
    _one(shown, found, output)


@st.fragment
def _one(shown: ShownRows, found: Archetypes, output: int) -> None:
    """One archetype: its sentences, its name, its rows."""
    with guard.sentences():
        names = {str(place + 1): widgets.said(name) for place, name in enumerate(found.names)}
        st.subheader(say("One way of reading"), anchor=False)
        chosen = int(widgets.choice(say("Way of reading"), names, None, key="archetype_shown")) - 1
        archetype = found.archetypes[chosen]
        explain_widgets.bullets([widgets.said(sentence) for sentence in archetype.sentences])
        _naming(shown.run, archetype.name, archetype.own_name, widgets.said(archetype.made_name))
        with st.container(horizontal=True):
            shell.link(
                "masks",
                say("Show only these rows on this page"),
                icon=":material/filter_alt:",
                run=shown.run.run_id,
                view="rows",
                archetype=str(chosen + 1),
            )
            shell.link(
                "decision",
                say("Open the most typical row {row:,}", row=archetype.medoid),
                icon=":material/arrow_forward:",
                run=shown.run.run_id,
                row=str(archetype.medoid),
            )
        positions = np.flatnonzero(np.isin(shown.explanation.rows, found.rows[found.codes == chosen]))
        masks_list.rows_below(shown, positions.astype(np.int64), output, key="archetype_rows", title=say("Its rows"))


def _naming(run: Run, name: str, own_name: str, made_name: str) -> None:
    """Let the user name the way of reading; an empty name gives ours back."""
    with st.form(f"archetype_name_{name}", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.text_input(
            say("Your name for it"),
            own_name,
            max_chars=80,
            placeholder=made_name,
            help=say("It is stored with the run and shown wherever this way of reading is; empty takes ours back."),
        )
        pressed = st.form_submit_button(say("Keep the name"), icon=":material/edit:")
    if not pressed or wanted.strip() == own_name:
        return
    from tabnet_engine.explain.archetype_store import rename_archetype

    try:
        renamed = rename_archetype(run, name, wanted)
    except (UserError, StorageError) as error:
        widgets.error(str(error))
        return
    del renamed  # the run is read anew: its version has changed
    state.notify("success", say("The name is kept"))
    st.rerun()


def archetype_table(found: Archetypes) -> pd.DataFrame:
    """One line for each archetype: its name, its rows, and the outcome, prediction and error of each target."""
    lines = []
    for number, archetype in enumerate(found.archetypes, start=1):
        line = {
            say("no."): number,
            say("way of reading"): widgets.said(archetype.name),
            say("rows"): archetype.n_rows,
            say("of all rows"): explain_widgets.estimate_text(archetype.size, explain_widgets.share_text),
        }
        for rates in archetype.rates:
            line |= _rates(rates, named=len(archetype.rates) > 1)
        lines.append({**line, say("example row"): archetype.medoid})
    return pd.DataFrame(lines)


def _said_twice(run: Run, found: Archetypes) -> list[str]:
    """Columns of the class that the score is not for, where there are two: what is missing to a whole."""
    columns = []
    for rates in found.archetypes[0].rates:
        is_named = len(found.archetypes[0].rates) > 1
        scored = run.targets.of(rates.target)[0].outputs
        others = [name for name in rates.actual if len(rates.actual) == 2 and name not in scored]
        for name in others:
            columns += list(_headings(rates.target, name, named=is_named))
    return columns


def _headings(target: str, name: str, *, named: bool) -> tuple[str, str]:
    """What the columns of an outcome and of its prediction are called."""
    shown = say("mean") if name == "mean" else class_name(name)
    whole = say("{target}: {outcome}", target=target, outcome=shown) if named else shown
    return whole, say("{outcome}, predicted", outcome=whole)


def _rates(rates: TargetRates, *, named: bool) -> dict[str, str]:
    is_mean = list(rates.actual) == ["mean"]
    show = widgets.number if is_mean else explain_widgets.share_text
    cells = {}
    for name, estimate in rates.actual.items():
        actual, predicted = _headings(rates.target, name, named=named)
        cells[actual] = explain_widgets.estimate_text(estimate, show)
        cells[predicted] = explain_widgets.estimate_text(rates.predicted[name], show)
    error = say("mean error") if is_mean else say("wrong")
    title = say("{target}: {outcome}", target=rates.target, outcome=error) if named else error
    cells[title] = explain_widgets.estimate_text(rates.error, show)
    return cells
