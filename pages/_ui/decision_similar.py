"""Similar rows with another outcome: real ones, with what differs marked, and the way to their own decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import decision_models, guard, kept, measures, shell, widgets
from pages._ui.decision_wanted import wanted_outcome
from tabnet_engine.explain.counterfactual.neighbour_result import Outcome
from tabnet_engine.explain.counterfactual.proposals import neighbour_cells, neighbour_table
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from pages._ui.explain_access import ShownRow
    from tabnet_engine.explain.counterfactual.neighbour_result import Neighbours
    from tabnet_engine.runs.run import Run

__all__ = ["section"]


def section(run: Run, shown: ShownRow, output: int) -> None:
    """Draw the nearest rows with another outcome.

    Args:
        run: the run; its table must be in this workspace.
        shown: the row as it is.
        output: an output of the target that is asked about.
    """
    st.subheader(say("Similar rows with another outcome"), anchor=False, help=measures.help_text("row_distance"))
    _looking(run, shown, output)


@st.fragment
def _looking(run: Run, shown: ShownRow, output: int) -> None:
    with guard.sentences():
        with st.spinner(say("Loading the model and scoring the rows")):
            candidates = decision_models.candidates(run)
        wanted = wanted_outcome(run, shown.masks.logits[0], output)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            by = kept.choice(
                "by",
                say("Whose outcome"),
                {Outcome.PREDICTED.value: say("what the model gives"), Outcome.ACTUAL.value: say("what really came")},
            )
            n = kept.number("rows_shown", say("Rows"), 1, 12, default=4)
        if wanted is None:
            return
        row = decision_models.one_line(run, shown.row)
        _told(run, candidates.nearest(row, wanted, by=Outcome(by), n=n, row_number=shown.row))


def _told(run: Run, found: Neighbours) -> None:
    outcomes, cells = neighbour_table(found), neighbour_cells(found)
    widgets.text_table(outcomes, alt=say("The nearest rows and their outcomes"))
    with st.container(horizontal=True):
        for item in found.rows:
            shell.link(
                "decision",
                say("Open row {row:,}", row=item.row),
                icon=":material/arrow_forward:",
                run=run.run_id,
                row=str(item.row),
            )
    st.markdown(f"**{say('Where they differ')}**")
    st.caption(say("◆ marks another value than in this row; – is the same value."))
    widgets.text_table(cells, alt=say("Where the nearest rows differ from this one"))
    widgets.data_button(lambda: cells, key="similar_rows")
    st.caption(widgets.md(found.note))
