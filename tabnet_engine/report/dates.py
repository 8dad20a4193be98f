"""Dates and moments as a reader of the report's language writes them; always in UTC."""

from __future__ import annotations

import datetime as dt

from tabnet_engine.texts.speaking import ENGLISH, language

__all__ = ["date_words", "moment_words"]

# Day before month with its name: no reader takes one for the other.
_LOCALES = {ENGLISH: "en_GB"}


def date_words(moment: str) -> str:
    """The day of a moment (ISO 8601, a date or more).

    >>> date_words("2026-11-21"), date_words("2026-11-21T23:30:00-05:00")
    ('21 November 2026', '22 November 2026')

    Raises:
        ValueError: no date.
    """
    from babel.dates import format_date

    return str(format_date(_utc(moment).date(), format="long", locale=_locale()))


def moment_words(moment: str) -> str:
    """A moment (ISO 8601) to the minute.

    >>> moment_words("2026-11-21T20:15:00+00:00")
    '21 November 2026, 20:15 UTC'

    Raises:
        ValueError: no moment.
    """
    told = _utc(moment)
    blank = ", " if language() == ENGLISH else " "
    return f"{date_words(moment)}{blank}{told:%H:%M} UTC"


def _utc(moment: str) -> dt.datetime:
    told = dt.datetime.fromisoformat(moment)
    return told if told.tzinfo is None else told.astimezone(dt.UTC)


def _locale() -> str:
    return _LOCALES.get(language(), language())
