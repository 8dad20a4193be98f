"""Two runs side by side, as a person compares them: which decisions changed, and one of them in each run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tabnet_engine.runs.workspace import Workspace
from tests.browser.driver import Server, visit
from tests.pages.conftest import Stored
from tests.twin import twin_run

pytestmark = pytest.mark.browser


@pytest.fixture
def two_runs(server: Server, explored: Stored) -> Iterator[list[str]]:
    """The explored run, and beside it for this test one that decides otherwise."""
    space = Workspace.open(server.workspace)
    twin_id, folder = space.new_run_folder()
    frame = space.load_frame(explored.dataset_id)
    twin_run(space.run(explored.run_id), folder, frame, title="Challenger", noise=2.0)
    yield [explored.run_id, twin_id]
    shutil.rmtree(folder)
    space.close()


def test_two_runs_are_compared_down_to_one_decision(server: Server, browser: Browser, two_runs: list[str]):
    with visit(browser, server.url) as tab:
        tab.open(f"runs?run={two_runs[0]}")
        tab.page.get_by_role("radio", name="Compare", exact=True).click()
        tab.settle()
        tab.sees("On the same rows")
        tab.draws()
        tab.page.get_by_role("radio", name="Decisions", exact=True).click()
        tab.settle()
        tab.sees("are decided otherwise by Challenger")
        tab.page.get_by_text("Rows that a run learned from too").click()
        tab.settle()
        changed = tab.page.get_by_text(re.compile(r"of 600 rows are decided otherwise")).inner_text()
        address = tab.page.url.removeprefix(f"{tab.url}/")
        tab.has_no_failure()
        assert tab.outside == []

    with visit(browser, server.url) as again:  # the link restores what was seen
        again.open(address)
        expect(again.page.get_by_text(changed)).to_be_visible()
        link = again.page.get_by_role("link", name=re.compile(r"Row [\d,]+ in Challenger"))
        row = re.findall(r"Row ([\d,]+)", link.inner_text())[0].replace(",", "")
        link.click()
        expect(again.page.get_by_role("heading", level=1, name="One decision")).to_be_visible()
        again.settle()
        assert f"run={two_runs[1]}" in again.page.url
        assert f"row={row}" in again.page.url
        again.has_no_failure()
