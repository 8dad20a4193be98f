"""The walkthrough's frame: which step is shown, how to go on and back. It can be left and resumed."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages._ui import asked, state, walk_data, walk_explain, walk_training

__all__ = ["show"]

_STAGE = "stage"
_STAGES: tuple[tuple[str, Callable[[], bool]], ...] = (
    ("Table", walk_data.table),
    ("Target", walk_data.target),
    ("Training", walk_training.training),
    ("Masks", walk_explain.masks),
    ("One decision", walk_explain.decision),
)


def show() -> None:
    """Draw the present step; each draws itself and says whether the next one is open."""
    number = _current()
    _steps(number)
    title, draw = _STAGES[number - 1]
    st.subheader(f"{number}. {title}", anchor=False)
    _buttons(number, ready=draw())


def _current() -> int:
    return min(max(asked.whole_number(_STAGE) or 1, 1), len(_STAGES))


def _steps(number: int) -> None:
    names = [
        f"**{position}. {title}**" if position == number else f"{position}. {title}"
        for position, (title, _) in enumerate(_STAGES, start=1)
    ]
    st.progress(number / len(_STAGES), text=" → ".join(names))


def _buttons(number: int, *, ready: bool) -> None:
    with st.container(horizontal=True, horizontal_alignment="left"):
        if number > 1 and st.button("Back", key=f"back_{number}", icon=":material/arrow_back:"):
            _go(number - 1)
        if (
            ready
            and number < len(_STAGES)
            and st.button(
                f"Next: {_STAGES[number][0].lower()}",
                key=f"next_{number}",
                type="primary",
                icon=":material/arrow_forward:",
                icon_position="right",
            )
        ):
            _go(number + 1)
        if number == len(_STAGES) and st.button("Start again", key="again", icon=":material/restart_alt:"):
            state.clear("dataset", "run", "job", "row")
            state.fresh_token("train")
            _go(1)


def _go(number: int) -> None:
    state.choose(_STAGE, str(number))
    st.rerun()
