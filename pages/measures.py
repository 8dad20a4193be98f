"""Measures: what each number of this dashboard is, and what it is not."""

import streamlit as st

from pages._ui import guard, state
from pages._ui.measures import MEASURES
from tabnet_engine.texts.speaking import msg, say


def main() -> None:
    """Every measure, the one that the address asks for first."""
    asked = state.asked("measure")
    for key in sorted(MEASURES, key=lambda name: name != asked):
        measure = MEASURES[key]
        with st.container(border=True, gap="small"):
            st.subheader(say(measure.title), anchor=key)
            st.markdown(say(measure.is_))
            st.markdown(say(measure.is_not))
            if measure.source:
                st.caption(say("Source: {source}", source=measure.source))


with guard.page(msg("Measures"), msg("What each number here is, what it is not, and where it comes from.")):
    main()
