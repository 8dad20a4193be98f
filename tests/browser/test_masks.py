"""The way from a chart to a decision: choose lines of the map, see their rows, open one; and a filter to nothing."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.driver import Visitor
from tests.pages.conftest import Stored

pytestmark = pytest.mark.browser


@pytest.fixture
def run_id(explored: Stored) -> str:
    return explored.run_id


def drag_across(visitor: Visitor, panel: int) -> None:
    """Mark a third of the lines of one panel of the map, as with a mouse."""
    chart = visitor.page.get_by_role("figure", name="Masks of").first
    place = chart.locator(".nsewdrag").nth(panel)
    place.scroll_into_view_if_needed()
    edges = place.bounding_box()
    assert edges is not None
    y = edges["y"] + edges["height"] / 2
    mouse = visitor.page.mouse
    mouse.move(edges["x"] + 0.3 * edges["width"], y)
    mouse.down()
    for share in (0.4, 0.5, 0.6):
        mouse.move(edges["x"] + share * edges["width"], y + 5, steps=3)
    mouse.up()


def choose_lines(visitor: Visitor) -> None:
    """Mark lines until their rows are listed: a chart that is still being laid out does not notice the mouse."""
    listed = visitor.page.get_by_text("selected rows").first
    for panel in (2, 1, 0, 2):
        drag_across(visitor, panel)
        try:
            expect(listed).to_be_visible(timeout=8_000)
        except AssertionError:
            continue
        return
    expect(listed).to_be_visible(timeout=1_000)


def test_from_the_chart_to_the_rows_to_a_decision_and_back_after_a_reload(visitor: Visitor, run_id: str) -> None:
    visitor.open(f"masks?run={run_id}&view=rows&order=path")
    visitor.draws("Masks of 600 rows")
    visitor.sees("each line is the mean of up to 2 rows")
    choose_lines(visitor)
    enlarge = visitor.page.get_by_role("button", name=re.compile("Enlarge the rows"))
    expect(enlarge).to_be_visible()
    enlarge.click()
    visitor.sees("each line is one row")
    first = visitor.page.get_by_role("spinbutton", name="From place")
    expect(first).not_to_have_value("1")
    visitor.settle()
    kept = first.input_value()
    visitor.page.reload()
    visitor.settle()
    visitor.sees("each line is one row")
    expect(visitor.page.get_by_role("spinbutton", name="From place")).to_have_value(kept)
    table = visitor.page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    table.click(position={"x": 16, "y": 54})
    link = visitor.page.get_by_role("link", name=re.compile("Open the decision on row"))
    expect(link).to_be_visible()
    row = re.sub(r"\D", "", link.inner_text())
    link.click()
    expect(visitor.page.get_by_role("heading", level=1, name="One decision")).to_be_visible()
    visitor.settle()
    assert f"row={row}" in visitor.page.url
    visitor.has_no_failure()


def test_a_filter_that_nothing_passes_says_so_and_leads_back(visitor: Visitor, run_id: str) -> None:
    visitor.open(f"masks?run={run_id}&view=rows&step=all")
    visitor.draws("Masks of 600 rows")
    visitor.fill("Only rows where", "age > 500")
    visitor.sees("No row passes the filter")
    visitor.press("Show all rows")
    visitor.draws("Masks of 600 rows")
    visitor.has_no_failure()
