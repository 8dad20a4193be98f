"""The letter tells of a score that someone else made where one was used, and says nothing where none was."""

from __future__ import annotations

import dataclasses

import pytest

from tabnet_engine.config.stated import ConsumerScore
from tabnet_engine.errors import ReportError
from tabnet_engine.report.document import Bullets, Document, Paragraph, Section
from tabnet_engine.report.notice.letter import notice_document
from tabnet_engine.report.notice.letter_words import letter_word
from tabnet_engine.report.notice.readability import MOST_GRADE, measured
from tabnet_engine.report.notice.template import default_template
from tabnet_engine.report.regulation import load_profile
from tabnet_engine.texts.speaking import speaking
from tests.report.bought_scores import STATED, score_cells
from tests.report.notice.letter_cases import CASE, identity, materials

US = "us_adverse_action"
WITHOUT = default_template(US, "en").replace("{{consumer_score}}", "")
WORDS = ("score_from", "score_of_others", "score_name", "score_value", "score_range", "score_date", "score_factors")
VALUE = (
    "The score is called “Risk Score 8”. Your score is 540. It was made on 3 February 2026. The lowest score there can "
    "be is 300, and the highest is 850."
)


def letter(stated: ConsumerScore = STATED, cells: tuple | None = None, language: str = "en", **changes) -> Document:
    case = dataclasses.replace(CASE, cells=(*CASE.cells, *(score_cells() if cells is None else cells)))
    with speaking(language):
        return notice_document(case, identity(US, language), materials(US, language, consumer_score=stated, **changes))


def part(document: Document) -> Section | None:
    titles = [letter_word("score_heading", language) for language in ("en", "zh")]
    return next((section for section in document.sections if section.title in titles), None)


def texts(document: Document) -> list[str]:
    section = part(document)
    return [] if section is None else [block.text for block in section.blocks if isinstance(block, Paragraph)]


def test_the_letter_tells_of_the_score_in_plain_sentences():
    document = letter()
    assert document.unmet == ()
    assert texts(document) == [
        "For this decision we used a score about you that we did not make. It comes from this company:",
        STATED.provider,
        VALUE,
        "The company named these main points that counted against you in the score:",
        load_profile(US, "en").statement("score_rights"),
    ]
    bullets = [block for block in part(document).blocks if isinstance(block, Bullets)]
    factors = ("Too many accounts {0}", "Short history", "Late payments", "High use of limits")
    assert bullets == [Bullets(items=factors, is_numbered=True)]


def test_the_letter_tells_of_it_in_chinese():
    told = texts(letter(language="zh"))
    assert told[2] == (
        "这个评分叫“Risk Score 8”。您的评分是 540。它的生成日期是 2026年2月3日。这种评分最低是 300，最高是 850。"
    )
    assert told[-1] == load_profile(US, "zh").statement("score_rights")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("stated", "cells"), [(ConsumerScore(use="none"), None), (STATED, score_cells(value="")), (STATED, ())]
)
def test_where_no_score_was_used_the_letter_is_as_if_there_were_none(stated, cells, language):
    document = letter(stated, cells, language)
    assert part(document) is None
    assert document.unmet == ()
    without = default_template(US, language).replace("{{consumer_score}}", "")
    assert letter(ConsumerScore(use="none"), (), language, template=without).sections == document.sections


def test_what_is_not_known_is_left_out_and_asked_for():
    bare = ConsumerScore(use="column", column=STATED.column)
    document = letter(bare, score_cells(day=""))
    assert texts(document)[:2] == [
        "For this decision we used a score about you that we did not make. It comes from another company.",
        "Your score is 540.",
    ]
    (sentence,) = document.unmet
    assert "its provider, its range, the column with its date, the columns with its key factors" in sentence
    assert "Not stated: whether the model reads" in letter(ConsumerScore()).unmet[0]
    assert "lies outside the range" in letter(cells=score_cells(value="9001")).unmet[0]


def test_a_letter_that_is_silent_on_the_score_is_refused():
    with pytest.raises(ReportError, match=r"add the field \{\{consumer_score\}\} alone on a line"):
        letter(template=WITHOUT)
    assert part(letter(ConsumerScore(), template=WITHOUT)) is None


def test_another_profile_need_not_tell_of_it_and_may():
    for field in ("", "{{consumer_score}}\n\n"):
        template = default_template("eu_ai_act", "en").replace("## What you can do", f"{field}## What you can do")
        case = dataclasses.replace(CASE, cells=(*CASE.cells, *score_cells()))
        given = materials("eu_ai_act", "en", consumer_score=STATED, template=template)
        document = notice_document(case, identity("eu_ai_act"), given)
        assert document.unmet == ()
        assert bool(field) == (part(document) is not None)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_its_sentences_are_plain(language):
    told = [letter_word(key, language) for key in WORDS]
    found = measured("\n".join([*told, load_profile(US, language).statement("score_rights")]), language)
    assert found.long_sentences == ()
    assert found.grade is None or found.grade < MOST_GRADE - 3
    assert found.jargon == (("score",) if language == "en" else ("评分",))  # what it is called everywhere
