"""A new report: kind, choices, row or rows, the button that makes it, and what was made last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import (
    data_access,
    explain_access,
    explain_jobs,
    explain_widgets,
    kept,
    report_batch,
    report_choices,
    report_made,
    report_ready,
    row_picker,
    run_jobs,
    widgets,
)
from pages._ui.report_words import KIND_HELP, KINDS
from tabnet_engine.config.report import ABOUT_ROWS
from tabnet_engine.jobs.report_spec import ReportPayload
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from typing import Any

    from tabnet_engine.config import ReportConfig
    from tabnet_engine.runs.run import Run

__all__ = ["section"]

_TITLE = {
    "decision": msg("Decision report of {run}"),
    "notice": msg("Letter of {run}"),
    "model": msg("Model report of {run}"),
    "comparison": msg("Comparison report of {run}"),
}
_PARTS = {"one": msg("One row"), "several": msg("Several rows")}


def section() -> None:
    """Choose, make, and look at what was made."""
    run = explain_access.chosen_run()
    if run is None:
        return
    busy = explain_jobs.follow(run)
    kind: Any = kept.tabs("kind", say("Kind of report"), {key: say(words) for key, words in KINDS.items()})
    st.caption(say(KIND_HELP[kind]))
    if kind in ABOUT_ROWS:
        _about_rows(run, kind, busy=busy)
    elif kind == "comparison":
        _comparison(run, busy=busy)
    else:
        config = report_choices.chosen_config(run, kind)
        _make(run, config, busy=busy)
        report_made.latest(run, kind)


def _about_rows(run: Run, kind: Any, *, busy: bool) -> None:
    table = explain_access.frame(run)
    if table is None:
        _no_table(run)
        return
    config = report_choices.chosen_config(run, kind)
    is_ready = report_ready.settings_ready(run, config)
    part = kept.tabs("part", say("Which rows"), {key: say(words) for key, words in _PARTS.items()})
    if part == "several":
        report_batch.section(run, table, config, busy=busy or not is_ready)
        return
    row = row_picker.pick_row(run, table, config.target or run.targets.names[0])
    is_ready &= report_ready.row_ready(run, config, row)
    _make(run, config, row=row, busy=busy or not is_ready)
    report_made.latest(run, kind, row=row)


def _no_table(run: Run) -> None:
    """A run without its table: what cannot be made here, and what can."""
    if not explain_access.imported(run):
        explain_widgets.table_gone(run)
        return
    widgets.info(
        say(
            "This model was imported without a table, so it has no row of its own to report on; the command “python -m "
            "tabnet_engine report” takes any table that has its columns. A model report can be made here"
        )
    )


def _comparison(run: Run, *, busy: bool) -> None:
    """The champion that the chosen run is compared with."""
    names = {key: name for key, name in data_access.run_names().items() if key != run.run_id}
    if not names:
        widgets.empty_state(
            say("One run only"),
            say("A comparison needs a second run: train again with other settings, another table or another seed."),
            page="train",
            label=say("Train another one"),
        )
        return
    baseline = kept.choice(
        "champion",
        say("Champion"),
        names,
        help_text=say("The run in use until now. The run chosen above is the challenger."),
    )
    config = report_choices.chosen_config(run, "comparison")
    report_ready.check_approvals(run, config)
    _make(run, config, baseline=baseline, busy=busy)
    report_made.latest(run, "comparison")


def _make(run: Run, config: ReportConfig, *, busy: bool, row: int | None = None, baseline: str | None = None) -> None:
    """The button that queues the report."""
    if not st.button(
        say("Make the report"), type="primary", icon=":material/description:", key="make_report", disabled=busy
    ):
        return
    payload = ReportPayload(
        run_id=run.run_id,
        dataset_id=None if explain_access.frame(run) is None else run.manifest.dataset.dataset_id,
        config=config.to_mapping(),
        rows=() if row is None else (row,),
        baseline_run_id=baseline,
        title=run_jobs.title(_TITLE[config.kind], run.manifest.title),
    )
    run_jobs.queue_once(payload.to_spec(), say("The report is being made; its progress is at the top of this page."))
