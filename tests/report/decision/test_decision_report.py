"""The decision report: all that a profile asks for, nothing that was not measured, blocked where it must be."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.config.stated import ModelFacts, Organisation
from tabnet_engine.errors import ReportError
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.groups.decision import Decision
from tabnet_engine.explain.reasons.records import Kept, Protection, ProxyLink, Score
from tabnet_engine.figures.plain import HeatChart, WaterfallChart
from tabnet_engine.report.decision.charts import MAX_BARS
from tabnet_engine.report.decision.content import SECTIONS, decision_document
from tabnet_engine.report.decision.numbers import (
    level_beside,
    level_exact,
    quantity_beside,
    share_beside,
    share_in_full,
)
from tabnet_engine.report.decision.unmet import MEASURED_CHECKS
from tabnet_engine.report.document import Bullets, Callout, ChartBlock, Document, Section, Table
from tabnet_engine.report.profile_words import SECTION_KEYS
from tabnet_engine.report.reason_codes import ReasonCodes
from tabnet_engine.report.regulation import list_profiles, load_profile
from tabnet_engine.report.stated_checks import STATED
from tabnet_engine.texts.speaking import speaking
from tests.report.decision.decision_cases import (
    CASE,
    IDENTITY,
    VALUES,
    case_of,
    counterfactuals,
    materials_of,
    texts_of,
    timeline_of,
)

PROFILES = list_profiles("decision")
LINK = ProxyLink(column="debt", protected="sex", is_itself=False, strength=Estimate(value=0.4, low=0.3, high=0.5, n=9))


def document(case=CASE, profile="us_adverse_action", **changes) -> Document:
    return decision_document(case, IDENTITY, materials_of(profile, **changes))


def charts(section: Section) -> list:
    return [block.chart for block in section.blocks if isinstance(block, ChartBlock)]


def waterfall(told: Document) -> WaterfallChart:
    return next(chart for chart in charts(told.section("reasons_table")) if isinstance(chart, WaterfallChart))


def test_every_section_that_a_profile_may_ask_for_has_its_builder():
    assert {*SECTIONS, "integrity"} == set(SECTION_KEYS["decision"])


@pytest.mark.parametrize("profile", PROFILES)
def test_every_required_check_is_looked_at(profile):
    required = load_profile(profile, "en").required("decision")
    assert set(required) <= {*MEASURED_CHECKS, *STATED}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_sections_of_the_profile_come_in_its_order_and_are_not_empty(profile, language):
    identity = dataclasses.replace(IDENTITY, language=language)
    with speaking(language):
        told = decision_document(CASE, identity, materials_of(profile, language))
    asked = load_profile(profile, language).sections("decision")
    assert [(section.key, section.part) for section in told.sections] == [(one.key, one.part) for one in asked]
    assert all(section.blocks and section.title for section in told.sections)
    assert all(isinstance(text, str) for text in texts_of(told))


@pytest.mark.parametrize("profile", PROFILES)
def test_a_complete_case_is_neither_blocked_nor_short_of_anything(profile):
    told = document(profile=profile)
    assert (told.blocked, told.unmet) == ((), ())
    assert not any("Not stated" in text for text in texts_of(told))


def test_the_document_survives_json_and_is_the_same_each_time():
    told = document()
    assert Document.from_mapping(json.loads(json.dumps(told.to_mapping()))) == told
    assert document() == told


def test_a_profile_without_decision_reports_is_refused():
    profile = dataclasses.replace(load_profile("us_adverse_action", "en"), kinds=("notice",))
    with pytest.raises(ReportError, match="no decision report"):
        decision_document(CASE, IDENTITY, dataclasses.replace(materials_of(), profile=profile))


def test_the_first_page_gives_outcome_and_reasons_in_their_order():
    told = document()
    bullets = next(block for block in told.summary if isinstance(block, Bullets))
    assert bullets.items == ("Your debt counted against you.", "Your income counted against you.")
    assert bullets.is_numbered
    assert any("is 18.2 %" in text and "50 % only" in text for text in texts_of(told))


def test_a_proxy_among_the_reasons_blocks_the_report_and_is_still_named():
    protection = Protection(declared=("sex",), links=(LINK,), offending=(LINK,), not_examined={}, proxy_strength=0.1)
    told = document(case_of(VALUES, protection=protection))
    assert told.is_blocked
    assert "“debt” is a proxy of the protected column “sex”: alone it tells 40 % of its variance" in told.blocked[0]
    assert "Your debt counted against you." in texts_of(told, ["reasons"])


def test_a_protected_column_itself_among_the_reasons_blocks_the_report():
    link = ProxyLink(column="sex", protected="sex", is_itself=True)
    protection = Protection(declared=("sex",), links=(link,), offending=(link,), not_examined={}, proxy_strength=0.1)
    told = document(case_of(VALUES, ("debt", "sex"), protection=protection), profile="eu_data_subject")
    assert "“sex” is a protected column itself." in told.blocked[0]
    assert any("must not be used" in text for text in texts_of(told, ["fairness"]))


def test_a_declined_row_without_any_reason_blocks_the_report_and_an_approved_one_does_not():
    bare = case_of(dict.fromkeys(VALUES, 0.0), (), no_reason="Every contribution is 0.", joint=None)
    assert document(bare).blocked[-1] == "Every contribution is 0."
    approved = dataclasses.replace(bare, score=dataclasses.replace(bare.score, is_favourable=True))
    told = document(approved)
    assert not told.is_blocked
    assert told.unmet == ("No column can be named as a principal reason for this outcome.",)


def test_a_reference_that_reaches_far_is_warned_of_and_keeps_nobody_from_signing():
    told = document(dataclasses.replace(CASE, reference=dataclasses.replace(CASE.reference, is_near=False)))
    assert not told.unmet
    assert any("well above the cutoff" in text for text in texts_of(told, ["reference"]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"favourable_is_assumed": True}, "Nobody chose which outcome is favourable"),
        ({"calibration": {}}, "calibration of the model"),
        ({"reasons": tuple(dataclasses.replace(one, kept=()) for one in CASE.reasons)}, "How firm"),
        ({"protection": dataclasses.replace(CASE.protection, declared=())}, "No protected column"),
        ({"protection": dataclasses.replace(CASE.protection, not_examined={"sex": "too few rows"})}, "too few rows"),
    ],
)
def test_what_is_missing_of_the_case_is_said_once(changes, words):
    found = document(dataclasses.replace(CASE, **changes)).unmet
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(
    ("counterfactual", "why", "n_unmet"),
    [
        (counterfactuals(), "", 0),
        (counterfactuals(n_found=0, is_exhaustive=True), "", 0),
        (counterfactuals(n_found=0), "", 1),
        (None, "None were asked for.", 1),
    ],
)
def test_a_variation_is_answered_by_a_change_or_a_proof_that_there_is_none(counterfactual, why, n_unmet):
    case = dataclasses.replace(CASE, counterfactual=counterfactual, why_no_counterfactual=why)
    assert len(document(case, profile="eu_data_subject").unmet) == n_unmet
    assert document(case).unmet == ()  # another profile does not ask


def test_sentences_that_nobody_reviewed_are_counted():
    told = document(codes=ReasonCodes(()))
    assert len(told.unmet) == 1
    assert "2 principal reasons were not reviewed by a person: “debt”, “income”" in told.unmet[0]


@pytest.mark.parametrize("profile", PROFILES)
def test_what_nobody_stated_is_shown_as_such_and_asked_for(profile):
    told = document(profile=profile, organisation=Organisation(), facts=ModelFacts())
    required = [key for key in load_profile(profile, "en").required("decision") if key in STATED]
    assert [sentence.startswith("Not stated: ") for sentence in told.unmet] == [True] * len(required)
    shown = {texts[0] for section in told.sections for texts in _not_stated(section)}
    assert shown <= {STATED[key] for key in required}


@pytest.mark.parametrize("profile", PROFILES)
def test_what_the_profile_wants_stated_stands_in_the_report(profile):
    texts = texts_of(document(profile=profile))
    for key in load_profile(profile, "en").required("decision"):
        if key in STATED:
            assert f"stated {key.partition('.')[2]}" in texts, key


def _not_stated(section: Section) -> list:
    lines = [line for block in section.blocks if hasattr(block, "lines") for line in block.lines]
    return [line for line in lines if line[1] == "Not stated"]


def test_a_profile_that_is_not_in_force_on_the_day_is_said_to_be_so():
    profile = dataclasses.replace(load_profile("us_adverse_action", "en"), valid_until="2026-02-01")
    (sentence,) = decision_document(CASE, IDENTITY, dataclasses.replace(materials_of(), profile=profile)).unmet
    assert "not valid on 21 November 2026: it is valid from 1 January 2026 to 1 February 2026" in sentence


@settings(max_examples=12)
@given(st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=40))
def test_the_bars_lead_from_the_reference_to_the_score_however_many_columns(numbers):
    values = {f"c{place}": number for place, number in enumerate(numbers)}
    chart = waterfall(document(case_of(values, ("c0",))))
    assert len(chart.steps) <= MAX_BARS
    total = chart.start.value + math.fsum(bar.value for bar in chart.steps)
    assert math.isclose(total, chart.end.value, rel_tol=1e-9, abs_tol=1e-9)
    assert all((bar.tone == "against") == (bar.value < 0) for bar in chart.steps)


def test_five_hundred_columns_are_shown_in_part_and_the_rest_is_summed():
    values = {f"column {place}": -1.0 - place / 1000 for place in range(500)}
    told = document(case_of(values, ("column 499",)))
    table = [block for block in told.section("reasons_table").blocks if isinstance(block, Table)][-1]
    assert len(table.rows) == 25
    rest = math.fsum(sorted(values.values())[25:])
    assert table.note == f"475 more columns, together −{abs(rest):,.0f}, stand in the evidence pack."
    bars = waterfall(told)
    assert bars.steps[-1].label == "489 other columns"
    assert math.isclose(bars.start.value + math.fsum(bar.value for bar in bars.steps), bars.end.value, rel_tol=1e-12)
    inputs = next(block for block in told.section("inputs").blocks if isinstance(block, Table))
    assert len(inputs.rows) == 500


def test_names_and_values_of_others_are_data_and_never_templates():
    name = "<b>{n_rows}</b> “x” \n=SUM(1) " + "z" * 300
    case = case_of({name: -1.5, "age": 0.1}, (name,))
    told = document(case, codes=ReasonCodes(()))
    assert any(name in text for text in texts_of(told, ["reasons_table"]))
    assert waterfall(told).steps[0].label == name


def test_the_steps_of_the_masks_are_never_called_reasons():
    told = document()
    texts = " ".join(texts_of(told, ["timeline"]))
    assert "They are not reasons" in texts
    heat = next(chart for chart in charts(told.section("timeline")) if isinstance(chart, HeatChart))
    assert heat.values == ((0.75, 0.0), (0.25, 0.0))
    assert heat.rows == ("debt", "age")


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_steps_add_is_told_towards_the_favourable_outcome_whichever_class_the_output_is_of(sign):
    score = CASE.score.value
    line = timeline_of(score)
    turned = dataclasses.replace(
        line,
        base=sign * line.base,
        logits=sign * line.logits,
        steps=tuple(dataclasses.replace(step, contributions=sign * step.contributions) for step in line.steps),
    )
    told = document(dataclasses.replace(CASE, timeline=turned, weights=(sign,)))
    assert told.section("timeline") == document().section("timeline")


def test_of_several_outputs_the_steps_are_told_of_the_score_that_is_made_of_them():
    line = timeline_of(0.3, ("approved", "other", "declined"))
    steps = tuple(
        dataclasses.replace(step, contributions=np.array(added))
        for step, added in zip(line.steps, [(0.5, 0.1, 1.5), (0.25, 0.2, -0.5)], strict=True)
    )
    line = dataclasses.replace(line, base=np.array([0.5, 0.0, 0.25]), steps=steps)
    told = document(dataclasses.replace(CASE, timeline=line, weights=(1.0, 0.0, -1.0)))
    table = next(block for block in told.section("timeline").blocks if isinstance(block, Table))
    assert [row[-2:] for row in table.rows] == [("–", "+0.25"), ("−1.00", "−0.75"), ("+0.75", "0")]
    bars = charts(told.section("timeline"))[1].bars
    assert [(bar.value, bar.tone) for bar in bars] == [(-1.0, "against"), (0.75, "for")]
    assert any("of approved against declined, the likeliest other" in text for text in texts_of(told, ["score"]))


def test_a_quantity_is_told_in_its_own_sign_where_low_is_favourable():
    score = Score(value=-40.0, cutoff=-30.0, margin=-10.0, is_favourable=False, predicted="40", unit="price")
    case = dataclasses.replace(
        CASE, target="price", decision=Decision(cutoff=30.0, is_high_favourable=False), score=score
    )
    told = document(case)
    assert any("the predicted price is 40.0, which misses the cutoff of 30." in text for text in texts_of(told))
    bars = next(chart for chart in charts(told.section("reference")) if chart.title.startswith("This row"))
    assert (bars.bars[0].value, bars.mark) == (40.0, ("cutoff", 30.0))
    assert "low is favourable" in waterfall(told).unit
    values = {"debt": -15.0, "income": -10.0, "age": 5.0}
    case = dataclasses.replace(
        case_of(values), target="price", decision=Decision(cutoff=30.0, is_high_favourable=False), score=score
    )
    case = dataclasses.replace(case, reference=dataclasses.replace(case.reference, mean_score=-20.0))
    told = document(case)
    sums = [text for text in texts_of(told, ["reasons_table"]) if "the mean score" in text and "miss it by" in text]
    assert len(sums) == 1
    assert "20.0, the mean score of the reference population, minus all contributions, −20.0, makes" in sums[0]
    assert "makes the predicted price 40.0, since low is favourable. They miss it by 0.0e+00." in sums[0]
    chart = waterfall(told)
    assert (chart.start.text, chart.end.text) == ("−20.0", "−40.0")  # as on its axis
    assert any("one above 0 lowers the predicted price" in text for text in texts_of(told, ["reasons_table"]))
    assert not any("Low is favourable" in text for text in texts_of(document()))


def test_a_contribution_that_is_not_told_from_0_speaks_for_nothing():
    doubtful = dataclasses.replace(CASE.contributions[1], value=-0.01, standard_error=0.01)
    case = dataclasses.replace(CASE, contributions=(CASE.contributions[0], doubtful, *CASE.contributions[2:]))
    table = next(
        block
        for block in document(case, profile="eu_data_subject").section("data_used").blocks
        if isinstance(block, Table)
    )
    assert [row[-1] for row in table.rows[:2]] == ["speaks against it", "cannot be told from nothing"]


def test_of_several_classes_no_probability_is_read_off_the_score():
    score = dataclasses.replace(CASE.score, cutoff=None, cutoff_share=None)
    line = timeline_of(CASE.score.value, ("approved", "declined"))
    case = dataclasses.replace(
        CASE, decision=Decision(favourable="approved"), score=score, timeline=line, weights=(1.0, -1.0)
    )
    told = document(case)
    texts = texts_of(told)
    assert any("the likeliest of all classes is declined" in text for text in texts)
    assert any("of approved against declined, the likeliest other class of this row" in text for text in texts)
    assert waterfall(told).mark is None


def test_the_outcome_of_an_approved_row_speaks_for_it():
    score = dataclasses.replace(CASE.score, value=2.0, margin=2.0, is_favourable=True, predicted="approved", share=0.9)
    told = document(dataclasses.replace(CASE, score=score))
    texts = texts_of(told)
    assert any(text.startswith("What spoke most for this outcome") for text in texts)
    assert not any("against approval" in text for text in texts)
    assert any("does not apply to it" in text for text in texts_of(told, ["action"]))


def test_a_reason_that_turns_when_it_is_changed_alone_is_said_to_depend_on_others():
    reasons = (dataclasses.replace(CASE.reasons[0], moved=-0.2), *CASE.reasons[1:])
    told = document(dataclasses.replace(CASE, reasons=reasons))
    assert any("“debt” moves the score the other way" in text for text in texts_of(told, ["reasons_table"]))
    assert not any("the other way" in text for text in texts_of(document(), ["reasons_table"]))


@pytest.mark.parametrize(("share", "word"), [(1.0, "Firm"), (0.9, "Firm"), (0.8, ""), (0.6, ""), (0.5, "Not firm")])
def test_how_firm_a_reason_is_follows_its_weakest_cause(share, word):
    kept = (Kept(cause="a", share=1.0, n_repetitions=10), Kept(cause="b", share=share, n_repetitions=10))
    reasons = tuple(dataclasses.replace(reason, kept=kept) for reason in CASE.reasons)
    texts = texts_of(document(dataclasses.replace(CASE, reasons=reasons)), ["reasons_table"])
    found = [text.split(",")[0] for text in texts if text.endswith(": “debt”, “income”.")]
    assert found == ([word] if word else [])


def test_few_repetitions_make_no_reason_firm_or_shaky():
    for share in (1.0, 0.0):
        kept = (Kept(cause="a", share=1.0, n_repetitions=10), Kept(cause="b", share=share, n_repetitions=1))
        reasons = tuple(dataclasses.replace(reason, kept=kept) for reason in CASE.reasons)
        texts = texts_of(document(dataclasses.replace(CASE, reasons=reasons)), ["reasons_table"])
        assert not any(text.startswith(("Firm", "Not firm")) for text in texts)


@pytest.mark.parametrize(("share", "is_warned"), [(1.0, False), (0.9, False), (0.1, True)])
def test_an_outcome_that_small_changes_turn_is_warned_of(share, is_warned):
    kept = Kept(cause="numbers moved", share=share, n_repetitions=10)
    told = document(dataclasses.replace(CASE, outcome_kept=kept)).section("reasons_table")
    found = [block for block in told.blocks if "The outcome itself stayed in" in getattr(block, "text", "")]
    assert [isinstance(block, Callout) for block in found] == [is_warned]


def test_missing_and_unseen_cells_are_named_and_nothing_is_said_to_be_imputed():
    cells = (
        dataclasses.replace(CASE.cells[0], state="missing", received="", shown=""),
        dataclasses.replace(CASE.cells[1], state="unseen"),
        *CASE.cells[2:],
    )
    told = document(dataclasses.replace(CASE, cells=cells), profile="eu_data_subject")
    texts = texts_of(told, ["inputs"])
    assert any("“debt”" in text and "not imputed" in text for text in texts)
    assert any("training never saw: “income”" in text for text in texts)
    assert any("learned nothing about it" in text for text in texts_of(told, ["data_used"]))


def test_settings_within_settings_are_all_shown():
    lines = texts_of(document(), ["settings"])
    for text in ("evaluations a row", "70", "nested: seed", "3", "nested: exact", "yes", "1, 2, 3"):
        assert text in lines


@given(st.floats(0.001, 0.999), st.floats(0.001, 0.999), st.floats(-1e-9, 1e-9))
def test_a_rounded_share_stays_on_its_side_of_the_cutoff(share, cutoff, near):
    for value in (share, cutoff + near, cutoff):
        read = float(share_beside(value, cutoff).removesuffix(" %"))
        assert (read > cutoff * 100) == (value * 100 > cutoff * 100)
        assert (read < cutoff * 100) == (value * 100 < cutoff * 100)


@given(st.floats(-1e6, 1e6), st.floats(-1e-6, 1e-6))
def test_a_rounded_quantity_stays_on_its_side_of_the_cutoff(cutoff, near):
    for value in (cutoff + near, cutoff, 2 * cutoff):
        read = float(quantity_beside(value, cutoff).replace("−", "-").replace(",", ""))
        assert ((read > cutoff), (read < cutoff)) == ((value > cutoff), (value < cutoff))


@given(st.floats(-9.0, 9.0), st.floats(-1e-7, 1e-7))
def test_a_rounded_score_stays_on_its_side_of_the_cutoff_as_it_is_shown(cutoff, near):
    shown = float(level_exact(cutoff).replace("−", "-"))
    for value in (cutoff + near, cutoff, 2 * cutoff, 0.0):
        read = float(level_beside(value, cutoff).replace("−", "-"))
        assert ((read > shown), (read < shown)) == ((value > shown), (value < shown))


@given(st.floats(0.0, 1.0), st.floats(0.001, 0.999), st.floats(-1e-9, 1e-9))
def test_a_probability_in_full_stays_on_its_side_of_the_cutoff(share, cutoff, near):
    for value in (share, cutoff + near, cutoff):
        read = float(share_in_full(value, cutoff).removesuffix(" %"))
        assert ((read > cutoff * 100), (read < cutoff * 100)) == (
            (value * 100 > cutoff * 100),
            (value * 100 < cutoff * 100),
        )


def test_an_outcome_just_below_the_cutoff_does_not_seem_to_keep_it():
    score = dataclasses.replace(CASE.score, share=0.49996)
    assert any(
        "is 49.996 %, and a row is approved from 50 % only" in text
        for text in texts_of(document(dataclasses.replace(CASE, score=score)))
    )
