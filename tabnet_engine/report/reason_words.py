"""Neutral sentences for a reason that no reason code describes: data in both languages, drafts for a person to edit."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path

__all__ = ["neutral_sentence"]

_WORDS = Path(__file__).with_name("reason_words.json")


def neutral_sentence(when: str, column: str, language: str) -> str:
    """What stands for a reason of ``column`` without a reason code of its own.

    Args:
        when: a key of ``reason_words.json``; "any" serves what it does not know, such as "same".
        column: the column's name as it is in the table; data, never a template.
        language: "en" or "zh".

    >>> neutral_sentence("missing", "income {x}", "en")
    'We have no information about “income {x}”.'
    """
    words = _words()
    return words.get(when, words["any"])[language].replace("{column}", " ".join(column.split()))


@functools.cache
def _words() -> Mapping[str, Mapping[str, str]]:
    words: Mapping[str, Mapping[str, str]] = json.loads(_WORDS.read_text(encoding="utf-8"))
    return words
