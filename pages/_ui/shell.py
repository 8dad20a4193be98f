"""The frame around every page: which pages there are, in which groups, and how to link to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages._ui import display, state, warming
from tabnet_engine.texts.speaking import msg, say, set_language

__all__ = ["declare", "link", "name_tab", "open_page", "start"]

_NAME = "TabNet dashboard"
_ROOT = Path(__file__).resolve().parents[2]
_ICON = str(_ROOT / "assets" / "icon.svg")
_WORDMARK = str(_ROOT / "assets" / "wordmark.svg")

_START = "walkthrough"
_GROUPS = {
    msg("Start"): {"walkthrough": (msg("Walkthrough"), ":material/explore:")},
    msg("Data"): {"dataset": (msg("Tables"), ":material/table_chart:")},
    msg("Model"): {
        "train": (msg("Train"), ":material/model_training:"),
        "runs": (msg("Runs"), ":material/history:"),
    },
    msg("Explain"): {
        "importance": (msg("Importance"), ":material/bar_chart:"),
        "masks": (msg("Masks"), ":material/grid_on:"),
        "shap_comparison": (msg("Masks and SHAP"), ":material/compare_arrows:"),
        "decision": (msg("One decision"), ":material/person_search:"),
        "groups": (msg("Groups"), ":material/groups:"),
    },
    msg("Report"): {"report": (msg("Reports"), ":material/description:")},
    msg("Help"): {"measures": (msg("Measures"), ":material/help:")},
}


def start() -> None:
    """Run the page that the address asks for, inside the navigation."""
    set_language(state.language())
    page = declare()
    st.logo(_WORDMARK, size="large", icon_image=_ICON)
    state.mark_shell()
    display.readable()
    display.controls()
    with warming.script():
        page.run()


def declare() -> Any:
    """Declare the page settings and the pages; return the page to run.

    The walkthrough is the page without an address; it answers to its name too. The settings come
    first: without an icon of our own the browser would fetch the page's icon from a font server.
    """
    st.set_page_config(page_title=_NAME, page_icon=_ICON, layout="wide")
    groups = {say(group): [_page(name) for name in names] for group, names in _GROUPS.items()}
    alias = st.Page(_path(_START), title=say("Walkthrough"), url_path=_START, visibility="hidden")
    return st.navigation({**groups, "": [alias]}, expanded=True)


def _page(name: str) -> Any:
    title, icon = next(names[name] for names in _GROUPS.values() if name in names)
    is_start = name == _START
    return st.Page(_path(name), title=say(title), icon=icon, url_path="start" if is_start else name, default=is_start)


def _path(name: str) -> str:
    return str(_ROOT / "pages" / f"{name}.py")


def name_tab(title: str) -> None:
    """Name the browser's tab after the page."""
    st.set_page_config(page_title=f"{title} · {_NAME}")


def link(name: str, label: str, *, icon: str | None = None, help_text: str | None = None, **ids: str | None) -> None:
    """A link to page ``name`` that carries the ids given, so that the page opens on the same things.

    It carries the language too, where one was chosen: the link may be opened in a tab of its own.
    """
    chosen = {key: value for key, value in {**ids, "lang": state.chosen_language()}.items() if value is not None}
    st.page_link(_path(name), label=label, icon=icon, help=help_text, query_params=chosen)


def open_page(name: str, **ids: str | None) -> None:
    """Go to page ``name`` now, with the ids given in its address."""
    st.switch_page(_path(name), query_params={key: value for key, value in ids.items() if value is not None})
