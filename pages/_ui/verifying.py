"""A check that is asked for by a button, and its verdict, which stays until what was checked changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from typing import Any, TypeVar

import streamlit as st

from pages._ui import guard, state
from tabnet_engine.report.dates import moment_words
from tabnet_engine.texts.speaking import say

__all__ = ["verdict_of"]

_WANTED, _FOUND = "verdicts_wanted", "verdicts_found"
_T = TypeVar("_T")


def verdict_of(
    label: str, key: str, work: Callable[[], _T], *, of: Hashable, busy: str, help_text: str | None = None
) -> _T | None:
    """A button and what its work found; None while nobody asked, and where the work ended with the user's mistake.

    Args:
        label: of the button.
        key: of the button.
        work: what is to be done.
        of: what the verdict is about: it is dropped when this changes.
        busy: said while it is done.
        help_text: of the button.
    """
    # Noted before the page runs: where something else makes it run again at once, the press is not lost.
    st.button(label, icon=":material/fact_check:", key=key, help=help_text, on_click=_want, args=(key,))
    wanted, found = state.slot(_WANTED), state.slot(_FOUND)
    mark = (of, state.language())
    if found.get(key, {}).get("mark") != mark:
        found.pop(key, None)
    if key in wanted:
        found.pop(key, None)
        with guard.sentences():
            found[key] = {"mark": mark, "at": datetime.now(UTC).isoformat(), "verdict": _done(work, busy, wanted, key)}
    if key not in found:
        return None
    st.caption(say("As it was at {moment}.", moment=moment_words(found[key]["at"])))
    verdict: _T = found[key]["verdict"]
    return verdict


def _want(key: str) -> None:
    state.slot(_WANTED)[key] = True


def _done(work: Callable[[], _T], busy: str, wanted: dict[str, Any], key: str) -> _T:
    with st.spinner(busy):
        try:
            verdict = work()
        except Exception:
            wanted.pop(key, None)
            raise
    wanted.pop(key, None)
    return verdict
