"""The language of a visit: chosen, remembered, preferred by the browser; stored English turned when shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tabnet_engine.errors import StorageError
from tests.pages.conftest import ROOT, checked, texts
from tests.texts.catalogues import chinese

TEXTS = {
    "Tables": "数据表",
    "Language": "语言",
    "Charts are saved as": "图表保存格式",
    "Measures": "度量",
    "No table yet": "还没有数据表",
    "Train": "训练",
    "the disk of {name} is full": "{name} 的磁盘已满",
    "Mask": "掩码",
    "Read as missing: {parts}.": "读作缺失：{parts}。",
    "blank {counted}": "空白 {counted}",
    ("{count} time", "{count:,} times"): "{count:,} 次",
}


@pytest.fixture(autouse=True)
def in_chinese(tmp_path: Path) -> Iterator[None]:
    folder = tmp_path / "texts"
    folder.mkdir()
    with chinese(folder, TEXTS):
        yield


def language_choice(app: AppTest):
    return next(radio for radio in app.sidebar.radio if radio.options == ["English", "中文"])


def test_a_visitor_switches_and_the_next_page_still_speaks_it(open_page: Callable[..., AppTest]) -> None:
    app = open_page("measures")
    assert app.title[0].value == "Measures"
    app = checked(language_choice(app).set_value("zh").run())
    assert app.title[0].value == "度量"
    assert language_choice(app).label == "语言"
    assert app.query_params["lang"] in ("zh", ["zh"])
    app.switch_page(str(ROOT / "pages" / "train.py"))
    app = checked(app.run())
    assert app.title[0].value == "训练"
    assert "还没有数据表" in [heading.value for heading in app.subheader]
    app = checked(language_choice(app).set_value("en").run())
    assert app.title[0].value == "Train"


@pytest.mark.parametrize(
    ("browser", "address", "title"),
    [
        ("zh-CN", {}, "度量"),
        ("zh", {"lang": "en"}, "Measures"),
        ("de-DE", {}, "Measures"),
        ("en-GB", {"lang": "zh"}, "度量"),
        ("zh-TW", {"lang": "nonsense"}, "度量"),
        (None, {}, "Measures"),
    ],
)
def test_the_address_comes_before_the_browser(
    browser: str | None,
    address: dict[str, str],
    title: str,
    open_page: Callable[..., AppTest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(type(st.context), "locale", property(lambda self: browser))
    assert open_page("measures", **address).title[0].value == title


def test_a_fault_is_said_in_the_visitors_language(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise StorageError("the disk of 'Mask' is full")

    monkeypatch.setattr("pages._ui.data_access.workspace", full)
    monkeypatch.setattr("pages._ui.data_access.queue", full)
    # The quoted name is the user's own and stays, although the catalogue knows the word.
    assert [error.value for error in open_page("train", lang="zh").error] == ["\\'Mask\\' 的磁盘已满。"]


def test_a_help_line_leads_to_its_measure_in_the_same_language(open_page: Callable[..., AppTest]) -> None:
    from pages._ui import measures
    from tabnet_engine.texts.speaking import speaking

    with speaking("zh"):
        assert "](measures?measure=mask&lang=zh)" in measures.help_text("mask")
    app = open_page("measures", measure="mask", lang="zh")
    assert app.subheader[0].value == "掩码"


def test_a_picture_is_saved_as_chosen(open_page: Callable[..., AppTest]) -> None:
    app = open_page("measures")
    formats = next(radio for radio in app.sidebar.radio if radio.options == ["PNG", "SVG"])
    app = checked(formats.set_value("svg").run())
    assert next(radio for radio in app.sidebar.radio if radio.options == ["PNG", "SVG"]).value == "svg"
    assert app.query_params["picture"] in ("svg", ["svg"])


def test_a_link_carries_the_language_that_was_chosen_and_no_other(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[dict[str, str]] = []
    monkeypatch.setattr(st, "page_link", lambda page, **options: drawn.append(options["query_params"]))
    open_page("train")
    open_page("train", lang="zh")
    assert drawn == [{}, {"lang": "zh"}]


def test_notes_that_were_stored_are_shown_in_the_visitors_language(
    open_page: Callable[..., AppTest], add_table: Callable[..., str]
) -> None:
    """Every ninth age is missing in the table, which reading it noted in English."""
    dataset_id = add_table()
    assert "Read as missing: blank 14 times" in texts(open_page("dataset", dataset=dataset_id)).replace("\\", "")
    assert "读作缺失：空白 14 次" in texts(open_page("dataset", dataset=dataset_id, lang="zh")).replace("\\", "")
