"""The language of letters: what is a field, what is plain text, and what is refused with its line."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.errors import ReportError
from tabnet_engine.report.notice.template import (
    FIELDS,
    MAX_LENGTH,
    Piece,
    check_template,
    default_template,
    fields_of,
    filled_in,
    pieces_of,
    required_fields,
)
from tabnet_engine.report.regulation import list_profiles, load_profile

US = load_profile("us_adverse_action", "en")
EU = load_profile("eu_data_subject", "en")
RIGHT = default_template("us_adverse_action", "en")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", list_profiles("notice"))
def test_the_letters_as_they_come_serve(name: str, language: str) -> None:
    assert check_template(default_template(name, language), load_profile(name, language)) == ()


def test_a_profile_without_a_letter_of_its_own_gets_the_general_one() -> None:
    assert "{{reasons}}" in default_template("some_new_profile", "en")
    for name in ("../x", "", "US"):
        with pytest.raises(ReportError, match="no regulation profile"):
            default_template(name, "en")
    with pytest.raises(ReportError, match="got 'fr'"):
        default_template("us_adverse_action", "fr")


def test_a_profile_says_which_fields_are_needed() -> None:
    assert {"reasons", "organisation_address", "agency", "rights"} <= set(required_fields(US))
    assert {"changes", "data_used", "organisation_contact", "data_protection"} <= set(required_fields(EU))
    silent = dataclasses.replace(US, statements={}, checks={})
    assert set(required_fields(silent)) == {"reasons", "date", "case_id", "organisation_name"}


@pytest.mark.parametrize("field", required_fields(US))
def test_a_missing_field_is_named(field: str) -> None:
    without = RIGHT.replace(f"{{{{{field}}}}}", "")
    assert [f"lacks the field {{{{{field}}}}}" in problem for problem in check_template(without, US)] == [True]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{{dat}}", "unknown field 'dat'"),
        ("{{}}", "unknown field ''"),
        ("{{cell:}}", "unknown field 'cell:'"),
        ("{{cell:COLUMN2}} {{date.__class__}}", "unknown field 'date.__class__'"),
        ("Reasons: {{reasons}}", "must be alone on its line"),
        ("{{date", "without their partner"),
        ("date}}", "without their partner"),
        ("{{date {{case_id}}", "without their partner"),
    ],
)
def test_a_wrong_line_is_named(line: str, words: str) -> None:
    problems = check_template(f"{RIGHT}\n{line}\n", US)
    assert len(problems) == 1
    assert words in problems[0]
    assert f"line {len(RIGHT.splitlines()) + 2} " in problems[0]


def test_one_subject_and_a_length() -> None:
    assert "0 subjects" in check_template(RIGHT.replace("# Your", "Your", 1), US)[0]
    assert "2 subjects" in check_template(RIGHT + "\n# Again\n", US)[0]
    assert "characters" in check_template(RIGHT + "x" * MAX_LENGTH, US)[0]


def test_rights_are_filled_only_where_the_profile_says_something() -> None:
    text = default_template("eu_data_subject", "en") + "\n{{rights}}\n"
    assert "says nothing about rights" in check_template(text, EU)[0]


def test_a_template_falls_into_its_parts() -> None:
    text = "# Subject\nLine 1\n  Line 2\n\n\n## Head\nBefore\n{{ reasons }}\nAfter {{date}}\r\n#hash\n"
    assert pieces_of(text) == (
        Piece(kind="subject", text="Subject"),
        Piece(kind="paragraph", text="Line 1\nLine 2"),
        Piece(kind="heading", text="Head"),
        Piece(kind="paragraph", text="Before"),
        Piece(kind="list", text="reasons"),
        Piece(kind="paragraph", text="After {{date}}\n#hash"),
    )


def test_single_braces_are_plain_text() -> None:
    assert filled_in("{0} {date} {{{date}}} }{", {"date": "D"}) == "{0} {date} {D} }{"


@settings(max_examples=100)
@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_is_checked_and_no_value_is_read(text: str, value: str) -> None:
    check_template(text, US)
    assert filled_in(f"<{{{{date}}}}>{value}", dict.fromkeys(fields_of(value), "") | {"date": value})[1:].startswith(
        value
    )


def test_every_field_is_described() -> None:
    assert all(FIELDS.values())
