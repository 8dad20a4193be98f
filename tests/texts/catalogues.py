"""Small catalogues for the tests: what is said in Chinese, written down in one dict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from tabnet_engine.texts import catalogue, recalling

Texts = Mapping[str | tuple[str, str], str]


def write_catalogue(path: Path, texts: Texts) -> None:
    """Write a catalogue file: English text, or singular and plural, to what is shown."""
    written = Catalog(locale="zh")
    for english, shown in texts.items():
        written.add(english, string=shown if isinstance(english, str) else (shown,))
    with path.open("wb") as file:
        write_po(file, written)


@contextmanager
def chinese(folder: Path, texts: Texts) -> Iterator[None]:
    """Say exactly these texts in Chinese inside."""
    write_catalogue(folder / "zh.po", texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "FOLDER", folder)
        forget()
        yield
    forget()


def forget() -> None:
    """Forget the catalogue that was read before."""
    catalogue.catalogue_of.cache_clear()
    recalling._recalled.cache_clear()
    recalling._templates.cache_clear()
