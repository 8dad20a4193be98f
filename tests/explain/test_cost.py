"""The time that SHAP values will take is the time of one row, scaled by the budget."""

import time
from types import SimpleNamespace

import pandas as pd
import pytest

from tabnet_engine.explain.cost import seconds_per_evaluation, shap_seconds


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
