"""A row asked about in a real browser: another value moves the answer, a counterfactual keeps what is fixed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.driver import Visitor
from tests.pages.conftest import Stored

pytestmark = pytest.mark.browser


@pytest.fixture
def run_id(explored: Stored) -> str:
    return explored.run_id


def probability(visitor: Visitor) -> Locator:
    """The answer's probability: the last one on the page, below that of the row as it is."""
    return visitor.page.get_by_test_id("stMetric").filter(has_text="Probability of").last


def test_another_value_moves_the_answer_and_a_link_restores_it(visitor: Visitor, run_id: str):
    visitor.open(f"decision?run={run_id}&row=3&view=what_if")
    visitor.sees("Nothing is changed yet")
    before = probability(visitor).inner_text()
    slider = visitor.page.get_by_role("slider", name="age by slider")
    slider.focus()
    slider.press("Home")  # by the keyboard, to the lowest age of the training rows
    visitor.sees("1 value is changed")
    visitor.settle()
    expect(probability(visitor)).to_contain_text("was")
    moved = probability(visitor).inner_text()
    assert moved != before
    visitor.draws("What every decision step read and added")
    visitor.page.wait_for_url(re.compile("set="))
    visitor.page.reload()
    visitor.settle()
    expect(probability(visitor)).to_have_text(re.compile(re.escape(moved.split("\n")[0])))
    assert probability(visitor).inner_text() == moved
    visitor.press("Reset all")
    visitor.sees("Nothing is changed yet")
    assert probability(visitor).inner_text() == before
    visitor.has_no_failure()


def test_a_counterfactual_leaves_alone_what_is_fixed(visitor: Visitor, run_id: str):
    visitor.open(f"decision?run={run_id}&row=3&view=counterfactual")
    box = visitor.page.get_by_role("combobox", name="Stay as they are")
    box.fill("age")
    box.press("Enter")
    box.press("Escape")  # its list stays open for more
    visitor.settle()
    visitor.press("Find proposals")
    visitor.sees("What each proposal changes")
    visitor.settle()
    table = visitor.page.get_by_test_id("stTable").first
    expect(table).to_contain_text(re.compile("job|member|joined"))
    expect(table).not_to_contain_text("age")
    visitor.press("Try this proposal under “What if”")
    visitor.sees("What if a value were another?")
    expect(probability(visitor)).to_contain_text("was")
    visitor.has_no_failure()
