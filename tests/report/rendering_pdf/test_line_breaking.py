from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tabnet_engine.report.rendering.fonts import glyphs, is_coded, width
from tabnet_engine.report.rendering.lines import broken, line_width
from tests.report.rendering_pdf.papers import CHINESE, LONG

_TEXTS = st.text(st.sampled_from("ab Wi中文，。（）“”_-/.1 \U0001f600é"), max_size=60)


def _written(lines: list) -> list[str]:
    return ["".join(glyph.char for glyph in line) for line in lines]


@settings(max_examples=150)
@given(_TEXTS, st.floats(15, 200))
@example("1.1W", 15.0)
def test_lines_hold_the_whole_text_and_stay_within_the_room(text: str, room: float) -> None:
    lines = broken(text, room, 10.0)
    told = "".join(_written(lines)).replace(" ", "")
    assert told == "".join(glyph.char for glyph in glyphs(text)).replace(" ", "")
    assert all(line_width(line, 10.0) <= room + 1e-6 or len(line) == 1 for line in lines)


def test_words_stay_whole_where_they_fit() -> None:
    assert _written(broken("one two three", width("one two", 9.0) + 0.1, 9.0)) == ["one two", "three"]


@pytest.mark.parametrize("room", range(40, 400, 7))
def test_no_chinese_line_begins_with_a_closing_or_ends_with_an_opening_sign(room: int) -> None:
    lines = _written(broken(CHINESE * 3, room + 30, 10.0))
    assert not any(line[0] in "，。）”" or line[-1] in "（“" for line in lines)


def test_a_long_name_breaks_after_its_signs() -> None:
    lines = _written(broken(LONG, 120.0, 8.0))
    assert "".join(lines) == LONG
    assert all(line.endswith("_") for line in lines[:-1])


def test_breaks_in_the_text_are_kept() -> None:
    assert _written(broken("a\r\n\nb", 100.0, 8.0)) == ["a", "", "b"]


def test_every_script_of_a_report_has_a_font() -> None:
    chinese = [chr(code) for code in range(0x4E00, 0x9FF0)]
    others = "ÄßłŐĳ Ωάξ Жщѣ “”…—€№≥×±→"
    assert not any(map(is_coded, [*chinese, *others]))


@pytest.mark.parametrize("char", ["\U0001f600", "ש", "\u202e", "\u200b", "\x00", "\ud800", "\ufeff"])
def test_what_cannot_be_seen_is_written_as_its_code(char: str) -> None:
    assert "".join(glyph.char for glyph in glyphs(f"a{char}b")) == f"a‹U+{ord(char):04X}›b"


def test_quotation_marks_take_the_width_of_what_they_enclose() -> None:
    (latin, *_), (chinese, *_) = glyphs("“a”"), glyphs("“中”")
    assert latin.font != chinese.font
    assert latin.width < 0.6 < chinese.width
