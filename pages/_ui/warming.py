"""Imports that the first visit of a page would wait for, made in the background while the first page is read.

They are made only while no script runs: two threads that import the parts of one package at the same time can lock
each other out. A script that comes meanwhile waits for the one import that is under way; torch, the longest, is left
until nobody has asked for anything for a while.
"""

from __future__ import annotations

import gc
import importlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

__all__ = ["script"]

# Packages that take long, those that others need first; then the pages' own modules; what computes comes last.
_LIBRARIES = ("pandas", "pyarrow.parquet", "sqlalchemy", "plotly.graph_objects", "scipy.special")
_COMPUTING = (
    "torch",
    "tabnet_engine.model.tabnet",
    "tabnet_engine.explain.single_row",
    "tabnet_engine.runs.weights",
    "scipy.cluster.hierarchy",
)
_PAUSE, _LONG_PAUSE = 0.05, 2.0  # seconds without any script before an import, and before the long ones


class _Turns:
    """Either scripts run, or one import."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._n_scripts = 0
        self._is_importing = False
        self._rested_since = time.monotonic()
        self._started = False

    @contextmanager
    def script(self) -> Iterator[None]:
        with self._free:
            self._free.wait_for(lambda: not self._is_importing)
            self._n_scripts += 1
        try:
            yield
        finally:
            with self._free:
                self._n_scripts -= 1
                self._rested_since = time.monotonic()
                self._free.notify_all()

    @contextmanager
    def quiet(self, pause: float) -> Iterator[None]:
        """Wait until no script has run for ``pause`` seconds, and let none begin meanwhile."""
        with self._free:
            while self._n_scripts or (missing := self._rested_since + pause - time.monotonic()) > 0:
                self._free.wait(None if self._n_scripts else missing)
            self._is_importing = True
        try:
            yield
        finally:
            with self._free:
                self._is_importing = False
                self._free.notify_all()

    def is_first(self) -> bool:
        """Whether nobody asked this before."""
        with self._free:
            first, self._started = not self._started, True
        return first


_TURNS = _Turns()


@contextmanager
def script() -> Iterator[None]:
    """A script, or a fragment of it, runs inside this; after the first one the imports begin."""
    with _TURNS.script():
        yield
    if _has_server() and _TURNS.is_first():
        threading.Thread(target=_work, name="imports", daemon=True).start()


def _has_server() -> bool:
    """Whether somebody may come to the next page; a test of pages only pretends that there is a server."""
    return st.runtime.exists() and type(st.runtime.get_instance()) is st.runtime.Runtime


def _work() -> None:
    own = sorted(f"pages._ui.{path.stem}" for path in Path(__file__).parent.glob("[a-z]*.py"))
    for name in (*_LIBRARIES, *own):
        with _TURNS.quiet(_PAUSE):
            importlib.import_module(name)
    for name in _COMPUTING:
        with _TURNS.quiet(_LONG_PAUSE):
            importlib.import_module(name)
    with _TURNS.quiet(_LONG_PAUSE):  # what stays for good is not looked through at each collection
        gc.collect()
        gc.freeze()
