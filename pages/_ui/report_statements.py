"""What only people can say: who decides, and what a model is for. Forms that are saved at the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import explain_access, report_access, report_score, state
from pages._ui.report_words import FACTS, ORGANISATION
from tabnet_engine.config.stated import ModelFacts, Organisation
from tabnet_engine.report.stated_checks import STATED
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["facts", "organisation"]

_ONE_LINE = ("name", "signatory", "owner")
_LONGEST = 4_000  # characters of one answer


def organisation() -> None:
    """Who decides and answers for it, for all reports of this workspace."""
    st.caption(
        say("It stands in every letter and report of this workspace. What is left empty is called “Not stated” there.")
    )
    values = _form("organisation", "organisation", report_access.desk().organisation().to_mapping(), ORGANISATION)
    if values is not None:
        report_access.desk().save_organisation(Organisation.from_mapping(values))
        _saved()


def facts() -> None:
    """What the owner of a model states about it, for reports of one run."""
    run = explain_access.chosen_run()
    if run is None:
        return
    report_score.section(run)
    stored = report_access.desk().facts(run.run_id).to_mapping()
    n_stated = sum(bool(str(text).strip()) for text in stored.values())
    st.caption(
        say(
            "{n_stated} of {n_all} are stated. What is measured is not asked here; what is left empty is called “Not "
            "stated” in a report.",
            n_stated=n_stated,
            n_all=len(stored),
        )
    )
    values = _form("facts", f"facts_{run.run_id}", stored, FACTS)
    if values is not None:
        report_access.desk().save_facts(run.run_id, ModelFacts.from_mapping(values))
        _saved()


def _form(room: str, key: str, stored: Mapping[str, object], helps: Mapping[str, str]) -> dict[str, str] | None:
    """The fields in two columns; what was typed when the button is pressed, else None."""
    # A field without a key starts anew when another text is stored, by this tab or another one.
    with st.form(key, border=True):
        values, places = {}, []
        for name, help_text in helps.items():
            places = places or list(st.columns(2))  # pair by pair, so that a narrow screen keeps the order
            with places.pop(0):
                values[name] = _field(say(STATED[f"{room}.{name}"]), name, str(stored[name]), say(help_text))
        pressed = st.form_submit_button(say("Save"), type="primary", icon=":material/save:")
    return values if pressed else None


def _field(label: str, name: str, text: str, help_text: str) -> str:
    if name in _ONE_LINE:
        return st.text_input(label, text, max_chars=_LONGEST, placeholder=help_text).strip()
    return st.text_area(label, text, max_chars=_LONGEST, placeholder=help_text, height=110).strip()


def _saved() -> None:
    state.notify("success", say("Saved; reports made from now on say it"))
    st.rerun()
