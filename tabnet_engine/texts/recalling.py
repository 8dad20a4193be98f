"""Turning a text that was stored in English into the reader's language."""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from string import Formatter

from tabnet_engine.texts.catalogue import catalogue_of
from tabnet_engine.texts.setting import set_together
from tabnet_engine.texts.speaking import ENGLISH, language

__all__ = ["keep_words", "recalled"]

_ENDS = (re.compile(r"(?<=[.!?]) (?=\S)"), re.compile(r"(?<=;) (?=\S)"))  # of sentences, of parts of one
_NUMERIC = re.compile(r"[,.]|[\d]*[defgn%]$")  # formats of numbers
_NUMBER = r"[-−+]?(?:\d[\d.,]*(?:e[-+]?\d+)?%?|inf|nan)"
_OPENING, _CLOSING = ("“", "‘", "'", '"', "`"), ("”", "’", "'", '"', "`")
_WIDE_ENDS = {".": "。", ";": "；"}
_DEEPEST = 4  # texts within texts
_FEW_WORDS = 3  # of a template that lies over almost any sentence, such as "{first} and {second}"
_ONE_PLACE = re.compile(r"\W*{[^{}]*}\W*")  # a template without a word of its own lies over any text
_WORD = re.compile(r"[^\W\d_]{2,}")
_MOST_PARTS = 4  # of a text that may be one entry together
_MOST_WAYS = 100_000  # to lay a template over a text: a name of 10,000 letters may repeat its every comma

_OWN: ContextVar[tuple[frozenset[str], frozenset[str]]] = ContextVar("own", default=(frozenset(), frozenset()))


def keep_words(words: Iterable[str], names: Iterable[str] = ()) -> None:
    """Say which words are the user's own from now on in this thread: they are never turned.

    Args:
        words: columns, classes and values, such as a column called "row"; kept where they stand in a sentence.
        names: names that the user gave to things; kept where they are the whole text too.
    """
    _OWN.set((frozenset(words), frozenset(names)))


def recalled(text: str) -> str:
    """A stored English text as the reader's language says it; unchanged where the catalogue does not know it.

    A text that :func:`tabnet_engine.texts.speaking.say` filled is found by its template; what filled the places
    is taken over, and turned itself where the catalogue knows it. What stands in quotes is the user's own and
    stays as it is, and so do the words that :func:`keep_words` named.
    """
    words, names = _OWN.get()
    if language() == ENGLISH or not text or text in names:
        return text
    return _recalled(language(), text, _DEEPEST, words | names if names else words)


@functools.lru_cache(maxsize=4096)
def _recalled(code: str, text: str, depth: int, own: frozenset[str]) -> str:
    if text in own and depth < _DEEPEST:
        return text
    whole = _whole(code, text, depth, own)
    if whole is not None:
        return whole
    splits = [end.split(text) for end in _ENDS]
    parts = next((split for split in splits if len(split) > 1), [text])
    if len(parts) == 1 or not depth:
        return text
    parts, turned = _in_turn(code, parts, depth - 1, own)
    # Between two sentences that stayed English the blank stays too.
    stayed = [one == other for one, other in zip(turned, parts, strict=True)]
    blanks = [" " if before and after else "" for before, after in itertools.pairwise(stayed)]
    return "".join(piece for pair in zip(turned, [*blanks, ""], strict=True) for piece in pair)


def _whole(code: str, text: str, depth: int, own: frozenset[str]) -> str | None:
    """The text as one entry of the catalogue says it; None where it is none, or more than one."""
    for variant, ending in _variants(text):
        found = _found(code, variant, depth, own)
        if found is not None:
            return found + ending
    return None


def _in_turn(code: str, parts: list[str], depth: int, own: frozenset[str]) -> tuple[list[str], list[str]]:
    """Parts and what they are turned into; neighbours that are one entry together count as one part."""
    joined, turned = list[str](), list[str]()
    start = 0
    while start < len(parts):
        for end in range(min(len(parts), start + _MOST_PARTS), start + 1, -1) if depth else ():
            text = " ".join(parts[start:end])
            whole = _whole(code, text, depth + 1, own) if _is_entry(code, text) else None
            if whole is not None:
                break
        else:
            end, text = start + 1, parts[start]
            whole = _recalled(code, text, depth, own)
        joined.append(text)
        turned.append(whole)
        start = end
    return joined, turned


def _is_entry(code: str, text: str) -> bool:
    """Whether a text is surely one entry of the catalogue, as a whole."""
    variants = [variant for variant, _ in _variants(text)]
    if any(variant in catalogue_of(code).texts for variant in variants):
        return True
    return any(
        not template.is_vague and template.may_be_in(variant) and template.pattern.fullmatch(variant)
        for template in _templates(code)
        for variant in variants
    )


def _variants(text: str) -> Iterator[tuple[str, str]]:
    """The text as it may stand in the catalogue: without its full stop, without its capital."""
    yield text, ""
    ending = _WIDE_ENDS.get(text[-1:], "") if not text.endswith("..") else ""
    bare = text[:-1] if ending else text
    if ending:
        yield bare, ending
    lowered = bare[:1].lower() + bare[1:]
    if lowered != bare:
        yield lowered, ending


def _found(code: str, text: str, depth: int, own: frozenset[str]) -> str | None:
    catalogue = catalogue_of(code)
    known = catalogue.texts.get(text, catalogue.ones.get(text))
    if known is not None:
        return known.replace("{count}", "1").replace("{count:,}", "1")
    if not depth:
        return None
    for template in _templates(code):
        if template.may_be_in(text) and (found := template.pattern.fullmatch(text)):
            values = found.groupdict()
            turned = {name: _recalled(code, values[name], depth - 1, own) for name in values.keys() - template.own}
            doubtful = [name for name in turned if template.is_no_place_for(values[name], turned[name])]
            # What is the user's own, or one entry of the catalogue, is no sentence that a place swallowed.
            if any(values[name] not in own and not _is_entry(code, values[name]) for name in doubtful):
                continue
            if template.loses_end and text.endswith("."):
                continue
            return template.fill(values | {name: text for name, text in turned.items() if not _is_quoted(values[name])})
    return None


def _is_quoted(value: str) -> bool:
    return value.startswith(_OPENING) and value.endswith(_CLOSING)


class _Template:
    """One English text with places, to be found in what was said, and the text shown for it.

    ``own`` are the places in quotes: the user's words. ``loses_end``: its English ends with a place that should not
    hold the full stop of the text, since it stands elsewhere in what is shown, or since so little else is said.
    """

    def __init__(self, english: str, shown: str) -> None:
        pieces = list(Formatter().parse(english))
        self.literal = max((piece[0] for piece in pieces), key=len)
        self._is_sentence = english.endswith(".")
        self.is_vague = sum(len(_WORD.findall(piece[0])) for piece in pieces) < _FEW_WORDS
        self._literals = tuple(piece[0] for piece in pieces if piece[0])
        self.n_literal = sum(len(piece[0]) for piece in pieces)
        self.pattern = re.compile("".join(map(_piece, pieces, _first_uses(pieces))), re.DOTALL)
        self.own = {name for literal, name, _, _ in pieces if name is not None and literal.endswith(_OPENING)}
        self._shown = [(literal, name) for literal, name, _, _ in Formatter().parse(shown)]
        last = pieces[-1][1]
        self.loses_end = last is not None and (self.is_vague or self._shown[-1][1] != last)

    def may_be_in(self, text: str) -> bool:
        """Whether all its literal words are there, and not so often that trying every way would take seconds."""
        if self.literal not in text:
            return False
        return 0 < math.prod(map(text.count, self._literals)) <= _MOST_WAYS

    def is_no_place_for(self, value: str, turned: str) -> bool:
        """Whether a value is too much for a place: more sentences, or English prose where little else is said."""
        if _is_quoted(value):
            return False
        if self._is_sentence and _ENDS[0].search(value):
            return True
        if not self.is_vague:
            return False
        return any(end.search(value) for end in _ENDS) or (turned == value and len(_WORD.findall(value)) > _FEW_WORDS)

    def fill(self, values: dict[str, str]) -> str:
        """The text shown, with the places as they were said: without their formats."""
        pieces: list[str] = []
        for literal, name in self._shown:
            # A singular may say "one" without a place for the count.
            pieces += [literal] if name is None else [literal, values.get(name, "1")]
        return set_together(pieces)


_Piece = tuple[str, str | None, str | None, str | None]


def _first_uses(pieces: list[_Piece]) -> list[bool]:
    names = [piece[1] for piece in pieces]
    return [name not in names[:place] for place, name in enumerate(names)]


def _piece(piece: _Piece, first: bool) -> str:  # noqa: FBT001 - maps over pieces
    literal, name = re.escape(piece[0]), piece[1]
    if name is None:
        return literal
    filled = _NUMBER if _NUMERIC.match(piece[2] or "") else ".*?"
    return literal + (f"(?P<{name}>{filled})" if first else f"(?P={name})")


@functools.cache
def _templates(code: str) -> tuple[_Template, ...]:
    """Texts with places; those with most words of their own first, for they say most surely what was said."""
    catalogue = catalogue_of(code)
    found = [
        _Template(english, shown)
        for known in (catalogue.texts, catalogue.ones)
        for english, shown in known.items()
        if "{" in english and not _ONE_PLACE.fullmatch(english)
    ]
    return tuple(sorted(found, key=lambda template: -template.n_literal))
