"""Controls whose choice stays in the address, so that a reload, a link and another language show the same.

What is kept are the keys of a choice, never its words. Names are short and the same on every page that
means the same by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pages._ui import state

__all__ = ["choice", "number", "several", "tabs", "text", "toggle"]

_SEPARATOR = "~"


def choice(
    name: str, label: str, options: Mapping[str, str], *, default: str | None = None, help_text: str | None = None
) -> str:
    """A choice list.

    Args:
        name: under which the choice is kept in the address; unique on the page.
        label: what is chosen.
        options: key to the words shown; not empty.
        default: the key to start with; the first when absent.
        help_text: one line that says what the choice does.
    """
    keys = list(options)
    start = _among(state.asked(name), keys) or _among(default, keys) or keys[0]
    chosen = st.selectbox(
        label,
        keys,
        index=keys.index(start),
        format_func=lambda key: options[key],
        key=state.choice_key(name, start),
        help=help_text,
    )
    return _keep(name, str(chosen), default or keys[0])


def tabs(name: str, label: str, options: Mapping[str, str], *, default: str | None = None) -> str:
    """The same as a row of buttons, for few short words; the label is for screen readers."""
    keys = list(options)
    start = _among(state.asked(name), keys) or _among(default, keys) or keys[0]
    chosen = st.segmented_control(
        label,
        keys,
        default=start,
        required=True,
        format_func=lambda key: options[key],
        key=state.choice_key(name, start),
        label_visibility="collapsed",
    )
    return _keep(name, str(chosen), default or keys[0])


def several(
    name: str, label: str, options: Sequence[str], *, default: Sequence[str] = (), help_text: str | None = None
) -> list[str]:
    """Some of the user's own names, such as columns or values."""
    asked = state.asked(name)
    start = list(default) if asked is None else [item for item in asked.split(_SEPARATOR) if item in options]
    chosen = st.multiselect(
        label, options, default=start, key=state.choice_key(name, _SEPARATOR.join(start)), help=help_text
    )
    _keep(name, _SEPARATOR.join(chosen), _SEPARATOR.join(default))
    return list(chosen)


def text(name: str, label: str, *, default: str = "", placeholder: str = "", help_text: str | None = None) -> str:
    """A line of text."""
    start = state.asked(name)
    start = default if start is None else start
    typed = st.text_input(
        label, start, key=state.choice_key(name, start), placeholder=placeholder or None, help=help_text
    )
    return _keep(name, typed or "", default)


def number(
    name: str, label: str, low: int, high: int, *, default: int, step: int = 1, help_text: str | None = None
) -> int:
    """A whole number."""
    asked = state.asked(name) or ""
    start = int(asked) if asked.isdecimal() and len(asked) <= 15 else default
    start = min(max(start, low), high)
    typed = st.number_input(label, low, high, start, step, key=state.choice_key(name, str(start)), help=help_text)
    _keep(name, str(int(typed)), str(default))
    return int(typed)


def toggle(name: str, label: str, *, default: bool = False, help_text: str | None = None) -> bool:
    """On or off."""
    asked = state.asked(name)
    start = default if asked not in ("0", "1") else asked == "1"
    chosen = st.toggle(label, start, key=state.choice_key(name, str(start)), help=help_text)
    _keep(name, str(int(chosen)), str(int(default)))
    return bool(chosen)


def _among(key: str | None, keys: Sequence[str]) -> str | None:
    return key if key in keys else None


def _keep(name: str, value: str, default: str) -> str:
    """Remember the choice; the address stays short where it is the usual one."""
    state.keep_chosen(name, value)
    state.keep_asked(name, value, is_default=value == default)
    return value
