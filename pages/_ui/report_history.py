"""Every report and archive of the workspace, to filter and open, and the log of what was done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pages._ui import data_access, kept, report_access, report_archives, report_shown, state, verifying, widgets
from pages._ui.report_words import KINDS, STATES, TABLE_WORDS
from tabnet_engine.texts.speaking import LANGUAGES, say, say_plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabnet_engine.report.register import ReportRecord

__all__ = ["section"]

_MOST = 200  # a selectable table is sent whole with every click


def section() -> None:
    """The single reports, or the archives of batches; the log of both."""
    part = kept.tabs("part", say("What was made"), {"one": say("Single reports"), "several": say("Archives")})
    if part == "several":
        report_archives.history()
        _log()
    else:
        _reports()


def _reports() -> None:
    """The list, the log, the report that was chosen in the list."""
    everything = report_access.register().list()
    if not everything:
        widgets.info(say("No report was made yet; make one under New report"))
        _log()
        return
    found = _filtered(everything)
    chosen = _chosen(found, everything)
    _log()
    if chosen is not None:
        report_shown.show(chosen)


def _filtered(everything: Sequence[ReportRecord]) -> list[ReportRecord]:
    titles = data_access.run_names()
    runs = {record.run_id: titles.get(record.run_id, record.run_title) for record in everything if record.run_id}
    every = {"": say("all")}
    first, second, third = st.columns(3)
    with first:
        run_id = kept.choice("of", say("Run"), every | runs)
    with second:
        kind = kept.choice("of_kind", say("Kind"), every | {key: say(words) for key, words in KINDS.items()})
    with third:
        stands = kept.choice("state", say("State"), every | {key: say(words) for key, words in STATES.items()})
    return [
        record
        for record in everything
        if run_id in ("", record.run_id) and kind in ("", record.kind) and stands in ("", record.state)
    ]


def _chosen(found: Sequence[ReportRecord], everything: Sequence[ReportRecord]) -> ReportRecord | None:
    """The list; the report that is ticked in it, else the one that the address names."""
    asked = state.asked("case")
    listed = found[:_MOST]
    if not listed:
        st.caption(say("No report is of this kind; choose another filter."))
        return next((record for record in everything if record.case_id == asked), None)
    _count(len(found), len(listed))
    ticked = st.dataframe(
        _table(listed),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height=widgets.table_height(len(listed), 320),
        key=f"reports_{len(found)}_{listed[0].case_id}",
        column_config=_columns(),
        placeholder="–",
    ).selection.rows
    if ticked:
        asked = listed[ticked[0]].case_id
        state.keep_asked("case", asked, is_default=False)
    record = next((record for record in everything if record.case_id == asked), None)
    if record is None:
        if asked:
            widgets.info(say("The report that was asked for is not in this workspace"))
        st.caption(say("Tick a report to open it."))
    return record


def _count(n_found: int, n_listed: int) -> None:
    if n_listed < n_found:
        text = say("The newest {n_listed:,} of {n_found:,} reports; filter to see others.",
                   n_listed=n_listed, n_found=n_found)  # fmt: skip
        st.caption(text)
    else:
        st.caption(say_plural("{count} report.", "{count:,} reports.", n_found))


def _table(records: Sequence[ReportRecord]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "created": [record.created[:16].replace("T", " ") for record in records],
            "kind": [say(KINDS[record.kind]) if record.kind else "" for record in records],
            "state": [_standing(record) for record in records],
            "title": [record.run_title for record in records],
            "row": pd.array([record.row for record in records], dtype="Int64"),
            "profile": [report_access.profile_title(record.profile) for record in records],
            "language": [LANGUAGES.get(record.language, "") for record in records],
            "case": [record.case_id for record in records],
        }
    )


def _standing(record: ReportRecord) -> str:
    stands = say(STATES[record.state])
    return say("{state}, blocked", state=stands) if record.is_blocked else stands


def _columns() -> dict[str, Any]:
    return {name: st.column_config.Column(say(words)) for name, words in TABLE_WORDS.items()}


def _log() -> None:
    """Verify the log when asked: a line that was changed, removed, inserted or moved is found."""
    path = report_access.register().log.path
    if not path.is_file():
        return
    with st.expander(say("Log of all steps"), icon=":material/link:"):
        st.caption(
            say(
                "Every step is a line, and each line holds the hash of the one before it. The command “python -m "
                "tabnet_engine verify-log” checks the same."
            )
        )
        facts = path.stat()
        verdict = verifying.verdict_of(
            say("Verify the log"),
            "verify_log",
            report_access.register().verify_log,
            of=(facts.st_size, facts.st_mtime_ns),
            busy=say("Verifying the log"),
        )
        if verdict is None:
            return
        for problem in verdict.problems:
            widgets.error(problem)
        if not verdict.problems:
            widgets.success(
                say_plural("{count} line, nothing is wrong", "{count:,} lines, nothing is wrong", verdict.n)
            )
        for note in verdict.notes:
            widgets.info(note)
        st.caption(
            say(
                "The last line has the hash {head}. Note it outside this workspace: it shows later whether the whole "
                "log was written anew.",
                head=verdict.head,
            )
        )
