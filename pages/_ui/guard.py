"""The first line of every page: nothing is shown unless app.py ran, and a user's mistake ends in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pages._ui import shell, state, warming, widgets
from tabnet_engine.errors import StorageError, UserError
from tabnet_engine.texts import recalling
from tabnet_engine.texts.speaking import say, set_language

__all__ = ["page", "sentences"]


@contextmanager
def page(title: str, purpose: str) -> Iterator[None]:
    """Open a page: check, heading, pending messages, and the place where a user's errors are shown.

    Streamlit runs a page without app.py when it is the first address opened after a start, because the
    folder is called ``pages``. The page then declares the navigation itself, which turns that off for
    the process, and starts over.

    Args:
        title: what the page is called, marked by ``msg``.
        purpose: one sentence that says what it is for, marked by ``msg``.
    """
    if not state.shell_ran():
        shell.declare()
        st.rerun()
    set_language(state.language())
    shell.name_tab(say(title))
    st.title(say(title), anchor=False)
    st.caption(say(purpose))
    for kind, text in state.take_notices():
        {"success": widgets.success, "info": widgets.info, "error": widgets.error}[kind](text)
    with sentences():
        yield


@contextmanager
def sentences() -> Iterator[None]:
    """Show the user's mistake and the system's fault as the sentence that they are, in the reader's language.

    A fragment and a dialog run without the page around them: each opens with this, for its language too.
    """
    set_language(state.language())
    recalling.keep_words(*state.own_words())
    try:
        with warming.script():
            yield
    except (UserError, StorageError) as error:
        widgets.error(str(error))
