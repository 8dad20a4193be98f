"""The page verifies a kept report as the command does: with the run and the table of the workspace."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tabnet_engine.config import ReportConfig
from tabnet_engine.jobs.report_spec import ReportPayload
from tabnet_engine.jobs.reporting import make_reports
from tabnet_engine.report import evidence, pack_checks
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, checked, texts
from tests.pages.reported import keep_report

Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (pack_checks, evidence):
        monkeypatch.setattr(module, "rendered_files", lambda _: {"report.pdf": b"%PDF"})


def verified(open_page: Open, case_id: str) -> AppTest:
    app = open_page("report", view="history", case=case_id)
    next(item for item in app.button if item.label == "Verify the evidence").click()
    return checked(app.run())


def test_a_report_that_is_sound_is_made_again_and_said_to_be_equal(
    open_page: Open, with_run: Stored, space: Workspace
) -> None:
    config = ReportConfig(kind="model", time="2026-03-01T09:30:00+00:00").to_mapping()
    case_id = make_reports(space, ReportPayload(run_id=with_run.run_id, config=config), "job")
    app = verified(open_page, case_id)
    shown = texts(app)
    assert re.search(r"All \d+ checks hold", shown)
    assert "Made again, the report is the same in every word and number" in shown
    assert not app.error
    assert "Not confirmed" not in shown


def test_what_does_not_hold_is_said_and_the_page_stays(open_page: Open, with_run: Stored, workspace_root: Path) -> None:
    record = keep_report(workspace_root, run_id=with_run.run_id)
    app = verified(open_page, record.case_id)
    assert any("does not belong" in item.value for item in app.error)
    assert not any("hold" in item.value for item in app.success)
    assert any(item.label == "Record the review" for item in app.button)
