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
    row_picker,
    run_jobs,
    shell,
    widgets,
)
from pages._ui.report_words import KIND_HELP, KINDS
from tabnet_engine.data.schema import Task
from tabnet_engine.jobs.report_spec import ReportPayload
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

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
    if kind in report_choices.ABOUT_ROWS:
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
    missing = _missing(run, config)
    if missing:
        widgets.info(missing)
    part = kept.tabs("part", say("Which rows"), {key: say(words) for key, words in _PARTS.items()})
    if part == "several":
        report_batch.section(run, table, config, busy=busy or bool(missing))
        return
    row = _row(run, table, config)
    _make(run, config, row=row, busy=busy or bool(missing))
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


def _row(run: Run, table: pd.DataFrame, config: ReportConfig) -> int:
    row = row_picker.pick_row(run, table, config.target or run.targets.names[0])
    told = report_batch.standing(run, config, row)
    with st.container(horizontal=True, vertical_alignment="center"):
        if told:
            st.markdown(told)
        shell.link(
            "decision",
            say("Look at this decision first"),
            icon=":material/person_search:",
            run=run.run_id,
            row=str(row),
        )
    return row


def _missing(run: Run, config: ReportConfig) -> str | None:
    """What must be chosen before a decision can be reported on; None when nothing is missing."""
    codec, _ = run.targets.of(config.target or run.targets.names[0])
    if codec.task is Task.REGRESSION and config.cutoff is None:
        return say("{target} is a quantity: type the cutoff from which a row is approved", target=codec.name)
    if codec.task is Task.MULTICLASS and not config.favourable:
        return say("{target} has several classes: choose the favourable outcome", target=codec.name)
    return None


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
