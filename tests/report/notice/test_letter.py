"""The letter: what it holds by profile and language, and when it is refused."""

from __future__ import annotations

import dataclasses
import re

import pytest

from tabnet_engine.config.stated import Organisation
from tabnet_engine.errors import ReportError
from tabnet_engine.explain.counterfactual.result import Change
from tabnet_engine.explain.reasons.records import DecisionCase
from tabnet_engine.report.document import Bullets, Document, Facts, Paragraph
from tabnet_engine.report.notice.letter import notice_document
from tabnet_engine.report.reason_codes import ReasonCode, ReasonCodes
from tabnet_engine.report.regulation import list_profiles
from tabnet_engine.texts.speaking import speaking
from tests.report.notice.letter_cases import (
    APPROVED,
    BLOCKED,
    CASE,
    CODES,
    FEWER,
    ORGANISATION,
    RAISED,
    WITHOUT,
    cell,
    counterfactuals,
    identity,
    materials,
    reason,
)

PROFILES = list_profiles("notice")
SHOWN = ("True", "2024-01-31")
SIMPLE = "# Letter {{case_id}}\n{{organisation_name}}\n{{date}}\n\n{{reasons}}\n\n"


def letter(case: DecisionCase = CASE, profile: str = "us_adverse_action", language: str = "en", **changes) -> Document:
    with speaking(language):
        return notice_document(case, identity(profile, language), materials(profile, language, **changes))


def written(template: str, case: DecisionCase = CASE, **changes) -> Document:
    rights = "\n{{rights}} {{agency}} {{organisation_address}}"
    return letter(case, template=SIMPLE + template + rights, **changes)


def words(document: Document) -> str:
    blocks = [*document.summary, *(block for section in document.sections for block in section.blocks)]
    texts = [document.title, *(section.title for section in document.sections)]
    for block in blocks:
        if isinstance(block, Paragraph):
            texts.append(block.text)
        elif isinstance(block, Bullets):
            texts += block.items
        elif isinstance(block, Facts):
            texts += [" ".join(line) for line in block.lines]
    return "\n".join(texts)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("profile", PROFILES)
def test_the_letter_as_it_comes_is_whole(profile: str, language: str) -> None:
    document = letter(profile=profile, language=language)
    text = words(document)
    assert document.is_letter
    assert document.unmet == ()
    assert "{{" not in text.replace("{{date}}</b>", "")
    assert all(said in text for said in (ORGANISATION.name, ORGANISATION.address, "N-20260301-AB12"))
    assert all(code.text(language) in text for code in CODES.codes)
    assert Document.from_mapping(document.to_mapping()) == document


def test_the_profile_brings_rights_and_agency() -> None:
    text = words(letter())
    assert materials().profile.statement("rights") in text
    assert ORGANISATION.agency in text


def test_reasons_are_numbered_in_their_order() -> None:
    lists = [block for section in letter().sections for block in section.blocks if isinstance(block, Bullets)]
    assert lists == [Bullets(items=("Your income is low.", "You have a lot of debt."), is_numbered=True)]


def test_two_reasons_with_one_sentence_are_said_once() -> None:
    same = ReasonCodes(tuple(dataclasses.replace(code, text_en="Your money.") for code in CODES.codes))
    assert words(letter(codes=same)).count("Your money.") == 1


def test_a_draft_is_named_and_nothing_of_the_model_is_said() -> None:
    document = letter(codes=ReasonCodes())
    assert any("income" in sentence for sentence in document.unmet)
    assert not re.search(r"\b(model|score|probability|log-odds|0\.27)\b", words(document))


def test_what_the_person_had_and_what_would_have_changed_it() -> None:
    text = words(letter(profile="eu_data_subject"))
    assert "“income” is 25 EUR and not 10; and “job” is employed (we have no value for it now)." in text
    chinese = words(letter(profile="eu_data_subject", language="zh"))
    assert "“income”是 25 EUR 而不是 10；并且“job”是 employed（我们现在没有这项信息）。" in chinese
    assert "debt 90 <b>{{date}}</b>" in text
    assert "job no information" in text
    assert "name" not in [line[0] for line in _facts(letter(profile="eu_data_subject"))]


def test_days_and_truth_values_are_said_in_plain_words() -> None:
    kinds = {"kind": "boolean"}, {"kind": "datetime"}
    cells = tuple(cell(name, shown, **kind) for name, shown, kind in zip(("owns", "since"), SHOWN, kinds, strict=True))
    moved = (Change(column="owns", before=True, after=False, distance=0.1),)
    later = (Change(column="since", before="2024-01-31", after="2026-02-01", distance=0.1, is_ordered=True),)
    case = dataclasses.replace(CASE, cells=(*CASE.cells, *cells), counterfactual=counterfactuals(moved, later))
    text, chinese = (words(letter(case, profile="eu_data_subject", language=language)) for language in ("en", "zh"))
    assert "owns yes" in text
    assert "since 31 January 2024" in text
    assert "“owns” is no and not yes." in text
    assert "“since” is 1 February 2026 and not 31 January 2024." in text
    assert "“owns”是“否”而不是“是”。" in chinese
    assert "2024年1月31日" in chinese


def _facts(document: Document) -> list[tuple[str, str]]:
    blocks = (block for section in document.sections for block in section.blocks)
    return [line for block in blocks if isinstance(block, Facts) for line in block.lines]


def test_without_a_proposal_the_letter_says_so_and_without_a_search_it_is_refused() -> None:
    none = dataclasses.replace(CASE, counterfactual=counterfactuals())
    assert "We found none." in words(letter(none, profile="eu_data_subject"))
    several = dataclasses.replace(CASE, counterfactual=counterfactuals((RAISED,), (FEWER,)))
    assert "in each of these cases" in words(letter(several, profile="eu_data_subject"))
    with pytest.raises(ReportError, match="n_counterfactuals"):
        letter(dataclasses.replace(CASE, counterfactual=None), profile="eu_data_subject")
    closed = dataclasses.replace(counterfactuals(), n_scored=0)
    with pytest.raises(ReportError, match="leave one open"):
        letter(dataclasses.replace(CASE, counterfactual=closed), profile="eu_data_subject")


def test_only_near_the_cutoff_is_it_said_that_the_others_just_pass() -> None:
    far = dataclasses.replace(CASE, reference=dataclasses.replace(CASE.reference, is_near=False))
    assert "100 others. These others pass our check, but only just." in words(letter())
    assert "only just" not in words(letter(far, profile="eu_data_subject"))


def test_a_value_is_data_and_never_a_template() -> None:
    hostile = dataclasses.replace(ORGANISATION, name="# {{reasons}}\n## {0} & <script>", agency="{{nothing}}")
    document = written("Dear {{cell:name}}", organisation=hostile)
    text = words(document)
    assert "Dear Zoë {{agency}} 😀" in text
    assert hostile.name in text
    assert document.title == "Letter N-20260301-AB12"
    assert not document.sections


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        (APPROVED, "row 7 is approved"),
        (BLOCKED, "'income' is a principal reason"),
        (WITHOUT, "no reason was found: all contributions are 0."),
    ],
)
def test_no_letter_without_a_reason_that_may_be_given(case: DecisionCase, sentence: str) -> None:
    with pytest.raises(ReportError, match=sentence):
        letter(case)


@pytest.mark.parametrize("fields", [("name",), ("address",), ("name", "address", "agency")])
def test_what_nobody_stated_is_asked_for_all_at_once(fields: tuple[str, ...]) -> None:
    with pytest.raises(ReportError, match=f"about the organisation: {', '.join(map(repr, fields))}; state it"):
        letter(organisation=ORGANISATION.replace(**dict.fromkeys(fields, " \n")))


def test_what_the_letter_does_not_use_need_not_be_stated() -> None:
    assert letter(organisation=Organisation(name="B", address="A", agency="C")).unmet == ()


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{{cell:salary}}", "'salary', which the table does not have"),
        ("{{cell:job}}", "'job', and row 7 has no value there"),
        ("{{price}}", "unknown field 'price'"),
        ("{{date}", "without their partner"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(template: str, sentence: str) -> None:
    with pytest.raises(ReportError, match=sentence):
        written(template)


def test_a_letter_without_reasons_is_refused() -> None:
    with pytest.raises(ReportError, match=r"lacks the field \{\{reasons\}\}"):
        letter(template="# A\n{{date}} {{case_id}} {{organisation_name}}")


def test_hard_words_are_warned_of() -> None:
    unmet = written("The model gave your application a low score.").unmet
    assert [any(f"“{word}”" in sentence for sentence in unmet) for word in ("model", "score")] == [True, True]


def test_the_same_case_is_the_same_letter() -> None:
    assert letter() == letter()


def test_column_names_do_not_make_a_letter_hard() -> None:
    named = dataclasses.replace(CASE, reasons=(reason(1, "probability score of the model", "above"),))
    code = ReasonCode("R1", "x", "any", "x", "x")
    assert not [one for one in letter(named, codes=ReasonCodes((code,))).unmet if "word of models" in one]
