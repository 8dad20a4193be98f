"""Saying a text in the language of the reader."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tabnet_engine.texts.catalogue import catalogue_of
from tabnet_engine.texts.setting import filled

__all__ = ["ENGLISH", "LANGUAGES", "language", "msg", "say", "say_plural", "set_language", "speaking"]

ENGLISH = "en"
# What each language calls itself.
LANGUAGES = {ENGLISH: "English", "zh": "中文"}

_LANGUAGE: ContextVar[str] = ContextVar("language", default=ENGLISH)


def language() -> str:
    """The code of the language that texts are said in now: a key of :data:`LANGUAGES`."""
    return _LANGUAGE.get()


def set_language(code: str) -> None:
    """Say everything that follows in this thread in another language.

    Raises:
        ValueError: there is no such language.
    """
    if code not in LANGUAGES:
        raise ValueError(f"the language must be one of {', '.join(LANGUAGES)}, got {code!r}")
    _LANGUAGE.set(code)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Say what is said inside in another language; in English what is to be stored or cached.

    Raises:
        ValueError: there is no such language.
    """
    before = language()
    set_language(code)
    try:
        yield
    finally:
        set_language(before)


def say(message: str, /, **values: object) -> str:
    """The text in the reader's language, its ``{places}`` filled.

    Args:
        message: the English text, written out where it is said (or marked by :func:`msg`), so that the catalogue
            can be gathered; never put together from parts. Places are named and may have a format:
            ``{n_rows:,}``.
        **values: what the places hold; never read as a template themselves.

    >>> say("{n_rows:,} rows of {table}", n_rows=1200, table="{credit}")
    '1,200 rows of {credit}'
    """
    text = catalogue_of(language()).text(message)
    return _filled(text, values) if values else text


def say_plural(one: str, many: str, count: int, /, **values: object) -> str:
    """The same where the text depends on a number, which fills the place ``{count}``.

    >>> say_plural("{count} row", "{count:,} rows", 1), say_plural("{count} row", "{count:,} rows", 2000)
    ('1 row', '2,000 rows')
    """
    return _filled(catalogue_of(language()).plural(one, many, count), {"count": count, **values})


def _filled(text: str, values: dict[str, object]) -> str:
    return text.format(**values) if language() == ENGLISH else filled(text, values)


def msg(message: str) -> str:
    """Mark a text that a constant keeps for later: it is gathered for the catalogue and said by ``say(CONSTANT)``."""
    return message
