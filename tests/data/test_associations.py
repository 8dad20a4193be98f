import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats.contingency import association

from tabnet_engine.data.profiling.associations import (
    correlation,
    correlation_ratio,
    cramers_v,
    determined_share,
    exact_linear_rule,
    level_codes,
)

RNG = np.random.default_rng(0)
N = 2000
HALF = RNG.random(N) < 0.5


def test_correlation_is_pearsons():
    x = RNG.normal(size=N)
    y = -x + RNG.normal(size=N)
    assert correlation(x, y) == pytest.approx(-np.corrcoef(x, y)[0, 1])
    x[::3] = np.nan
    assert correlation(x, y) == pytest.approx(-pd.Series(x).corr(pd.Series(y)))


def test_correlation_of_huge_values():
    x = np.array([1e300, 2e300, 3e300, -1e300])
    assert correlation(x, 2 * x / 10) == pytest.approx(1.0)


@pytest.mark.parametrize("y", [np.full(5, 0.1), np.array([1.0, 2.0, np.nan, np.nan, np.nan])])
def test_correlation_needs_variation_and_rows(y):
    assert correlation(np.arange(5.0), y) is None


def test_correlation_ratio_of_two_levels_is_the_correlation():
    codes = (RNG.random(N) < 0.3).astype(np.int64)
    y = codes + RNG.normal(size=N)
    assert correlation_ratio(codes, y) == pytest.approx(abs(np.corrcoef(codes, y)[0, 1]), abs=0.005)


def test_correlation_ratio_ends():
    codes = RNG.integers(0, 5, N)
    assert correlation_ratio(codes, codes * 3.0) == pytest.approx(1)
    assert correlation_ratio(codes, RNG.normal(size=N)) < 0.1
    assert correlation_ratio(RNG.integers(0, N // 2, N), RNG.normal(size=N)) < 0.25  # not impressed by many levels


@pytest.mark.parametrize(
    ("codes", "y"),
    [
        ([0, 0, 0, 0], [1.0, 2.0, 3.0, 4.0]),
        ([0, 1, 0, 1], [2.0, 2.0, 2.0, 2.0]),
        ([0, 1, 2, 3], [1.0, 2.0, 3.0, 4.0]),
        ([-1, -1, 0, 1], [1.0, 2.0, 3.0, 4.0]),
    ],
)
def test_correlation_ratio_needs_levels_rows_and_variation(codes, y):
    assert correlation_ratio(np.array(codes), np.array(y)) is None


def test_cramers_v_is_near_the_uncorrected_one_for_many_rows():
    a = RNG.integers(0, 4, N)
    b = np.where(RNG.random(N) < 0.6, a % 3, RNG.integers(0, 3, N))
    plain = association(pd.crosstab(a, b).to_numpy(), method="cramer")
    assert cramers_v(a, b) == pytest.approx(plain, abs=0.01)


def test_cramers_v_ends():
    a = RNG.integers(0, 4, N)
    assert cramers_v(a, 3 - a) == pytest.approx(1)
    assert cramers_v(a, RNG.integers(0, 3, N)) < 0.05
    assert cramers_v(np.arange(N), a) is None  # a level for every row is no association
    assert cramers_v(RNG.integers(0, N // 3, N), a) < 0.1
    assert cramers_v(np.zeros(N, np.int64), a) is None
    assert cramers_v(np.array([0, -1, -1]), np.array([1, 0, 1])) is None


def test_levels_are_values_or_equal_bins():
    assert level_codes(np.array([3.0, np.nan, 1.0, 3.0] * 10)).tolist()[:4] == [1, -1, 0, 1]
    counts = np.bincount(level_codes(RNG.exponential(size=N)))
    assert counts.size == 64
    assert counts.max() < 3 * N / 64
    assert (level_codes(np.array([np.nan, np.inf])) == -1).all()


def test_a_level_for_every_row_determines_nothing_in_unseen_rows():
    target = RNG.integers(0, 2, N)
    assert determined_share(np.arange(N), target, HALF) < 0.01


def test_a_copy_of_the_target_determines_it():
    target = RNG.integers(0, 3, N)
    assert determined_share(2 - target, target, HALF) > 0.99
    numbers = RNG.exponential(size=N)
    ranks = pd.Series(numbers).rank().to_numpy()
    assert determined_share(level_codes(np.log(numbers)), ranks, HALF) > 0.99


def test_being_missing_counts():
    """A date that is filled in for one class only gives the class away."""
    target = RNG.integers(0, 2, N)
    assert determined_share(np.where(target == 1, RNG.integers(0, 3, N), -1), target, HALF) > 0.98


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 5), st.integers(1, 6), st.integers(0, 99))
def test_the_class_shortcut_equals_the_scores_row_by_row(n_classes, n_levels, seed):
    generator = np.random.default_rng(seed)
    codes, target = generator.integers(-1, n_levels, 60), generator.integers(0, n_classes, 60)
    half = generator.permutation(60) < 30
    target[0] = n_classes - 1
    truth = np.eye(n_classes)[target]
    base = truth[half].mean(axis=0)
    error = total = 0.0
    for row in np.flatnonzero(~half):
        mine = truth[half & (codes == codes[row])]
        share = (mine.sum(axis=0) + base) / (len(mine) + 1)
        error += ((truth[row] - share) ** 2).sum()
        total += ((truth[row] - base) ** 2).sum()
    assert determined_share(codes, target, half) == pytest.approx(max(0.0, 1 - error / total))


def test_a_target_without_variation_is_not_determined():
    assert determined_share(np.zeros(N, np.int64), np.zeros(N), HALF) == 0
    assert determined_share(np.zeros(N, np.int64), np.zeros(N, np.int64), HALF) == 0


def test_a_plain_sum_is_found_among_other_columns():
    columns = RNG.integers(0, 1000, (N, 6)).astype(float)
    rule = exact_linear_rule(columns, columns[:, 1] + columns[:, 4])
    assert rule.members == (1, 4)
    assert rule.weights == pytest.approx((1, 1))
    assert rule.is_plain_sum
    assert rule.n_rows == N


def test_a_weighted_sum_is_found_up_to_rounding():
    columns = RNG.normal(size=(N, 5)) * [1, 1e6, 1, 1e-6, 0]
    target = np.round(3 * columns[:, 0] - 0.002 * columns[:, 1] + 7, 3)
    rule = exact_linear_rule(columns, target)
    assert rule.members == (0, 1)
    assert rule.weights == pytest.approx((3, -0.002), rel=1e-3)
    assert rule.intercept == pytest.approx(7, rel=1e-2)
    assert not rule.is_plain_sum


def test_one_of_two_equal_columns_is_enough():
    columns = RNG.normal(size=(N, 3))
    columns[:, 2] = columns[:, 0]
    rule = exact_linear_rule(columns, columns[:, 0] + columns[:, 1])
    assert len(rule.members) == 2
    assert 1 in rule.members


@pytest.mark.parametrize("noise", [0.01, 1.0])
def test_a_noisy_sum_is_no_rule(noise):
    columns = RNG.normal(size=(N, 5))
    assert exact_linear_rule(columns, columns.sum(axis=1) + noise * RNG.normal(size=N)) is None


def test_too_few_rows_or_no_spread_give_no_rule():
    columns = RNG.normal(size=(10, 5))
    assert exact_linear_rule(columns, columns[:, 0]) is None
    assert exact_linear_rule(RNG.normal(size=(N, 2)), np.ones(N)) is None
    assert exact_linear_rule(np.empty((N, 0)), RNG.normal(size=N)) is None


def test_rows_with_a_missing_cell_are_left_out():
    columns = RNG.normal(size=(N, 3))
    target = columns[:, 0] + columns[:, 2]
    columns[::5, 0] = np.nan
    rule = exact_linear_rule(columns, target)
    assert rule.members == (0, 2)
    assert rule.n_rows == N - N // 5


def _gapped(n_levels: int, seed: int) -> np.ndarray:
    """Codes of which some levels never occur, and missing ones."""
    generator = np.random.default_rng(seed)
    codes = generator.integers(-1, n_levels, 400)
    codes[np.isin(codes, [0, n_levels // 2])] = -1
    return codes


@pytest.mark.parametrize("n_levels", [4, 90])
def test_levels_that_do_not_occur_change_nothing(n_levels):
    codes, other = _gapped(n_levels, 1), _gapped(n_levels, 2)
    numbers = codes % 3 + np.random.default_rng(3).normal(size=400)
    both = codes >= 0
    packed = np.full(400, -1, dtype=np.int64)
    packed[both] = np.unique(codes[both], return_inverse=True)[1]
    assert correlation_ratio(codes, numbers) == pytest.approx(correlation_ratio(packed, numbers), abs=1e-12) != 0
    tables = pd.crosstab(*(pd.Series(column[(codes >= 0) & (other >= 0)]) for column in (codes, other)))
    assert cramers_v(codes, other) == pytest.approx(cramers_v(packed, other), abs=1e-12)
    n, (r, k) = int(tables.to_numpy().sum()), tables.shape
    expected = np.outer(tables.sum(axis=1), tables.sum(axis=0)) / n
    phi = ((tables - expected) ** 2 / expected).to_numpy().sum() / n
    corrected = max(0.0, phi - (r - 1) * (k - 1) / (n - 1))
    width = min(r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)) - 1
    assert cramers_v(codes, other) == pytest.approx(np.sqrt(corrected / width), abs=1e-9)
