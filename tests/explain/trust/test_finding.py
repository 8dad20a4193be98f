"""A figure is never shown without what a useless explanation scores; its words follow from the interval."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.trust.finding import Control, Family, Finding, NotMeasured, measure_rows

FACTS = {
    "family": Family.AGREEMENT,
    "key": "spearman",
    "name": "rank correlation",
    "subject": "masks and SHAP",
    "how": "For each row.",
    "seed": 3,
    "best": 1.0,
}


def finding(values, control, **changes):
    return measure_rows(np.asarray(values, float), {"random": np.asarray(control, float)}, **{**FACTS, **changes})


@pytest.mark.parametrize(
    ("values", "control", "changes", "reading"),
    [
        ([0.9, 0.8, 0.85, 0.95], [0.1, 0.0, 0.1, 0.0], {}, "well above random"),
        ([0.3, 0.31, 0.29, 0.3], [0.1, 0.1, 0.1, 0.1], {}, "above random"),
        ([0.9, 0.1, 0.8, 0.0], [0.1, 0.9, 0.0, 0.8], {}, "not told apart from random"),
        ([0.1, 0.1, 0.12, 0.1], [0.9, 0.8, 0.9, 0.9], {}, "worse than random"),
        ([0.1, 0.1, 0.12, 0.1], [0.9, 0.8, 0.9, 0.9], {"higher_is_better": False, "best": 0.0}, "well below random"),
        ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5], {}, "not told apart from random"),
        ([0.9], [0.1], {}, "not told apart from random"),
        ([np.nan, np.nan], [0.1, 0.2], {}, "not defined by these rows beside random"),
    ],
)
def test_the_reading_follows_from_the_interval_of_the_difference(values, control, changes, reading):
    found = finding(values, control, **changes)
    assert found.reading == reading
    assert found.stands == ("above" in reading or "below" in reading)
    assert reading[1:] in found.sentence


def test_it_stands_only_beside_every_control():
    values = np.array([0.5, 0.52, 0.48, 0.5])
    controls = {"random": values - 0.4, "random weights": values + np.array([0.1, -0.1, 0.1, -0.1])}
    found = measure_rows(values, controls, **FACTS)
    assert not found.stands
    assert found.reading == "above random; not told apart from random weights"


def test_a_sure_but_tiny_difference_is_barely_one_and_does_not_stand():
    changes = {"higher_is_better": False, "best": 0.0}
    tiny = finding([0.98, 0.981, 0.979, 0.98, 0.98], [1.0] * 5, **changes)
    assert tiny.reading == "barely below random"
    assert not tiny.stands
    assert finding([0.88, 0.881, 0.879, 0.88, 0.88], [1.0] * 5, **changes).stands


def test_without_a_control_there_is_no_finding():
    with pytest.raises(ValueError, match="at least one control"):
        measure_rows(np.ones(3), {}, **FACTS)


def test_rows_that_define_nothing_are_left_out_and_counted():
    found = finding([0.2, np.nan, 0.4], [0.0, 0.1, 0.1])
    assert (found.n_rows, found.estimate.n) == (2, 2)
    assert found.estimate.value == pytest.approx(0.3)
    assert found.controls[0].advantage.value == pytest.approx(0.25)


def test_a_median_has_the_median_and_its_interval():
    values = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 100.0])
    found = finding(values, np.zeros(6), median=True)
    assert found.estimate.value == pytest.approx(0.25)
    assert (found.estimate.low, found.estimate.high) == (0.0, 100.0)
    assert "order statistics" in found.estimate.how


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 8, 12, 30])
def test_the_interval_of_a_median_holds_it_as_often_as_it_says_or_there_is_none(n):
    drawn = np.random.default_rng(n).exponential(size=(500, n))
    found = [finding(values, np.zeros(n), median=True) for values in drawn]
    if n < 6:
        assert all(one.estimate.low is None and not one.stands for one in found)
        return
    held = np.mean([one.estimate.low <= np.log(2) <= one.estimate.high for one in found])
    assert held > 0.93


def test_two_equal_rows_are_not_told_apart_from_anything():
    found = finding([1.0, 1.0], [0.0, 0.0], bounds=(0.0, 1.0))
    assert found.controls[0].advantage.low < 0
    assert found.reading == "not told apart from random"
    assert finding([1.0] * 40, [0.0] * 40, bounds=(0.0, 1.0)).stands
    half = finding([0.5, 0.5], [0.1, 0.1], bounds=(0.0, 1.0)).estimate
    assert half.low < 0.5 < half.high


def test_a_bound_that_is_open_only_cuts():
    found = finding([0.0, 0.2, 0.0], [0.0, 0.0, 0.0], bounds=(0.0, np.inf))
    assert found.estimate.low == 0.0
    assert finding([0.0, 0.0], [0.0, 0.0], bounds=(0.0, np.inf)).estimate.high == 0.0


@given(
    st.lists(st.floats(-5, 5), min_size=2, max_size=12),
    st.lists(st.floats(-5, 5), min_size=2, max_size=12),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_json_keeps_everything(values, control, higher):
    size = min(len(values), len(control))
    found = finding(values[:size], control[:size], higher_is_better=higher, best=None, unit="euro")
    again = Finding.from_mapping(json.loads(json.dumps(found.to_mapping(), allow_nan=False)))
    assert again == found
    assert again.sentence == found.sentence


def test_a_gap_survives_json():
    gap = NotMeasured(family=Family.STABILITY, name="seed", reason="no table")
    assert NotMeasured.from_mapping(json.loads(json.dumps(gap.to_mapping()))) == gap


def test_negative_values_keep_their_sign_in_words():
    estimate = Estimate(value=-0.25, low=-0.5, high=0.1, n=4)
    control = Control(name="random", estimate=estimate, advantage=Estimate(value=0.0, low=-1.0, high=1.0, n=4))
    found = Finding(estimate=estimate, controls=(control,), n_rows=4, **FACTS)
    assert "−0.25 (95 % interval −0.50 to 0.10)" in found.sentence
