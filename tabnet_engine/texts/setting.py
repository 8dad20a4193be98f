"""Setting a text: filling its places with blanks as its language writes them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from string import Formatter

__all__ = ["filled", "one_text", "set_together"]

_HAN = "\u3400-\u9fff"
_WIDE = re.compile(rf"[{_HAN}，。；：！？、（）“”]")  # stands without blanks beside its like
_LETTER = re.compile(rf"[{_HAN}]")
_NARROW = re.compile(r"[A-Za-z0-9%]")


def filled(template: str, values: Mapping[str, object]) -> str:
    """A template with its places filled, set as Chinese is where it meets Latin letters.

    >>> filled("使{score} 变动 {change:.2f}", {"score": "declined 的对数几率", "change": 0.954})
    '使 declined 的对数几率变动 0.95'
    """
    pieces: list[str] = []
    for literal, name, spec in _parsed(template):
        pieces += [literal] if name is None else [literal, format(values[name], spec)]
    return set_together(pieces)


def set_together(pieces: Iterable[str]) -> str:
    """Pieces of a text in one: no blank between two Chinese characters, one between Chinese and Latin letters."""
    text = ""
    for piece in pieces:
        before, after = text.removesuffix(" "), piece.removeprefix(" ")
        if not before or not after:
            text += piece
        elif _WIDE.match(before[-1]) and _WIDE.match(after[0]):
            text = before + after
        elif _meet(before[-1], after[0]):
            text = f"{before} {after}"
        else:
            text += piece
    return text


def one_text(sentences: Iterable[str]) -> str:
    """Sentences one after the other, with a blank between them where their language has one.

    >>> one_text(["One.", "Two."]), one_text(["一。", "二。"])
    ('One. Two.', '一。二。')
    """
    first, *others = [*sentences] or [""]
    return set_together([first, *(f" {sentence}" for sentence in others)])


def _meet(left: str, right: str) -> bool:
    return bool((_LETTER.match(left) and _NARROW.match(right)) or (_NARROW.match(left) and _LETTER.match(right)))


@functools.lru_cache(maxsize=8192)
def _parsed(template: str) -> tuple[tuple[str, str | None, str], ...]:
    return tuple((literal, name, spec or "") for literal, name, spec, _ in Formatter().parse(template))
