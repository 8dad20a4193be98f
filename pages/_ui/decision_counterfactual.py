"""What would have to change? Proposals under the visitor's limits, each scored again before it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import decision_models, explain_widgets, guard, kept, measures, state, widgets
from pages._ui.decision_changes import Changes
from pages._ui.decision_limits import limits, report_link
from pages._ui.decision_search import Question
from pages._ui.decision_wanted import wanted_outcome
from pages._ui.decision_what_if import answer_charts, answer_numbers
from tabnet_engine.explain.counterfactual.proposals import check_table, proposal_table
from tabnet_engine.explain.counterfactual.settings import SearchSettings
from tabnet_engine.explain.what_if import leading_columns
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from pages._ui.explain_access import ShownRow
    from tabnet_engine.explain.counterfactual.result import Counterfactual, CounterfactualResult
    from tabnet_engine.runs.run import Run

__all__ = ["section"]

_SECONDS = {"3": 3.0, "10": 10.0, "30": 30.0, "60": 60.0}


def section(run: Run, shown: ShownRow, output: int) -> None:
    """Draw the limits, the search and its proposals for one row.

    Args:
        run: the run; its table must be in this workspace.
        shown: the row as it is.
        output: an output of the target that is asked about.
    """
    st.subheader(say("What would have to change?"), anchor=False, help=measures.help_text("counterfactual"))
    _asking(run, shown, output)


@st.fragment
def _asking(run: Run, shown: ShownRow, output: int) -> None:
    with guard.sentences():
        with st.spinner(decision_models.loading()):
            columns, reference = decision_models.columns(run), decision_models.reference(run)
        places = {item.column.name: item for item in columns}
        ordered = [places[name] for name in leading_columns(shown.masks, shown.attribution, output)]
        wanted = wanted_outcome(run, shown.masks.logits[0], output)
        with st.expander(say("What may change"), icon=":material/tune:", expanded=True):
            constraints = limits(ordered)
        settings = _settings()
        if wanted is None:
            return
        question = Question(run=run, row=shown.row, wanted=wanted, constraints=constraints, settings=settings)
        result = question.answer()
        if result is None:
            st.caption(say("Every proposal is scored again by the model before it is shown."))
            return
        _told(run, shown, output, result)
        if reference.scale_note:
            st.caption(widgets.md(widgets.said(reference.scale_note)))
        report_link(run.run_id, shown.row)


def _settings() -> SearchSettings:
    with st.container(horizontal=True):
        n = kept.number("proposals", say("Proposals"), 1, 6, default=3)
        most = kept.number(
            "changes",
            say("Changes at most"),
            1,
            20,
            default=3,
            help_text=say("Columns that move together count as one change."),
        )
        seconds = kept.choice(
            "seconds",
            say("Time at most"),
            {key: say("{seconds:g} seconds", seconds=value) for key, value in _SECONDS.items()},
            default="10",
            help_text=say("After that the search ends with what it has found."),
        )
    return SearchSettings(n=n, max_changes=most, seconds=_SECONDS[seconds])


def _told(run: Run, shown: ShownRow, output: int, result: CounterfactualResult) -> None:
    """The proposals as a table, one of them in full, and how they were found."""
    for text in result.reasons:
        widgets.info(text)
    if result.counterfactuals:
        st.markdown(f"**{say('What each proposal changes')}**")
        changes, checks = proposal_table(result), check_table(result)
        widgets.text_table(changes, alt=say("What each proposal changes"))
        st.markdown(f"**{say('How each proposal stands')}**", help=measures.help_text("plausibility"))
        widgets.text_table(checks, alt=say("How each proposal stands"))
        widgets.data_button(lambda: changes, key="proposals")
        _one(run, shown, output, result)
    with st.expander(say("How this was found"), icon=":material/info:"):
        st.markdown(widgets.md(result.note))


def _one(run: Run, shown: ShownRow, output: int, result: CounterfactualResult) -> None:
    """One proposal: in words, and what the steps would read and add."""
    names = {str(place + 1): say("Proposal {number}", number=place + 1) for place in range(len(result.counterfactuals))}
    chosen = kept.tabs("proposal", say("Proposal"), names)
    item = result.counterfactuals[int(chosen) - 1]
    explain_widgets.bullets([item.sentence, item.likeness.sentence])
    question = decision_models.what_if(run, shown.row)
    answer = question.answer({change.column: change.after for change in item.changes})
    answer_numbers(run, answer, output)
    if st.button(
        say("Try this proposal under “What if”"),
        icon=":material/tune:",
        key=f"try_{chosen}",
        help=say("All its values are set there; change them further and see what moves."),
    ):
        _try(run, shown, item)
    answer_charts(run, answer, output, key="proposal")


def _try(run: Run, shown: ShownRow, item: Counterfactual) -> None:
    changes = Changes(run.run_id, decision_models.what_if(run, shown.row))
    changes.replace({change.column: change.after for change in item.changes})
    changes.keep()
    state.keep_asked("view", "what_if", is_default=False)
    st.rerun()
