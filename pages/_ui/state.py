"""What a visit remembers: ids in the address (so that a reload restores them) and in the session.

The only place that names the session keys shared by several pages. A widget that belongs to one
component keeps its own key in that component.
"""

from __future__ import annotations

import uuid
from typing import Any, Literal

import streamlit as st

from tabnet_engine.texts import recalling
from tabnet_engine.texts.speaking import ENGLISH, LANGUAGES

__all__ = [
    "asked",
    "choice_key",
    "choose",
    "chosen_language",
    "clear",
    "current",
    "fresh_token",
    "is_new_pick",
    "keep_asked",
    "keep_chosen",
    "keep_own",
    "language",
    "mark_shell",
    "notify",
    "own_words",
    "shell_ran",
    "slot",
    "take_notices",
    "token",
]

_REMEMBERED = "remembered_ids"
_NOTICES = "notices"
_SHELL = "shell_ran"
_TOKENS = "tokens"
_CHOSEN = "choices"
_PICKS = "picks_on_charts"
_LANGUAGE = "lang"
_OWN_WORDS = "own_words"
# A page without these starts afresh; running jobs are found in the queue.
_ADDRESS_ONLY = frozenset({"job", "mode"})

Notice = tuple[Literal["success", "info", "error"], str]


def current(name: str) -> str | None:
    """The id that the address or this visit last chose, such as ``current("run")``; the address wins.

    The address is completed, so that a link copied from any page reopens what was seen.
    """
    value = st.query_params.get(name) or slot(_REMEMBERED).get(name)
    if value is not None:
        choose(name, value)
    return value


def choose(name: str, value: str) -> None:
    """Make ``value`` the current id called ``name``, in the address and for the pages that follow."""
    if name not in _ADDRESS_ONLY:
        slot(_REMEMBERED)[name] = value
    # Always written: after a link to the same page the browser still shows the address of before.
    st.query_params[name] = value


def asked(name: str) -> str | None:
    """What the address says of a control of this page; nothing is remembered for other pages."""
    value: str | None = st.query_params.get(name)
    return value


def keep_asked(name: str, value: str, *, is_default: bool) -> None:
    """Write a control's value into the address; its default needs no place there."""
    if is_default:
        if name in st.query_params:
            del st.query_params[name]
    elif st.query_params.get(name) != value:
        st.query_params[name] = value


def language() -> str:
    """The language of this visit: the address, the visit's choice, else what the browser prefers."""
    wanted = current(_LANGUAGE)
    if wanted in LANGUAGES:
        return str(wanted)
    preferred = (st.context.locale or ENGLISH).split("-")[0].lower()
    return preferred if preferred in LANGUAGES else ENGLISH


def chosen_language() -> str | None:
    """The language that the address or the visit chose; None where the browser's preference speaks."""
    wanted = slot(_REMEMBERED).get(_LANGUAGE)
    return wanted if wanted in LANGUAGES else None


def own_words() -> tuple[frozenset[str], frozenset[str]]:
    """The user's own words and names that the run shown holds, as ``recalling.keep_words`` takes them."""
    kept = slot(_OWN_WORDS)
    return kept.get("words", frozenset()), kept.get("names", frozenset())


def keep_own(**words: frozenset[str]) -> None:
    """Remember the user's own ``words`` or ``names`` for the fragments that are drawn without their page."""
    slot(_OWN_WORDS).update(words)
    recalling.keep_words(*own_words())


def clear(*names: str) -> None:
    """Forget ids, in the address and in the visit."""
    for name in names:
        slot(_REMEMBERED).pop(name, None)
        if name in st.query_params:
            del st.query_params[name]


def notify(kind: Literal["success", "info", "error"], text: str) -> None:
    """Leave a message that the next drawing of a page shows once; ``text`` is plain text."""
    st.session_state.setdefault(_NOTICES, []).append((kind, text))


def take_notices() -> list[Notice]:
    """The messages left by :func:`notify`, which are gone afterwards."""
    notices: list[Notice] = st.session_state.pop(_NOTICES, [])
    return notices


def token(purpose: str) -> str:
    """A random text that stays the same until :func:`fresh_token`: two clicks carry the same one."""
    kept = slot(_TOKENS)
    if purpose not in kept:
        kept[purpose] = uuid.uuid4().hex
    return str(kept[purpose])


def fresh_token(purpose: str) -> None:
    """Forget the token, so that the next one differs: resets an uploader, allows another job."""
    slot(_TOKENS).pop(purpose, None)


def choice_key(key: str, current: str | None) -> str:
    """The widget key of a choice that also the address and other pages make.

    It changes only when ``current`` was chosen elsewhere, for a new key is a new choice that starts from it.
    After the user's own choice it stays: under a new key the browser's next choice would be lost.
    """
    kept = slot(_CHOSEN)
    number, shown = kept.get(key, (0, None))
    if current is not None and current != shown:
        number += 1
    kept[key] = (number, shown)
    return f"{key}_{number}"


def keep_chosen(key: str, value: str) -> None:
    """Remember what the choice of that key shows, after it was drawn."""
    kept = slot(_CHOSEN)
    kept[key] = (kept.get(key, (0, None))[0], value)


def is_new_pick(chart: str, picked: Any) -> bool:
    """Whether what is picked on a chart is another than when this was last asked: a selection stays until it changes.

    Args:
        chart: its key.
        picked: what its selection stands for; None for nothing.
    """
    picks = slot(_PICKS)
    if picks.get(chart) == picked:
        return False
    picks[chart] = picked
    return True


def mark_shell() -> None:
    """Say that app.py ran before the page in this run of the script."""
    st.session_state[_SHELL] = True


def shell_ran() -> bool:
    """Whether app.py ran before the page in this run of the script; asked once per run."""
    return bool(st.session_state.pop(_SHELL, False))


def slot(key: str) -> dict[str, Any]:
    """What this visit keeps for one component, which owns the key; empty at first."""
    found: dict[str, Any] = st.session_state.setdefault(key, {})
    return found
