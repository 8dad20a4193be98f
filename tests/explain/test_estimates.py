"""Estimates: intervals that cover what they claim, and nothing where nothing was measured."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tabnet_engine.explain.estimates import Estimate, bootstrap_estimate, mean_estimate, proportion_estimate


def test_the_mean_has_the_interval_of_student():
    values = np.array([1.0, 2.0, 4.0, np.nan])
    low, high = stats.t.interval(0.95, 2, loc=7 / 3, scale=stats.sem(values[:3]))
    found = mean_estimate(values)
    assert found.n == 3
    assert (found.low, found.high) == pytest.approx((low, high))


def test_a_share_has_the_interval_of_wilson():
    expected = stats.binomtest(3, 20).proportion_ci(method="wilson")
    found = proportion_estimate(3, 20)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert proportion_estimate(0, 9).low == 0.0
    assert proportion_estimate(9, 9).high == 1.0


def test_nothing_measured_is_none():
    assert mean_estimate([]).value is None
    assert mean_estimate([2.0]).low is None
    assert proportion_estimate(0, 0).value is None
    assert bootstrap_estimate(lambda rows: None, 5).value is None


def test_the_bootstrap_covers_the_mean_as_often_as_it_claims():
    generator = np.random.default_rng(0)
    hits = 0
    for seed in range(60):
        sample = generator.normal(size=80)
        found = bootstrap_estimate(lambda rows, s=sample: float(s[rows].mean()), 80, n_resamples=200, seed=seed)
        hits += found.low <= 0 <= found.high
    assert hits >= 51


def test_no_estimate_is_infinite():
    with pytest.raises(ValueError, match="finite"):
        Estimate(value=float("nan"))


def test_an_estimate_survives_its_mapping():
    estimate = proportion_estimate(3, 20)
    assert Estimate.from_mapping(estimate.to_mapping()) == estimate
