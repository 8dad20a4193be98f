"""Finding a decision as a person does: by its id, by a condition, by class; and the link shows the same again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.driver import Server, running_server, visit
from tests.pages.conftest import Stored
from tests.pages.explained import install

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Stored]]:
    root: Path = tmp_path_factory.mktemp("bottles") / "workspace"
    stored = install("grape", root)
    with running_server(root) as server:
        yield server, stored


def test_a_row_is_found_and_a_reload_shows_the_same(prepared: tuple[Server, Stored], browser: Browser) -> None:
    server, stored = prepared
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
