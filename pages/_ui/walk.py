"""The walkthrough's frame: which step is shown, how to go on and back. It can be left and resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from pages._ui import (
    asked,
    state,
    walk_change,
    walk_data,
    walk_decision,
    walk_masks,
    walk_memory,
    walk_training,
    widgets,
)
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["show"]


class _Stage(NamedTuple):
    """A step: its name, what draws it and says whether the next is open, and its heading where it has its own."""

    title: str
    draw: Callable[[], bool]
    heading: Callable[[], str] | None = None


_STAGES = (
    _Stage(msg("Table"), walk_data.table),
    _Stage(msg("Target"), walk_data.target),
    _Stage(msg("Training"), walk_training.training),
    _Stage(msg("Masks"), walk_masks.masks),
    _Stage(msg("One decision"), walk_decision.decision, walk_decision.question),
    _Stage(msg("What would change it"), walk_change.change, walk_change.question),
)
_NEXT = (
    msg("Next: target"),
    msg("Next: training"),
    msg("Next: masks"),
    msg("Next: one decision"),
    msg("Next: what would change it"),
)
_DECISION = 5


def show() -> None:
    """Draw the present step; each draws itself and says whether the next one is open."""
    walk_memory.resume()
    number = _current()
    stage = _STAGES[number - 1]
    _steps(number)
    if walk_memory.is_back():
        _back_again(number)
    heading = (stage.heading and stage.heading()) or say(stage.title)
    st.subheader(f"{number}. {widgets.md(heading)}", anchor=False)
    ready = stage.draw()
    walk_memory.keep()
    _buttons(number, ready=ready)


def _current() -> int:
    return min(max(asked.whole_number(walk_memory.STAGE) or 1, 1), len(_STAGES))


def _steps(number: int) -> None:
    names = [
        f"**{position}. {say(stage.title)}**" if position == number else f"{position}. {say(stage.title)}"
        for position, stage in enumerate(_STAGES, start=1)
    ]
    st.progress(number / len(_STAGES), text=" → ".join(names))


def _back_again(number: int) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            say(
                "You are back where you left the walkthrough: step {number} of {most}.",
                number=number,
                most=len(_STAGES),
            )
        )
        _again_button("again_at_once")


def _buttons(number: int, *, ready: bool) -> None:
    with st.container(horizontal=True, horizontal_alignment="left"):
        if number > 1 and st.button(say("Back"), key=f"back_{number}", icon=":material/arrow_back:"):
            _go(number - 1)
        if (
            ready
            and number < len(_STAGES)
            and st.button(
                say(_NEXT[number - 1]),
                key=f"next_{number}",
                type="primary",
                icon=":material/arrow_forward:",
                icon_position="right",
            )
        ):
            _go(number + 1)
        if number > 1:
            _again_button("again")


def _again_button(key: str) -> None:
    help_text = say("Begins with another table; tables and runs stay.")
    if st.button(say("Start again"), key=key, icon=":material/restart_alt:", type="tertiary", help=help_text):
        walk_memory.forget()
        state.fresh_token("train")
        _go(1)


def _go(number: int) -> None:
    if number == _DECISION and not walk_memory.has_row():
        state.clear("row", "class")  # what other pages looked at; the walkthrough chooses a row of its own
    walk_memory.moved_on()
    state.choose(walk_memory.STAGE, str(number))
    st.rerun()
