"""Controls whose choice stays in the address, so that a reload, a link and another language show the same.

What is kept are the keys of a choice, never its words. Names are short and the same on every page that
means the same by them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import streamlit as st

from pages._ui import state
from tabnet_engine.texts.speaking import say

__all__ = ["amount", "choice", "number", "several", "stretch", "tabs", "text", "toggle", "turn_to"]

_SEPARATOR = "~"
_MOST_DIGITS = 15
_STRETCH_STEPS = 200  # of a slider from end to end


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
    usual = default if default is not None and default in options else keys[0]
    start = _asked_among(name, options, usual)
    chosen = st.selectbox(
        label,
        keys,
        index=keys.index(start),
        format_func=lambda key: options[key],
        key=state.choice_key(name, start),
        help=help_text,
    )
    return _keep(name, str(chosen), usual)


def tabs(name: str, label: str, options: Mapping[str, str], *, default: str | None = None) -> str:
    """The same as a row of buttons, for few short words; the label is for screen readers."""
    keys = list(options)
    usual = default if default is not None and default in options else keys[0]
    start = _asked_among(name, options, usual)
    chosen = st.segmented_control(
        label,
        keys,
        default=start,
        required=True,
        format_func=lambda key: options[key],
        key=state.choice_key(name, start),
        label_visibility="collapsed",
    )
    return _keep(name, str(chosen), usual)


def several(
    name: str, label: str, options: Sequence[str], *, default: Sequence[str] = (), help_text: str | None = None
) -> list[str]:
    """Some of the user's own names, such as columns or values."""
    asked = state.asked(name)
    wanted = list(default) if asked is None else [unquote(item) for item in asked.split(_SEPARATOR)]
    start = [item for item in dict.fromkeys(wanted) if item in options]
    chosen = st.multiselect(
        label,
        options,
        default=start,
        key=state.choice_key(name, _joined(start)),
        help=help_text,
        placeholder=say("Choose"),
    )
    _keep(name, _joined(chosen), _joined([item for item in default if item in options]))
    return list(chosen)


def _joined(items: Sequence[str]) -> str:
    """Several names in one text of the address, whatever letters they have."""
    return _SEPARATOR.join(item.replace("%", "%25").replace(_SEPARATOR, "%7E") for item in items)


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
    start = min(max(_whole(state.asked(name), default), low), high)
    typed = st.number_input(label, low, high, start, step, key=state.choice_key(name, str(start)), help=help_text)
    _keep(name, str(int(typed)), str(default))
    return int(typed)


def amount(
    name: str,
    label: str,
    low: float,
    high: float,
    *,
    default: float,
    step: float = 0.01,
    places: int = 2,
    help_text: str | None = None,
) -> float:
    """A number with decimal places, such as a cutoff."""
    start = float(min(max(_decimal(state.asked(name), default), low), high))
    typed = st.number_input(
        label,
        float(low),
        float(high),
        start,
        float(step),
        format=f"%.{places}f",
        key=state.choice_key(name, repr(start)),
        help=help_text,
    )
    _keep(name, repr(float(typed)), repr(float(default)))
    return float(typed)


def stretch(name: str, label: str, low: float, high: float) -> tuple[float, float] | None:
    """A stretch of a range by a slider with two ends; None while it is the whole range.

    Args:
        name: under which it is kept.
        label: what the numbers are.
        low: the lower end of the range.
        high: the upper one, above ``low``.
    """
    start = _asked_stretch(name, low, high)
    first, last = st.slider(
        label, low, high, start, (high - low) / _STRETCH_STEPS, key=state.choice_key(name, repr(start)), format="%.3g"
    )
    is_whole = first <= low and last >= high
    state.keep_chosen(name, repr((float(first), float(last))))
    state.keep_asked(name, f"{float(first)!r}{_SEPARATOR}{float(last)!r}", is_default=is_whole)
    return None if is_whole else (float(first), float(last))


def turn_to(name: str, value: str, label: str, **ids: str) -> None:
    """A button that makes another choice of this page, such as which view is shown; all other choices stay.

    No link: after a link to the page that is open the browser keeps the address of before, and the next click on
    anything leads back.

    Args:
        name: under which the choice is kept.
        value: its key; not the usual one, which has no place in the address.
        label: what the button says.
        ids: what is chosen with it, such as the run.
    """
    st.button(
        label,
        type="tertiary",
        icon=":material/arrow_forward:",
        key=f"turn_to_{name}_{value}",
        on_click=_turn,
        args=(name, value, ids),
    )


def _turn(name: str, value: str, ids: Mapping[str, str]) -> None:
    for key, chosen in ids.items():
        state.choose(key, chosen)
    state.keep_asked(name, value, is_default=False)


def _asked_stretch(name: str, low: float, high: float) -> tuple[float, float]:
    """What the address asks for, within the range; all of it where that cannot be read."""
    first, _, last = (state.asked(name) or "").partition(_SEPARATOR)
    found = _decimal(first, math.nan), _decimal(last, math.nan)
    return found if low <= found[0] <= found[1] <= high else (low, high)


def _whole(text: str | None, default: int) -> int:
    digits = (text or "").removeprefix("-")
    return int(text or "") if digits.isdecimal() and len(digits) <= _MOST_DIGITS else default


def _decimal(text: str | None, default: float) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return default
    return value if math.isfinite(value) else default


def toggle(name: str, label: str, *, default: bool = False, help_text: str | None = None) -> bool:
    """On or off."""
    asked = state.asked(name)
    start = default if asked not in ("0", "1") else asked == "1"
    chosen = st.toggle(label, start, key=state.choice_key(name, str(int(start))), help=help_text)
    _keep(name, str(int(chosen)), str(int(default)))
    return bool(chosen)


def _asked_among(name: str, options: Mapping[str, str], usual: str) -> str:
    asked = state.asked(name)
    return asked if asked is not None and asked in options else usual


def _keep(name: str, value: str, default: str) -> str:
    """Remember the choice; the address stays short where it is the usual one."""
    state.keep_chosen(name, value)
    state.keep_asked(name, value, is_default=value == default)
    return value
