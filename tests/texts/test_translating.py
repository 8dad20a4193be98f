"""The catalogue kept in step with the code, and the catalogue that is shipped."""

from __future__ import annotations

import json
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from tabnet_engine.texts.catalogue import FOLDER, catalogue_of
from tabnet_engine.texts.gathering import Gathered, gathered
from tabnet_engine.texts.translating import fault_of, merge, untranslated, update
from tests.texts.catalogues import write_catalogue

SHIPPED = FOLDER / "zh.po"


def read(path: Path):
    with path.open("rb") as file:
        return {message.id: message for message in read_po(file, locale="zh") if message.id}


def text(english: str, one: str | None = None) -> Gathered:
    return Gathered(english, one, "pages/one.py")


def test_a_catalogue_gets_what_is_new_keeps_what_stays_and_loses_what_went(tmp_path: Path) -> None:
    path = tmp_path / "zh.po"
    write_catalogue(path, {"Stays": "留下", "Went": "离开", "{count:,} rows": "{count:,} 行"})
    update(path, [text("Stays"), text("New"), text("{count:,} rows", "{count} row"), text("Stays")])
    found = {key: message.string for key, message in read(path).items()}
    assert found == {"Stays": "留下", "New": "", ("{count} row", "{count:,} rows"): ("{count:,} 行",)}
    before = path.read_bytes()
    update(path, [text("New"), text("{count:,} rows", "{count} row"), text("Stays")])
    assert path.read_bytes() == before


def test_what_lacks_a_translation_goes_out_and_comes_back(tmp_path: Path) -> None:
    path, folder = tmp_path / "zh.po", tmp_path / "chunks"
    update(path, [text("Table"), text("{n:,} of {m}"), text("{count:,} rows", "{count} row")])
    assert untranslated(path, folder) == 3
    (chunk,) = folder.iterdir()
    entries = json.loads(chunk.read_text())
    given = {"Table": "表格", "{n:,} of {m}": "{m} 之 {n}", "{count} row": "{count:,} 行"}
    for entry in entries.values():
        entry["chinese"] = given[entry["english"]]
    chunk.write_text(json.dumps(entries))
    (refused,) = merge(path, folder)
    assert "places differ" in refused
    found = {key: message.string for key, message in read(path).items()}
    assert found == {"Table": "表格", "{n:,} of {m}": "", ("{count} row", "{count:,} rows"): ("{count:,} 行",)}


def test_a_translation_must_have_the_same_places() -> None:
    assert fault_of("{n:,} rows", "{n:,} 行") is None
    assert fault_of("{n:,} rows", "行") is not None
    assert fault_of("{n:,} rows", "{n} 行") is not None
    assert fault_of("{n:,} rows", "{n:, 行") is not None


@pytest.fixture(scope="module")
def shipped():
    return read(SHIPPED)


def test_the_shipped_catalogue_has_every_text_of_the_code_and_no_other(shipped) -> None:
    said = {item.english for item in gathered()}
    kept = {key[-1] if isinstance(key, tuple) else key for key in shipped}
    assert (said - kept, kept - said) == (set(), set()), "run `make texts`"


def test_no_translation_is_a_guess_or_has_other_places(shipped) -> None:
    faults = {}
    for key, message in shipped.items():
        english = key[-1] if isinstance(key, tuple) else key
        shown = message.string[0] if isinstance(message.string, tuple) else message.string
        if message.fuzzy or (shown and fault_of(english, shown)):
            faults[english] = shown
    assert not faults


def test_every_text_is_translated(shipped) -> None:
    waiting = [key for key, message in shipped.items() if not "".join(message.string)]
    assert waiting == [], "python -m tabnet_engine.texts.translating --untranslated FOLDER lists them"


def test_every_template_of_the_code_can_be_filled() -> None:
    for item in gathered():
        if "{" in item.english:
            names = [name for _, name, _, _ in Formatter().parse(item.english) if name is not None]
            assert all(name.isidentifier() for name in names), item


def test_english_needs_no_catalogue() -> None:
    assert catalogue_of("en").texts == {}
