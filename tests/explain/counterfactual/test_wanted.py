"""What is asked for: reached exactly where the prediction is that, and short of it everywhere else."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError, SchemaError
from tabnet_engine.explain.counterfactual.wanted import (
    WantedOutcome,
    wanted_class,
    wanted_other_class,
    wanted_range,
)
from tabnet_engine.training.probabilities import predicted_codes

BINARY = TargetCodecs((TargetCodec("granted", Task.BINARY, ("no", "yes")),))
CLASSES = TargetCodecs((TargetCodec("grade", Task.MULTICLASS, ("a", "b", "c")),))
NUMBER = TargetCodecs((TargetCodec("price", Task.REGRESSION, mean=10.0, scale=2.0),))
SEVERAL = TargetCodecs((*NUMBER.codecs, *CLASSES.codecs, *BINARY.codecs))

LOGITS = st.floats(-8, 8).map(lambda value: round(value, 1))


@given(arrays(np.float64, (6, 1), elements=LOGITS))
def test_a_binary_class_is_reached_where_it_is_predicted(logits):
    yes, no = wanted_class(BINARY, "yes"), wanted_class(BINARY, "no")
    codes = predicted_codes(Task.BINARY, logits)
    np.testing.assert_array_equal(yes.reached(logits), codes == 1)
    np.testing.assert_array_equal(no.reached(logits), codes == 0)


@given(arrays(np.float64, (6, 3), elements=LOGITS))
def test_one_of_several_classes_is_reached_where_it_is_predicted(logits):
    codes = predicted_codes(Task.MULTICLASS, logits)
    for code, name in enumerate("abc"):
        np.testing.assert_array_equal(wanted_class(CLASSES, name).reached(logits), codes == code)
    other = wanted_other_class(CLASSES, logits[0])
    np.testing.assert_array_equal(other.reached(logits), codes != codes[0])


@given(arrays(np.float64, (6, 5), elements=LOGITS), st.sampled_from([0.2, 0.5, 0.9]))
def test_the_shortfall_is_positive_only_where_the_outcome_is_missed(logits, cutoff):
    for wanted in (
        wanted_class(SEVERAL, "yes", target="granted", cutoff=cutoff),
        wanted_class(SEVERAL, "no", target="granted", cutoff=cutoff),
        wanted_class(SEVERAL, "b", target="grade"),
        wanted_other_class(SEVERAL, logits[0], target="grade"),
        wanted_range(SEVERAL, low=-1, high=2, target="price"),
    ):
        reached, short = wanted.reached(logits), wanted.shortfall(logits)
        assert (short[reached] <= 0).all()
        assert (short[~reached] >= 0).all()  # 0 on the very boundary, where the rule decides


def test_a_cutoff_is_a_probability_of_the_second_class():
    strict = wanted_class(BINARY, "yes", cutoff=0.8)
    edge = np.log(4.0)
    assert strict.reached([[edge + 1e-9], [edge - 1e-9]]).tolist() == [True, False]
    assert strict.words == "granted = yes (probability of yes over 80 %)"
    assert wanted_class(BINARY, "no", cutoff=0.8).reached([[edge - 1e-9]]).tolist() == [True]
    assert wanted_other_class(BINARY, [1.0], cutoff=0.8).words == strict.words  # still "no" at this cutoff
    assert strict.outcome_words([1.0]) == "no (26.9 %)"


def test_a_range_holds_its_bounds():
    wanted = wanted_range(NUMBER, low=3, high=5)
    values = [[2.9], [3.0], [5.0], [5.5]]
    assert wanted.reached(values).tolist() == [False, True, True, False]
    np.testing.assert_allclose(wanted.shortfall(values), [0.1, 0, 0, 0.5])
    assert [wanted_range(NUMBER, low=3).words, wanted_range(NUMBER, high=5).words, wanted.words] == [
        "price at least 3",
        "price at most 5",
        "price from 3 to 5",
    ]


def test_a_range_is_said_as_it_was_asked_and_a_prediction_on_its_own_side_of_it():
    wanted = wanted_range(NUMBER, low=1_000_000_000.3)
    assert wanted.words == "price at least 1000000000.3"
    assert wanted.outcome_words([1_000_000_000.1]) == "price 1,000,000,000"
    assert wanted.outcome_words([1_000_000_000.42]) == "price 1,000,000,000.4"
    assert wanted_range(NUMBER, high=-120.4).outcome_words([-120.45]) == "price −120.5"
    assert wanted_range(NUMBER, low=1_234_567.0).words == "price at least 1234567"


def test_actual_outcomes_are_compared_too():
    assert wanted_class(BINARY, "yes").met_by([0, 1, np.nan]).tolist() == [False, True, False]
    assert wanted_other_class(CLASSES, [0.0, 3.0, 1.0]).met_by([0, 1, np.nan]).tolist() == [True, False, False]
    assert wanted_range(NUMBER, low=3).met_by([2.0, 3.0, np.nan]).tolist() == [False, True, False]


@pytest.mark.parametrize(
    "wanted",
    [
        wanted_class(SEVERAL, "yes", target="granted", cutoff=0.3),
        wanted_other_class(CLASSES, [0.0, 1.0, 2.0]),
        wanted_range(SEVERAL, high=4.5, target="price"),
    ],
)
def test_an_outcome_comes_back_as_it_was_stored(wanted):
    assert WantedOutcome.from_mapping(json.loads(json.dumps(wanted.to_mapping()))) == wanted


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (lambda: wanted_class(BINARY, "maybe"), '"maybe" is no class of \'granted\'; its classes are "no", "yes"'),
        (lambda: wanted_class(NUMBER, "yes"), "ask for a range"),
        (lambda: wanted_other_class(NUMBER, [1.0]), "ask for a range"),
        (lambda: wanted_range(BINARY, low=1), "has classes, not a range"),
        (lambda: wanted_range(NUMBER), "name the lowest or the highest"),
        (lambda: wanted_range(NUMBER, low=float("nan")), "must be finite"),
        (lambda: wanted_range(NUMBER, low=5, high=3), "ends at 3 below its start at 5"),
        (lambda: wanted_class(BINARY, "yes", cutoff=1.0), "between 0 and 1"),
        (lambda: wanted_class(CLASSES, "a", cutoff=0.4), "a cutoff belongs to a target with two classes"),
        (lambda: wanted_class(SEVERAL, "yes"), "choose one of price, grade, granted"),
    ],
)
def test_impossible_outcomes_are_refused(ask, text):
    with pytest.raises(ExplanationError, match=text):
        ask()


def test_an_unknown_target_is_named():
    with pytest.raises(SchemaError, match="'colour' is no target"):
        wanted_class(SEVERAL, "yes", target="colour")


@pytest.mark.parametrize(
    "facts",
    [
        {"task": Task.REGRESSION},
        {"task": Task.BINARY, "classes": ("a", "b")},
        {"task": Task.BINARY, "classes": ("a", "b"), "code": 0, "other_than": 1},
        {"task": Task.BINARY, "classes": ("a", "b"), "code": 2},
        {"task": Task.BINARY, "classes": ("a", "b"), "code": 1, "cutoff": 0.0},
    ],
)
def test_an_outcome_that_makes_no_sense_cannot_be_built(facts):
    with pytest.raises(ValueError, match=r"must|there is no class"):
        WantedOutcome(target="t", **facts)
