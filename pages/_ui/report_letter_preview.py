"""The letter as a person would get it: the edited template on one declined row."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import (
    asked,
    explain_access,
    report_access,
    report_choices,
    report_outcome,
    report_ready,
    report_shown,
)
from tabnet_engine.config import ReportConfig
from tabnet_engine.texts.speaking import ENGLISH, say, speaking

if TYPE_CHECKING:
    from tabnet_engine.report.document import Document
    from tabnet_engine.report.making import ReportMaker
    from tabnet_engine.report.regulation import RegulationProfile
    from tabnet_engine.runs.run import Run

__all__ = ["section"]


def section(run: Run, profile: RegulationProfile, text: str) -> None:
    """Choose a declined row and see the letter; nothing is kept.

    Args:
        run: whose decision the letter is about.
        profile: of the letter, in its language.
        text: the template as it stands in the editor.
    """
    table = explain_access.frame(run)
    if table is None:
        return
    with st.expander(say("See it on a row"), icon=":material/mail:"):
        values = report_outcome.chosen_outcome(run)
        # Reasons alone stand in a letter; what unsettles them is for a report.
        config = ReportConfig.from_mapping(
            {
                "kind": "notice",
                "profile": profile.name,
                "language": profile.language,
                "protected": tuple(report_choices.usual_protected(run)),
                "n_repetitions": 0,
                **values,
            }
        )
        row = st.number_input(
            say("Row"), 0, len(table) - 1, _start(run, config, len(table)), key=f"letter_row_{run.run_id}"
        )
        is_ready = report_ready.letter_is_stated(text)
        label = say("Show the letter")
        if st.button(label, icon=":material/visibility:", key="show_letter", disabled=not is_ready):
            with st.spinner(say("Finding the reasons of this row")):
                document = _letter(run, config, profile, text, int(row))
            report_shown.frame(_html(document))


def _start(run: Run, config: ReportConfig, n_rows: int) -> int:
    """The row of the address where it is declined, else the first declined one."""
    declined, row = report_access.declined(run, config), asked.whole_number("row") or 0
    if declined is None or not len(declined) or row in declined:
        return min(row, n_rows - 1)
    return int(declined[0])


def _letter(run: Run, config: ReportConfig, profile: RegulationProfile, text: str, row: int) -> Document:
    from tabnet_engine.report.making import desk_materials

    materials = dataclasses.replace(desk_materials(report_access.desk(), run, config), template=text, profile=profile)
    maker = _maker(explain_access.version(run), config, run)
    return dataclasses.replace(maker, materials=materials).make(row).document


@st.cache_resource(show_spinner=False, max_entries=2)
def _maker(digest: str, config: ReportConfig, _run: Run) -> ReportMaker:  # noqa: ARG001 - the cache's key
    import torch

    from tabnet_engine.report.making import ReportMaker, desk_materials

    torch.set_num_threads(1)  # a row is little work, and visitors and trainings share the cores
    with speaking(ENGLISH):
        return ReportMaker.of(
            _run, explain_access.frame(_run), config, desk_materials(report_access.desk(), _run, config)
        )


def _html(document: Document) -> str:
    from tabnet_engine.report.rendering.html import html_bytes

    return html_bytes(document, is_interactive=False).decode()
