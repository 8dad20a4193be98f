import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tabnet_engine.data.binning import quantile_edges, standardisation

_NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=64)


def test_an_ordinary_column_gets_its_plain_mean_and_deviation():
    values = np.random.default_rng(0).normal(5.0, 3.0, 5000)
    assert standardisation(values) == pytest.approx((values.mean(), values.std()), rel=1e-12)


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf, np.nan]])
def test_nothing_finite_leaves_values_as_they_are(values):
    assert standardisation(np.array(values, dtype=np.float64)) == (0.0, 1.0)


def test_a_constant_has_scale_one():
    assert standardisation(np.full(10, 0.1)) == (0.1, 1.0)


def test_one_damaged_value_does_not_flatten_the_rest():
    values = np.append(np.random.default_rng(0).normal(size=500), 1e300)
    mean, scale = standardisation(values)
    assert abs(mean) < 1
    assert scale < 10


def test_rare_values_beyond_a_flat_bulk_still_have_a_scale():
    values = np.zeros(1000)
    values[:10] = 4.0
    assert standardisation(values) == pytest.approx((0.04, values.std()))


@settings(deadline=None, max_examples=150)
@given(arrays(np.float64, st.integers(0, 40), elements=_NUMBERS), st.integers(1, 8))
def test_hostile_values_give_finite_scales_and_increasing_edges(values, n_bins):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mean, scale = standardisation(values)
        edges = quantile_edges(np.clip(values, -1e4, 1e4), n_bins)
    assert np.isfinite(mean)
    assert 0 < scale < np.inf
    assert 2 <= len(edges) <= max(2, n_bins + 1)
    assert (np.diff(np.array(edges, dtype=np.float32)) > 0).all()


def test_quantiles_hold_equally_many_rows():
    values = np.random.default_rng(1).exponential(size=10_000).astype(np.float32)
    edges = quantile_edges(values, 8)
    counts = np.histogram(values, bins=edges)[0]
    assert len(edges) == 9
    assert counts.max() - counts.min() < 20


def test_few_distinct_values_are_their_own_edges():
    values = np.repeat([0.0, 1.0, 5.0], [900, 90, 10])
    assert quantile_edges(values, 24) == (0.0, 1.0, 5.0)


def test_a_frequent_value_takes_one_edge_and_frees_the_others():
    """Nine rows in ten are zero: plain quantiles would leave two bins for everything else."""
    rest = np.random.default_rng(2).uniform(1.0, 2.0, 1000)
    edges = quantile_edges(np.concatenate([np.zeros(9000), rest]), 10)
    assert edges[0] == 0.0
    assert len(edges) == 11


@pytest.mark.parametrize(("values", "edges"), [([], (-1.0, 1.0)), ([3.0, 3.0], (2.0, 4.0))])
def test_no_spread_gives_one_bin_around_the_value(values, edges):
    assert quantile_edges(np.array(values), 5) == edges


def test_edges_that_nearly_touch_are_merged():
    assert quantile_edges(np.array([1.0, 1.0 + 5e-7, 2.0]), 5) == (1.0, 2.0)
