"""Syn1 to Syn6: the published ceilings, the columns that decide, and rules written down a second time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.schema import Kind, Task
from tabnet_engine.data.synthetic_selection import (
    SELECTION_CEILING,
    SELECTION_TARGET,
    SELECTION_TASKS,
    selection_table,
)


def by_hand(task, row):
    """P(y = 1) of one row, in the words of the papers, columns counted from 1."""
    x = (None, *row)
    z1 = x[1] * x[2]
    z2 = x[3] ** 2 + x[4] ** 2 + x[5] ** 2 + x[6] ** 2 - 4
    z3 = -10 * math.sin(0.2 * x[7]) + abs(x[8]) + x[9] + math.exp(-x[10]) - 2.4
    below = x[11] < 0
    z = {
        "syn1": z1,
        "syn2": z2,
        "syn3": z3,
        "syn4": z1 if below else z2,
        "syn5": z1 if below else z3,
        "syn6": z2 if below else z3,
    }[task]
    return 1 / (1 + math.exp(z))


@pytest.mark.parametrize("task", SELECTION_TASKS)
def test_the_true_probability_reaches_the_known_ceiling(task):
    frame, truth = selection_table(task, n_rows=400_000, seed=5)
    area = roc_auc_score(frame[SELECTION_TARGET], truth.probability)
    assert area == pytest.approx(SELECTION_CEILING[task], abs=0.003)
    # Labels drawn with this probability: calibrated, not only ordered.
    assert frame[SELECTION_TARGET].mean() == pytest.approx(truth.probability.mean(), abs=0.003)


@pytest.mark.parametrize("task", SELECTION_TASKS)
def test_the_rules_are_those_of_the_papers(task):
    frame, truth = selection_table(task, n_rows=200, seed=1)
    rows = frame.drop(columns=SELECTION_TARGET).to_numpy()
    np.testing.assert_allclose(truth.probability, [by_hand(task, row) for row in rows], rtol=1e-12)


@pytest.mark.parametrize("task", SELECTION_TASKS)
def test_only_the_relevant_columns_of_a_row_change_its_probability(task):
    frame, truth = selection_table(task, n_rows=300, seed=2)
    rows = frame.drop(columns=SELECTION_TARGET).to_numpy()
    for column in range(rows.shape[1]):
        changed = rows.copy()
        changed[:, column] *= -1.7 if column == 10 else 1.7
        moved = [not math.isclose(by_hand(task, row), p) for row, p in zip(changed, truth.probability, strict=True)]
        assert not (np.array(moved) & ~truth.relevant[:, column]).any(), column
        assert np.array(moved).sum() >= 0.9 * truth.relevant[:, column].sum(), column


def test_a_seed_gives_its_own_rows_and_always_the_same():
    first, _ = selection_table("syn4", n_rows=50, seed=3)
    again, _ = selection_table("syn4", n_rows=50, seed=3)
    other, _ = selection_table("syn4", n_rows=50, seed=4)
    assert first.equals(again)
    assert not np.isin(first["x1"], other["x1"]).any()


def test_the_table_is_read_as_eleven_numbers_and_two_classes():
    frame, _ = selection_table("syn1", n_rows=500)
    schema = set_target(propose_schema(frame), frame, SELECTION_TARGET)
    assert schema.task is Task.BINARY
    assert schema.feature_names == tuple(f"x{number}" for number in range(1, 12))
    assert {column.kind for column in schema.features} == {Kind.NUMBER}


def test_a_wrong_request_is_refused():
    with pytest.raises(ValueError, match=r"task must be one of syn1, .*, got 'syn7'"):
        selection_table("syn7")
    with pytest.raises(ValueError, match="n_rows must be at least 1, got 0"):
        selection_table("syn1", n_rows=0)
