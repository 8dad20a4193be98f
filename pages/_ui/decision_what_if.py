"""What if a value were another? A control for each column of one row; answer, probability and masks move at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import decision_models, explain_access, explain_widgets, guard, kept, measures, widgets
from pages._ui.decision_changes import Changes
from pages._ui.decision_controls import control
from tabnet_engine.data.schema import Task
from tabnet_engine.explain.what_if import leading_columns, outside_sentences, shown_text
from tabnet_engine.figures.what_if import probability_change, step_change
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    from pages._ui.explain_access import ShownRow
    from tabnet_engine.explain.training_values import TrainingValues
    from tabnet_engine.explain.what_if import WhatIfAnswer
    from tabnet_engine.runs.run import Run

__all__ = ["answer_charts", "answer_numbers", "section"]

_ALL_AT_ONCE = 12  # columns that all get a control; of wider tables the visitor chooses
_AT_FIRST = 8


def section(run: Run, shown: ShownRow, output: int) -> None:
    """Draw the controls of one row and what the model answers.

    Args:
        run: the run; its table must be in this workspace.
        shown: the row as it is.
        output: which of all outputs is looked at.
    """
    st.subheader(say("What if a value were another?"), anchor=False, help=measures.help_text("what_if"))
    _moving(run, shown, output)


@st.fragment
def _moving(run: Run, shown: ShownRow, output: int) -> None:
    with guard.sentences():
        with st.spinner(decision_models.loading()):
            question, columns = decision_models.what_if(run, shown.row), decision_models.columns(run)
        changes = Changes(run.run_id, question)
        for text in changes.told:  # some begin with a column's name, which gets no capital
            st.info(widgets.as_sentence(text, capital=False), icon=":material/info:")
        changes.keep()
        answer = question.answer(changes.values)
        answer_numbers(run, answer, output)
        _made(answer, columns, changes)
        left, right = st.columns([2, 3], gap="medium")
        with right:
            answer_charts(run, answer, output, key="what_if")
        with left:
            _controls(run, shown, output, columns, changes)


def answer_numbers(run: Run, answer: WhatIfAnswer, output: int) -> None:
    """Decision, probability and score of one output, each with what it was.

    Args:
        run: the run.
        answer: of the row as it is and changed.
        output: which of all outputs is looked at.
    """
    codec, place = explain_widgets.target_of(run, output)
    moved = answer.moved(codec, place, output)
    with st.container(horizontal=True, gap="medium"):
        for number in moved.numbers:
            st.metric(
                widgets.md(number.name),
                widgets.md(number.after),
                widgets.md(number.change) if number.change else None,
                delta_color="off",
                delta_arrow=number.arrow,
                width="content",
            )
    if answer.changes:
        st.markdown(widgets.md(moved.sentence))


def answer_charts(run: Run, answer: WhatIfAnswer, output: int, *, key: str) -> None:
    """The probabilities, and what every step read and added, as it is and changed; arguments as above."""
    codec, place = explain_widgets.target_of(run, output)
    if codec.task is not Task.REGRESSION:
        before, after = answer.probabilities(codec, place)
        colors = explain_access.colors(run, codec.name)
        figure = probability_change(codec.classes, before, after, colors=colors)
        alt = answer.moved(codec, place, output).sentence
        widgets.chart(
            figure,
            key=f"{key}_probabilities",
            alt=alt,
            data=lambda: pd.DataFrame({"class": codec.classes, "now": before, "changed": after}),
        )
    figure = step_change(
        answer.before,
        answer.after,
        output=output,
        unit=explain_widgets.unit(run, output),
        changed=list(answer.changes),
        subtitle=say("◆ marks the columns that were changed"),
    )
    alt = say("What every decision step read and added, now and changed")
    widgets.chart(figure, key=f"{key}_steps", alt=alt, data=lambda: answer.read_table(output))


def _made(answer: WhatIfAnswer, columns: tuple[TrainingValues, ...], changes: Changes) -> None:
    """The list of changes, what is unusual about them, and the way back."""
    if not answer.changes:
        widgets.info(say("Nothing is changed yet: move a control, and the answer and the masks move with it."))
        return
    for text in outside_sentences(answer.changes, columns):
        st.warning(widgets.md(text), icon=":material/warning:")
    with st.container(horizontal=True, vertical_alignment="center"):
        many = len(answer.changes)
        st.markdown(f"**{say_plural('{count} value is changed', '{count:,} values are changed', many)}**")
        st.button(say("Reset all"), key="what_if_reset", icon=":material/restart_alt:", on_click=changes.reset)
    lines = [
        {
            say("column"): name,
            say("now"): shown_text(answer.own[name]),
            say("changed"): shown_text(value),
        }
        for name, value in answer.changes.items()
    ]  # fmt: skip
    widgets.text_table(pd.DataFrame(lines), alt=say("The changed values"))


def _controls(run: Run, shown: ShownRow, output: int, columns: tuple[TrainingValues, ...], changes: Changes) -> None:
    """The columns' controls, those that matter most to the row first."""
    order = leading_columns(shown.masks, shown.attribution, output)
    by_name = {item.column.name: item for item in columns}
    if len(order) > _ALL_AT_ONCE:
        chosen = kept.several(
            "columns",
            say("Columns to change"),
            order,
            default=order[:_AT_FIRST],
            help_text=say("Those that matter most to this row come first; choose any of the others too."),
        )
        order = [name for name in order if name in chosen or changes.is_changed(name)]
    for name in order:
        control(by_name[name], changes, key=f"what_if_{run.run_id}_{shown.row}_{name}")
