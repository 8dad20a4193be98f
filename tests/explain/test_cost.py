"""The time that SHAP values will take is the time of one row, scaled by the budget."""

import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.explain.cost import (
    evaluations_asked,
    evaluations_for_target,
    seconds_per_evaluation,
    shap_seconds,
    usual_error,
)


class SlowFirst:
    """Explains with 10 evaluations against 5 background rows; the first time pays for imports."""

    background = SimpleNamespace(background=SimpleNamespace(n_rows=5))

    def __init__(self, clock):
        self.clock, self.calls = clock, 0

    def explain(self, cells):
        self.calls += 1
        self.clock.now += {1: 30.0, 2: 2.0, 3: 9.0}[self.calls]
        return SimpleNamespace(attribution=SimpleNamespace(n_evaluations=10))


def test_only_the_fastest_explanation_counts(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(time, "perf_counter", lambda: clock.now)
    assert seconds_per_evaluation(SlowFirst(clock), pd.DataFrame({"a": [1]})) == pytest.approx(2.0 / 50)


def test_seconds_grow_with_rows_background_and_evaluations():
    common = {"n_features": 3, "n_rows": 100, "n_background": 50}
    assert shap_seconds(0.001, **common, n_evaluations=10) == pytest.approx(50.0)
    assert shap_seconds(0.001, **common, n_evaluations=None) == pytest.approx(350.0)


@pytest.mark.parametrize(
    ("name", "n_players", "asked", "spent"),
    [
        ("exact", 5, None, 32),
        ("shap_exact", 3, 999, 8),
        ("ablation", 5, None, 6),
        ("shap", 4, 27, 16),  # all combinations are fewer than what is paid for
        ("shap", 12, 250, 250),
        ("sampling", 4, None, 90),
        ("shap_kernel", 4, 18, 18),
    ],
)
def test_evaluations_follow_the_rules_of_each_method(name, n_players, asked, spent):
    assert evaluations_asked(name, n_players, asked) == spent


def test_a_target_takes_the_square_of_how_much_more_precise_it_is(cases):
    values = cases.attribution(
        np.zeros((2, 3, 1)), n_evaluations=70, standard_error=np.full((2, 3, 1), 0.01), evaluations=np.array([70, 70])
    )
    assert evaluations_for_target(values, 0.01) == (70, 700)
    assert evaluations_for_target(values, 0.005) == (280, 700)
    assert evaluations_for_target(values, 0.0001) == (700, 700)
    assert evaluations_for_target(values, 10.0) == (14, 700)
    exact = cases.attribution(np.zeros((2, 3, 1)), standard_error=None)
    assert evaluations_for_target(exact, 0.01) == (700, 700)


def test_the_usual_error_is_the_middle_rows_largest(cases):
    errors = np.array([[0.1, 0.3], [0.2, 0.05], [0.9, 0.0]])[:, :, None]
    assert usual_error(cases.attribution(np.zeros((3, 2, 1)), standard_error=errors)) == 0.3
    assert usual_error(cases.attribution(np.zeros((3, 2, 1)), standard_error=errors * 1e-9)) == 0.0001
    assert usual_error(cases.attribution(np.zeros((3, 2, 1)), standard_error=None)) == usual_error(None) == 0.01
