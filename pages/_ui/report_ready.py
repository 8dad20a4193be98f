"""What must be there before a report about rows can be made: said before a job fails for want of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages._ui import kept, report_access, shell, widgets
from tabnet_engine.data.schema import Task
from tabnet_engine.explain.comparison.approval_rules import ApprovalRules
from tabnet_engine.explain.comparison.targets import shared_targets
from tabnet_engine.explain.wording import listed
from tabnet_engine.report.notice.template import SCORE_FIELD, is_silent_on_score, unstated_fields
from tabnet_engine.report.stated_checks import STATED
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.config import ReportConfig
    from tabnet_engine.runs.run import Run

__all__ = ["check_approvals", "letter_is_stated", "row_ready", "settings_ready"]

_NO_CLASS = msg(
    "{target} has several classes: without a favourable outcome the report compares what both runs predict, and not "
    "whom they approve"
)
_NO_CUTOFF = msg(
    "{target} is a quantity: without a cutoff the report compares what both runs predict, and not whom they approve"
)


def settings_ready(run: Run, config: ReportConfig) -> bool:
    """Whether the choices are complete; what is missing is said, with the way to where it is stated."""
    missing = _missing(run, config)
    if missing:
        widgets.info(missing)
    if missing or config.kind != "notice":
        return not missing
    text = report_access.desk().template(config.profile, config.language)
    return letter_is_stated(text) and _letter_tells_of_score(run, config)


def check_approvals(run: Run, config: ReportConfig) -> None:
    """Say what a comparison will not tell, and refuse what cannot be, before a job does.

    Raises:
        UserError: class and cutoffs do not fit the target.
    """
    own = {target.name: target for target in shared_targets(run.targets, run.targets)}
    target = own[config.target]
    if ApprovalRules.of(target, config) is not None:
        return
    told = say(_NO_CLASS if target.classes else _NO_CUTOFF, target=target.name)
    widgets.info(told)


def _missing(run: Run, config: ReportConfig) -> str:
    """What must be chosen before a decision can be reported on; empty when nothing is missing."""
    codec, _ = run.targets.of(config.target or run.targets.names[0])
    if codec.task is Task.REGRESSION and config.cutoff is None:
        return say("{target} is a quantity: type the cutoff from which a row is approved", target=codec.name)
    if codec.task is Task.MULTICLASS and not config.favourable:
        return say("{target} has several classes: choose the favourable outcome", target=codec.name)
    return ""


def letter_is_stated(text: str) -> bool:
    """Whether everything about the organisation that a letter's template names was stated; what was not is said."""
    names = unstated_fields(text, report_access.desk().organisation())
    if not names:
        return True
    what = listed([say(STATED[f"organisation.{name}"]) for name in names])
    widgets.info(say("The letter says who decides, and nobody has stated this yet: {what}", what=what))
    kept.turn_to("view", "organisation", say("State it under “Who decides”"))
    return False


def _letter_tells_of_score(run: Run, config: ReportConfig) -> bool:
    """Whether an edited letter still has the place for a score bought from others, where one is used."""
    desk = report_access.desk()
    text, stated = desk.template(config.profile, config.language), desk.consumer_score(run.run_id)
    if not is_silent_on_score(text, report_access.profile(config.profile, config.language), stated):
        return True
    field = f"{{{{{SCORE_FIELD}}}}}"
    widgets.info(say("The letter must tell of the score bought from others; it lacks the field {field}", field=field))
    kept.turn_to("view", "letter", say("Add it to the letter"))
    return False


def row_ready(run: Run, config: ReportConfig, row: int) -> bool:
    """Where the row stands at this cutoff, where that is known; whether a report of this kind can be made of it."""
    declined = report_access.declined(run, config)
    place = 0 if declined is None else int(np.searchsorted(declined, row))
    is_declined = declined is not None and place < len(declined) and int(declined[place]) == row
    told = ""
    if declined is not None:
        told = say("At this cutoff row {row:,} is approved.", row=row)
    if is_declined:
        told = say("At this cutoff row {row:,} is declined.", row=row)
    with st.container(horizontal=True, vertical_alignment="center"):
        if told:
            icon = ":material/cancel:" if is_declined else ":material/check_circle:"
            st.markdown(f"{icon} {widgets.md(told)}")
        label = say("Look at this decision first")
        shell.link("decision", label, icon=":material/person_search:", run=run.run_id, row=str(row))
    if config.kind != "notice" or declined is None or is_declined:
        return True
    widgets.info(say("A letter of reasons goes to a declined row; choose another row, or make a decision report"))
    return False
