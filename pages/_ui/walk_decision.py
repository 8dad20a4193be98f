"""The walkthrough's fifth step: why one row got its answer. What was read, what pushed, and do both agree?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import explain_access, explain_decision, explain_widgets, measures, run_view, walk_row, widgets
from pages._ui.walk_masks import explained_run
from tabnet_engine.data.samples import load_sample
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from pages._ui.explain_access import ShownRow
    from pages._ui.walk_row import Case
    from tabnet_engine.runs.run import Run

__all__ = ["decision", "question", "row_to_show"]


def question() -> str:
    """The heading: the question about the row; empty where there is none to ask about."""
    found = walk_row.case()
    return "" if found is None else walk_row.question(found)


def decision() -> bool:
    """One row from start to end: the answer, the steps, the pushes, and whether both agree."""
    found, shown = row_to_show(choose=True)
    if found is None or shown is None:
        return False
    table = explain_access.frame(found.run)
    if table is not None:
        explain_decision.prediction(found.run, shown, table, found.output)
    st.subheader(say("How the steps came to it"), anchor=False, help=measures.help_text("step_contribution"))
    st.markdown(say("**Look at:** what each step read, and what it added to the score; the steps add up exactly."))
    explain_decision.steps(found.run, shown, found.output)
    st.subheader(say("Which columns pushed"), anchor=False, help=measures.help_text("shap"))
    if shown.attribution is not None:
        st.markdown(say("**Look at:** the longest bar, the column that moved the score most, and which way it points."))
    explain_decision.pushes(found.run, shown, found.output)
    if shown.attribution is not None:
        st.subheader(say("Do masks and SHAP agree here?"), anchor=False, help=measures.help_text("spearman"))
        st.markdown(say("**Look at:** columns with one long bar and one short: read without effect, or the reverse."))
        explain_decision.agreement(shown, found.output)
    _truth(found.run)
    return True


def row_to_show(*, choose: bool) -> tuple[Case | None, ShownRow | None]:
    """The row that is asked about and what can be said of it; a sentence says what is wanting.

    Args:
        choose: whether another row can be chosen here.
    """
    run = explained_run()
    if run is None:
        return None, None
    found = walk_row.case()
    if found is None:
        explain_widgets.table_gone(run)
        run_view.explanation_links(run.run_id)
        return None, None
    if choose:
        walk_row.controls(found)
    shown = explain_access.shown_row(found.run, found.row)
    if shown is None:
        widgets.info(say("This run was saved without explanations; go back and train again"))
    return found, shown


def _truth(run: Run) -> None:
    """For the sample whose rule is known, say it, so that the explanation can be judged."""
    truth = load_sample("credit").truth if walk_row.is_credit(run) else None
    if truth is not None:
        with st.container(border=True):
            st.markdown(say("**The truth behind this sample**"))
            st.text(say("Deciding, strongest first: {columns}.", columns=", ".join(truth.deciding)))
            st.text(widgets.said(truth.rule))
