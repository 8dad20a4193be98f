"""No page shows anything before app.py ran, and a user's mistake is a sentence on every page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from pages._ui import shell
from tabnet_engine.errors import StorageError
from tests.pages.conftest import checked

PAGES = ("walkthrough", "dataset", "train", "runs")
EVERY_PAGE = (*PAGES, "importance", "masks", "shap_comparison", "decision", "groups", "measures")


@pytest.fixture
def fresh_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first visit after a start: Streamlit runs a page of the folder ``pages`` without app.py."""
    parent = property(lambda self: Path(self.main_script_path).parent)
    monkeypatch.setattr(PagesManager, "main_script_parent", parent)


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_a_page_opened_first_waits_for_the_application(
    name: str, fresh_server: None, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    declare, start, title = shell.declare, shell.start, st.title
    monkeypatch.setattr(shell, "declare", lambda: (order.append("navigation"), declare())[1])
    monkeypatch.setattr(shell, "start", lambda: (order.append("application"), start())[1])
    monkeypatch.setattr(st, "title", lambda *texts, **options: (order.append("page"), title(*texts, **options))[1])
    assert open_page(name).title
    assert order == ["navigation", "application", "navigation", "page"]


@pytest.mark.parametrize("name", PAGES)
def test_the_systems_fault_is_a_sentence(
    name: str, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise StorageError("the disk is full; free some space")

    monkeypatch.setattr("pages._ui.data_access.workspace", full)
    monkeypatch.setattr("pages._ui.data_access.queue", full)
    app = open_page(name)
    assert [error.value for error in app.error] == ["The disk is full; free some space\\."]


def test_an_id_that_does_not_exist_is_a_sentence(open_page: Callable[..., AppTest]) -> None:
    app = open_page("train", job="nothing")
    assert not app.error
    assert "not in this workspace" in app.info[0].value
    assert not checked(open_page("dataset", dataset="nothing")).error
