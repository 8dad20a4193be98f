"""The fonts of reports: which of them carries a character, how wide it stands there, and what stands in for the rest.

Latin, Greek and Cyrillic are set in Noto Sans, Chinese and everything else it has in Noto Sans SC. A character that no
font carries, or that would be invisible or turn the direction of the text around, is written as its code: ‹U+1F600›.
"""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["ASCENT", "FONTS", "Glyph", "face_names", "glyphs", "is_coded", "width"]

FONTS = Path(__file__).resolve().parents[3] / "assets" / "fonts"
ASCENT = 0.86  # of the size, above the baseline: room for a Chinese character

_LATIN, _LATIN_BOLD, _WIDE, _WIDE_BOLD = (
    "NotoSans-Regular",
    "NotoSans-Bold",
    "NotoSansSC-Regular",
    "NotoSansSC-Bold",
)
_ORDERS = {False: (_LATIN, _WIDE), True: (_LATIN_BOLD, _WIDE_BOLD, _WIDE, _LATIN)}
_WIDE_ORDERS = {False: (_WIDE, _LATIN), True: (_WIDE_BOLD, _WIDE, _LATIN_BOLD, _LATIN)}
_EITHER = frozenset("“”‘’…—·")  # half as wide in English as in Chinese
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANKS = {"\t": " ", "\u00a0": " ", "\u2007": " ", "\u202f": " "}


@dataclass(frozen=True, slots=True)
class Glyph:
    """A character as it is set: in which font, and how wide at size 1. ``is_coded`` is part of a code for another."""

    char: str
    font: str
    width: float
    is_coded: bool = False


@functools.cache
def _faces() -> dict[str, Any]:
    """The opened fonts by name, made known to ReportLab."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    faces = {}
    for name in (_LATIN, _LATIN_BOLD, _WIDE, _WIDE_BOLD):
        font = TTFont(name, str(FONTS / f"{name}.ttf"))
        pdfmetrics.registerFont(font)
        faces[name] = font.face
    return faces


def face_names() -> tuple[str, ...]:
    """The names under which the fonts are known to ReportLab, opened if they were not."""
    return tuple(_faces())


def is_coded(char: str) -> bool:
    """Whether a character is written as its code.

    >>> [is_coded(char) for char in ("a", "ж", "中", chr(0x1F600), chr(0x202E), chr(0))]
    [False, False, False, True, True, True]
    """
    if char in _BLANKS:
        return False
    if unicodedata.category(char) in _UNSEEN:
        return True
    return not any(ord(char) in face.charToGlyph for face in _faces().values())


@functools.lru_cache(maxsize=65_536)
def _set(char: str, is_bold: bool, is_wide: bool) -> tuple[Glyph, ...]:  # noqa: FBT001 (a cache's key)
    char = _BLANKS.get(char, char)
    if is_coded(char):
        code = f"‹U+{ord(char):04X}›"
        return tuple(Glyph(one.char, one.font, one.width, is_coded=True) for one in glyphs(code, is_bold=is_bold))
    faces = _faces()
    order = (_WIDE_ORDERS if is_wide else _ORDERS)[is_bold]
    name = next((name for name in order if ord(char) in faces[name].charToGlyph), _LATIN)
    face = faces[name]
    return (Glyph(char, name, face.charWidths.get(ord(char), face.defaultWidth) / 1000),)


def glyphs(text: str, *, is_bold: bool = False) -> tuple[Glyph, ...]:
    """A text of one line as it is set: one glyph for each character, several for one that is written as its code."""
    result: list[Glyph] = []
    for place, char in enumerate(text):
        is_wide = char in _EITHER and _touches_chinese(text, place)
        result += _set(char, is_bold, is_wide)
    return tuple(result)


def _touches_chinese(text: str, place: int) -> bool:
    """Whether a sign is set wide: a quotation mark by what it encloses, another sign by what is beside it."""
    char = text[place]
    before, after = text[:place].rstrip(char)[-1:], text[place + 1 :].lstrip(char)[:1]
    beside = after if char in "“‘" else before if char in "”’" else before + after
    return any("\u2e80" <= one < "\U00010000" for one in beside)


def width(text: str, size: float, *, is_bold: bool = False) -> float:
    """How wide a text of one line stands at a size."""
    return size * sum(glyph.width for glyph in glyphs(text, is_bold=is_bold))
