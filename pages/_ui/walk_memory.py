"""Where this visit left the walkthrough: any page's link to it goes back there, and says so."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages._ui import state

__all__ = ["STAGE", "forget", "has_row", "is_back", "keep", "moved_on", "resume"]

STAGE = "stage"
_ROW = ("row", "class")
_NAMES = (STAGE, "dataset", "job", "run", *_ROW)
_LEFT = "walk_left"
_BACK = "walk_is_back"


def resume() -> None:
    """Choose again what the walkthrough was about, unless the address says where to go."""
    if any(state.asked(name) is not None for name in _NAMES):
        return
    left = _left()
    for name, value in left.items():
        state.choose(name, value)
    st.session_state[_BACK] = left.get(STAGE, "1") != "1"


def keep() -> None:
    """Remember what the address says now; the row that was looked at as long as the run is the same."""
    now = {name: value for name in _NAMES if (value := state.asked(name)) is not None}
    left = _left()
    if now.get("run") == left.get("run"):
        now = {name: left[name] for name in _ROW if name in left} | now
    st.session_state[_LEFT] = now


def has_row() -> bool:
    """Whether the walkthrough came as far as a row; a row of the address that other pages chose is not its own."""
    return "row" in _left()


def is_back() -> bool:
    """Whether the visitor has come back and not gone on yet."""
    return bool(st.session_state.get(_BACK))


def moved_on() -> None:
    """The visitor goes on: they need not be told any more that they are back."""
    st.session_state[_BACK] = False


def forget() -> None:
    """Start anew: forget what the walkthrough was about."""
    state.clear(*_NAMES, "set")
    st.session_state[_LEFT] = {}
    moved_on()


def _left() -> dict[str, Any]:
    left: dict[str, Any] = st.session_state.get(_LEFT, {})
    return left
