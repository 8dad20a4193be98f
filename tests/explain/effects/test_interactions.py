"""Friedman's H: nothing for sums, the planted pair and no other for products; the surface of one pair."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.errors import ExplanationError, JobCancelledError
from tabnet_engine.explain.effects.interaction_result import EffectSurface, Interactions
from tabnet_engine.explain.effects.interactions import effect_surface, pairwise_interactions
from tabnet_engine.explain.subject import Steering

COLUMNS = ("x0", "x1", "x2", "x3")


@given(rho=st.floats(0, 0.9), seed=st.integers(0, 20))
@settings(max_examples=8, deadline=None)
def test_an_additive_model_has_no_interaction_even_among_correlated_columns(numbers, rho, seed):
    generator = np.random.default_rng(seed)
    values = rho * generator.normal(size=(40, 1)) + (1 - rho) * generator.normal(size=(40, 4))
    found = pairwise_interactions(numbers(values, lambda x: np.sin(x[:, 0]) + x[:, 1] ** 3 - x[:, 2]), COLUMNS)
    assert found.size.high.max() < 1e-6
    assert found.share.values[0, 0] < 1e-9
    assert found.share.values[5, 0] < 1e-9


def test_a_product_is_found_on_its_pair_and_on_no_other(numbers):
    values = np.random.default_rng(0).normal(size=(200, 4))
    source = numbers(values, lambda x: x[:, 0] * x[:, 1] + 3 * x[:, 2])
    found = pairwise_interactions(source, COLUMNS)
    best = found.ranked()[0]
    assert found.pairs[best] == ("x0", "x1")
    assert found.size.values[best, 0] == pytest.approx(1, abs=0.4)
    # With centred columns a product has no effect of its own columns: all of it is interaction.
    assert found.share.values[best, 0] > 0.9
    assert np.delete(found.size.high[:, 0], best).max() < 1e-5
    assert found.size.low[best, 0] > 0.3
    assert "x0 and x1 act together on 'price'" in found.sentence(int(best))
    assert "x0, x1, x2, x3" in found.note


def test_the_share_of_a_known_mixture_is_its_share_of_the_variance(numbers):
    # 400 rows of independent signs: x0 + x1 + x0 x1 has three equal parts, one of which is joint.
    signs = np.array(np.meshgrid([-1.0, 1.0], [-1.0, 1.0])).reshape(2, -1).T
    values = np.repeat(signs, 25, axis=0)
    found = pairwise_interactions(numbers(values, lambda x: x[:, 0] + x[:, 1] + x[:, 0] * x[:, 1]), ("x0", "x1"))
    assert found.share.values[0, 0] == pytest.approx(1 / 3, abs=1e-5)
    assert found.size.values[0, 0] == pytest.approx(1, abs=1e-5)
    assert found.share.low[0, 0] < 1 / 3 < found.share.high[0, 0]


def test_columns_that_do_nothing_have_no_share_and_outputs_are_kept_apart(numbers):
    values = np.random.default_rng(0).normal(size=(60, 4))
    source = numbers(values, lambda x: np.stack([x[:, 0] * x[:, 1], x[:, 2] * x[:, 1]], axis=1), outputs=("a", "b"))
    found = pairwise_interactions(source, COLUMNS)
    assert found.pairs[found.ranked("a")[0]] == ("x0", "x1")
    assert found.pairs[found.ranked("b")[0]] == ("x1", "x2")
    nothing = found.pairs.index(("x2", "x3"))
    assert np.isnan(found.share.values[nothing, 0])
    assert found.share.low[nothing, 1] <= found.share.values[nothing, 1] < 1e-9
    assert Interactions.from_mapping(json.loads(json.dumps(found.to_mapping()))).to_mapping() == found.to_mapping()


def test_the_surface_of_a_sum_has_no_interaction_and_that_of_a_product_is_the_product(numbers):
    values = np.random.default_rng(0).normal(size=(300, 3))
    added = effect_surface(numbers(values, lambda x: x[:, 0] + x[:, 1] ** 2), ("x0", "x1"))
    assert np.abs(added.interaction.values).max() < 1e-5
    first, second = added.first.places, added.second.places
    expected = first[:, None] + second**2
    expected = expected - added.first.weights @ expected @ added.second.weights
    np.testing.assert_allclose(added.joint.values[:, :, 0], expected, atol=1e-5)
    surface = effect_surface(numbers(values, lambda x: x[:, 0] * x[:, 1]), ("x1", "x0"), n_points=5)
    product = np.outer(
        surface.first.places - surface.first.weights @ surface.first.places,
        surface.second.places - surface.second.weights @ surface.second.places,
    )
    rows_mean = values.mean(axis=0)  # the columns' own curves average over rows, not over points
    gap = np.abs(surface.interaction.values[:, :, 0] - product).max()
    assert gap < 0.5 + np.abs(rows_mean).max()
    assert np.corrcoef(surface.interaction.values.ravel(), product.ravel())[0, 1] > 0.99
    assert surface.counts.sum() == 300


def test_the_surface_of_mixed_columns_counts_its_rows(mixed):
    source = mixed(lambda t: np.nan_to_num(t.numeric[:, 0]) * (t.categorical[:, 0] == 3))
    surface = effect_surface(source, ("age", "job"), n_points=4)
    assert surface.first.labels[-1] == surface.second.labels[-1] == "missing"
    assert surface.counts.sum() == len(source.frame)
    assert surface.thin.any()
    assert "have fewer than 10 rows" in surface.note
    again = EffectSurface.from_mapping(json.loads(json.dumps(surface.to_mapping())))
    assert again.to_mapping() == surface.to_mapping()


def test_mistakes_are_one_clear_sentence(numbers):
    source = numbers(np.random.default_rng(0).normal(size=(30, 2)), lambda x: x[:, 0])
    with pytest.raises(ExplanationError, match="two or more different columns, got x0, x0"):
        pairwise_interactions(source, ("x0", "x0"))
    with pytest.raises(ExplanationError, match="two or more different columns, got x0"):
        pairwise_interactions(source, ("x0",))
    with pytest.raises(ExplanationError, match="at least 5 rows, got 3"):
        pairwise_interactions(source, ("x0", "x1"), n_rows=3)
    with pytest.raises(ExplanationError, match="got 'x0' twice"):
        effect_surface(source, ("x0", "x0"))
    with pytest.raises(ExplanationError, match="'z' is no column"):
        effect_surface(source, ("x0", "z"))
    with pytest.raises(JobCancelledError):
        pairwise_interactions(source, ("x0", "x1"), steering=Steering(should_cancel=lambda: True))


def test_the_pairs_of_one_column_are_those_of_all_pairs(numbers):
    values = np.random.default_rng(0).normal(size=(50, 4))
    source = numbers(values, lambda x: x[:, 0] * x[:, 1] + 3 * x[:, 2])
    every, some = pairwise_interactions(source, COLUMNS), pairwise_interactions(source, COLUMNS, only_with="x1")
    assert some.pairs == (("x0", "x1"), ("x1", "x2"), ("x1", "x3"))
    places = [every.pairs.index(pair) for pair in some.pairs]
    np.testing.assert_allclose(some.size.values, every.size.values[places])
    np.testing.assert_allclose(some.share.high, every.share.high[places])
    assert "x1 with each of x0, x2, x3." in some.note
    with pytest.raises(ExplanationError, match="'x3' is none of the columns"):
        pairwise_interactions(source, COLUMNS[:2], only_with="x3")


def test_tables_hold_every_pair_and_every_cell(numbers):
    values = np.random.default_rng(0).normal(size=(60, 4))
    source = numbers(values, lambda x: x[:, 0] * x[:, 1])
    found = pairwise_interactions(source, COLUMNS[:3])
    table = found.table("price")
    assert table["act together by"].tolist() == sorted(table["act together by"], reverse=True)
    assert set(zip(table["first column"], table["second column"], strict=True)) == set(found.pairs)
    surface = effect_surface(source, ("x0", "x1"), n_points=4)
    cells = surface.table("price")
    assert cells["rows"].sum() == 60
    np.testing.assert_allclose(cells["joint effect"].to_numpy().reshape(4, 4), surface.joint.values[:, :, 0])
