"""The comparison of groups as a job: nothing there yet, running, failed, or measured with other choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import data_access, explain_access, run_jobs, widgets
from tabnet_engine.config import AuditConfig
from tabnet_engine.errors import ConfigError
from tabnet_engine.jobs.spec import AuditPayload
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.explain.groups.audit import GroupAudit
    from tabnet_engine.runs.run import Run

__all__ = ["is_stale", "measure", "no_table", "not_measured", "outdated"]

_IMPORTED = msg(
    "This model was imported without a table, so it has no rows of its own to compare; the command "
    "“python -m tabnet_engine audit” compares the groups of any table that has its columns"
)
_TITLE = msg("Compare groups of {run}")


def no_table(run: Run) -> str | None:
    """Why the groups of this run cannot be compared here; None when they can."""
    if explain_access.imported(run):
        return say(_IMPORTED)
    if run.manifest.dataset.dataset_id in data_access.dataset_names():
        return None
    return say(
        "The table {name} that this run was trained on is not in this workspace any more; add the same file again to "
        "compare its groups",
        name=run.manifest.dataset.name,
    )


def not_measured(run: Run, config: AuditConfig, *, busy: bool) -> None:
    """Empty state: what a comparison says, and the button that makes it."""
    with st.container(border=True, gap="small"):
        st.subheader(say("These groups have not been compared yet"), anchor=False)
        st.write(
            say(
                "Performance, calibration, selection and explanations of each group are measured on rows that the "
                "model was not trained on, each with its interval; then the columns that give the protected one away "
                "are looked for. It takes seconds, on a million rows about a minute, and the page can be left."
            )
        )
        _button(run, config, say("Compare the groups"), busy=busy, primary=True)


def outdated(run: Run, audit: GroupAudit, config: AuditConfig, *, busy: bool) -> None:
    """Stale state: what is shown was measured with other choices than those above."""
    if is_stale(audit, config):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            told = say("What follows was measured with other choices than those above.")
            if audit.decision:
                told = say(
                    "What follows was measured with other choices than those above: selected meant that {decision}.",
                    decision=widgets.said(audit.decision),
                )
            st.markdown(f":material/history: {widgets.as_sentence(told)}")
            _button(run, config, say("Measure with these choices"), busy=busy, primary=True)
    now = explain_access.attribution(run)
    if audit.attribution is not None and now is not None and audit.attribution.provenance != now.provenance:
        widgets.info(say("The run was explained anew since; the explanations by group are those of before"))


def is_stale(audit: GroupAudit, config: AuditConfig) -> bool:
    """Whether a comparison was made with other choices; one that was stored without them cannot tell."""
    if not audit.settings:
        return False
    try:
        return AuditConfig.from_mapping(audit.settings) != config
    except ConfigError:
        return True


def measure(run: Run, config: AuditConfig, *, busy: bool) -> None:
    """The button that measures the same again."""
    _button(run, config, say("Measure again"), busy=busy, primary=False)


def _button(run: Run, config: AuditConfig, label: str, *, busy: bool, primary: bool) -> None:
    kind, icon = ("primary", ":material/play_arrow:") if primary else ("tertiary", ":material/replay:")
    if st.button(
        label, type=kind, icon=icon, key="measure_groups" if primary else "measure_groups_again", disabled=busy
    ):  # type: ignore[arg-type]
        _submit(run, config)


def _submit(run: Run, config: AuditConfig) -> None:
    spec = AuditPayload(
        run_id=run.run_id,
        settings=config.to_mapping(),
        dataset_id=run.manifest.dataset.dataset_id,
        title=run_jobs.title(_TITLE, run.manifest.title),
    ).to_spec()
    run_jobs.queue_once(spec, say("The groups are being compared; the progress is at the top of this page."))
