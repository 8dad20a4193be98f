"""Stored English texts, shown in the reader's language."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tabnet_engine.texts.catalogue import Catalogue
from tabnet_engine.texts.recalling import keep_words, recalled
from tabnet_engine.texts.speaking import say, say_plural, speaking
from tests.texts.catalogues import chinese, forget

TEXTS = {
    "column {name} has {n:,} empty cells": "列 {name} 有 {n:,} 个空单元格",
    "{counted} above the table skipped: {shown}.": "跳过表格上方的{counted}：{shown}。",
    "{counted} above the table skipped: {shown} and {n_more} more.": "跳过上方的{counted}：{shown}及另外 {n_more} 行。",
    ("{count} line", "{count:,} lines"): "{count:,} 行",
    ("One row was left out", "{count:,} rows were left out"): "略去 {count:,} 行",
    "the disk is full; free some space": "磁盘已满；请腾出空间",
    "could not {doing}: the disk is full": "无法{doing}：磁盘已满",
    "list the runs": "列出运行",
    "Mask": "掩码",
    "“{name}” was deleted": "已删除“{name}”",
    "{first} and {second}": "{first}和{second}",
    "{n_chosen:,} of {n_rows:,} rows of the table": "表中 {n_rows:,} 行中的 {n_chosen:,} 行",
    "{part} of {all}": "{all}中的{part}",
    "Columns that {deed}: {listed}.": "属于以下情况的列（{deed}）：{listed}。",
    "name rows and are left out; choose one": "用于标识行，可选其一",
    "paths from every drawn row; {reached}": "从每个抽取行出发的路径；{reached}",
    "stopped within {error}": "在 {error} 之内停止",
    "{note}.": "{note}。",
}


@pytest.fixture
def in_chinese(tmp_path: Path):
    with chinese(tmp_path, TEXTS), speaking("zh"):
        yield


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("column 'age' has 1,200 empty cells", "列 'age' 有 1,200 个空单元格"),
        ("Mask", "掩码"),
        ('1 line above the table skipped: "x".', "跳过表格上方的 1 行：“x”。".replace("“", '"').replace("”", '"')),
        ('12 lines above the table skipped: "x" and 3 more.', '跳过上方的 12 行："x"及另外 3 行。'),
        ("One row was left out", "略去 1 行"),
        ("2,000 rows were left out", "略去 2,000 行"),
        ("could not list the runs: the disk is full", "无法列出运行：磁盘已满"),
        # As a sentence: with a capital and a full stop, and two of them.
        ("The disk is full; free some space.", "磁盘已满；请腾出空间。"),
        ("The disk is full; free some space. 2 rows were left out.", "磁盘已满；请腾出空间。略去 2 行。"),
        # A full stop ends a sentence: it goes with no name, and with no place that stands elsewhere in Chinese.
        ("3 of 9 rows of the table. 2 rows were left out.", "表中 9 行中的 3 行。略去 2 行。"),
        # A part of a sentence that is an entry itself may hold a semicolon, alone or with what follows.
        (
            "Columns that name rows and are left out; choose one: 'id'.",
            "属于以下情况的列（用于标识行，可选其一）：'id'。",
        ),
        (
            "2 rows were left out; paths from every drawn row; stopped within 0.1",
            "略去 2 行；从每个抽取行出发的路径；在 0.1 之内停止",
        ),
        # Unknown texts and numbers stay as they are, blanks between them too.
        ("Something else. Nobody knows it.", "Something else. Nobody knows it."),
        ("column 'age' has many empty cells", "column 'age' has many empty cells"),
        ("", ""),
    ],
)
def test_a_stored_text_is_said_in_the_readers_language(in_chinese: None, stored: str, shown: str) -> None:
    assert recalled(stored) == shown


def test_the_users_own_words_in_quotes_stay(in_chinese: None) -> None:
    assert recalled("column 'debt and income' has 2 empty cells") == "列 'debt and income' 有 2 个空单元格"
    assert recalled("“Mask” was deleted") == "已删除“Mask”"
    assert recalled("column 'Mask' has 2 empty cells") == "列 'Mask' 有 2 个空单元格"
    assert recalled('1 line above the table skipped: "Mask".') == '跳过表格上方的 1 行："Mask"。'


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        # Template by template this is "3 of 600" and "their own of missing cells are a group": nobody can read that.
        ("a sentence that nobody knows at all and another such one", None),
        ("the disk is full; free some space and 3 of these very many words", None),
        ("age and income", "age 和 income"),
        ("2,000 rows were left out; 2,000 rows were left out", "略去 2,000 行；略去 2,000 行"),
    ],
)
def test_few_words_are_not_laid_over_prose(in_chinese: None, stored: str, shown: str | None) -> None:
    assert recalled(stored) == (stored if shown is None else shown)


def test_english_readers_get_what_was_stored(tmp_path: Path) -> None:
    with chinese(tmp_path, TEXTS):
        assert recalled("Mask") == "Mask"


WORDS = st.text("abcdefgh", min_size=3, max_size=8)
USERS = st.text("XYZ {}'.;:,1", min_size=1, max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(WORDS, min_size=3, max_size=3),
    users=USERS,
    number=st.integers(-(10**9), 10**9),
    count=st.integers(0),
)
def test_what_was_said_in_english_is_what_would_have_been_said(
    tmp_path: Path, words: list[str], users: str, number: int, count: int
) -> None:
    first, second, third = words
    template, shown = f"{first} “{{name}}” {second} {{n:,}} {third}", "三{n:,}二“{name}”一"
    one, many = f"{{count}} {first} left", f"{{count:,}} {first}s left"
    known = Catalogue({template: shown, many: "剩 {count:,}"}, {one: "剩 {count:,}"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tabnet_engine.texts.speaking.catalogue_of", lambda code: known if code == "zh" else Catalogue())
        patch.setattr("tabnet_engine.texts.recalling.catalogue_of", lambda code: known)
        forget()
        stored, counted = say(template, name=users, n=number), say_plural(one, many, count)
        with speaking("zh"):
            assert recalled(stored) == say(template, name=users, n=number)
            assert recalled(counted) == say_plural(one, many, count)
    forget()


def test_thousands_of_templates_are_searched_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    starts = [f"the {chr(97 + n % 26) * 3} number{n} of" for n in range(3000)]
    many = {
        f"{start} {{name}} is {{value:,}}, not {{other}}": f"{n} {{name}} {{value:,}} {{other}}"
        for n, start in enumerate(starts)
    }
    monkeypatch.setattr("tabnet_engine.texts.recalling.catalogue_of", lambda code: Catalogue(many))
    forget()
    texts = [f"{starts[n]} x{n} is 1,0{n}, not 'y'" for n in range(0, 3000, 150)]
    with speaking("zh"):
        recalled("warm")
        started = time.process_time()
        found = [recalled(text) for text in texts]
        each = (time.process_time() - started) / len(texts)
    forget()
    assert found[1] == "150 x150 1,0150 'y'"
    assert each < 0.002 * 3  # 2 ms at rest; the machine of the tests is shared


def test_a_name_that_repeats_the_words_of_a_template_takes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    template = "{subject}, {name}: {value} over {rows} ({against}). {reading}."
    monkeypatch.setattr("tabnet_engine.texts.recalling.catalogue_of", lambda code: Catalogue({template: template}))
    forget()
    hostile = "There is no column 'a" + ", a: 1 over 1 (b). c" * 60 + "'"
    with speaking("zh"):
        started = time.process_time()
        assert recalled(hostile) == hostile
        assert time.process_time() - started < 0.5
    forget()


def test_the_users_own_words_stay_without_quotes_too(in_chinese: None) -> None:
    assert recalled("Mask and income") == "掩码和 income"
    try:
        keep_words({"Mask"}, {"the disk is full; free some space"})
        assert recalled("Mask and income") == "Mask 和 income"
        assert recalled("Mask") == "掩码"  # a heading of ours, not the column
        assert recalled("the disk is full; free some space") == "the disk is full; free some space"
    finally:
        keep_words(())
    assert recalled("Mask and income") == "掩码和 income"
