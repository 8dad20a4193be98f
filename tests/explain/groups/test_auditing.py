"""Audits by group: planted differences are found, noise is not, small groups are flagged and kept."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats.contingency import relative_risk

from tabnet_engine.config import ModelConfig, TrainingConfig
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Target, Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import DamagedRunError, ExplanationError, SchemaError
from tabnet_engine.explain.archetype_finding import find_archetypes
from tabnet_engine.explain.groups.audit import MEASURES, GroupAudit
from tabnet_engine.explain.groups.auditing import audit_groups, audit_run
from tabnet_engine.explain.groups.decision import Decision
from tabnet_engine.explain.groups.differences import group_differences
from tabnet_engine.explain.groups.membership import groups_of_column
from tabnet_engine.explain.groups.spread import AttributionSpread, attribution_spread
from tabnet_engine.explain.groups.stored import has_group_audits, load_group_audits, save_group_audits
from tabnet_engine.explain.masks import explain_masks
from tabnet_engine.explain.row_outcomes import row_outcomes
from tabnet_engine.explain.row_parts import RowParts, intersection
from tabnet_engine.explain.subject import ChosenRows, Subject
from tabnet_engine.runs.artefact import DatasetRef, save_run
from tabnet_engine.texts.speaking import speaking
from tabnet_engine.training.experiment import train_model
from tabnet_engine.training.metrics import evaluate

BINARY = TargetCodec(name="decision", task=Task.BINARY, classes=("declined", "approved"))
THREE = TargetCodec(name="kind", task=Task.MULTICLASS, classes=("a", "b", "c"))
NUMBER = TargetCodec(name="price", task=Task.REGRESSION)
N = 3_000


def people(codec, seed=0, shift=0.0, n=N):
    """Groups big, other and few (12 rows); the predictions of "other" are shifted by ``shift``."""
    generator = np.random.default_rng(seed)
    codes = (generator.random(n) < 0.3).astype(np.int64)
    codes[:12] = 2
    logits = generator.normal(size=(n, len(codec.outputs)))
    if codec.task is Task.REGRESSION:
        y = logits[:, 0] + generator.normal(size=n)
    elif codec.task is Task.BINARY:
        y = (generator.random(n) < 1 / (1 + np.exp(-logits[:, 0]))).astype(np.int64)
    else:
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        y = (generator.random((n, 1)) > shares.cumsum(axis=1)).sum(axis=1)
    logits[codes == 1, 0] += shift
    return y, logits, RowParts(title="sex", names=("big", "other", "few"), codes=codes, columns=("sex",))


@pytest.mark.parametrize("codec", [BINARY, THREE, NUMBER])
def test_a_group_with_a_shifted_calibration_is_found_first(codec):
    audit = audit_groups(codec, *people(codec, shift=0.8), decision=Decision.of(codec))
    first = audit.differences[0]
    assert first.is_told_apart
    assert first.group in {"other", "big"}
    calibrated = [found for found in audit.differences if found.group == "other" and "calibration" in found.measure]
    name = "calibration_in_the_large: a" if codec is THREE else "calibration_in_the_large"
    shifted = next(found for found in calibrated if found.measure == name)
    assert shifted.difference.high < 0  # predicted too high: outcomes fall below
    assert audit.group("other").measures[name].high < 0
    assert any("other: outcomes minus predictions" in sentence for sentence in audit.sentences)


@pytest.mark.parametrize("codec", [BINARY, THREE, NUMBER])
def test_without_a_difference_none_is_told_apart(codec):
    alarms = 0
    for seed in range(20):
        y, logits, parts = people(codec, seed=seed, n=600)
        alarms += any(found.is_told_apart for found in group_differences(codec, y, logits, parts))
    assert alarms <= 3  # 1 of 20 expected


def test_selection_rates_and_errors_by_hand():
    y = np.array([1, 1, 1, 0, 0, 1, 0, -1, 1])
    p = np.array([0.9, 0.4, 0.8, 0.7, 0.1, 0.8, 0.2, 0.9, 0.3])
    parts = RowParts(title="sex", names=("m", "f"), codes=np.repeat([0, 1], [5, 4]))
    logits = np.log(p / (1 - p))[:, None]
    audit = audit_groups(BINARY, y, logits, parts, decision=Decision.of(BINARY), reference="f")
    man = audit.group("m").measures
    assert man["selection_rate"].value == 0.6
    assert man["favourable_rate"].value == 0.6
    assert man["false_positive_rate"].value == 0.5
    assert man["false_negative_rate"].value == pytest.approx(1 / 3)
    assert man["selection_ratio"].value == pytest.approx(0.6 / 0.5)
    assert man["selection_difference"].value == pytest.approx(0.1)
    woman = audit.group("f")
    assert (woman.n_rows, woman.n_known, woman.is_small) == (4, 3, True)
    assert woman.measures["selection_rate"].n == 4  # the row without an outcome is selected or not all the same
    assert woman.measures["selection_ratio"].how == "the reference group itself"
    assert audit.decision == "the probability of approved is at least 0.5"


def counted_groups(selected: int, n: int, others: int, m: int):
    """The measures of a group of ``n`` rows beside a reference group of ``m``."""
    chosen = np.r_[np.arange(n) < selected, np.arange(m) < others]
    parts = RowParts(title="sex", names=("m", "f"), codes=np.repeat([0, 1], [n, m]))
    y = np.arange(n + m) % 2
    logits = np.where(chosen, 1.0, -1.0)[:, None]
    return audit_groups(BINARY, y, logits, parts, decision=Decision.of(BINARY), reference="f").group("m").measures


def test_a_ratio_of_five_who_are_all_selected_is_not_known_exactly():
    ratio = counted_groups(5, 5, 180, 200)["selection_ratio"]
    assert ratio.low < 0.7
    assert ratio.high > 1.0
    everybody = counted_groups(3, 3, 100, 100)["selection_ratio"]
    assert everybody.low < 0.6
    assert everybody.high > 1.0


def test_ratio_and_difference_have_the_intervals_of_their_sources():
    selected = np.r_[np.ones(56), np.zeros(14), np.ones(48), np.zeros(32)]
    parts = RowParts(title="sex", names=("m", "f"), codes=np.repeat([0, 1], [70, 80]))
    logits = np.where(selected, 1.0, -1.0)[:, None]
    y = np.arange(150) % 2
    found = audit_groups(BINARY, y, logits, parts, decision=Decision.of(BINARY), reference="f").group("m").measures
    expected = relative_risk(56, 70, 48, 80).confidence_interval()
    ratio, difference = found["selection_ratio"], found["selection_difference"]
    # With many rows selected and many not, much as the interval of Katz.
    assert (ratio.low, ratio.high) == pytest.approx((expected.low, expected.high), rel=0.02)
    # Newcombe 1998, table II, example (a), method 10.
    assert (round(difference.low, 4), round(difference.high, 4)) == (0.0524, 0.3339)


def test_the_favourable_class_may_be_the_other_one_and_the_cutoff_the_users():
    y, logits, _ = people(BINARY)
    declined = Decision.of(BINARY, favourable="declined", cutoff=0.3)
    probability = 1 / (1 + np.exp(logits[:, 0]))
    np.testing.assert_array_equal(declined.selected(BINARY, logits), probability >= 0.3)
    np.testing.assert_array_equal(declined.deserved(BINARY, y), y == 0)
    low = Decision.of(NUMBER, cutoff=0.0, is_high_favourable=False)
    np.testing.assert_array_equal(low.selected(NUMBER, logits), logits[:, 0] <= 0)
    assert low.words == "the prediction is at most 0"
    several = Decision.of(THREE, favourable="b")
    np.testing.assert_array_equal(several.selected(THREE, np.eye(3)), [False, True, False])
    assert Decision.of(THREE) is None
    assert Decision.of(NUMBER) is None


@pytest.mark.parametrize(
    ("codec", "options", "said"),
    [
        (BINARY, {"favourable": "maybe"}, "'maybe' is no class"),
        (BINARY, {"cutoff": 1.5}, "between 0 and 1"),
        (NUMBER, {"favourable": "high"}, "is a quantity"),
        (THREE, {"cutoff": 0.5}, "say which class"),
    ],
)
def test_decisions_that_make_no_sense_are_refused(codec, options, said):
    with pytest.raises(ExplanationError, match=said):
        Decision.of(codec, **options)


def test_a_low_ratio_is_said_and_a_group_of_nobody_selected_too():
    generator = np.random.default_rng(0)
    p = np.r_[generator.random(300) * 0.4 + 0.4, generator.random(300) * 0.3 + 0.3, np.full(60, 0.1)]
    parts = RowParts(title="sex", names=("m", "f", "x"), codes=np.repeat([0, 1, 2], [300, 300, 60]))
    y = (generator.random(660) < p).astype(np.int64)
    audit = audit_groups(BINARY, y, np.log(p / (1 - p))[:, None], parts, decision=Decision.of(BINARY), reference="m")
    ratio = audit.group("f").measures["selection_ratio"]
    assert ratio.high < 0.8
    assert any("f is selected" in text and "whole interval lies below" in text for text in audit.sentences)
    assert audit.group("x").measures["selection_ratio"].low is None
    assert "x: nobody is selected." in audit.sentences
    difference = audit.group("x").measures["selection_difference"]
    assert difference.high < 0
    assert audit.group("m").measures["selection_difference"].value == 0


def test_small_groups_are_flagged_and_never_dropped():
    audit = audit_groups(BINARY, *people(BINARY), decision=Decision.of(BINARY))
    assert [group.name for group in audit.groups] == ["big", "other", "few"]
    assert [group.is_small for group in audit.groups] == [False, False, True]
    assert any("few (12)" in sentence for sentence in audit.sentences)
    assert sum(group.n_rows for group in audit.groups) == audit.everyone.n_rows == N
    wide, narrow = audit.group("few").measures["accuracy"], audit.group("big").measures["accuracy"]
    assert wide.high - wide.low > 4 * (narrow.high - narrow.low)


def test_the_interval_of_a_small_group_is_that_of_its_own_few_rows():
    y, logits, parts = people(NUMBER)
    found = next(one for one in group_differences(NUMBER, y, logits, parts) if one.group == "few")
    inside = parts.codes == 2
    values = (logits[:, 0] - y) ** 2 if found.measure == "loss" else y - logits[:, 0]
    error = np.sqrt(values[inside].var(ddof=1) / 12 + values[~inside].var(ddof=1) / (N - 12))
    half = (found.difference.high - found.difference.low) / 2
    assert half >= stats.t.ppf(0.975, 11) * error * (1 - 1e-9)
    assert found.difference.value == pytest.approx(values[inside].mean() - values[~inside].mean())


def test_ten_rows_that_happen_to_be_alike_are_not_told_apart():
    y, logits, parts = people(BINARY, n=600)
    codes = np.zeros(600, dtype=np.int64)
    alike = np.flatnonzero((y == 1) & (logits[:, 0] > 0))[:10]
    codes[alike] = 1
    again = dataclasses.replace(parts, names=("a", "b"), codes=codes)
    selected = logits[:, 0] > 0
    found = group_differences(BINARY, y, logits, again, selected)
    sure = [one for one in found if one.measure == "selection_rate" and one.group == "b"]
    assert sure[0].difference.value > 0.4
    assert sure[0].p_adjusted > 0.001  # ten equal rows have no variance, and are still no certainty
    codes[alike[:5]] = 0
    few = group_differences(BINARY, y, logits, dataclasses.replace(again, codes=codes), selected)
    assert not few


@pytest.mark.parametrize("codec", [BINARY, THREE, NUMBER])
def test_an_audit_survives_json_and_names_only_known_measures(codec):
    audit = audit_groups(codec, *people(codec, n=200), decision=Decision.of(codec), selection="200 rows")
    text = json.dumps(audit.to_mapping(), allow_nan=False)
    again = GroupAudit.from_mapping(json.loads(text))
    assert json.dumps(again.to_mapping()) == text
    assert again.sentences == audit.sentences
    assert {name.partition(": ")[0] for name in audit.table()["measure"]} <= set(MEASURES)
    assert "Every interval covers 95 %" in audit.note


def test_names_that_the_program_gave_are_shown_in_the_reader_s_language_and_others_are_not():
    y, logits, _ = people(BINARY, n=120)
    frame = pd.DataFrame({"word": ["missing", None, "x"] * 40, "age": np.arange(120.0)})
    schema = FeatureSchema(columns=(Column(name="word", kind=Kind.CATEGORY), Column(name="age", kind=Kind.NUMBER)))
    by_word, by_age = groups_of_column(frame, schema, "word"), groups_of_column(frame, schema, "age", cuts=[30])
    for parts, known, in_chinese in (
        (by_word, "missing", "missing"),
        (by_age, "under 30", "小于 30"),
        (intersection(by_word, by_age), "word = missing, age = under 30", "word = missing, age = 小于 30"),
    ):
        audit = audit_groups(BINARY, y, logits, parts, decision=Decision.of(BINARY), reference=known)
        again = GroupAudit.from_mapping(json.loads(json.dumps(audit.to_mapping())))
        assert again.name_shown(known) == known
        assert known in again.note
        small = next(sentence for sentence in again.sentences if sentence.startswith("Fewer than 50"))
        with speaking("zh"):
            assert again.name_shown(known) == in_chinese
            assert f"{in_chinese} (" in "".join(again.sentences)
            assert in_chinese in again.note
            assert again.title == ("word 与 age" if len(parts.columns) == 2 else parts.title)
        assert f"{known} (" in small
        older = {key: value for key, value in audit.to_mapping().items() if key not in ("pieces", "columns")}
        assert GroupAudit.from_mapping(older).pieces is None


def test_what_cannot_be_compared_is_refused():
    y, logits, parts = people(BINARY, n=20)
    with pytest.raises(ExplanationError, match="'x' is no group of sex"):
        audit_groups(BINARY, y, logits, parts, reference="x")
    with pytest.raises(ExplanationError, match="no row to compare"):
        audit_groups(BINARY, y[:0], logits[:0], parts.take(np.zeros(0, dtype=np.int64)))
    with pytest.raises(ValueError, match="same rows"):
        audit_groups(BINARY, y[:5], logits, parts)
    many = RowParts(title="id", names=tuple(map(str, range(201))), codes=np.arange(201))
    with pytest.raises(ExplanationError, match="201 groups, too many"):
        audit_groups(BINARY, np.ones(201, dtype=np.int64), np.zeros((201, 1)), many)


def test_rows_without_any_outcome_still_have_selection_rates():
    _, logits, parts = people(BINARY, n=50)
    audit = audit_groups(BINARY, np.full(50, -1), logits, parts, decision=Decision.of(BINARY))
    assert audit.everyone.measures["auc"].value is None
    assert audit.everyone.measures["selection_rate"].n == 50


def test_attributions_by_group_by_hand(cases):
    values = np.arange(24.0).reshape(4, 3, 2) - 10
    attribution = cases.attribution(values, rows=np.array([5, 6, 7, 99]))
    parts = RowParts(title="sex", names=("m", "f", "x"), codes=np.array([0, 0, 1, 2]))
    spread = attribution_spread(attribution, np.array([5, 6, 7, 8]), parts)
    assert spread.n_rows == (2, 1, 0)
    np.testing.assert_allclose(spread.mean[0], values[:2].mean(axis=0))
    np.testing.assert_allclose(spread.size[0], np.abs(values[:2]).mean(axis=0))
    assert spread.mean_estimate("m", "f0", "o0").low < spread.mean_estimate("m", "f0", "o0").value
    assert spread.size_estimate("f", "f1", "o1").low is None
    assert spread.mean_estimate("x", "f0", "o0").value is None
    again = AttributionSpread.from_mapping(json.loads(json.dumps(spread.to_mapping(), allow_nan=False)))
    np.testing.assert_array_equal(again.size, spread.size)
    one = attribution_spread(attribution, np.array([5, 6, 7, 8]), parts, slice(1, 2))
    np.testing.assert_allclose(one.mean[..., 0], spread.mean[..., 1])
    with pytest.raises(ExplanationError, match="none of the rows"):
        attribution_spread(attribution, np.array([1, 2, 3, 4]), parts)


def test_a_run_is_measured_on_its_held_out_rows_and_keeps_the_audit(run, frame, cases):
    parts = groups_of_column(frame, run.schema, "job")
    values = np.zeros((2, 4, 1))
    explained = cases.attribution(values, rows=run.splits.test[:2])
    audit = audit_run(run, frame, parts, attribution=explained)
    assert audit.everyone.n_rows == len(run.splits.test)
    assert audit.selection.endswith("test rows")
    assert audit.is_feature
    assert audit.run_id == run.run_id
    assert sum(audit.attribution.n_rows) == 2
    crossed = audit_run(run, frame, intersection(parts, groups_of_column(frame, run.schema, "age", cuts=[50])))
    assert crossed.column == "job and age"
    assert any(group.name.startswith("job = ") and "age = missing" in group.name for group in crossed.groups)

    extra = frame.assign(city=["a", "b"] * 30)
    outside = audit_run(run, extra, groups_of_column(extra, run.schema, "city"))
    assert not outside.is_feature
    assert not any("reads city" in sentence for sentence in outside.sentences)

    short = frame.iloc[:3]
    with pytest.raises(ExplanationError, match=r"the table has 3 rows, but the run was trained on"):
        audit_run(run, short, groups_of_column(short, run.schema, "job"))

    saved = save_group_audits(run, [audit, outside])
    assert [one.column for one in load_group_audits(saved)] == ["job", "city"]
    assert not has_group_audits(run)
    with pytest.raises(ExplanationError, match="no comparison of groups"):
        load_group_audits(run)
    saved.path("explanations/groups.json").write_text("[]")
    with pytest.raises(DamagedRunError):
        load_group_audits(saved)


@pytest.fixture(scope="module")
def two_targets(tmp_path_factory):
    """A run that predicts a class of three and a quantity, and its table."""
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"age": generator.integers(18, 80, 90), "sex": generator.choice(["f", "m"], 90)})
    frame["plan"] = generator.choice(["a", "b", "c"], 90)
    frame["price"] = frame["age"] * 10.0 + generator.normal(size=90)
    features = (Column(name="age", kind=Kind.NUMBER), Column(name="sex", kind=Kind.CATEGORY))
    plan = Column(name="plan", kind=Kind.CATEGORY, role=Role.TARGET)
    price = Column(name="price", kind=Kind.NUMBER, role=Role.TARGET)
    heads = (
        Target(name="plan", task=Task.MULTICLASS, classes=("a", "b", "c")),
        Target(name="price", task=Task.REGRESSION),
    )
    schema = FeatureSchema(columns=(*features, plan, price), task=Task.MULTITASK, heads=heads)
    settings = TrainingConfig(max_epochs=2, batch_size=32, device="cpu")
    model = train_model(frame, schema, ModelConfig(n_d=4, n_a=4, n_steps=2, n_bins=4), settings)
    reference = DatasetRef(sha256="ab" * 32, name="plans.csv", n_rows=90, n_columns=4)
    folder = tmp_path_factory.mktemp("runs") / "plans"
    return save_run(model, folder, dataset=reference, read_options={}, title="plans"), frame


def test_of_several_targets_each_is_looked_at_by_its_own_outputs(two_targets, cases):
    run, frame = two_targets
    parts = groups_of_column(frame, run.schema, "sex")
    plan, price = audit_run(run, frame, parts, target="plan"), audit_run(run, frame, parts, target="price")
    assert (plan.target, plan.decision, price.task) == ("plan", "", Task.REGRESSION)
    assert "calibration or error" in price.sentences[0]
    rows = run.splits.test
    logits = Subject.of_run(run).logits(run.encoder.transform(frame.iloc[rows]))
    expected = evaluate(Task.REGRESSION, frame["price"].to_numpy()[rows], logits[:, 3:], ())["rmse"]
    assert price.everyone.measures["rmse"].value == pytest.approx(expected)
    values = cases.attribution(np.ones((len(rows), 2, 4)), rows=rows)
    of_price = audit_run(run, frame, parts, target="price", attribution=values)
    assert of_price.attribution.outputs == ("o3",)
    with pytest.raises(SchemaError, match="'cost' is no target"):
        audit_run(run, frame, parts, target="cost")

    chosen = ChosenRows(run.encoder.transform(frame), np.arange(90), "all rows")
    masks = explain_masks(Subject.of_run(run), chosen)
    known = {}
    for name in run.targets.names:
        codec, place = run.targets.of(name)
        known[name] = row_outcomes(codec, run.splits, frame, masks.rows, masks.logits, place=place)
    rates = find_archetypes(masks, known).archetypes[0].rates
    assert [one.target for one in rates] == ["plan", "price"]
    assert set(rates[0].actual) == {"a", "b", "c"}
    assert set(rates[1].actual) == {"mean"}


def test_a_table_without_the_target_is_audited_for_selection_only(run, frame):
    bare = frame.drop(columns="bought")
    audit = audit_run(run, bare, groups_of_column(bare, run.schema, "member"))
    assert audit.everyone.n_known == 0
    assert audit.everyone.measures["selection_rate"].value is not None
