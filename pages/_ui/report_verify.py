"""The evidence of a stored report verified where it lies: as the command does, with the run and table of here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import data_access, report_access, verifying, widgets
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    from tabnet_engine.report.register import ReportRecord
    from tabnet_engine.report.replay import PackVerdict

__all__ = ["section"]


def section(record: ReportRecord) -> None:
    """A button, and what verifying found once it is pressed."""
    verdict = verifying.verdict_of(
        say("Verify the evidence"),
        f"verify_{record.case_id}",
        lambda: _verified(record.case_id),
        of=(record.case_id, record.state),
        busy=say("Making the report again and comparing it with the one that was kept"),
        help_text=say(
            "Makes the whole report again from the run and its table, as far as they are still in this workspace, and "
            "compares every part with what was kept."
        ),
    )
    if verdict is not None:
        _told(verdict)


def _verified(case_id: str) -> PackVerdict:
    from tabnet_engine.report.held import held_in
    from tabnet_engine.report.pack_reading import open_pack
    from tabnet_engine.report.replay import verify_pack

    pack = open_pack(report_access.register().pack(case_id))
    return verify_pack(pack, held_in(data_access.workspace(), pack))


def _told(verdict: PackVerdict) -> None:
    """What does not hold, what could not be confirmed, and every check when it is asked for."""
    held = [line.sentence for line in verdict.lines if line.ok and not line.is_open]
    for problem in verdict.problems:
        widgets.error(problem)
    if verdict.is_equal:
        widgets.success(say_plural("The {count} check holds", "All {count:,} checks hold", len(held)))
    for sentence in verdict.unconfirmed:
        widgets.info(say("Not confirmed: {sentence}", sentence=sentence))
    with st.expander(say("What holds"), icon=":material/checklist:"):
        st.markdown("\n".join(f"- {widgets.md(sentence)}" for sentence in held))
        st.caption(say("The pack has the SHA-256 {digest}.", digest=verdict.sha256))
