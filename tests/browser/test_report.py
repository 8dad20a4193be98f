"""A decision report as an officer makes it: who decides, reviewed codes, the report, its files, its signature."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, FrameLocator, expect

from tabnet_engine.explain import store
from tabnet_engine.report.register import ReportRegister
from tabnet_engine.runs.workspace import Workspace
from tests.browser.driver import Server, Visitor, visit
from tests.pages.conftest import Stored

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def declined(server: Server, explored: Stored) -> int:
    """A row whose stored score does not reach the cutoff."""
    space = Workspace.open(server.workspace)
    masks = store.load_masks(space.run(explored.run_id))
    space.close()
    return int(masks.rows[np.flatnonzero(np.asarray(masks.logits)[:, 0] < 0)[0]])


def preview(tab: Visitor) -> FrameLocator:
    return tab.page.frame_locator("iframe[title='Preview of the report']").frame_locator("iframe")


def taken(tab: Visitor, label: str) -> bytes:
    with tab.page.expect_download() as download:
        tab.press(label)
    return Path(download.value.path()).read_bytes()


def state_who_decides(tab: Visitor) -> None:
    tab.open("report?view=organisation")
    for label, text in {
        "Name of the organisation": "North Bank <b>plc</b>",
        "Address of the organisation": "1 High Street",
        "Supervising authority": "The authority, 2 Long Road",
    }.items():
        tab.page.get_by_label(label, exact=True).fill(text)
    tab.press("Save")
    tab.sees("reports made from now on say it")


def state_that_no_score_is_bought(tab: Visitor, run_id: str) -> None:
    tab.open(f"report?view=facts&run={run_id}")
    tab.page.get_by_text("The model reads no such score", exact=True).click()
    tab.settle()
    tab.press("Save what is said of the score")
    tab.sees("reports made from now on say it")


def review_the_codes(tab: Visitor, run_id: str) -> None:
    tab.open(f"report?view=codes&run={run_id}")
    tab.press("Mark as reviewed")
    tab.page.get_by_text(re.compile(r"All \d+ drafts")).click()
    tab.page.get_by_label("Reviewed by", exact=True).fill("Ada")
    tab.press("Mark them")
    tab.sees("sentences are marked as reviewed")


def test_a_declined_row_is_reported_on_reviewed_and_signed(
    server: Server, browser: Browser, explored: Stored, declined: int
) -> None:
    with visit(browser, server.url) as tab:
        state_who_decides(tab)
        state_that_no_score_is_bought(tab, explored.run_id)
        review_the_codes(tab, explored.run_id)
        choices: dict[str, Any] = {"favourable": 1, "protected": "member", "nearest": 5, "repeat": 2}
        address = "&".join(f"{key}={value}" for key, value in choices.items())
        tab.open(f"report?run={explored.run_id}&row={declined}&{address}")
        tab.sees(f"At this cutoff row {declined} is declined.")
        tab.press("Make the report")
        expect(preview(tab).get_by_role("heading", level=1)).to_contain_text("Decision", timeout=120_000)
        tab.settle()
        (record,) = ReportRegister(server.workspace / "reports").list(explored.run_id, "decision")
        assert record.row == declined
        assert (record.blocked, record.unmet) == ((), ())
        expect(preview(tab).get_by_text("North Bank <b>plc</b>").first).to_be_attached()
        pdf, page = taken(tab, "PDF"), taken(tab, "HTML")
        assert pdf.startswith(b"%PDF")
        assert record.case_id.encode() in page
        assert taken(tab, "Evidence pack").startswith(b"PK")

        tab.press("Review")
        tab.page.get_by_label("Your name", exact=True).fill("Ada")
        tab.page.get_by_label("Comment", exact=True).fill("Compared with the file.")
        tab.press("Record the review")
        tab.sees("Compared with the file.")
        tab.press("Sign")
        tab.press("Sign this report")
        tab.sees("A signed report cannot change")
        expect(preview(tab).get_by_text("Ada").first).to_be_attached()

        tab.open(f"report?view=history&state=signed&case={record.case_id}")
        tab.sees(record.case_id)
        tab.page.get_by_text("Log of all steps").click()
        tab.settle()
        tab.press("Verify the log")
        tab.sees("3 lines, nothing is wrong")
        tab.has_no_failure()
        assert tab.console_errors == []
        assert tab.outside == []


def test_the_page_of_one_decision_leads_to_its_report(
    server: Server, browser: Browser, explored: Stored, declined: int
) -> None:
    with visit(browser, server.url, width=400) as tab:
        tab.open(f"decision?run={explored.run_id}&row={declined}")
        tab.follow("Report on this row")
        tab.sees(f"At this cutoff row {declined} is declined.")
        assert "report" in tab.page.url
        tab.has_no_failure()
