"""PDP, ICE and ALE against their oracles: additive terms, slopes, products, categories, dates, missing cells."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.schema import Kind, Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.effects.accumulated import accumulated_effects
from tabnet_engine.explain.effects.curve import EffectCurve
from tabnet_engine.explain.effects.partial import partial_dependence

CURVES = [partial_dependence, accumulated_effects]


def correlated(n_rows: int, rho: float, n_columns: int = 2, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    common = generator.normal(size=(n_rows, 1))
    return np.sqrt(rho) * common + np.sqrt(1 - rho) * generator.normal(size=(n_rows, n_columns))


def centred(curve: EffectCurve, term: np.ndarray) -> np.ndarray:
    return term - curve.points.weights @ term


@pytest.mark.parametrize("of", CURVES)
def test_the_effect_of_a_column_of_an_additive_model_is_its_term(numbers, of):
    values = np.random.default_rng(0).normal(size=(400, 3))
    source = numbers(values, lambda x: 2 * x[:, 0] + np.abs(x[:, 1]) + 5)
    for feature, term in (("x0", lambda x: 2 * x), ("x1", np.abs), ("x2", np.zeros_like)):
        curve = of(source, feature)
        expected = centred(curve, term(curve.points.places))
        np.testing.assert_allclose(curve.effect.values[:, 0], expected, atol=1e-5)
        if of is partial_dependence:  # every row has the same curve: no row is needed to be sure
            np.testing.assert_allclose(curve.effect.low, curve.effect.high, atol=1e-5)
    assert of(source, "x2").spread[0] == 0


@given(slope=st.floats(-3, 3), rho=st.floats(0, 0.98), seed=st.integers(0, 20))
@settings(max_examples=15, deadline=None)
def test_ale_of_a_linear_model_is_its_slope_under_any_correlation(numbers, slope, rho, seed):
    source = numbers(correlated(120, rho, seed=seed), lambda x: slope * x[:, 0] - x[:, 1])
    curve = accumulated_effects(source, "x0", n_points=8)
    steps = np.diff(curve.effect.values[:, 0]) / np.diff(curve.points.places)
    np.testing.assert_allclose(steps, slope, atol=1e-3)


def test_pdp_extrapolates_where_ale_stays_on_the_data_and_says_so(numbers):
    generator = np.random.default_rng(0)
    values = generator.uniform(-2, 2, (600, 1)) + 0.1 * generator.normal(size=(600, 2))
    # Linear where the rows are; a cliff where no row ever is.
    source = numbers(values, lambda x: x[:, 0] + 50 * (np.abs(x[:, 0] - x[:, 1]) > 1.5))
    local = accumulated_effects(source, "x0")
    np.testing.assert_allclose(np.diff(local.effect.values[:, 0]) / np.diff(local.points.places), 1, atol=1e-3)
    partial = partial_dependence(source, "x0")
    assert np.abs(partial.effect.values[:, 0] - centred(partial, partial.points.places)).max() > 5
    assert partial.extrapolates.all()
    assert partial.judged_with == ("x1",)
    assert "rows that do not occur" in " ".join(partial.sentences)
    assert not local.extrapolates.any()


def test_independent_columns_are_not_called_off_the_data(numbers):
    values = np.random.default_rng(1).normal(size=(600, 4))
    curve = partial_dependence(numbers(values, lambda x: x[:, 0]), "x0")
    assert not curve.extrapolates.any()
    assert curve.judged_with == ()


def test_a_looser_bond_leaves_the_data_at_the_ends_only(numbers):
    values = correlated(1_000, 0.7, n_columns=6)
    values[:, 2:] = np.random.default_rng(2).normal(size=(1_000, 4))
    curve = partial_dependence(numbers(values, lambda x: x[:, 0]), "x0", n_points=9)
    assert curve.judged_with == ("x1",)  # the columns that have nothing to do with it do not hide it
    assert curve.extrapolates[[0, -1]].all()
    assert not curve.extrapolates[3:6].any()


def test_the_share_off_the_data_of_two_equal_columns_is_known(numbers):
    values = np.repeat(np.random.default_rng(0).normal(size=(1_000, 1)), 2, axis=1)
    shares = partial_dependence(numbers(values, lambda x: x[:, 0]), "x0", n_points=9).off_data
    # A row is near within 5 % of the ranks, along the diagonal: 1 - 2 * 0.05 * sqrt(2) of them are away.
    np.testing.assert_allclose(shares[2:7], 0.86, atol=0.07)


def test_values_between_repeated_ones_are_not_strange(numbers):
    generator = np.random.default_rng(0)
    levels = generator.integers(0, 60, size=3_000)
    values = np.stack([levels, levels + generator.integers(-1, 2, 3_000)], axis=1).astype(float)
    shares = partial_dependence(numbers(values, lambda x: x[:, 0]), "x0", n_points=20).off_data
    # Only the 3 levels next to a row's own occur; those within 5 % of the ranks are not called strange.
    assert shares[3:-3].mean() == pytest.approx(1 - 2 * (0.05 * np.sqrt(2) + 1 / 60), abs=0.05)
    assert shares[3:-3].mean() < 1 - 3 / 60 - 0.05


def test_rows_of_a_product_show_in_single_curves_what_the_average_hides(numbers):
    values = np.random.default_rng(0).normal(size=(300, 2))
    values[:, 1] -= values[:, 1].mean()
    curve = partial_dependence(numbers(values, lambda x: x[:, 0] * x[:, 1]), "x0", n_row_curves=20)
    assert np.abs(curve.effect.values).max() < 1e-5
    assert len(curve.row_curves.rows) == 20
    for row, scores, own in zip(curve.row_curves.rows, curve.row_curves.scores, curve.row_curves.own, strict=True):
        x0, x1 = values[row - 100]
        np.testing.assert_allclose(scores[:, 0], curve.points.places * x1, atol=1e-5)
        assert own == np.abs(curve.points.places - x0).argmin()
    assert (curve.effect.high - curve.effect.low).max() > 0.1


@pytest.mark.parametrize("of", CURVES)
def test_intervals_cover_the_effect_of_all_rows(numbers, of):
    everyone = np.random.default_rng(9).normal(size=(20_000, 2))

    def score(x):
        return x[:, 0] * (x[:, 1] > 0) * 2

    # The share of rows above 0 decides the slope: 1 in the long run.
    hits = []
    for seed in range(60):
        rows = everyone[np.random.default_rng(seed).choice(len(everyone), 150, replace=False)]
        curve = of(numbers(rows, score), "x0", n_points=6)
        truth = centred(curve, curve.points.places)
        hits.append((curve.effect.low[:, 0] <= truth) & (truth <= curve.effect.high[:, 0]))
    covered = np.mean(hits, axis=0)
    assert 0.86 <= covered.mean() <= 0.995


def test_numbers_dates_categories_and_missing_cells_each_have_their_points(mixed):
    source = mixed(lambda t: np.nan_to_num(t.numeric[:, 0], nan=3) + t.categorical[:, 0])
    age = partial_dependence(source, "age", n_points=5)
    assert len(age.points) == 6
    assert age.points.labels[-1] == "missing"
    assert age.points.counts.sum() == len(source.frame)
    assert age.points.counts[-1] == source.frame["age"].isna().sum()
    joined = partial_dependence(source, "joined", n_points=4)
    assert joined.points.kind is Kind.DATETIME
    assert joined.points.labels[0].startswith("2020-01-0")
    assert joined.effect.values.max() == 0
    job = partial_dependence(source, "job")
    assert job.points.labels == ("apprentice", "clerk", "manager", "retired", "missing")
    np.testing.assert_allclose(np.diff(job.effect.values[:, 0]), [1, 1, 1, -5])
    assert partial_dependence(source, "member").points.labels == ("False", "True")


def test_ale_counts_rows_without_a_place_and_puts_like_categories_side_by_side(mixed):
    source = mixed(lambda t: t.categorical[:, 0] * 1.0)
    job = accumulated_effects(source, "job")
    assert set(job.points.labels[:2]) == {"apprentice", "clerk"}  # by age, not by spelling
    assert job.n_without_place == source.frame["job"].isna().sum()
    assert "have no place on this curve" in " ".join(job.sentences)
    code = {"apprentice": 0, "clerk": 1, "manager": 2, "retired": 3}
    expected = centred(job, np.array([float(code[label]) for label in job.points.labels]))
    np.testing.assert_allclose(job.effect.values[:, 0], expected)
    age = accumulated_effects(source, "age")
    assert age.n_without_place == source.frame["age"].isna().sum()
    assert len(accumulated_effects(source, "joined").points) == 20
    assert accumulated_effects(source, "member").points.labels == ("False", "True")


def test_a_step_between_categories_counts_the_rows_of_both(mixed):
    frame = mixed.frame().assign(member=lambda table: table["age"] > 50)
    source = mixed(lambda t: (t.categorical[:, 1] == 3) * (np.nan_to_num(t.numeric[:, 0], nan=-9) > 0), frame)
    young = source.encoded().numeric[:, 0]
    curve = accumulated_effects(source, "member")
    assert np.diff(curve.effect.values[:, 0]) == pytest.approx(np.mean(np.nan_to_num(young, nan=-9) > 0))


def test_points_are_values_that_occur(mixed):
    source = mixed(lambda t: t.categorical[:, 0] * 1.0)
    for of in CURVES:
        places = of(source, "age", n_points=7).points.places
        assert set(places[np.isfinite(places)]) <= set(source.frame["age"])


def test_categories_are_ordered_by_their_rows_not_by_their_names(mixed):
    frame = mixed.frame()
    names = {"apprentice": "d", "clerk": "a", "manager": "c", "retired": "b"}
    renamed = frame.assign(job=frame["job"].map(names).astype("str"))
    order = accumulated_effects(mixed(lambda t: t.categorical[:, 0] * 1.0, renamed), "job").points.labels
    assert order in (("d", "a", "c", "b"), ("b", "c", "a", "d"))


def test_probabilities_are_asked_for_and_a_regression_has_none(mixed, numbers):
    logits = partial_dependence(mixed(lambda t: t.categorical[:, 1] * 2.0), "member")
    shares = partial_dependence(mixed(lambda t: t.categorical[:, 1] * 2.0, scale="probability"), "member")
    both = shares.level.values + shares.effect.values[:, 0]
    np.testing.assert_allclose(both, 1 / (1 + np.exp(-(logits.level.values + logits.effect.values[:, 0]))))
    with pytest.raises(ExplanationError, match="no probabilities"):
        numbers(np.zeros((3, 1)), lambda x: x[:, 0], scale="probability")


def test_several_targets_keep_their_units_and_classes_sum_to_one(mixed):
    targets = TargetCodecs(
        (TargetCodec("kind", Task.MULTICLASS, ("a", "b", "c")), TargetCodec("price", Task.REGRESSION))
    )

    def function(table):
        number = np.nan_to_num(table.numeric[:, 0].astype(float))
        return np.stack([number, -number, 2 * number, 1_000 * number], axis=1)

    source = mixed(function, outputs=targets.outputs, targets=targets, scale="probability")
    for of in CURVES:
        curve = of(source, "age")
        np.testing.assert_allclose(curve.effect.values[:, :3].sum(axis=1), 0, atol=1e-9)
        np.testing.assert_allclose(curve.level.values[:3].sum(), 1)
        assert np.ptp(curve.effect.values[:, 3]) > 1_000


@pytest.mark.parametrize("of", CURVES)
def test_one_row_one_value_and_a_rare_category_are_told(mixed, of):
    source = mixed(lambda t: t.categorical[:, 0] * 1.0)
    few = source.take(np.arange(10, 16), "six rows")
    curve = of(few, "member")
    assert curve.points.thin.all()
    assert "2 of 2 points (False, True) rest on fewer than 10 rows" in " ".join(curve.sentences)
    one = dataclasses.replace(curve.points, counts=np.array([3, 500]))
    assert one.sentences == ("1 of 2 points (False) rests on fewer than 10 rows.",)
    other = source.frame.assign(job="astronaut").iloc[:30]
    strange = mixed(lambda t: t.categorical[:, 0] * 1.0)
    strange = type(strange)(**{**vars(strange), "frame": other, "rows": np.arange(30)})
    with pytest.raises(ExplanationError, match="'job' that the model knows"):
        of(strange, "job")


def test_one_row_has_a_curve_without_an_interval(mixed):
    source = mixed(lambda t: t.categorical[:, 0] * 1.0)
    one = partial_dependence(source, "job", n_rows=1)
    assert np.isnan(one.effect.low).all()
    constant = source.frame.assign(age=40.0)
    alone = type(source)(**{**vars(source), "frame": constant})
    assert partial_dependence(alone, "age").effect.values.tolist() == [[0.0]]
    with pytest.raises(ExplanationError, match="at least two different values of 'age'"):
        accumulated_effects(alone, "age")


@pytest.mark.parametrize("of", CURVES)
def test_mistakes_are_one_clear_sentence(mixed, of):
    source = mixed(lambda t: t.categorical[:, 0] * 1.0)
    with pytest.raises(ExplanationError, match="'agee' is no column"):
        of(source, "agee")
    with pytest.raises(ExplanationError, match="at least 2 points, got 1"):
        of(source, "age", n_points=1)
    with pytest.raises(ExplanationError, match="at least one row, got 0"):
        of(source, "age", n_rows=0)
    with pytest.raises(ExplanationError, match=r"no row to average over \(rows of nobody\)"):
        source.take([], "rows of nobody")


@pytest.mark.parametrize("of", CURVES)
def test_survives_json_and_repeats_by_its_seed(mixed, of):
    source = mixed(lambda t: np.nan_to_num(t.numeric[:, 0]) * t.categorical[:, 0])
    first, second = (of(source, "age", n_rows=100, seed=4) for _ in range(2))
    assert first.to_mapping() == second.to_mapping()
    assert "100 drawn at random from 300" in first.selection
    after = EffectCurve.from_mapping(json.loads(json.dumps(first.to_mapping())))
    assert after.to_mapping() == first.to_mapping()
    assert after.sentences == first.sentences


def test_infinite_and_text_numbers_are_drawn_like_the_encoder_reads_them(numbers):
    values = np.random.default_rng(0).normal(size=(50, 1))
    source = numbers(values, lambda x: x[:, 0])
    frame = source.frame.copy()
    frame.loc[0, "x0"] = np.inf
    endless = type(source)(**{**vars(source), "frame": frame})
    assert np.isfinite(partial_dependence(endless, "x0").points.places).all()
    texts = pd.DataFrame({"x0": frame["x0"].iloc[1:].astype("str")})
    written = type(source)(**{**vars(source), "frame": texts, "rows": np.arange(49)})
    assert len(accumulated_effects(written, "x0").points) == 20
