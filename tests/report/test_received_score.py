"""A score bought from others: only what was stated and received is told, and what is missing is asked for."""

from __future__ import annotations

import dataclasses

import pytest

from tabnet_engine.config.stated import ConsumerScore
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Task
from tabnet_engine.errors import ConfigError, ReportError
from tabnet_engine.report.decision.content import decision_document
from tabnet_engine.report.document import Bullets, Callout, Document, Facts
from tabnet_engine.report.received_score import check_consumer_score, received_score
from tests.report.bought_scores import STATED, score_cells
from tests.report.decision.decision_cases import CASE, IDENTITY, materials_of, texts_of

SCHEMA = FeatureSchema(
    columns=(
        Column(name="score", kind=Kind.NUMBER),
        Column(name="day", kind=Kind.DATETIME, role=Role.IGNORED),
        Column(name="y", kind=Kind.CATEGORY, role=Role.TARGET),
    ),
    task=Task.BINARY,
    classes=("no", "yes"),
)


def told(stated: ConsumerScore = STATED, cells: tuple | None = None, profile: str = "us_adverse_action") -> Document:
    case = dataclasses.replace(CASE, cells=(*CASE.cells, *(score_cells() if cells is None else cells)))
    return decision_document(case, IDENTITY, materials_of(profile, consumer_score=stated))


def texts(document: Document) -> list[str]:
    return texts_of(document, ["consumer_score"])


def facts(document: Document) -> dict[str, str]:
    blocks = document.section("consumer_score").blocks
    return dict(line for block in blocks if isinstance(block, Facts) for line in block.lines)


def callouts(document: Document) -> list[str]:
    return [block.text for block in document.section("consumer_score").blocks if isinstance(block, Callout)]


def test_what_was_stated_and_received_is_told():
    document = told()
    assert document.unmet == ()
    lines = facts(document)
    assert lines["Name of the score"] == "Risk Score 8"
    assert lines["Provided by"] == STATED.provider
    assert lines["Score of this row, as received"] == "540"
    assert lines["Made on"] == "3 February 2026"
    assert "300 to 850" in texts(document)
    factors = ("Too many accounts {0}", "Short history", "Late payments", "High use of limits")
    bullets = [block.items for block in document.section("consumer_score").blocks if isinstance(block, Bullets)]
    assert bullets == [factors, ("debt", "income")]  # its own, then those of the model's score, apart from it
    assert callouts(document) == []


def test_more_than_four_key_factors_are_counted():
    document = told(cells=score_cells(factors=tuple("abcdef")))
    assert any("2 more key factors were received" in text for text in texts(document))


@pytest.mark.parametrize(
    ("stated", "n_unmet", "words"),
    [
        (ConsumerScore(), 1, "was not stated, and the table does not show it"),
        (ConsumerScore(use="none"), 0, "states that it reads no score about the person"),
    ],
)
def test_that_none_is_used_is_the_owners_word_and_silence_is_asked_about(stated, n_unmet, words):
    document = told(stated)
    assert len(document.unmet) == n_unmet
    assert all("State it under “About the model”" in text for text in document.unmet)
    assert any(words in text for text in texts(document))
    assert "540" not in texts(document)
    assert told(stated, profile="eu_data_subject").unmet == ()  # another profile does not ask


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"provider": " \n"}, "its provider"),
        ({"lowest": None}, "its range"),
        ({"date_column": ""}, "the column with its date"),
        ({"factor_columns": ()}, "the columns with its key factors"),
    ],
)
def test_what_is_missing_of_a_score_is_named_alone(changes, words):
    (sentence,) = told(STATED.replace(**changes)).unmet
    assert sentence.startswith(f"Not stated of the score “Risk Score 8”, which was bought from someone else: {words}.")


def test_what_the_row_lacks_is_told():
    document = told(cells=score_cells(day=""))
    assert document.unmet == ("Row 7 has no date of the score “Risk Score 8”: its column “bureau day” is empty there.",)
    assert facts(document)["Made on"] == "missing in this row"
    document = told(cells=score_cells(factors=("", " ")))
    assert callouts(document) == ["Row 7 has no key factor of this score: its columns are empty there."]
    for cells in (score_cells(value=""), ()):  # another table may not even have the column
        document = told(STATED.replace(provider="", lowest=None), cells=cells)
        assert document.unmet == ()
        assert callouts(document)[0].startswith("Row 7 has no value in the column “bureau, score”")
        assert "Score of this row, as received" not in facts(document)


@pytest.mark.parametrize(
    ("value", "is_outside"),
    [("300", False), ("850.0", False), ("299.9", True), ("9001", True), ("inf", True), ("nan", True), ("A+", True)],
)
def test_a_score_outside_its_range_is_warned_of(value, is_outside):
    document = told(cells=score_cells(value=value))
    assert document.unmet == ()
    assert [f"The score of this row, {value}, lies outside" in text for text in callouts(document)] == [
        True
    ] * is_outside


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-02-03T23:30:00-05:00", "3 February 2026"),
        ("20260203", "3 February 2026"),
        ("03/02/2026", "03/02/2026"),
        ("2026-13-45", "2026-13-45"),
        ("202602031", "202602031"),
    ],
)
def test_a_day_is_never_another_one_than_was_received(text, day):
    assert facts(told(cells=score_cells(day=text)))["Made on"] == day


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"column": "scoer"}, "'scoer', which the table does not have"),
        ({"column": "score", "date_column": "dya"}, "'dya', which the table does not have"),
        ({"column": "score", "factor_columns": ["day", "y"]}, "'y', which the model predicts"),
        ({"column": "day"}, "does not read the column 'day'"),
        ({"column": "score", "date_column": "score"}, "'score' is stated twice"),
        ({"column": "score", "date_column": "day", "factor_columns": ["day"]}, "'day' is stated twice"),
    ],
)
def test_a_column_that_cannot_be_meant_is_refused(stated, words):
    with pytest.raises(ReportError, match=words):
        check_consumer_score(ConsumerScore.from_mapping({"use": "column", **stated}), SCHEMA)


def test_a_column_beside_those_of_the_run_may_come_with_another_table():
    stated = ConsumerScore(use="column", column="score", date_column="own day")
    check_consumer_score(stated, SCHEMA, ["score", "own day"])
    check_consumer_score(ConsumerScore(use="none", column="gone"), SCHEMA)


def test_a_statement_survives_its_file_with_blanks_and_commas_in_names():
    stated = STATED.replace(column=" a, b ", factor_columns=(" x", "y, z"))
    assert ConsumerScore.from_mapping(stated.to_mapping()) == stated
    assert stated.factor_columns == (" x", "y, z")
    with pytest.raises(ConfigError, match="lowest must be below highest, got 850 and 300"):
        STATED.replace(lowest=850, highest=300)
    assert received_score(ConsumerScore(), ()) is None


def test_a_factor_of_inquiries_is_told_beside_the_four():
    stated = STATED.replace(factor_columns=STATED.factor_columns[:5], inquiry_column=STATED.factor_columns[5])
    four, fifth, inquiries = ("a", "b", "c", "d"), "e", "Too many inquiries"
    found = received_score(stated, score_cells(factors=(*four, fifth, inquiries)))
    assert found is not None
    assert (found.factors, found.n_more) == ((*four, inquiries), 1)
    without = received_score(stated, score_cells(factors=(*four, fifth, "")))
    assert without is not None
    assert without.factors == four
