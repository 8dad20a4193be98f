"""The score towards the favourable outcome agrees with the decision, whatever the target is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.groups.decision import Decision, likely_favourable
from tabnet_engine.explain.reasons.scoring import FavourableScore, decision_for
from tabnet_engine.training.probabilities import class_probabilities

BINARY = TargetCodec(name="granted", task=Task.BINARY, classes=("no", "yes"))
TWO = TargetCodec(name="two", task=Task.MULTICLASS, classes=("no", "yes"))
THREE = TargetCodec(name="rating", task=Task.MULTICLASS, classes=("high", "low", "mid"))
NUMBER = TargetCodec(name="loss", task=Task.REGRESSION, mean=5.0, scale=2.0)
TARGETS = TargetCodecs((BINARY, TWO, THREE, NUMBER))  # logits 0, 1-2, 3-5, 6

finite = st.floats(-30, 30, allow_nan=False, width=32)
logits_of_rows = arrays(np.float64, st.tuples(st.integers(1, 6), st.just(7)), elements=finite)
decisions = st.one_of(
    st.tuples(
        st.sampled_from([BINARY, TWO]),
        st.builds(lambda name, share: Decision(favourable=name, cutoff=share), st.sampled_from(["no", "yes"]),
                  st.floats(0.01, 0.99)),
    ),
    st.tuples(st.just(TWO), st.builds(lambda name: Decision(favourable=name), st.sampled_from(["no", "yes"]))),
    st.tuples(
        st.just(THREE),
        st.builds(lambda name, share: Decision(favourable=name, cutoff=share), st.sampled_from(THREE.classes),
                  st.one_of(st.none(), st.floats(0.01, 0.99))),
    ),
    st.tuples(
        st.just(NUMBER),
        st.builds(lambda cutoff, up: Decision(cutoff=cutoff, is_high_favourable=up), finite, st.booleans()),
    ),
)  # fmt: skip


@settings(max_examples=60)
@given(decisions, logits_of_rows)
def test_the_score_agrees_with_the_decision(decided, logits):
    codec, decision = decided
    score = FavourableScore.of(TARGETS, codec.name, decision)
    approved = decision.selected(codec, logits[:, score.place])
    np.testing.assert_array_equal(score.margin(logits) >= 0, approved)
    np.testing.assert_array_equal(score.selected(logits), approved)
    if score.cutoff is not None:
        np.testing.assert_allclose(score.margin(logits), score.score(logits) - score.cutoff, atol=1e-9)
    for row, is_approved in zip(logits, approved.tolist(), strict=True):
        own = score.of_row(row)
        if codec is not THREE:
            assert own == score
        elif decision.cutoff is None and is_approved:
            assert own.score(row[None])[0] >= 0


@settings(max_examples=30)
@given(arrays(np.float64, (3, 1), elements=finite), st.floats(0.05, 0.95))
def test_the_order_of_two_classes_and_their_coding_change_nothing(log_odds, cutoff):
    """One logit or two, and either class first: the score is the log-odds of the class that people wish for."""
    decision = Decision(favourable="yes", cutoff=cutoff)
    turned = TargetCodec(name="granted", task=Task.BINARY, classes=("yes", "no"))
    wide = TargetCodec(name="granted", task=Task.MULTICLASS, classes=("yes", "no"))
    forms = {BINARY: log_odds, turned: -log_odds, wide: np.hstack([log_odds + 3, np.full_like(log_odds, 3.0)])}
    for codec, logits in forms.items():
        score = FavourableScore.of(TargetCodecs((codec,)), "granted", decision)
        np.testing.assert_allclose(score.score(logits), log_odds[:, 0], atol=1e-12)
        np.testing.assert_allclose(score.shares(logits), 1 / (1 + np.exp(-log_odds[:, 0])), atol=1e-12)
        assert score.cutoff == pytest.approx(np.log(cutoff / (1 - cutoff)))
        assert score.unit == "log-odds"


@settings(max_examples=30)
@given(arrays(np.float64, (2, 4, 7), elements=finite), decisions)
def test_values_are_turned_as_the_score_is(values, decided):
    """What explains every output explains the score: the sum over the players turns like the outputs do."""
    score = FavourableScore.of(TARGETS, decided[0].name, decided[1])
    np.testing.assert_allclose(score.values(values).sum(axis=1), score.score(values.sum(axis=1)), atol=1e-9)
    assert (score.errors(np.abs(values)) >= np.abs(score.values(values)) - 1e-9).all()


def test_adding_the_same_to_all_classes_changes_no_score():
    score = FavourableScore.of(TargetCodecs((THREE,)), "rating", Decision(favourable="mid"))
    logits = np.array([[1.0, -2.0, 0.5]])
    for scored in (score, score.of_row(logits[0])):
        assert scored.score(logits + 100.0)[0] == pytest.approx(scored.score(logits)[0])
    assert score.of_row(logits[0]).rival == "high"
    assert score.of_row([0.0, 1.0, 5.0]).rival == "low"  # never the favourable class itself
    assert score.of_row(logits[0]).score(logits)[0] == pytest.approx(-0.5)
    assert score.unit == "logit"
    assert score.of_row(logits[0]).unit == "log-odds"


def test_a_tie_of_several_classes_goes_to_the_earlier_one():
    logits = np.array([[1.0, 1.0, 0.0]])
    margins = {
        name: FavourableScore.of(TargetCodecs((THREE,)), "rating", Decision(favourable=name)).margin(logits)[0]
        for name in ("high", "low")
    }
    assert margins["high"] == 0
    assert margins["low"] < 0


@pytest.mark.parametrize("up", [True, False])
def test_a_quantity_is_scored_with_the_sign_that_is_favourable(up):
    score = FavourableScore.of(TARGETS, "loss", Decision(cutoff=4.0, is_high_favourable=up))
    logits = np.zeros((2, 7))
    logits[:, 6] = [3.0, 6.0]
    assert score.score(logits).tolist() == ([3.0, 6.0] if up else [-3.0, -6.0])
    assert score.margin(logits).tolist() == ([-1.0, 2.0] if up else [1.0, -2.0])
    assert score.shares(logits) is None
    assert (score.output, score.unit) == ("loss", "loss")
    assert score.predicted(logits[1]) == "6"


def test_the_class_given_is_that_of_the_cutoff():
    score = FavourableScore.of(TargetCodecs((BINARY,)), "granted", Decision(favourable="yes", cutoff=0.9))
    assert score.predicted([1.0]) == "no"  # likelier than not, yet below the cutoff
    assert score.predicted([3.0]) == "yes"
    assert score.output == "yes"
    mild = FavourableScore.of(TARGETS, "rating", Decision(favourable="low", cutoff=0.9))
    assert mild.predicted([0, 0, 0, 0.1, 0.2, 0, 0]) == "low"
    assert mild.output == "rating = low"


def test_the_projected_attribution_stays_complete(cases):
    found = cases.attribution(np.random.default_rng(0).normal(size=(2, 5, 3)))
    score = FavourableScore.of(TargetCodecs((THREE,)), "rating", Decision(favourable="mid"))
    own = score.of_row(found.logits[0]).attribution(found)
    assert own.values.shape == (2, 5, 1)
    np.testing.assert_allclose(own.values.sum(axis=1) + own.base, own.logits, atol=1e-12)
    assert own.standard_error is not None
    assert own.additivity_error < 1e-12


@pytest.mark.parametrize(
    ("codec", "favourable", "cutoff", "message"),
    [
        (NUMBER, "", None, "'loss' is a quantity, so nobody is approved or declined by it; say from which value"),
        (THREE, "", None, "'rating' has 3 classes; say which one is decided in a person's favour"),
        (THREE, "", 0.4, "say which class of 'rating' is the favourable one"),
        (THREE, "best", None, "'best' is no class of 'rating'"),
        (BINARY, "yes", 1.5, "the cutoff is a probability between 0 and 1, got 1.5"),
        (NUMBER, "high", 3.0, "'loss' is a quantity and has no class 'high'"),
    ],
)
def test_what_is_not_said_is_asked_for(codec, favourable, cutoff, message):
    with pytest.raises(ExplanationError, match=message):
        decision_for(codec, favourable, cutoff, is_high_favourable=True)


@pytest.mark.parametrize(
    ("classes", "wished"),
    [
        (("approved", "declined"), "approved"),
        (("Default", "paid"), "paid"),
        (("0", "1"), "1"),
        (("bad", "not ok"), "not ok"),
    ],
)
def test_the_favourable_class_is_assumed_by_its_name(classes, wished):
    codec = dataclasses.replace(BINARY, classes=classes)
    assert likely_favourable(codec) == wished
    decision, is_assumed = decision_for(codec, "", None, is_high_favourable=True)
    assert (decision.favourable, decision.cutoff, is_assumed) == (wished, 0.5, True)
    assert decision_for(codec, classes[0], None, is_high_favourable=True)[1] is False


def test_several_classes_or_a_quantity_have_no_class_that_is_likely_wished_for():
    assert likely_favourable(THREE) is None
    assert likely_favourable(NUMBER) is None


@settings(max_examples=20)
@given(arrays(np.float64, (4, 3), elements=finite))
def test_shares_are_those_of_the_model(logits):
    score = FavourableScore.of(TargetCodecs((THREE,)), "rating", Decision(favourable="low"))
    np.testing.assert_allclose(score.shares(logits), class_probabilities(Task.MULTICLASS, logits)[:, 1])
