"""The numbers behind a chart: made when asked for, outside the page, in the page's language and safe to open."""

from __future__ import annotations

import threading
from typing import Any

import pandas as pd
import pytest
import streamlit as st

from pages._ui import measures, widgets
from pages._ui.measures import MEASURES
from tabnet_engine.texts.speaking import language, speaking


def test_numbers_are_written_in_the_pages_language_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[str, Any] = {}
    made: list[str] = []
    monkeypatch.setattr(st, "download_button", lambda label, **options: drawn.update(options, label=label))

    def rows() -> pd.DataFrame:
        made.append(language())
        return pd.DataFrame({"value": ["=1+1", "-2.5"]})

    with speaking("zh"):
        widgets.data_button(rows, key="mask_map")
    assert made == []
    written: list[bytes] = []
    server = threading.Thread(target=lambda: written.append(drawn["data"]()))
    server.start()
    server.join()
    assert made == ["zh"]
    assert written[0].decode("utf-8-sig").split() == ["value", "'=1+1", "-2.5"]
    assert (drawn["file_name"], drawn["on_click"]) == ("mask-map.csv", "ignore")


@pytest.mark.parametrize("key", MEASURES)
def test_each_measure_says_what_it_is_and_what_it_is_not(key: str) -> None:
    measure = MEASURES[key]
    assert measure.is_.endswith(".")
    assert measure.is_not.startswith(("Not", "Does not", "It"))
    assert "\n" not in measures.help_text(key)
    assert len(measures.help_text(key)) < 400
