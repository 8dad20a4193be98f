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


def _several(n: int, seed: int, *n_classes: int) -> np.ndarray:
    """Columns of class codes, all of them present, and a column of numbers for each 1 in ``n_classes``."""
    generator = np.random.default_rng(seed)
    columns = []
    for number in n_classes:
        rare_first = generator.geometric(0.5, n) - 1
        codes = np.minimum(rare_first, number - 1)
        codes[generator.permutation(n)[:number]] = np.arange(number)
        columns.append(generator.normal(size=n) if number == 1 else codes)
    return np.column_stack(columns).astype(np.float64)


@settings(deadline=None, max_examples=120)
@given(
    st.integers(60, 300),
    st.lists(st.integers(1, 7), min_size=2, max_size=5),
    st.floats(0.05, 0.4),
    st.floats(0.0, 0.4),
    st.integers(0, 9),
)
def test_with_several_targets_every_class_of_every_target_is_learned(n, n_classes, validation, test, seed):
    y = _several(n, seed, *n_classes)
    parts = _split(y, Task.MULTITASK, validation, test, seed)
    joined = np.concatenate([parts.train, parts.validation, parts.test])
    assert np.array_equal(np.sort(joined), np.arange(n))
    for part in (parts.train, parts.validation, parts.test):
        assert np.array_equal(part, np.sort(part))
        assert part.dtype == np.int64
    for column, number in zip(y.T, n_classes, strict=True):
        if number > 1:
            assert set(column[parts.train]) == set(range(number))
    assert abs(len(parts.validation) - validation * n) <= 1 + sum(n_classes)
    assert abs(len(parts.test) - test * n) <= 1 + sum(n_classes)


def test_combinations_of_classes_keep_their_shares():
    generator = np.random.default_rng(0)
    a, b = generator.integers(0, 2, 1000), generator.integers(0, 3, 1000)
    y = np.column_stack([a, generator.normal(size=1000), b])
    parts = _split(y, Task.MULTITASK)
    counts = np.bincount(3 * a + b)
    for part, fraction in ((parts.validation, 0.1), (parts.test, 0.2)):
        assert (np.abs(np.bincount((3 * a + b)[part]) - fraction * counts) <= 1).all()


def test_too_many_combinations_are_not_stratified_but_sizes_stay():
    y = np.column_stack([np.arange(60) % 30, np.arange(60) % 2])
    parts = _split(y.astype(float), Task.MULTITASK, 0.2, 0.2)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (36, 12, 12)
    assert set(y[parts.train, 0]) == set(range(30))


def test_whole_numbers_of_a_regression_among_several_targets_do_not_hinder_the_split():
    y = np.column_stack([np.arange(40.0), np.linspace(0, 1, 40)])
    parts = _split(y, Task.MULTITASK, 0.25, 0.25)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (20, 10, 10)


def test_whole_numbers_of_a_regression_are_not_stratified_when_its_task_is_known():
    generator = np.random.default_rng(0)
    y = np.column_stack([generator.integers(0, 70, 4000), generator.permutation(np.repeat([0.0, 1.0], 2000))])
    options = {"validation_fraction": 0.1, "test_fraction": 0.2, "seed": 0}
    known = make_splits(y, Task.MULTITASK, tasks=(Task.REGRESSION, Task.BINARY), **options)
    alone = make_splits(y[:, 1], Task.BINARY, **options)
    assert np.array_equal(known.test, alone.test)
    assert np.array_equal(known.train, alone.train)
    with pytest.raises(ValueError, match=r"shorter|longer"):
        make_splits(y, Task.MULTITASK, tasks=(Task.BINARY,), **options)


def test_pretraining_needs_no_target():
    parts = _split(np.arange(50), Task.PRETRAINING, test=0.0)
    assert (len(parts.train), len(parts.validation)) == (45, 5)
    with pytest.raises(SchemaError, match=r"the table has 9 rows; at least"):
        _split(np.zeros(9), Task.PRETRAINING)
