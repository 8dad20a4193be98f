"""Rows in named parts: each row in one part at most, crossings that occur, mistakes told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.schema import Task
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.row_outcomes import RowOutcomes
from tabnet_engine.explain.row_parts import (
    RowParts,
    intersection,
    parts_by_actual,
    parts_by_predicted,
    parts_by_slice,
)


def outcomes(task: Task, predicted, actual, classes=()) -> RowOutcomes:
    predicted, actual = np.asarray(predicted, dtype=float), np.asarray(actual, dtype=float)
    n = len(predicted)
    unknown = actual < 0 if classes else np.isnan(actual)
    return RowOutcomes(
        task=task,
        classes=classes,
        rows=np.arange(n),
        split=np.full(n, 2),
        predicted=predicted,
        actual=actual,
        confidence=np.full(n, 0.5),
        error=np.where(unknown, np.nan, 0.1),
    )


def test_by_class_a_row_without_an_outcome_is_in_no_part():
    found = outcomes(Task.BINARY, [0, 1, 1], [1, -1, 0], classes=("no", "yes"))
    assert parts_by_actual(found).codes.tolist() == [1, -1, 0]
    assert parts_by_predicted(found).codes.tolist() == [0, 1, 1]
    assert parts_by_predicted(found).sizes.tolist() == [1, 2]


def test_a_quantity_is_cut_into_ranges_of_equally_many_rows():
    found = outcomes(Task.REGRESSION, np.arange(100), np.append(np.arange(99.0), np.nan))
    parts = parts_by_actual(found)
    assert parts.sizes.max() - parts.sizes.min() <= 2
    assert parts.codes[-1] == -1
    assert len(parts) == 4
    assert parts.names[0].startswith("under ")


def test_a_constant_quantity_and_an_unknown_one_still_divide():
    assert sum(parts_by_actual(outcomes(Task.REGRESSION, [1.0] * 5, [3.0] * 5)).sizes) == 5
    assert parts_by_actual(outcomes(Task.REGRESSION, [1.0], [np.nan])).codes.tolist() == [-1]


def test_slices_that_overlap_or_hold_nothing_are_refused():
    parts = parts_by_slice({"old": [0, 2], "young": [1]}, 4)
    assert parts.codes.tolist() == [0, 1, 0, -1]
    with pytest.raises(ExplanationError, match=r"row 1 is in two slices, 'old' and 'young'"):
        parts_by_slice({"old": [0, 1], "young": [1]}, 4)
    with pytest.raises(ExplanationError, match="'empty' matches no row"):
        parts_by_slice({"empty": []}, 4)


codes = st.lists(st.integers(-1, 2), min_size=1, max_size=40)


@given(first=codes, seed=st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_a_crossing_holds_exactly_the_rows_of_both(first, seed):
    a = RowParts(title="a", names=("x", "y", "z"), codes=np.array(first))
    b = RowParts(title="b", names=("p", "q"), codes=np.random.default_rng(seed).integers(-1, 2, len(first)))
    crossed = intersection(a, b)
    assert (crossed.sizes > 0).all()
    for row, code in enumerate(crossed.codes):
        if a.codes[row] < 0 or b.codes[row] < 0:
            assert code == -1
        else:
            assert crossed.names[code] == f"a = {a.names[a.codes[row]]}, b = {b.names[b.codes[row]]}"


def test_wrong_codes_and_lengths_are_our_own_fault():
    with pytest.raises(ValueError, match="codes must lie"):
        RowParts(title="a", names=("x",), codes=np.array([1]))
    with pytest.raises(ValueError, match="name of its own"):
        RowParts(title="a", names=("x", "x"), codes=np.array([0]))
    a = RowParts(title="a", names=("x",), codes=np.zeros(2, dtype=np.int64))
    with pytest.raises(ValueError, match="cannot be crossed"):
        intersection(a, a.take([0]))
