"""Turning a text that was stored in English into the reader's language."""

from __future__ import annotations

import functools
import re
from string import Formatter

from tabnet_engine.texts.catalogue import catalogue_of
from tabnet_engine.texts.speaking import ENGLISH, language

__all__ = ["recalled"]

_SENTENCE_END = re.compile(r"(?<=[.;!?]) (?=\S)")
_DEEPEST = 4  # texts within texts


def recalled(text: str) -> str:
    """A stored English text as the reader's language says it; unchanged where the catalogue does not know it.

    A text that :func:`tabnet_engine.texts.speaking.say` filled is found by its template; what filled the places
    is taken over, and turned itself where the catalogue knows it.
    """
    return text if language() == ENGLISH or not text else _recalled(language(), text, _DEEPEST)


@functools.lru_cache(maxsize=4096)
def _recalled(code: str, text: str, depth: int) -> str:
    known = catalogue_of(code).texts.get(text)
    if known is not None or not depth:
        return text if known is None else known
    for template in _templates(code):
        if template.literal in text and (found := template.pattern.fullmatch(text)):
            places = {name: _recalled(code, value, depth - 1) for name, value in found.groupdict().items()}
            return template.fill(places)
    parts = _SENTENCE_END.split(text)
    return text if len(parts) == 1 else "".join(_recalled(code, part, depth - 1) for part in parts)


class _Template:
    """One English text with places, to be found in what was said, and the text shown for it."""

    def __init__(self, english: str, shown: str) -> None:
        pieces = list(Formatter().parse(english))
        self.literal = max((piece[0] for piece in pieces), key=len)
        self.n_literal = sum(len(piece[0]) for piece in pieces)
        self.pattern = re.compile("".join(map(_piece, pieces, _first_uses(pieces))), re.DOTALL)
        self._shown = shown

    def fill(self, places: dict[str, str]) -> str:
        """The text shown, with the places as they were said: without their formats."""
        return "".join(
            literal + ("" if name is None else places[name]) for literal, name, _, _ in Formatter().parse(self._shown)
        )


_Piece = tuple[str, str | None, str | None, str | None]


def _first_uses(pieces: list[_Piece]) -> list[bool]:
    names = [piece[1] for piece in pieces]
    return [name not in names[:place] for place, name in enumerate(names)]


def _piece(piece: _Piece, first: bool) -> str:  # noqa: FBT001 - maps over pieces
    literal, name = re.escape(piece[0]), piece[1]
    if name is None:
        return literal
    return literal + (f"(?P<{name}>.+?)" if first else f"(?P={name})")


@functools.cache
def _templates(code: str) -> tuple[_Template, ...]:
    """Texts with places; those with most words of their own first, for they say most surely what was said."""
    found = [_Template(english, shown) for english, shown in catalogue_of(code).texts.items() if "{" in english]
    return tuple(sorted(found, key=lambda template: -template.n_literal))
