"""Imports in the background never run beside a script, and begin once, where there is a server."""

from __future__ import annotations

import threading

import pytest

from pages._ui import display, warming


@pytest.fixture
def turns(monkeypatch):
    fresh = warming._Turns()
    monkeypatch.setattr(warming, "_TURNS", fresh)
    return fresh


def test_an_import_waits_for_every_script_and_a_script_for_the_import(turns):
    importing, done, entered, go_on = (threading.Event() for _ in range(4))

    def work():
        with turns.quiet(0.0):
            importing.set()
            go_on.wait(5)
        done.set()

    def visit():
        with turns.script():
            entered.set()
            assert done.wait(5)

    with turns.script():
        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        with turns.script():  # a fragment inside the page waits for nothing
            assert not importing.wait(0.05)
        assert not importing.wait(0.05)
    assert importing.wait(5)
    visitor = threading.Thread(target=visit, daemon=True)
    visitor.start()
    assert not entered.wait(0.05)
    go_on.set()
    assert entered.wait(5)
    worker.join(5)
    visitor.join(5)


def test_a_page_that_fails_lets_the_imports_go_on(turns):
    with pytest.raises(ValueError, match="page"), turns.script():
        raise ValueError("page")
    with turns.quiet(0.0):
        pass
    with pytest.raises(ValueError, match="import"), turns.quiet(0.0):
        raise ValueError("import")
    with turns.script():
        pass


def test_the_imports_begin_once_after_the_first_page_of_a_server(turns, monkeypatch):
    begun = threading.Semaphore(0)
    monkeypatch.setattr(warming, "_work", begun.release)
    with warming.script():
        pass
    assert not begun.acquire(timeout=0.05)  # no server here
    monkeypatch.setattr(warming, "_has_server", lambda: True)
    for _ in range(3):
        with warming.script():
            pass
    assert begun.acquire(timeout=5)
    assert not begun.acquire(timeout=0.05)


def test_a_page_under_test_begins_nothing(turns, open_page, monkeypatch):
    begun = threading.Semaphore(0)
    monkeypatch.setattr(warming, "_work", begun.release)
    open_page("measures")
    assert not begun.acquire(timeout=0.05)
    assert turns.is_first()


def test_whatever_is_imported_beforehand_exists(turns, monkeypatch):
    named = []
    monkeypatch.setattr(warming, "_PAUSE", 0.0)
    monkeypatch.setattr(warming, "_LONG_PAUSE", 0.0)
    monkeypatch.setattr(warming.importlib, "import_module", named.append)
    monkeypatch.setattr(warming.gc, "freeze", lambda: named.append("frozen"))
    warming._work()
    monkeypatch.undo()
    assert "pages._ui.explain_access" in named
    assert named[-1] == "frozen"
    for name in named[:-1]:
        assert warming.importlib.util.find_spec(name) is not None, name


def test_the_code_that_draws_charts_is_found_in_this_streamlit():
    # Fetched ahead by the browser; a new version that hides it elsewhere makes the first chart slow, and this test red.
    assert len(display._CHART_CODE) == 1
    assert display._CHART_CODE[0] in display._SPEAKS["zh"]
