"""Sentences that fields of a letter are filled with: data in both languages, as the templates are."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path

__all__ = ["letter_word"]

_WORDS = Path(__file__).with_name("letter_words.json")


def letter_word(key: str, language: str) -> str:
    """The sentence, or part of one, that stands under a key of ``letter_words.json`` in a language."""
    return _words()[key][language]


@functools.cache
def _words() -> Mapping[str, Mapping[str, str]]:
    words: Mapping[str, Mapping[str, str]] = json.loads(_WORDS.read_text(encoding="utf-8"))
    return words
