"""Values as a person reads them in a letter: days with the name of their month, truth values as yes and no."""

from __future__ import annotations

import re

from tabnet_engine.data.schema import Kind
from tabnet_engine.report.dates import date_words
from tabnet_engine.report.notice.letter_words import letter_word

__all__ = ["plain_value"]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TRUTH = {"True": "yes", "False": "no"}


def plain_value(text: str, kind: str | None, language: str) -> str:
    """A value of a column in the words of a letter, on one line; call it while speaking ``language``.

    >>> plain_value("2026-02-03", "datetime", "en"), plain_value("False", "boolean", "en")
    ('3 February 2026', 'no')
    >>> plain_value("2026-02-30", "datetime", "en"), plain_value("True", "category", "en")
    ('2026-02-30', 'True')
    """
    if kind == Kind.BOOLEAN and text in _TRUTH:
        return letter_word(_TRUTH[text], language)
    if kind == Kind.DATETIME and _DAY.fullmatch(text):
        try:
            return date_words(text)
        except ValueError:  # no day of the calendar: as it was received
            return text
    return " ".join(text.split())
