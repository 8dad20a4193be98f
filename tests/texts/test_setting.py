"""Chinese sentences with Latin letters and numbers in their places."""

from __future__ import annotations

import pytest

from tabnet_engine.texts.setting import filled, set_together


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("使{score} 变动 {n:,}", {"score": "declined 的对数几率", "n": 1200}, "使 declined 的对数几率变动 1,200"),
        ("{score} 变动", {"score": "概率"}, "概率变动"),
        ("在 {share} 的行中", {"share": "33 %（24 % 至 44 %）"}, "在 33 %（24 % 至 44 %）的行中"),
        ("{one}，然后{two}", {"one": "读取 a", "two": "debt_ratio"}, "读取 a，然后 debt_ratio"),
        ("列 '{name}' 为空", {"name": "张 三"}, "列 '张 三' 为空"),
        ("{a}{b}", {"a": "{x}", "b": ""}, "{x}"),
    ],
)
def test_blanks_stand_where_chinese_meets_latin(template: str, values: dict[str, object], text: str) -> None:
    assert filled(template, values) == text


def test_latin_texts_stay_as_they_are() -> None:
    assert set_together(["3 of ", "600", " rows", "."]) == "3 of 600 rows."
