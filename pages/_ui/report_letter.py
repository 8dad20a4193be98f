"""The template of the letter: edited, checked, shown on a row, and set back to how it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import explain_access, report_access, report_choices, report_letter_preview, state, widgets
from tabnet_engine.report.notice.template import FIELDS, check_template
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from tabnet_engine.report.regulation import RegulationProfile

__all__ = ["section"]

_HEIGHT = 520


def section() -> None:
    """Choose which letter, edit it, see it."""
    st.caption(
        say(
            "The letter to a person whose row was declined: plain text, in which fields in double braces are filled "
            "in. There is one template for each profile and language."
        )
    )
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        name = report_choices.chosen_profile("notice").name
    with right:
        language = report_choices.chosen_language(say("Language of the letter"))
    profile = report_access.profile(name, language)
    left, right = st.columns([3, 2])
    with left:
        text = _editor(profile)
    with right:
        _fields()
    run = explain_access.chosen_run()
    if run is not None:
        report_letter_preview.section(run, profile, text)


def _editor(profile: RegulationProfile) -> str:
    """The text, what is wrong with it, and its buttons; returns the text as it stands."""
    desk, place = report_access.desk(), (profile.name, profile.language)
    stored = desk.template(*place)
    key = "_".join(("letter", *place, state.token("letter")))
    text = st.text_area(say("Template"), stored, height=_HEIGHT, key=key)
    problems = check_template(text, profile)
    for problem in problems:
        widgets.error(problem)
    if not problems:
        st.caption(say("The template can be used."))
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            say("Save the letter"),
            type="primary",
            icon=":material/save:",
            key="save_letter",
            disabled=bool(problems) or text == stored,
        ):
            desk.save_template(*place, text)
            _done(say("The letter was saved; letters made from now on use it"))
        if desk.has_own_template(*place) and st.button(
            say("Back to the original"), icon=":material/undo:", key="reset_letter"
        ):
            desk.reset_template(*place)
            _done(say("The letter is again as it came"))
        if text != stored:
            st.caption(say("There are changes that are not saved."))
    return text


def _fields() -> None:
    """What can stand in a letter, and what it becomes."""
    st.markdown(f"**{say('Fields')}**")
    field, becomes = say("Field"), say("Becomes")
    table = pd.DataFrame(
        {field: [f"{{{{{name}}}}}" for name in FIELDS], becomes: [say(words) for words in FIELDS.values()]}
    )
    widgets.text_table(table, alt=say("The fields of a letter, and what each becomes"))
    st.caption(say("A line that begins with # is the subject, one with ## a heading; blank lines part paragraphs."))


def _done(told: str) -> None:
    state.notify("success", told)
    state.fresh_token("letter")
    st.rerun()
