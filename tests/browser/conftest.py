"""One server, one browser for the session; a fresh tab for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tabnet_engine.runs.workspace import Workspace
from tests.browser.driver import Server, Visitor, running_browser, running_server, visit
from tests.pages.conftest import Stored, applicants, store_table, train_stored


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("served") / "workspace") as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with running_browser() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def explored(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """A table of 600 rows, more than a map has lines, and an explained run of it in the server's workspace."""
    space = Workspace.open(server.workspace)
    dataset_id = store_table(space, applicants(600), tmp_path_factory.mktemp("explored"), "applicants.csv", "approved")
    stored = train_stored(space, dataset_id, title="Explored", settings={"batch_size": 256})
    space.close()
    return stored


@pytest.fixture
def visitor(server: Server, browser: Browser) -> Iterator[Visitor]:
    with visit(browser, server.url) as tab:
        yield tab
        assert tab.outside == [], f"the page fetched from outside: {tab.outside}"
