"""Marking reason codes as reviewed: by whom, on which day, which sentences."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import report_access, state, widgets
from tabnet_engine.report.making import codes_id
from tabnet_engine.report.reason_codes import ReasonCodes
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    from tabnet_engine.runs.run import Run

__all__ = ["mark_reviewed"]


def mark_reviewed(run: Run, stored: ReasonCodes) -> None:
    """A box with the drafts; those that were read are marked with name and day, and saved."""
    drafts = {code.code: code for code in stored.codes if not code.is_reviewed}
    box = st.popover(
        say("Mark as reviewed"),
        icon=":material/rule:",
        disabled=not drafts,
        key=f"review_codes_{state.token('codes')}",
    )
    with box, st.form(f"codes_review_{state.token('codes')}", border=False):
        st.caption(say("A review says that somebody read the sentence and found it right. Read them in the table."))
        whole = st.checkbox(
            say_plural("The only draft", "All {count:,} drafts", len(drafts)), key=f"all_drafts_{state.token('codes')}"
        )
        chosen = st.multiselect(
            say("Or only these"),
            list(drafts),
            format_func=lambda code: f"{code} · {drafts[code].column} · {drafts[code].when}",
            placeholder=say("Choose"),
        )
        name = st.text_input(say("Reviewed by"), max_chars=200)
        day = st.date_input(say("Reviewed on"), dt.datetime.now(dt.UTC).date())
        if st.form_submit_button(say("Mark them"), type="primary"):
            _mark(run, stored, set(drafts) if whole else set(chosen), name.strip(), day.isoformat())


def _mark(run: Run, stored: ReasonCodes, codes: set[str], name: str, day: str) -> None:
    if not name or not codes:
        widgets.error(say("A review needs a name and at least one sentence"))
        return
    marked = [
        dataclasses.replace(code, reviewed_by=name, reviewed_on=day) if code.code in codes else code
        for code in stored.codes
    ]
    report_access.desk().save_codes(codes_id(run), ReasonCodes(tuple(marked)))
    state.notify(
        "success",
        say_plural("{count} sentence is marked as reviewed", "{count:,} sentences are marked as reviewed", len(codes)),
    )
    state.fresh_token("codes")
    st.rerun()
