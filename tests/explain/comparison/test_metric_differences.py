"""Paired differences: the very difference of the scores, with intervals that other ways of reckoning give too."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.comparison.metrics import MetricDifference, metric_differences, paired_share_difference
from tabnet_engine.explain.estimates import NORMAL_POINT, Estimate
from tabnet_engine.training.metrics import evaluate

CASES = {
    Task.BINARY: ("no", "yes"),
    Task.MULTICLASS: ("a", "b", "c"),
    Task.REGRESSION: (),
}


def rows(task: Task, n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes and two sets of logits that are alike but not the same."""
    generator = np.random.default_rng(seed)
    classes = CASES[task]
    if task is Task.REGRESSION:
        y = generator.gamma(2.0, 2.0, n)
        first = y[:, None] + generator.normal(0, 1, (n, 1))
        return y, first, first + generator.normal(0.1, 0.5, (n, 1))
    y = generator.integers(0, len(classes), n)
    width = 1 if task is Task.BINARY else len(classes)
    truth = (2 * y - 1)[:, None] if task is Task.BINARY else 2.0 * np.eye(width)[y]
    first = truth + generator.normal(0, 1.5, (n, width))
    return y, first, first + generator.normal(0, 0.7, (n, width))


@pytest.mark.parametrize("task", CASES)
def test_differences_are_those_of_the_scores_and_turn_round_with_the_runs(task: Task) -> None:
    y, first, second = rows(task)
    found = {item.name: item for item in metric_differences(task, y, first, second, CASES[task])}
    back = {item.name: item for item in metric_differences(task, y, second, first, CASES[task])}
    scores = [evaluate(task, y, logits, CASES[task]) for logits in (first, second)]
    assert set(found) == set(scores[0])
    for name, item in found.items():
        assert item.difference.value == pytest.approx(scores[1][name] - scores[0][name], abs=1e-12)
        assert item.difference.low < item.difference.value < item.difference.high
        assert item.difference.n == len(y)
        assert back[name].difference.low == pytest.approx(-item.difference.high)
        assert MetricDifference.from_mapping(item.to_mapping()) == item


@pytest.mark.parametrize("task", CASES)
def test_intervals_are_as_wide_as_resampled_rows_say(task: Task) -> None:
    y, first, second = rows(task)
    generator = np.random.default_rng(1)
    draws: dict[str, list[float]] = {}
    for _ in range(300):
        chosen = generator.integers(0, len(y), len(y))
        ours = [evaluate(task, y[chosen], logits[chosen], CASES[task]) for logits in (first, second)]
        for name in ours[0]:
            draws.setdefault(name, []).append(ours[1][name] - ours[0][name])
    for item in metric_differences(task, y, first, second, CASES[task]):
        width = (item.difference.high - item.difference.low) / 2
        assert width == pytest.approx(NORMAL_POINT * np.std(draws[item.name]), rel=0.2), item.name


def test_a_share_of_variance_that_is_far_from_all_moves_with_the_variance_too() -> None:
    generator = np.random.default_rng(2)
    y = generator.normal(size=500)
    first, second = y[:, None] + 0.1 * generator.normal(size=(500, 1)), np.full((500, 1), 3.0)
    (found,) = [item for item in metric_differences(Task.REGRESSION, y, first, second, ()) if item.name == "r2"]
    draws = []
    for _ in range(300):
        chosen = generator.integers(0, 500, 500)
        ours = [evaluate(Task.REGRESSION, y[chosen], logits[chosen], ())["r2"] for logits in (first, second)]
        draws.append(ours[1] - ours[0])
    assert (found.difference.high - found.difference.low) / 2 == pytest.approx(NORMAL_POINT * np.std(draws), rel=0.15)


def test_the_difference_of_areas_has_delongs_interval() -> None:
    y, first, second = rows(Task.BINARY, n=120)
    parts = [placements(y == 1, logits[:, 0]) for logits in (first, second)]
    change = [parts[1][side] - parts[0][side] for side in (0, 1)]
    variance = sum(values.var(ddof=1) / len(values) for values in change)
    (area,) = [
        item for item in metric_differences(Task.BINARY, y, first, second, CASES[Task.BINARY]) if item.name == "auc"
    ]
    width = (area.difference.high - area.difference.low) / 2
    assert width == pytest.approx(NORMAL_POINT * math.sqrt(variance), rel=0.03)


def placements(positive: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """DeLong's structural components by counting all pairs."""
    wins = (score[positive][:, None] > score[~positive][None]) + 0.5 * (
        score[positive][:, None] == score[~positive][None]
    )
    return wins.mean(axis=1), wins.mean(axis=0)


def test_a_difference_of_matched_shares_by_hand() -> None:
    first = np.array([True] * 6 + [False] * 14)
    second = np.array([True] * 4 + [False] * 2 + [True] * 5 + [False] * 9)
    found = paired_share_difference(first, second)
    assert found.value == pytest.approx(3 / 20)
    centre, spread = (5.5 - 2.5) / 22, math.sqrt(8.0 - 9 / 22) / 22
    assert found.low == pytest.approx(centre - NORMAL_POINT * spread)
    assert found.high == pytest.approx(centre + NORMAL_POINT * spread)


def test_runs_that_never_differ_keep_an_honest_interval_of_accuracy() -> None:
    y, first, _ = rows(Task.BINARY, n=50)
    found = {item.name: item for item in metric_differences(Task.BINARY, y, first, first, ("no", "yes"))}
    accuracy = found["accuracy"].difference
    assert accuracy.value == 0
    assert accuracy.low < 0 < accuracy.high
    assert found["balanced_accuracy"].verdict == "undefined"
    assert all(item.verdict in ("undecided", "undefined") for item in found.values())


@pytest.mark.parametrize(
    ("name", "low", "high", "verdict"),
    [
        ("auc", 0.1, 0.2, "better"),
        ("auc", -0.2, -0.1, "worse"),
        ("log_loss", 0.1, 0.2, "worse"),
        ("rmse", -0.2, -0.1, "better"),
        ("auc", -0.1, 0.2, "undecided"),
        ("auc", None, None, "undefined"),
    ],
)
def test_a_verdict_knows_which_scores_are_losses(
    name: str, low: float | None, high: float | None, verdict: str
) -> None:
    difference = Estimate(value=0.0 if low is None else (low + high) / 2, low=low, high=high, n=9)
    one = Estimate(value=0.5, n=9)
    assert MetricDifference(name=name, first=one, second=one, difference=difference).verdict == verdict


def test_rows_that_define_no_area_have_no_difference_of_it() -> None:
    found = metric_differences(Task.BINARY, np.ones(5, dtype=int), np.ones((5, 1)), -np.ones((5, 1)), ("no", "yes"))
    assert {item.name: item.difference.value for item in found}["auc"] is None
    assert all(item.difference.value is None for item in metric_differences(
        Task.BINARY, np.ones(0, dtype=int), np.ones((0, 1)), np.ones((0, 1)), ("no", "yes")))  # fmt: skip
