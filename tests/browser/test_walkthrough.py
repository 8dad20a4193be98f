"""The walkthrough as a first visitor makes it: from nothing to one decision, left in the middle and resumed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.driver import Server, Visitor, visit

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("SCREENSHOTS")


def shoot(visitor: Visitor, name: str) -> None:
    """Keep a picture where SCREENSHOTS names a folder: to look at, and for the README."""
    if SHOTS:
        visitor.page.wait_for_timeout(1_500)
        visitor.page.screenshot(path=Path(SHOTS) / f"{name}.png")


def test_from_nothing_to_one_decision(server: Server, browser: Browser):
    with visit(browser, server.url) as first:
        first.open()
        first.sees("1. Table")
        first.press("Credit applications", exact=False)
        first.sees("2. Target")
        first.press("Next: training", exact=False)
        first.sees("3. Training")
        first.settle()
        first.press("Train")
        first.sees("Time left")
        shoot(first, "walkthrough-training")
        address = first.page.url.removeprefix(first.url + "/")

    with visit(browser, server.url) as again:
        again.open(address)
        again.sees("Test AUC", timeout=240_000)
        again.press("Next: masks", exact=False)
        again.draws("Mean mask of each step")
        shoot(again, "walkthrough-masks")
        again.press("Next: one decision", exact=False)
        again.sees("5. Why was this applicant declined?")
        again.sees("usual case among")
        again.draws("Step 1")
        again.sees("The truth behind this sample")
        again.settle()
        shoot(again, "walkthrough-decision")
        row = re.search(r"row=(\d+)", again.page.url)
        assert row is not None

        again.open_menu("Masks")
        again.open_menu("Walkthrough")
        again.sees("You are back where you left the walkthrough: step 5 of 6")
        again.sees("5. Why was this applicant declined?")
        again.press("Next: what would change it", exact=False)
        again.sees("The decision changes from declined to approved")
        again.page.reload()
        again.sees("The decision changes from declined to approved")
        again.settle()
        shoot(again, "walkthrough-change")
        again.has_no_failure()

        again.follow("Everything about this decision")
        again.sees("Predicted decision")
        again.sees(f"Row {int(row[1]):,} is ")
        again.has_no_failure()
        assert again.outside == []
