import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tabnet_engine.data.schema import Task
from tabnet_engine.data.splits import MIN_ROWS, Splits, make_splits
from tabnet_engine.errors import SchemaError


def _split(y, task=Task.MULTICLASS, validation=0.1, test=0.2, seed=0) -> Splits:
    return make_splits(y, task, validation_fraction=validation, test_fraction=test, seed=seed)


@settings(deadline=None, max_examples=120)
@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=8),
    st.floats(0.01, 0.5),
    st.floats(0.0, 0.4),
    st.sampled_from([Task.MULTICLASS, Task.REGRESSION]),
    st.integers(0, 9),
)
def test_the_parts_hold_every_row_once_and_keep_the_shares(counts, validation, test, task, seed):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    assume(len(y) >= 20)
    try:
        parts = _split(y, task, validation, test, seed)
    except SchemaError:
        assume(condition=False)
        return
    joined = np.concatenate([parts.train, parts.validation, parts.test])
    assert np.array_equal(np.sort(joined), np.arange(len(y)))
    for part, fraction in ((parts.validation, validation), (parts.test, test)):
        assert np.array_equal(part, np.sort(part))
        assert part.dtype == np.int64
        if task is Task.MULTICLASS:
            got = np.bincount(y[part], minlength=len(counts))
            assert (np.abs(got - np.array(counts) * fraction) <= 1.0).all()
    if task is Task.MULTICLASS:
        assert np.bincount(y[parts.train], minlength=len(counts)).min() >= 1
    assert len(parts.validation) >= 1
    assert (len(parts.test) > 0) == (test > 0)


def test_sizes_are_those_asked_for():
    parts = _split(np.tile([0, 1, 1, 2], 250))
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (700, 100, 200)


def test_the_seed_decides_and_nothing_else():
    y = np.arange(100) % 3
    a, b, c = _split(y), _split(y), _split(y, seed=1)
    assert np.array_equal(a.test, b.test)
    assert not np.array_equal(a.test, c.test)


def test_rows_are_drawn_at_random_not_in_order():
    parts = _split(np.linspace(0, 1, 1000), Task.REGRESSION)
    assert 300 < parts.test.mean() < 700
    assert np.diff(parts.test).max() > 1


def test_no_test_rows_when_none_are_asked_for():
    assert len(_split(np.arange(40) % 2, test=0.0).test) == 0


def test_the_rarest_class_is_learned():
    parts = _split(np.array([0] * 50 + [1] * 50 + [2]))
    assert 100 in parts.train


def test_a_lone_positive_stays_in_training_even_when_little_is_kept():
    assert 9 in _split(np.array([0] * 9 + [1]), Task.BINARY, 0.5, 0.5).train


def test_positions_in_a_larger_table():
    rows = np.array([1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23])
    parts = _split(np.arange(12) % 2)
    moved = parts.of(rows)
    assert np.array_equal(moved.train, rows[parts.train])
    assert np.array_equal(moved.validation, rows[parts.validation])
    assert np.array_equal(moved.test, rows[parts.test])


def test_too_few_rows():
    with pytest.raises(SchemaError, match=f"9 rows with a target; at least {MIN_ROWS}"):
        _split(np.zeros(9), Task.REGRESSION)


@pytest.mark.parametrize(
    ("y", "task", "fractions", "problem"),
    [
        (np.arange(12), Task.MULTICLASS, (0.1, 0.2), "12 rows in 12 classes are too few"),
        (np.arange(10.0), Task.REGRESSION, (0.5, 0.5), "10 rows are too few"),
    ],
)
def test_parts_that_cannot_be_filled(y, task, fractions, problem):
    with pytest.raises(SchemaError, match=problem):
        _split(y, task, *fractions)
