"""One stored report: what stops it, what is missing, the report itself, what to take away, its review."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import guard, kept, report_access, report_review, report_verify, state, widgets
from pages._ui.report_words import KINDS, STATE_LOOKS, STATES
from tabnet_engine.report.dates import moment_words
from tabnet_engine.texts.speaking import LANGUAGES, msg, say, say_plural

if TYPE_CHECKING:
    from tabnet_engine.report.document import Document
    from tabnet_engine.report.register import ReportRecord

__all__ = ["frame", "show"]

_HEIGHT = 860
_MOST_UNMET = 8  # sentences that are shown without being asked for
# Where what is missing can be written.
_WHERE = {"organisation": msg("Who decides"), "codes": msg("Reason codes"), "facts": msg("About the model")}
# The report may hold anything that a table held. Its own policy allows no script; the frame allows none either.
_FRAME = (
    '<!doctype html><html lang="{lang}"><head><title>{title}</title></head><body style="margin:0">'
    '<iframe sandbox="" title="{title}" srcdoc="{source}" '
    'style="border:0;display:block;width:100%;height:{height}px"></iframe></body></html>'
)


def show(record: ReportRecord) -> None:
    """Draw one report: first why it must not be used, then the rest."""
    if record.problem:
        widgets.error(record.problem)
        return
    with st.container(border=True):
        _head(record)
        _stops(record)
        _downloads(record)
        report_verify.section(record)
        report_review.section(record)
        with guard.sentences():  # a damaged file leaves the rest of the page
            _preview(record)


def _head(record: ReportRecord) -> None:
    icon, tone = STATE_LOOKS[record.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(widgets.md(record.title), anchor=False)
        st.badge(say(STATES[record.state]), icon=icon, color=tone)  # type: ignore[arg-type]
        if record.is_blocked:
            st.badge(say("Blocked"), icon=":material/block:", color="red")
    places = {
        # Of a model the second line is the profile, which follows anyway.
        "about": (record.subtitle or say(KINDS[record.kind])) if record.row is not None else record.run_title,
        "case": record.case_id,
        "moment": moment_words(record.created),
        "profile": report_access.profile_title(record.profile),
        "version": record.profile_version,
        "language": LANGUAGES[record.language],
    }
    st.caption(
        widgets.md(say("{about} · case {case} · {moment} · {profile}, version {version} · {language}", **places))
    )


def _stops(record: ReportRecord) -> None:
    """Why it must not be used, and what its profile asks for in vain."""
    for sentence in record.blocked:
        st.error(widgets.as_sentence(sentence), icon=":material/block:")
    if not record.unmet:
        return
    n_unmet = len(record.unmet)
    title = say_plural(
        "{count} thing that the profile asks for is missing",
        "{count:,} things that the profile asks for are missing",
        n_unmet,
    )
    with st.expander(title, icon=":material/warning:", expanded=n_unmet <= _MOST_UNMET):
        st.markdown("\n".join(f"- {widgets.md(sentence)}" for sentence in record.unmet))
        with st.container(horizontal=True, gap="small"):
            for view, label in _WHERE.items():
                kept.turn_to("view", view, say(label), run=record.run_id)


def _downloads(record: ReportRecord) -> None:
    """HTML, PDF and the evidence; each is written when its button is pressed, outside the page."""
    register, case = report_access.register(), record.case_id
    files = {
        "html": (say("HTML"), "text/html", lambda: register.html(case, is_interactive=True)),
        "pdf": (say("PDF"), "application/pdf", lambda: register.pdf(case)),
        "zip": (say("Evidence pack"), "application/zip", lambda: register.pack(case)),
    }
    helps = {
        "html": say("One file with charts that can be explored; it needs no network and can be printed."),
        "pdf": say("The same bytes each time."),
        "zip": say("Report, inputs as received, attributions and model, with the hash of each; verify it with "
                   "“python -m tabnet_engine verify-evidence”."),
    }  # fmt: skip
    with st.container(horizontal=True, gap="small"):
        for ending, (label, mime, written) in files.items():
            st.download_button(
                label,
                data=written,
                file_name=f"{case}.{ending}",
                mime=mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"download_{case}_{ending}",
                help=helps[ending],
            )


def _preview(record: ReportRecord) -> None:
    """The report as it prints, without scripts."""
    # Read each time, so that one that was changed since it was kept is never shown; what is drawn is kept.
    document = report_access.register().document(record.case_id)
    with st.spinner(say("Drawing the report")):
        source = _static(record.content, tuple(kept.hash for kept in record.steps), document)
    frame(source)


def frame(source: str) -> None:
    """A whole HTML page within this one, where nothing in it can run or reach out.

    Args:
        source: the page.
    """
    title = say("Preview of the report")
    wrapped = _FRAME.format(
        lang=state.language(),
        title=html.escape(title, quote=True),
        source=html.escape(source, quote=True),
        height=_HEIGHT,
    )
    st.iframe(wrapped, height=_HEIGHT, alt=title)


@st.cache_data(show_spinner=False, max_entries=24)
def _static(content: str, steps: tuple[str, ...], _document: Document) -> str:  # noqa: ARG001 - the cache's key
    from tabnet_engine.report.rendering.html import html_bytes

    return html_bytes(_document, is_interactive=False).decode()
