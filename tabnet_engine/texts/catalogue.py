"""The catalogue of a language: English text to the text shown, read from its ``.po`` file."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter

__all__ = ["FOLDER", "Catalogue", "catalogue_of", "places"]

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Catalogue:
    """What is said for each English text; a text that is not there is said in English.

    ``texts`` are keyed by the English text, of one that depends on a number by its plural; ``ones`` are the
    singulars of those, each with what is said of any number.
    """

    texts: dict[str, str] = field(default_factory=dict)
    ones: dict[str, str] = field(default_factory=dict)

    def text(self, message: str) -> str:
        """The text shown for an English one."""
        return self.texts.get(message, message)

    def plural(self, one: str, many: str, count: int) -> str:
        """The text shown for a count: languages of the catalogue other than English have one form for all."""
        return self.texts.get(many, one if count == 1 else many)


@functools.cache
def catalogue_of(language: str) -> Catalogue:
    """The catalogue of a language; empty for English, whose texts are the keys."""
    path = FOLDER / f"{language}.po"
    if not path.exists():
        return Catalogue()
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        read = read_po(file, locale=language)
    texts, ones = {}, {}
    for message in read:
        if not message.id or message.fuzzy:
            continue
        shown = message.string[0] if isinstance(message.string, tuple) else message.string
        if not shown:
            continue
        one, key = message.id if isinstance(message.id, tuple) else (None, message.id)
        texts[str(key)] = str(shown)
        if one is not None:
            ones[str(one)] = str(shown)
    return Catalogue(texts, ones)


def places(template: str) -> set[tuple[str, str]]:
    """The places of a template as name and format.

    >>> sorted(places("{n_rows:,} rows of {table}"))
    [('n_rows', ','), ('table', '')]
    """
    return {(name, spec or "") for _, name, spec, _ in Formatter().parse(template) if name is not None}
