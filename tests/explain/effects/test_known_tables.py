"""The six tables whose relevant columns are known, with the rule that made them as the model."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.data.synthetic_selection import _RULES, SELECTION_TARGET, SELECTION_TASKS, selection_table
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.explain.effects.interactions import pairwise_interactions
from tabnet_engine.explain.effects.permutation import permutation_importance
from tabnet_engine.explain.subject import ChosenRows

CLASSES = TargetCodecs((TargetCodec(SELECTION_TARGET, Task.BINARY, ("0", "1")),))


def rule(task: str):
    low, high = _RULES[task]

    def log_odds(x: np.ndarray) -> np.ndarray:
        return -np.where(x[:, 10] < 0, low.value(x), high.value(x))

    return log_odds


@pytest.mark.parametrize("task", SELECTION_TASKS)
def test_permutation_finds_exactly_the_columns_that_decide(cases, task):
    frame, truth = selection_table(task, n_rows=3_000, seed=5)
    decide = rule(task)
    model = cases.NumpyModel(cases.plain_layout(11), lambda t: decide(t.numeric.astype(np.float64)))
    rows = ChosenRows(cases.plain_table(frame.iloc[:, :11].to_numpy()), np.arange(len(frame)))
    found = permutation_importance(model, CLASSES, rows, frame[SELECTION_TARGET].to_numpy()).of().loss_increase
    relevant = truth.relevant.any(axis=0)
    assert (found.low[relevant] > 0).all()
    assert (found.values[~relevant] == 0).all()


# The pairs that a rule multiplies; a switch acts together with every column of its rules.
PAIRS = {
    "syn1": {("x0", "x1")},
    "syn2": set(),
    "syn3": set(),
    "syn4": {("x0", "x1"), ("x0", "x10"), ("x1", "x10"), ("x2", "x10"), ("x3", "x10")},
}


@pytest.mark.parametrize("task", PAIRS)
def test_interactions_are_the_pairs_that_a_rule_multiplies(numbers, task):
    values = selection_table(task, n_rows=300, seed=5)[0].iloc[:, :11].to_numpy()
    columns = ("x0", "x1", "x2", "x3", "x10")
    found = pairwise_interactions(numbers(values, rule(task)), columns)
    # What is not multiplied is zero up to the rounding of cells to single precision.
    assert {pair for pair, size in zip(found.pairs, found.size.values[:, 0], strict=True) if size > 1e-4} == PAIRS[task]
