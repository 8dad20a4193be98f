"""Scores and calibration with intervals: equal to the task's own scores, covering what they claim."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.explain.estimates import bootstrap_estimate
from tabnet_engine.explain.groups.calibration import calibration
from tabnet_engine.explain.groups.performance import performance, row_losses
from tabnet_engine.explain.pseudo_values import area_pseudo_values
from tabnet_engine.training.metrics import METRICS, area_under_curve, evaluate

BINARY = TargetCodec(name="bought", task=Task.BINARY, classes=("no", "yes"))
THREE = TargetCodec(name="kind", task=Task.MULTICLASS, classes=("a", "b", "c"))
NUMBER = TargetCodec(name="price", task=Task.REGRESSION)


def drawn(codec, n, seed, shift=0.0, slope=1.0):
    """Outcomes drawn from probabilities whose logits are then moved and stretched."""
    generator = np.random.default_rng(seed)
    if codec.task is Task.REGRESSION:
        logits = generator.normal(size=(n, 1))
        return logits[:, 0] / slope - shift + 0.5 * generator.normal(size=n), logits
    logits = 1.5 * generator.normal(size=(n, len(codec.outputs)))
    if codec.task is Task.BINARY:
        y = (generator.random(n) < 1 / (1 + np.exp(-logits[:, 0]))).astype(np.int64)
        return y, slope * logits + shift
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return (generator.random((n, 1)) > shares.cumsum(axis=1)).sum(axis=1), logits


@pytest.mark.parametrize("codec", [BINARY, THREE, NUMBER])
def test_values_are_the_scores_of_the_task(codec):
    y, logits = drawn(codec, 300, 0)
    found = performance(codec.task, y, logits, codec.classes)
    assert {name: estimate.value for name, estimate in found.items()} == evaluate(codec.task, y, logits, codec.classes)
    assert tuple(found) == METRICS[codec.task]
    for estimate in found.values():
        if estimate.value is not None:
            assert estimate.low < estimate.value < estimate.high
    assert row_losses(Task.MULTICLASS, *drawn(THREE, 50, 1)).min() > 0


TRUTHS = [
    (BINARY, "auc"), (BINARY, "balanced_accuracy"), (BINARY, "log_loss"), (THREE, "auc"), (THREE, "balanced_accuracy"),
    (NUMBER, "rmse"), (NUMBER, "r2"), (NUMBER, "mae"),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "metric"), TRUTHS)
def test_intervals_cover_the_truth_about_as_often_as_they_claim(codec, metric):
    y, logits = drawn(codec, 100_000, 99)
    truth = evaluate(codec.task, y, logits, codec.classes)[metric]
    hits = 0
    for seed in range(120):
        found = performance(codec.task, *drawn(codec, 150, seed), codec.classes)[metric]
        hits += found.low <= truth <= found.high
    assert hits >= 107  # of 120; 114 expected


@pytest.mark.parametrize("codec", [BINARY, THREE, NUMBER])
def test_nothing_and_one_row_are_no_error(codec):
    y, logits = drawn(codec, 1, 0)
    for rows in (0, 1):
        found = performance(codec.task, y[:rows], logits[:rows], codec.classes)
        found |= calibration(codec, y[:rows], logits[:rows])
        for estimate in found.values():
            assert estimate.n == rows
            if rows == 0:
                assert estimate.value is None


def test_perfect_separation_has_no_interval_made_up():
    y = np.repeat([0, 1], 20)
    logits = np.where(y == 1, 5.0, -5.0)[:, None]
    found = performance(Task.BINARY, y, logits, BINARY.classes)
    assert found["auc"].value == 1
    assert found["auc"].low is None
    assert found["accuracy"].low < 1
    assert calibration(BINARY, y, logits)["calibration_slope"].value is None


def test_ties_count_half():
    y = np.array([0, 1, 0, 1, 1])
    score = np.array([0.0, 0.0, 1.0, 1.0, 2.0])
    parts = area_pseudo_values(Task.BINARY, y, score[:, None])
    assert parts.mean() == pytest.approx(4 / 6)
    assert area_under_curve(y == 1, score) == pytest.approx(4 / 6)


@pytest.mark.parametrize(("codec", "metric"), [(NUMBER, "r2"), (BINARY, "auc"), (THREE, "auc"), (NUMBER, "rmse")])
def test_intervals_are_as_wide_as_those_of_resampled_rows(codec, metric):
    y, logits = drawn(codec, 600, 4)
    if codec is NUMBER:
        y = np.exp(y)  # a long tail: what a row does to the variance of the target matters

    def score(rows):
        return evaluate(codec.task, y[rows], logits[rows], codec.classes)[metric]

    found = performance(codec.task, y, logits, codec.classes)[metric]
    reference = bootstrap_estimate(score, 600, n_resamples=400)
    assert found.high - found.low == pytest.approx(reference.high - reference.low, rel=0.2)


def test_calibrated_predictions_are_found_to_be():
    found = [calibration(BINARY, *drawn(BINARY, 400, seed)) for seed in range(60)]
    for name, right in (("calibration_in_the_large", 0), ("calibration_slope", 1)):
        assert sum(one[name].low <= right <= one[name].high for one in found) >= 53
    within = [
        one["calibration_error_by_chance"].low
        <= one["calibration_error"].value
        <= one["calibration_error_by_chance"].high
        for one in found
    ]
    assert sum(within) >= 53


def test_shifted_and_stretched_predictions_are_found():
    moved = calibration(BINARY, *drawn(BINARY, 3_000, 5, shift=0.7))
    assert moved["calibration_in_the_large"].high < 0
    assert moved["calibration_error"].value > moved["calibration_error_by_chance"].high
    stretched = calibration(BINARY, *drawn(BINARY, 3_000, 5, slope=2.0))["calibration_slope"]
    assert stretched.low < 0.5 < stretched.high < 1
    numbers = calibration(NUMBER, *drawn(NUMBER, 500, 0, shift=0.4, slope=2.0))
    assert numbers["calibration_in_the_large"].high < 0
    assert numbers["calibration_slope"].low < 0.5 < numbers["calibration_slope"].high


def test_the_slope_is_that_of_a_logistic_regression():
    y, logits = drawn(BINARY, 400, 3, slope=3.0, shift=-1.0)
    reference = LogisticRegression(C=np.inf, tol=1e-10).fit(logits, y)
    assert calibration(BINARY, y, logits)["calibration_slope"].value == pytest.approx(reference.coef_[0, 0], rel=1e-4)


def test_several_classes_have_a_calibration_each():
    y, logits = drawn(THREE, 2_000, 0)
    found = calibration(THREE, y, logits)
    for name in THREE.classes:
        assert abs(found[f"calibration_in_the_large: {name}"].value) < 0.03
    logits[:, 1] += 1
    assert calibration(THREE, y, logits)["calibration_in_the_large: b"].high < 0


def test_one_prediction_for_all_has_no_slope():
    y = np.arange(40) % 2
    found = calibration(BINARY, y, np.zeros((40, 1)))
    assert found["calibration_slope"].value is None
    assert found["calibration_error"].value == pytest.approx(0, abs=0.6)
    assert calibration(NUMBER, y * 1.0, np.zeros((40, 1)))["calibration_slope"].value is None


def test_few_rows_of_calibrated_predictions_have_an_error_that_is_chance():
    y, logits = drawn(BINARY, 60, 8)
    found = calibration(BINARY, y, logits)
    assert found["calibration_error"].value > 0.05
    assert found["calibration_error"].value < found["calibration_error_by_chance"].high
