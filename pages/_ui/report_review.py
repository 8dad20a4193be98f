"""The review of a stored report: a comment, a signature, or away with a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import guard, report_access, state, widgets
from pages._ui.report_words import STATES
from tabnet_engine.report.dates import moment_words
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from tabnet_engine.report.register import ReportRecord

__all__ = ["section"]

_REVIEWER = "reviewer"  # the name that this visit gave last
_LONGEST_COMMENT = 4_000


def section(record: ReportRecord) -> None:
    """The steps so far, and those that can be taken now."""
    _steps(record)
    if record.state == "signed":
        st.caption(say("A signed report cannot change and cannot be deleted."))
        return
    why_not = widgets.md(record.why_unsigned())
    with st.container(horizontal=True, gap="small"):
        _review(record)
        _sign(record, is_possible=not why_not)
        if record.state == "draft":
            _delete(record)
    if why_not:
        st.caption(say("It cannot be signed. {why}", why=why_not))


def _steps(record: ReportRecord) -> None:
    lines = []
    for step in record.review:
        places = {
            "state": say(STATES[step.state]),
            "name": step.name,
            "moment": moment_words(step.time),
            "comment": step.comment,
        }
        lines.append(f"- {widgets.md(_step(step.name, step.comment, places))}")
    if lines:
        st.markdown("\n".join(lines))


def _step(name: str, comment: str, places: dict[str, str]) -> str:
    if comment:
        return say("{state} by {name}, {moment}: {comment}", **places)
    return say("{state} by {name}, {moment}", **places) if name else say("{state}, {moment}", **places)


def _review(record: ReportRecord) -> None:
    # Named by a token, so that the box folds again once the step is taken.
    key = f"{record.case_id}_{state.token('review')}"
    with st.popover(say("Review"), icon=":material/rate_review:", key=f"review_box_{key}"):
        with st.form(f"review_{key}", border=False):
            name = st.text_input(say("Your name"), _name(), max_chars=200, key=f"reviewer_{key}")
            comment = st.text_area(say("Comment"), max_chars=_LONGEST_COMMENT, height=120)
            pressed = st.form_submit_button(say("Record the review"), type="primary")
        with guard.sentences():  # what is wrong stands here, and the report stays on the page
            if pressed:
                _remember(name)
                report_access.register().review(record.case_id, name, comment)
                _done(say("The review was recorded"))


def _sign(record: ReportRecord, *, is_possible: bool) -> None:
    key = f"{record.case_id}_{state.token('review')}"
    box = st.popover(say("Sign"), icon=":material/signature:", key=f"sign_box_{key}", disabled=not is_possible)
    if not is_possible:
        return
    with box:
        with st.form(f"sign_{key}", border=False):
            st.caption(say("A signed report cannot change. Your name and the time are recorded; there is no way back."))
            name = st.text_input(say("Your name"), _name(), max_chars=200, key=f"signer_{key}")
            pressed = st.form_submit_button(say("Sign this report"), type="primary")
        with guard.sentences():
            if pressed:
                _remember(name)
                report_access.register().sign(record.case_id, name)
                _done(say("The report was signed"))


def _delete(record: ReportRecord) -> None:
    with st.popover(say("Delete"), icon=":material/delete:"):
        st.markdown(say("Delete this draft? The log keeps that it was there and who made it."))
        pressed = st.button(say("Delete this draft"), key=f"delete_{record.case_id}", type="primary")
        with guard.sentences():
            if pressed:
                report_access.register().delete(record.case_id)
                state.keep_asked("case", "", is_default=True)
                _done(say("The draft was deleted"))


def _name() -> str:
    return str(state.slot(_REVIEWER).get("name", ""))


def _remember(name: str) -> None:
    state.slot(_REVIEWER)["name"] = name.strip()


def _done(told: str) -> None:
    state.notify("success", told)
    state.fresh_token("review")
    st.rerun()
