"""How things are shown in this visit: the language, and the format in which pictures are downloaded."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from pages._ui import state
from tabnet_engine.texts.speaking import LANGUAGES, say

__all__ = ["controls", "picture_format", "readable"]

# The code that draws charts takes a browser about two seconds to read; it does so while the first page is looked at.
# Streamlit names the file anew with each version, and loads it with the first chart where it is not found here.
_CHART_CODE = [path.name for path in (Path(st.__file__).parent / "static" / "static" / "js").glob("PlotlyChart.*.js")]
_PRELOAD = f"""for (const name of {json.dumps(_CHART_CODE)}) {{
  const own = document.querySelector('script[type="module"][src*="static/js/"]');
  if (own && !window.chartsAhead) {{
    window.chartsAhead = true;
    setTimeout(() => import(new URL(name, own.src).href).catch(() => {{}}), 500);
  }}
}}"""
_SPEAKS = {
    code: f"<script>document.documentElement.lang = {code!r}; {_PRELOAD}</script><span hidden></span>"
    for code in LANGUAGES
}
# Streamlit writes the value of a slider and a chosen button in the colour of filled buttons, too dark on a dark page.
_ON_DARK = """<style>
[data-testid="stSliderThumbValue"], [data-testid="stSliderThumbValue"] p,
[data-testid="stButtonGroup"] [aria-checked="true"] p, [data-testid="stButtonGroup"] [aria-checked="true"] span
{ color: #7db8f5 !important; }
</style>"""

_FORMAT = "picture"
_FORMATS = ("png", "svg")


def controls() -> None:
    """The choices at the foot of the menu."""
    with st.sidebar.expander(say("Display"), icon=":material/translate:"):
        codes, now = list(LANGUAGES), state.language()
        chosen = st.radio(
            say("Language"),
            codes,
            index=codes.index(now),
            format_func=LANGUAGES.__getitem__,
            horizontal=True,
            key=state.choice_key("language", now),
        )
        state.keep_chosen("language", str(chosen))
        if chosen != now:
            state.choose("lang", str(chosen))
            st.rerun()
        kept = picture_format()
        picked = st.radio(
            say("Charts are saved as"),
            _FORMATS,
            index=_FORMATS.index(kept),
            format_func=str.upper,
            horizontal=True,
            key=state.choice_key("picture_format", kept),
            help=say("The camera above each chart saves it as a picture; SVG can be enlarged without loss."),
        )
        state.keep_chosen("picture_format", str(picked))
        if picked != kept:
            state.choose(_FORMAT, str(picked))
            st.rerun()


def readable() -> None:
    """Mend the few texts that are hard to read in the dark theme, say which language the page speaks, fetch ahead.

    Streamlit's page calls itself English; a screen reader would read Chinese out in English.
    """
    if st.context.theme.type == "dark":
        st.html(_ON_DARK)
    st.sidebar.html(_SPEAKS[state.language()], unsafe_allow_javascript=True)


def picture_format() -> str:
    """``png`` or ``svg``: what the camera above a chart saves."""
    wanted = state.current(_FORMAT)
    return str(wanted) if wanted in _FORMATS else _FORMATS[0]
