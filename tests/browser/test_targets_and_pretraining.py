"""Two journeys beyond one target: a number and a class learned together, and a table learned without any target."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tabnet_engine.data.synthetic import credit_applications
from tests.browser.driver import Visitor

pytestmark = pytest.mark.browser

COLUMNS = ["income_eur", "debt_ratio", "employment_years", "loan_purpose", "decision"]
POSITIVE = "decision = declined"
TRAINED = 180_000  # milliseconds, on a slow machine that does other things too


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "two_targets.csv"
    frame, _ = credit_applications(n_rows=160, seed=5)
    frame[COLUMNS].to_csv(path, index=False)
    return path


def small(visitor: Visitor) -> None:
    """Settings for a quick training with few explained rows."""
    visitor.fill("Epochs", "2")
    visitor.page.get_by_text("All settings").click()
    visitor.fill("Rows explained", "8")
    visitor.fill("Background rows", "8")


def start(visitor: Visitor, button: str) -> None:
    visitor.settle()
    visitor.press(button)
    visitor.sees("Time left")


def test_a_class_and_a_number_from_upload_to_one_decision(visitor: Visitor, table: Path):
    page = visitor.page
    visitor.open("dataset")
    visitor.add_table(table)
    visitor.choose("Column to predict", "decision")
    visitor.sees("Positive class")
    visitor.choose("Also predict", "income_eur")
    visitor.sees("2 targets")
    visitor.sees("Task of income_eur")
    visitor.settle()
    visitor.press("Train on this table")
    visitor.sees("Test rows held back")
    visitor.settle()
    small(visitor)
    start(visitor, "Train")
    expect(page.get_by_role("link", name="One decision").last).to_be_visible(timeout=TRAINED)
    visitor.settle()
    visitor.sees("Test AUC")
    visitor.sees("Test RMSE")

    visitor.open_menu("One decision")
    visitor.sees("Predicted income_eur")
    visitor.sees("All 2 targets of this row")
    visitor.choose("Output", POSITIVE)
    visitor.sees("Predicted decision")
    visitor.draws("Step 1")
    visitor.choose("Output", "income_eur")  # the second choice counts like the first
    visitor.sees("Predicted income_eur")
    visitor.draws("Step 1")
    visitor.choose("Output", POSITIVE)
    visitor.sees("Predicted decision")
    for title in ("Masks", "Importance", "Masks and SHAP"):
        visitor.open_menu(title)
        visitor.draws()
        output = page.get_by_role("combobox", name="Output").first
        expect(output).to_have_value(POSITIVE)  # what was chosen on one page holds on the others
        visitor.has_no_failure()
    assert visitor.console_errors == []


def test_a_table_is_learned_without_a_target_and_a_training_starts_from_it(visitor: Visitor, table: Path):
    page = visitor.page
    visitor.open("dataset")
    plain = table.with_name("no_target.csv")
    plain.write_text(table.read_text().replace("income_eur", "income"))
    visitor.add_table(plain)
    visitor.press("Pretrain without a target")
    visitor.sees("Columns to leave out")
    visitor.settle()
    visitor.choose("Columns to leave out", "decision")
    page.keyboard.press("Escape")
    visitor.fill("Epochs", "2")
    start(visitor, "Pretrain")
    visitor.sees("What was learned about each column", timeout=TRAINED)
    visitor.draws("Reconstruction error of each column")
    visitor.sees("What pretraining was worth")
    visitor.settle()
    visitor.has_no_failure()

    visitor.press("Train from this pretraining")
    visitor.sees("What is to be predicted?")
    visitor.settle()
    visitor.follow("Choose the column to predict")
    visitor.choose("Column to predict", "decision")
    visitor.sees("Positive class")
    visitor.settle()
    visitor.press("Train on this table")
    visitor.sees("The network is the pretrained one")
    visitor.settle()
    small(visitor)
    visitor.fill("Frozen epochs", "1")
    start(visitor, "Train")
    expect(page.get_by_role("link", name="What matters overall")).to_be_visible(timeout=TRAINED)
    visitor.sees("Test AUC")
    visitor.open_menu("Masks")
    visitor.draws()
    visitor.has_no_failure()
    assert visitor.console_errors == []
