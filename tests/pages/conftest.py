"""A workspace of its own for each test, and the application without a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def workspace_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty workspace that the pages use; cached accessors of the test before are forgotten."""
    root = tmp_path / "workspace"
    monkeypatch.setenv("TABNET_WORKSPACE", str(root))
    st.cache_resource.clear()
    st.cache_data.clear()
    yield root
    st.cache_resource.clear()


@pytest.fixture
def open_page() -> Callable[..., AppTest]:
    """Open a page through app.py, as the navigation does."""

    def open_one(name: str, **ids: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
        app.run()
        for key, value in ids.items():
            app.query_params[key] = value
        app.switch_page(str(ROOT / "pages" / f"{name}.py"))
        app.run()
        assert not app.exception, app.exception
        return app

    return open_one
