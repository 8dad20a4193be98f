"""Which texts of the code the catalogue gets."""

from __future__ import annotations

import pytest

from tabnet_engine.texts.gathering import Gathered, gathered, texts_in

SPEAKS = "from tabnet_engine.texts.speaking import say\n"


def english(source: str, file: str = "pages/one.py") -> list[str]:
    return [text.english for text in texts_in(source, file)]


def test_what_is_said_and_what_is_marked() -> None:
    source = (
        SPEAKS
        + 'say("One " "text")\nMARKED = msg("Two")\nsay(MARKED)\nsay("a b" if x else "c d")\nst.write("not said")'
    )
    assert sorted(english(source)) == ["One text", "Two", "a b", "c d"]


def test_a_text_that_depends_on_a_number() -> None:
    found = texts_in(SPEAKS + 'say_plural("{count} row", "{count:,} rows", n)', "pages/one.py")
    assert found == [Gathered("{count:,} rows", "{count} row", "pages/one.py")]


@pytest.mark.parametrize("said", ['f"{n} rows"', '"row" + ending'])
def test_a_text_from_parts_is_refused_with_its_place(said: str) -> None:
    with pytest.raises(ValueError, match=r"pages/one\.py:2: a text must be written whole"):
        english(f"{SPEAKS}say({said})")


def test_an_errors_text_becomes_a_template() -> None:
    source = 'raise UserError(f"{name!r} has {len(rows):,} rows, {name} {{x}}") from None'
    assert english(source) == ["{name} has {rows:,} rows, {name_2} {{x}}"]
    assert english('raise TableError("it is empty" if empty else f"{n} rows")') == ["it is empty", "{n} rows"]
    assert english('raise ValueError("a defect of ours")') == []


def test_rooms_whose_texts_are_stored_give_every_text_of_some_words() -> None:
    source = '"""No text, but a description."""\nnotes.append(f"{counted(n, \'line\')} were left out")\nKEY = "column"'
    assert english(source, "tabnet_engine/data/one.py") == ["{counted} were left out", "{count:,} lines"]
    assert english(source, "tabnet_engine/figures/one.py") == ["{count:,} lines"]
    said = SPEAKS + 'say_plural("{count} row of it", "{count:,} rows of it", n)'
    assert english(said, "tabnet_engine/data/one.py") == ["{count:,} rows of it"]


def test_the_code_has_texts_and_none_from_parts() -> None:
    found = gathered()
    assert len(found) > 1000
    assert {"tabnet_engine", "pages"} <= {text.file.split("/")[0] for text in found}
