"""Texts in the reader's language: what is said, what is not touched, who hears which language."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tabnet_engine.texts.speaking import language, msg, say, say_plural, set_language, speaking
from tests.texts.catalogues import chinese

TEXTS = {
    "{n_rows:,} rows of {table}": "{table}，共 {n_rows:,} 行",
    ("{count} row", "{count:,} rows"): "{count:,} 行",
    "Table": "表格",
}


def test_english_is_said_as_written() -> None:
    assert say("{n_rows:,} rows of {table}", n_rows=1200, table="{credit}") == "1,200 rows of {credit}"
    assert say_plural("{count} row", "{count:,} rows", 1) == "1 row"
    assert say_plural("{count} row", "{count:,} rows", 0) == "0 rows"


def test_the_catalogue_orders_the_places_as_its_language_does(tmp_path: Path) -> None:
    with chinese(tmp_path, TEXTS), speaking("zh"):
        assert say("{n_rows:,} rows of {table}", n_rows=1200, table="{credit}") == "{credit}，共 1,200 行"
        assert say(msg("Table")) == "表格"
        assert say_plural("{count} row", "{count:,} rows", 1) == "1 行"
        assert say_plural("{count} row", "{count:,} rows", 2000) == "2,000 行"
        assert say("Not known here") == "Not known here"


def test_english_inside_is_english_and_the_language_comes_back(tmp_path: Path) -> None:
    with chinese(tmp_path, TEXTS), speaking("zh"):
        with speaking("en"):
            assert say("Table") == "Table"
        with pytest.raises(RuntimeError), speaking("en"):
            raise RuntimeError
        assert language() == "zh"
    assert language() == "en"


def test_another_thread_speaks_english_until_told() -> None:
    heard: list[str] = []
    with speaking("zh"):
        thread = threading.Thread(target=lambda: heard.append(language()))
        thread.start()
        thread.join()
    assert heard == ["en"]


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="must be one of en, zh, got 'xx'"):
        set_language("xx")
