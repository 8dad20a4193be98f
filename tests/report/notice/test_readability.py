"""Plain words are measured: against counts by hand, and that every letter as it comes passes."""

from __future__ import annotations

import pytest

from tabnet_engine.report.notice.checks import own_words
from tabnet_engine.report.notice.letter_words import letter_word
from tabnet_engine.report.notice.readability import MOST_GRADE, findings, measured, syllables
from tabnet_engine.report.notice.template import default_template
from tabnet_engine.report.reason_words import neutral_sentence
from tabnet_engine.report.regulation import list_profiles

HARD = (
    "Notwithstanding considerable deliberation regarding the particularities of your application, our organisation "
    "unfortunately determined that the characteristics submitted demonstrate insufficient creditworthiness overall."
)
NEUTRAL = ["any", "above", "below", "later", "earlier", "other", "missing", "unseen"]
FILLED = ["compared_near", "compared", "changes", "several_changes", "no_changes"]


@pytest.mark.parametrize(
    ("word", "count"),
    [("a", 1), ("income", 2), ("application", 4), ("decided", 3), ("asked", 1), ("pages", 2), ("table", 2), ("we", 1)],
)
def test_syllables(word: str, count: int) -> None:
    assert syllables(word) == count


def test_the_grade_is_that_of_the_formula() -> None:
    told = measured("The cat sat on the mat. We like it.", "en")
    assert told.n_sentences == 2
    assert told.mean_length == 4.5
    assert told.grade == pytest.approx(0.39 * 4.5 + 11.8 * 1 - 15.59)


def test_a_hard_sentence_is_found() -> None:
    told = measured(HARD, "en")
    assert told.grade is not None
    assert told.grade > MOST_GRADE + 5
    assert len(findings(told)) == 1
    assert len(findings(measured(HARD.replace("overall", "overall and in every one of all our points"), "en"))) == 2


def test_words_of_models_are_found_whole() -> None:
    assert measured("Our Models set a cutoff. The scoreboard is fine.", "en").jargon == ("model", "cutoff")
    assert measured("模型给出的概率较低。", "zh").jargon == ("模型", "概率")


def test_a_long_chinese_sentence_is_found() -> None:
    assert measured("好" * 45 + "。" + "好" * 46 + "。", "zh").long_sentences == ("好" * 46,)
    assert measured("好。", "zh").grade is None


@pytest.mark.parametrize("text", ["", "\n\n", "!!!", "{{}}", "😀", "a" * 5000])
def test_anything_can_be_measured(text: str) -> None:
    for language in ("en", "zh"):
        findings(measured(text, language))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", [*list_profiles("notice"), "general"])
def test_the_letters_as_they_come_are_plain(name: str, language: str) -> None:
    sentences = [neutral_sentence(when, "income", language) for when in NEUTRAL]
    sentences += [letter_word(key, language).replace("{n}", "100") for key in FILLED]
    told = measured(own_words(default_template(name, language), sentences, language), language)
    assert told.n_sentences > 10
    assert findings(told) == ()
