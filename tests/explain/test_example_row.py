"""The row that a newcomer sees first: usual for its outcome, unseen in training, and said why."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.example_row import code_asked, example_row
from tabnet_engine.explain.row_outcomes import RowOutcomes

TRAIN, TEST = 0, 2


def outcomes(predicted, actual, confidence, split, *, task=Task.BINARY):
    count = len(predicted)
    return RowOutcomes(
        task=task,
        classes=() if task is Task.REGRESSION else ("approved", "declined"),
        rows=np.arange(100, 100 + count),
        split=np.full(count, split) if isinstance(split, int) else np.asarray(split),
        predicted=np.asarray(predicted, dtype=float),
        actual=np.asarray(actual, dtype=float),
        confidence=np.asarray(confidence, dtype=float),
        error=np.zeros(count),
    )


def test_the_median_of_the_test_rows_that_are_rightly_of_the_class():
    given = outcomes([1, 1, 1, 1, 0, 1], [1, 1, 1, 0, 1, 1], [0.9, 0.6, 0.7, 0.65, 0.5, 0.71], [2, 2, 2, 2, 2, 0])
    found = example_row(given, code=1)
    assert found is not None
    assert (found.row, found.case, found.outcome) == (102, "right", "declined")
    assert found.alike.tolist() == [100, 101, 102]
    assert "102" in found.why
    assert "3 test rows" in found.why


def test_a_row_whose_explanation_is_stored_is_preferred():
    given = outcomes([1] * 5, [1] * 5, [0.5, 0.6, 0.7, 0.8, 0.9], TEST)
    assert example_row(given, code=1, ready=[104, 100, 7]).row == 100  # as far from the median; the first
    assert example_row(given, code=1, ready=[103, 104]).row == 103
    assert example_row(given, code=1, ready=[7]).row == 102


@pytest.mark.parametrize(
    ("predicted", "actual", "split", "case", "row", "words"),
    [
        ([1, 0], [0, 0], TEST, "test", 100, "wrongly"),
        ([1, 0], [-1, 0], TEST, "test", 100, "one test row"),
        ([1, 0], [1, 0], TRAIN, "learned", 100, "may have learned"),
        ([0, 0], [1, 1], TEST, "none", 101, "No row is given “declined”"),
    ],
)
def test_where_there_is_no_such_row_the_next_best_and_it_says_so(predicted, actual, split, case, row, words):
    found = example_row(outcomes(predicted, actual, [0.9, 0.6], split), code=1)
    assert (found.case, found.row) == (case, row)
    assert words in found.why


def test_of_numbers_a_high_prediction_that_is_no_extreme():
    given = outcomes(range(9), [np.nan] * 9, [np.nan] * 9, TEST, task=Task.REGRESSION)
    found = example_row(given)
    assert found.row == 106
    assert np.mean(given.predicted > given.predicted[found.row - 100]) == pytest.approx(0.25, abs=0.05)
    assert "a quarter" in found.why


def test_no_rows_give_no_row():
    assert example_row(outcomes([], [], [], TEST)) is None


def test_the_class_that_an_output_asks_about():
    assert code_asked(Task.BINARY, slice(3, 4), 3) == 1
    assert code_asked(Task.MULTICLASS, slice(3, 6), 5) == 2
    assert code_asked(Task.REGRESSION, slice(2, 3), 2) == 0


def test_the_rows_to_look_at_next_are_those_that_need_no_waiting():
    given = outcomes([1] * 5, [1] * 5, [0.5, 0.6, 0.7, 0.8, 0.9], TEST)
    assert example_row(given, code=1).others(3) == [100, 101, 103]
    assert example_row(given, code=1, ready=[102, 104]).others(3) == [104]
