"""The dictionary of reason codes: edited in a table, reviewed by people, taken in and away as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pages._ui import explain_access, guard, report_access, report_codes_review, state, widgets
from tabnet_engine.report.making import codes_id
from tabnet_engine.report.reason_codes import (
    CASES,
    CODE_FIELDS,
    ReasonCode,
    ReasonCodes,
    code_problems,
    codes_from_csv,
    codes_to_csv,
)
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabnet_engine.runs.run import Run

__all__ = ["section"]

_MOST_PROBLEMS = 8  # that are listed at once


def section() -> None:
    """The dictionary of the chosen run's table."""
    run = explain_access.chosen_run()
    if run is None:
        return
    stored = report_access.desk().codes(codes_id(run), run.schema)
    _standing(run, stored)
    edited = _editor(run, stored)
    _save(run, stored, edited)
    with st.container(horizontal=True, gap="small"):
        report_codes_review.mark_reviewed(run, stored)
        _export(stored)
        _import(run)
    _versions(run)


def _standing(run: Run, stored: ReasonCodes) -> None:
    """How many sentences there are, and how many somebody has reviewed."""
    st.caption(
        say(
            "A letter and a report give each reason in the sentence that stands here. The most specific one serves: "
            "for the very value, else for its direction, else for any. Runs of one table share these codes."
        )
    )
    n_reviewed = sum(code.is_reviewed for code in stored.codes)
    widgets.metrics(
        {say("Reason codes"): f"{len(stored.codes):,}", say("Reviewed"): f"{n_reviewed:,}"},
    )
    if not report_access.desk().codes_versions(codes_id(run)):
        widgets.info(say("These are drafts that the program wrote; nothing is saved yet, and nobody has reviewed them"))


def columns_of(run: Run) -> list[str]:
    """The columns that a code may speak of."""
    return [column.name for column in run.schema.columns if column.name not in run.targets.names]


def _editor(run: Run, stored: ReasonCodes) -> ReasonCodes:
    """The table to edit; what it holds now."""
    table = pd.DataFrame([vars(code) for code in stored.codes], columns=list(CODE_FIELDS), dtype="str")
    # Named by what is stored: after saving, the edits are part of the table.
    key = f"codes_{run.run_id}_{stored.sha256[:16]}_{state.token('codes')}"
    edited = st.data_editor(
        table,
        key=key,
        num_rows="dynamic",
        hide_index=True,
        height=widgets.table_height(len(table) + 1, 460),
        column_config=_columns(run),
    )
    return ReasonCodes(tuple(_code(row) for row in edited.to_dict("records") if any(map(_text, row.values()))))


def _columns(run: Run) -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {
        "code": text(say("Code"), required=True, width="small"),
        "column": st.column_config.SelectboxColumn(say("Column"), options=columns_of(run), required=True),
        "when": text(
            say("When"),
            required=True,
            width="small",
            help=say(
                "{cases}, or = followed by the one value that it is for. Above and below compare with approved rows "
                "just over the cutoff.",
                cases=", ".join(CASES),
            ),
        ),
        "text_en": text(say("Sentence in English"), width="large"),
        "text_zh": text(say("Sentence in Chinese"), width="medium"),
        "reviewed_by": text(say("Reviewed by")),
        "reviewed_on": text(say("Reviewed on"), help=say("A day such as 2026-03-01.")),
    }


def _code(row: dict[Any, Any]) -> ReasonCode:
    return ReasonCode(**{name: _text(row[name]) for name in CODE_FIELDS})


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - an empty cell is NaN


def _save(run: Run, stored: ReasonCodes, edited: ReasonCodes) -> None:
    """What is wrong with each code, and the button that keeps them."""
    problems = code_problems(edited.codes, columns_of(run))
    for place, problem in problems[:_MOST_PROBLEMS]:
        widgets.error(say("Line {line}: {problem}", line=place + 1, problem=widgets.said(problem)))
    if len(problems) > _MOST_PROBLEMS:
        n_more = len(problems) - _MOST_PROBLEMS
        st.caption(say_plural("{count} more line has a mistake.", "{count:,} more lines have a mistake.", n_more))
    is_new = edited != stored or not report_access.desk().codes_versions(codes_id(run))
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            say("Save the reason codes"),
            type="primary",
            icon=":material/save:",
            key="save_codes",
            disabled=bool(problems) or not is_new,
        ):
            keep(run, edited)
        if edited != stored:
            st.caption(say("There are changes that are not saved."))


def keep(run: Run, codes: ReasonCodes) -> None:
    """Save the dictionary, say what became of reviews, and draw the page again."""
    kept = report_access.desk().save_codes(codes_id(run), codes)
    told = say("The reason codes were saved; reports made from now on use them")
    n_lost = sum(code.is_reviewed for code in codes.codes) - sum(code.is_reviewed for code in kept.codes)
    state.notify("success", told)
    if n_lost:
        lost = say_plural(
            "{count} sentence was changed after its review and is a draft again",
            "{count:,} sentences were changed after their review and are drafts again",
            n_lost,
        )
        state.notify("info", lost)
    state.fresh_token("codes")
    st.rerun()


def _export(stored: ReasonCodes) -> None:
    st.download_button(
        say("Download as CSV"),
        data=lambda: codes_to_csv(stored),
        file_name="reason-codes.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="codes_csv",
        help=say("What is saved; for a spreadsheet."),
    )


def _import(run: Run) -> None:
    """A dictionary from a file takes the place of the one that is saved."""
    with st.popover(say("Take in a CSV"), icon=":material/upload:"):
        st.caption(say("The first line must be {fields}.", fields=widgets.md(", ".join(CODE_FIELDS))))
        file = st.file_uploader(say("CSV file"), type="csv", key=f"codes_file_{state.token('codes')}")
        if file is None:
            return
        with guard.sentences():  # what is wrong stands beside the file
            _take(run, codes_from_csv(file.getvalue(), columns_of(run)))


def _take(run: Run, codes: ReasonCodes) -> None:
    """How many were read, and the button that takes them over."""
    st.markdown(
        say_plural(
            "{count} code was read. It takes the place of those that are saved.",
            "{count:,} codes were read. They take the place of those that are saved.",
            len(codes.codes),
        )
    )
    if st.button(say("Take them over"), type="primary", key="take_codes"):
        keep(run, codes)


def _versions(run: Run) -> None:
    """Every version that was saved; a report names the one that it used by its hash."""
    versions: Sequence[Any] = report_access.desk().codes_versions(codes_id(run))
    if not versions:
        return
    with st.expander(say("Saved versions ({count:,})", count=len(versions)), icon=":material/history:"):
        table = pd.DataFrame(
            {
                say("Version"): [version.number for version in versions],
                say("Saved (UTC)"): [version.saved[:19].replace("T", " ") for version in versions],
                say("Reason codes"): [version.n_codes for version in versions],
                say("Reviewed"): [version.n_reviewed for version in versions],
                "SHA-256": [version.sha256 for version in versions],
            }
        )
        st.dataframe(table, hide_index=True, height=widgets.table_height(len(table), 290), key="codes_versions")
