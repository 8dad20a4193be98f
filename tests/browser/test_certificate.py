"""How far to trust a run, as a person asks for it: from the button, past a closed tab, to the figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tabnet_engine.data.synthetic import credit_applications
from tests.browser.driver import Server, visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "two_columns.csv"
    frame, _ = credit_applications(n_rows=60, seed=4)
    frame[["debt_ratio", "missed_payments", "decision"]].to_csv(path, index=False)
    return path


def test_a_certificate_from_the_button_to_its_figures(server: Server, browser: Browser, small: Path):
    with visit(browser, server.url) as first:
        first.open("dataset")
        first.add_table(small)
        first.choose("Column to predict", "decision")
        first.press("Train on this table")
        first.fill("Epochs", "1")
        first.press("Train")
        expect(first.page.get_by_role("link", name="What matters overall")).to_be_visible(timeout=120_000)
        first.settle()
        first.open_menu("Masks and SHAP")
        first.page.get_by_text("How far to trust it", exact=True).click()
        first.settle()
        first.sees("Nothing has been measured yet")
        address = first.page.url.removeprefix(f"{first.url}/")
        first.page.get_by_role("button", name="Measure it", exact=True).dblclick()
        first.sees("Measuring how far to trust this")

    with visit(browser, server.url) as again:  # the job outlives the tab, and a double click starts one
        again.open(address)
        expect(again.page.get_by_text("figures are told apart")).to_be_visible(timeout=120_000)
        again.settle()
        expect(again.page.get_by_role("button", name="Measure it again")).to_be_enabled()
        again.page.get_by_text("Do the methods agree?").click()
        table = again.page.get_by_test_id("stTable").first
        expect(table).to_contain_text("attention masks and SHAP")
        expect(table).to_contain_text(re.compile(r"\d\.\d\d\s\("))  # a figure with its interval
        again.sees("Not measured")
        again.has_no_failure()
        assert again.outside == []
