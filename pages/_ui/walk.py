"""The walkthrough's frame: which step is shown, how to go on and back. It can be left and resumed."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages._ui import asked, state, walk_data, walk_explain, walk_training
from tabnet_engine.texts.speaking import msg, say

__all__ = ["show"]

_STAGE = "stage"
_STAGES: tuple[tuple[str, Callable[[], bool]], ...] = (
    (msg("Table"), walk_data.table),
    (msg("Target"), walk_data.target),
    (msg("Training"), walk_training.training),
    (msg("Masks"), walk_explain.masks),
    (msg("One decision"), walk_explain.decision),
)
_NEXT = (msg("Next: target"), msg("Next: training"), msg("Next: masks"), msg("Next: one decision"))


def show() -> None:
    """Draw the present step; each draws itself and says whether the next one is open."""
    number = _current()
    _steps(number)
    title, draw = _STAGES[number - 1]
    st.subheader(f"{number}. {say(title)}", anchor=False)
    _buttons(number, ready=draw())


def _current() -> int:
    return min(max(asked.whole_number(_STAGE) or 1, 1), len(_STAGES))


def _steps(number: int) -> None:
    names = [
        f"**{position}. {say(title)}**" if position == number else f"{position}. {say(title)}"
        for position, (title, _) in enumerate(_STAGES, start=1)
    ]
    st.progress(number / len(_STAGES), text=" → ".join(names))


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
        if number == len(_STAGES) and st.button(say("Start again"), key="again", icon=":material/restart_alt:"):
            state.clear("dataset", "run", "job", "row")
            state.fresh_token("train")
            _go(1)


def _go(number: int) -> None:
    state.choose(_STAGE, str(number))
    st.rerun()
