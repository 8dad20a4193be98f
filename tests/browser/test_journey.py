"""The issue's journey as a person makes it: upload, target, train, masks, SHAP, one person's decision."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tabnet_engine.data.synthetic import credit_applications
from tests.browser.driver import Server, Visitor, running_server, visit

pytestmark = pytest.mark.browser

PAGES = ("", "walkthrough", "dataset", "train", "runs", "importance", "masks", "shap_comparison", "decision")
HOSTILE = ["<b>bold</b>", "$x$", "![](http://evil.invalid/x.png)", "naïve 🙂", "[link](http://evil.invalid)"]


@pytest.fixture(scope="module")
def credit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "applications.csv"
    frame, _ = credit_applications(n_rows=400, seed=2)
    frame.to_csv(path, index=False, sep=";", decimal=",", encoding="utf-8-sig")
    return path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "hostile.csv"
    frame, _ = credit_applications(n_rows=300, seed=3)
    part = frame[["income_eur", "debt_ratio", "loan_purpose", "employment_years", "missed_payments", "decision"]].copy()
    part["loan_purpose"] = part["loan_purpose"].astype("str").map(lambda value: f"<img src=x onerror=alert(1)> {value}")
    part.columns = [*HOSTILE, "decision"]
    part.to_csv(path, index=False)
    return path


def train_in_browser(visitor: Visitor, table: Path, target: str) -> None:
    """From an uploaded file to a finished, explained run, with settings for a quick one."""
    page = visitor.page
    visitor.open("dataset")
    visitor.add_table(table)
    visitor.choose("Column to predict", target)
    visitor.sees("Positive class")
    visitor.press("Train on this table")
    visitor.fill("Epochs", "3")
    visitor.press("Train")
    visitor.sees("Time left")
    expect(page.get_by_role("link", name="What matters overall")).to_be_visible(timeout=180_000)
    visitor.has_no_failure()


def test_from_upload_to_one_persons_decision(visitor: Visitor, credit: Path):
    page = visitor.page
    train_in_browser(visitor, credit, "decision")
    visitor.sees("Test AUC")
    visitor.draws("Loss by epoch")

    visitor.follow("What each step read")
    visitor.draws("Mean mask of each step")
    visitor.sees("step 1")

    visitor.open_menu("Importance")
    visitor.draws()
    visitor.sees("Rank correlation")

    visitor.open_menu("Masks and SHAP")
    visitor.draws()
    visitor.sees("background", exact=False)

    visitor.open_menu("One decision")
    visitor.sees("Predicted decision")
    visitor.draws("Step 1")
    visitor.sees("income_eur")
    first = page.url
    visitor.press("Next")
    page.wait_for_function("before => window.location.href !== before", arg=first)
    visitor.settle()
    visitor.sees("Predicted decision")
    visitor.has_no_failure()

    address = page.url
    assert "run=" in address
    assert "row=" in address
    caption = page.get_by_text(re.compile(r"Row \d+ is ")).first.inner_text()
    page.reload()
    visitor.settle()
    expect(page.get_by_text(caption).first).to_be_visible()  # a reload shows the same row of the same run
    assert visitor.console_errors == []


def test_names_that_look_like_code_are_shown_as_they_are(visitor: Visitor, hostile: Path):
    train_in_browser(visitor, hostile, "decision")
    for title in ("Masks", "Importance", "Masks and SHAP", "One decision"):
        visitor.open_menu(title)
        visitor.draws()
        visitor.has_no_failure()
        body = visitor.page.inner_text("body")
        assert "<b>bold</b>" in body, title
        assert visitor.page.locator("img[src*='evil']").count() == 0
        assert visitor.page.locator("a[href*='evil']").count() == 0
    assert visitor.outside == []


@pytest.mark.parametrize("page_name", PAGES)
def test_every_page_opens_on_a_fresh_server_and_says_what_to_do_next(page_name: str, browser: Browser, tmp_path: Path):
    with running_server(tmp_path / "workspace") as fresh, visit(browser, fresh.url) as visitor:
        visitor.open(page_name)
        visitor.has_no_failure()
        expect(visitor.page.get_by_test_id("stSidebarNav")).to_be_visible()
        headings = visitor.page.get_by_role("heading", level=1).all_inner_texts()
        assert len(headings) == 1, headings
        ways_on = visitor.page.get_by_test_id("stMain").locator("a:visible, button:visible, input[type=file]")
        expect(ways_on.first, "an empty page says what to do next").to_be_attached()
        assert visitor.outside == []


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("empty.csv", b"", "empty"),
        ("only_header.csv", b"a,b,c\n", "no rows"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00", "image"),
        ("broken.parquet", b"PAR1 and then nothing of the kind", "Parquet"),
    ],
)
def test_a_bad_file_gives_one_sentence_and_leaves_the_rest(
    name: str, content: bytes, text: str, visitor: Visitor, tmp_path: Path, server: Server
):
    before = sorted(path.name for path in (server.workspace / "datasets").glob("*"))
    (tmp_path / name).write_bytes(content)
    visitor.open("dataset")
    visitor.offer(tmp_path / name)
    alert = visitor.page.get_by_test_id("stAlert").first
    expect(alert).to_be_visible()
    expect(alert).to_contain_text(re.compile(re.escape(text), re.IGNORECASE))
    visitor.has_no_failure()
    assert sorted(path.name for path in (server.workspace / "datasets").glob("*")) == before


def test_a_training_survives_a_closed_tab_and_can_be_cancelled(server: Server, browser: Browser, credit: Path):
    with visit(browser, server.url) as first:
        first.open("dataset")
        first.add_table(credit)
        first.choose("Column to predict", "decision")
        first.press("Train on this table")
        first.fill("Epochs", "5000")
        first.fill("Title", "a long one")
        first.page.get_by_text("All settings").click()
        first.fill("Patience", "0")
        first.page.get_by_role("button", name="Train", exact=True).dblclick()
        first.sees("Time left")
        address = first.page.url.replace(first.url + "/", "")
    with visit(browser, server.url) as second:
        second.open(address)
        second.sees("Time left")
        second.sees("epoch", timeout=60_000)
        second.press("Stop")
        second.sees("was stopped")
        second.open("runs")
        assert second.page.get_by_text("a long one").count() <= 1, "a double click starts one job"
        second.has_no_failure()
