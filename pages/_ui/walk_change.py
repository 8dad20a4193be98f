"""The walkthrough's last step: what would have changed the answer, and the ways on with this very row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import decision_models, decision_what_if, explain_widgets, shell, walk_row, widgets
from pages._ui.decision_search import Question
from pages._ui.walk_decision import row_to_show
from tabnet_engine.data.schema import Task
from tabnet_engine.explain.counterfactual.constraints import Constraint, Constraints
from tabnet_engine.explain.counterfactual.settings import SearchSettings
from tabnet_engine.explain.counterfactual.wanted import wanted_other_class
from tabnet_engine.explain.what_if import changes_text
from tabnet_engine.explain.wording import joined
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from pages._ui.explain_access import ShownRow
    from pages._ui.walk_row import Case
    from tabnet_engine.explain.counterfactual.result import Counterfactual

__all__ = ["change", "question"]

# Of the credit sample: what no applicant can change.
_GIVEN = ("age_years", "region", "application_date")
_SETTINGS = SearchSettings(n=1, max_changes=3, seconds=10.0)


def question() -> str:
    """The heading: a question about the row; empty where there is no row to ask about."""
    found = walk_row.case()
    return "" if found is None else say("What would have changed the answer for row {row:,}?", row=found.row)


def change() -> bool:
    """The smallest change found that gives another answer, or controls to look for one; then the ways on."""
    found, shown = row_to_show(choose=False)
    if found is None or shown is None:
        return False
    proposal = None if found.codec.task is Task.REGRESSION else _proposal(found, shown)
    if proposal is None:
        _try_out(found, shown)
    else:
        _told(found, proposal)
    _ways_on(found, proposal)
    return True


def _proposal(found: Case, shown: ShownRow) -> Counterfactual | None:
    """One counterfactual, searched for now unless this visit has it."""
    run = found.run
    given = [name for name in _GIVEN if walk_row.is_credit(run) and name in run.encoder.schema.feature_names]
    question = Question(
        run=run,
        row=found.row,
        wanted=wanted_other_class(run.targets, shown.masks.logits[0], target=found.codec.name),
        constraints=Constraints(columns=tuple(Constraint(column=name, fixed=True) for name in given)),
        settings=_SETTINGS,
    )
    with st.spinner(say("Looking for the smallest change that gives another answer")):
        result = question.found()
    for text in result.reasons:
        widgets.info(text)
    if not result.counterfactuals:
        return None
    st.markdown(
        say("**Look at:** how little would have had to be different, and which step notices it in the chart below.")
    )
    if given:
        names = widgets.md(joined(given))
        st.caption(say("{columns} stay as they are in this search: nobody can change those.", columns=names))
    best: Counterfactual = result.counterfactuals[0]
    return best


def _told(found: Case, proposal: Counterfactual) -> None:
    explain_widgets.bullets([proposal.sentence, proposal.likeness.sentence])
    with st.spinner(decision_models.loading()):
        question = decision_models.what_if(found.run, found.row)
    answer = question.answer({item.column: item.after for item in proposal.changes})
    decision_what_if.answer_numbers(found.run, answer, found.output)
    decision_what_if.answer_charts(found.run, answer, found.output, key="walk_change")
    st.caption(
        say("The model was asked again with these values; that a change works says nothing on what causes what.")
    )


def _try_out(found: Case, shown: ShownRow) -> None:
    st.markdown(say("**Look at:** how the answer moves when you change the first columns, those that matter most."))
    decision_what_if.section(found.run, shown, found.output)


def _ways_on(found: Case, proposal: Counterfactual | None) -> None:
    """Links to the pages, opened on this very row."""
    ids, run_id = walk_row.link_ids(found), found.run.run_id
    st.subheader(say("Go on with this row"), anchor=False)
    changes = None if proposal is None else changes_text({item.column: item.after for item in proposal.changes})
    with st.container(horizontal=True, gap="medium"):
        shell.link("decision", say("Everything about this decision"), icon=":material/person_search:", **ids)
        shell.link("decision", say("The same by every method"), icon=":material/compare:", view="methods", **ids)
        shell.link("decision", say("What if"), icon=":material/tune:", view="what_if", set=changes, **ids)
        shell.link("decision", say("Changes within your limits"), icon=":material/rule:", view="counterfactual", **ids)
        shell.link("decision", say("Similar rows"), icon=":material/group:", view="similar", **ids)
    st.markdown(say("**Or look at all rows:**"))
    with st.container(horizontal=True, gap="medium"):
        shell.link("importance", say("What matters overall"), icon=":material/bar_chart:", run=run_id)
        shell.link("masks", say("What each step read"), icon=":material/grid_on:", run=run_id)
        shell.link("shap_comparison", say("Masks against SHAP"), icon=":material/compare_arrows:", run=run_id)
        shell.link("groups", say("Groups"), icon=":material/groups:", run=run_id)
