"""Finding a decision as a person does: by its id, by a condition, by class; and the link shows the same again."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tabnet_engine.runs.workspace import Workspace
from tests.browser.driver import Server, visit
from tests.pages.conftest import Stored
from tests.pages.explained import train_bottles

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def stored(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """Bottles with an id, and a run that predicts one of three classes."""
    space = Workspace.open(server.workspace)
    trained = train_bottles(space, "grape", tmp_path_factory.mktemp("bottles"))
    space.close()
    return trained


def test_a_row_is_found_and_a_reload_shows_the_same(server: Server, browser: Browser, stored: Stored) -> None:
    with visit(browser, server.url) as tab:
        tab.open(f"decision?run={stored.run_id}")
        tab.fill("Find by label", "B-041")
        tab.sees("Row 41 is 42 of 90")
        tab.choose("Class", "Barbera")
        tab.sees("the score of Barbera")
        tab.page.get_by_role("radio", name="Every method", exact=True).click()
        tab.settle()
        tab.draws("methods")
        tab.fill("Only rows where", "colour = red and price is missing")
        tab.sees("there is no column 'price'")
        tab.fill("Only rows where", "colour = red")
        tab.sees("rows meet the condition")
        tab.settle()
        address = tab.page.url
        place = tab.page.get_by_text("in the list: all rows in order").inner_text()
        assert "where=" in address
        assert "view=methods" in address
        tab.page.reload()
        tab.settle()
        expect(tab.page.get_by_text(place)).to_be_visible()
        expect(tab.page.get_by_role("radio", name="Every method", exact=True)).to_be_checked()
        expect(tab.page.get_by_role("combobox", name="Class")).to_have_value("Barbera")
        tab.has_no_failure()
        assert tab.outside == []
        tab.press("All rows")
        tab.settle()
        tab.fill("Only rows where", 'colour = "none like this"')
        tab.sees("No row meets the condition")
