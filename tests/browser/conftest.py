"""One server, one browser for the session; a fresh tab for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.driver import Server, Visitor, running_browser, running_server, visit


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("served") / "workspace") as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with running_browser() as chromium:
        yield chromium


@pytest.fixture
def visitor(server: Server, browser: Browser) -> Iterator[Visitor]:
    with visit(browser, server.url) as tab:
        yield tab
        assert tab.outside == [], f"the page fetched from outside: {tab.outside}"
