"""The walkthrough as a first visitor makes it: from nothing to one decision, left in the middle and resumed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.driver import Server, Visitor, visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

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
        shoot(first, "walkthrough-target")
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
        again.sees("4. Masks")
        again.draws("Mean mask of each step")
        shoot(again, "walkthrough-masks")
        again.press("Next: one decision", exact=False)
        again.sees("5. One decision")
        again.draws("Decision steps of row")
        again.draws("SHAP values of row")
        again.sees("The truth behind this sample")
        shoot(again, "walkthrough-decision")
        again.has_no_failure()
        expect(again.page.get_by_role("link", name="One decision").first).to_be_visible()
        for title, name in (
            ("One decision", "decision"),
            ("Masks", "masks"),
            ("Masks and SHAP", "shap"),
            ("Importance", "importance"),
        ):
            again.open_menu(title)
            again.draws()
            shoot(again, name)
        assert again.outside == []
