"""Rank similarity: the published example, series summed by hand, undefined rows, properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from tabnet_engine.explain.trust.similarity import (
    leading,
    row_jaccard,
    row_rank_biased_overlap,
    row_sign_agreement,
    row_spearman,
)

ITEMS = "abcdefgtuvwxyz"


def sizes_of(order: str) -> np.ndarray:
    """Sizes (1, P) that put the items in this order; the others are not used."""
    sizes = np.zeros(len(ITEMS))
    for place, item in enumerate(order):
        sizes[ITEMS.index(item)] = len(order) - place
    return sizes[None]


def overlap(first: str, second: str, p: float = 0.9) -> float:
    return float(row_rank_biased_overlap(sizes_of(first), sizes_of(second), p)[0])


def by_definition(first: str, second: str, p: float) -> float:
    """(1 - p) sum p^(d-1) A_d, where the shorter list's agreement goes on behind its end, as does the longer's."""
    short, long = sorted((first, second), key=len)
    s, n = len(short), len(long)
    shared = [len(set(short[:d]) & set(long[:d])) for d in range(n + 1)]
    total, last = 0.0, 0.0
    for d in range(1, 3_000):
        if d <= n:
            assumed = shared[s] / s * (d - s) if d > s else 0.0
            last = (shared[d] + assumed) / d
        total += (1 - p) * p ** (d - 1) * last
    return total


def test_the_example_of_the_paper():
    # Webber et al. 2010, table 2: a b c d e f g against z c a v w x y; overlaps 0 0 2 2 2 2 2 by depth.
    p, agreements = 0.9, [0, 0, 2 / 3, 2 / 4, 2 / 5, 2 / 6, 2 / 7]
    expected = 2 / 7 * p**7 + (1 - p) / p * sum(a * p**d for d, a in enumerate(agreements, start=1))
    assert overlap("abcdefg", "zcavwxy") == pytest.approx(expected)
    assert expected == pytest.approx(0.28822, abs=1e-5)


def test_a_rotation_has_the_value_that_other_programs_give():
    assert overlap("abcde", "bcdae") == pytest.approx(0.828, abs=5e-4)


@given(st.permutations(ITEMS), st.permutations(ITEMS), st.integers(1, 14), st.integers(1, 14), st.floats(0.5, 0.95))
@settings(max_examples=60, deadline=None)
def test_overlap_is_the_series_also_for_lists_of_different_lengths(first, second, n, m, p):
    mine, yours = "".join(first[:n]), "".join(second[:m])
    value = overlap(mine, yours, p)
    assert value == pytest.approx(by_definition(mine, yours, p), abs=1e-9)
    assert value == pytest.approx(overlap(yours, mine, p))
    assert -1e-12 <= value <= 1 + 1e-12


def test_equal_orders_have_one_disjoint_ones_zero_and_early_places_count_most():
    assert overlap("abc", "abc") == pytest.approx(1)
    assert overlap("abc", "xyz") == 0
    assert overlap("abcdefg", "bacdefg") < overlap("abcdefg", "abcdegf")
    assert np.isnan(row_rank_biased_overlap(np.zeros((1, 3)), np.ones((1, 3)))).all()


def test_a_persistence_outside_its_range_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        row_rank_biased_overlap(np.ones((1, 2)), np.ones((1, 2)), 1.0)


def test_jaccard_and_leaders_by_hand():
    first = np.array([[5.0, 4, 3, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    second = np.array([[0.0, 9, 8, 7, 0], [0, 2, 0, 0, 0], [0, 0, 0, 0, 0]])
    assert leading(first, 3).tolist()[1] == [True, False, False, False, False]
    np.testing.assert_allclose(row_jaccard(first, second, 3), [2 / 4, 0, np.nan])
    np.testing.assert_allclose(row_jaccard(first, second, 2), [1 / 3, 0, np.nan])


def test_sign_agreement_by_hand():
    first = np.array([[3.0, -2, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    second = np.array([[3.0, 2, 0.1, 0], [-1, 0, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(row_sign_agreement(first, second, 2), [1 / 2, 0, np.nan])
    # A column that only one method uses: leaders are columns 0 and 1, the second is at zero for the other.
    np.testing.assert_allclose(row_sign_agreement(np.array([[2.0, 1]]), np.array([[2.0, 0]]), 2), [0.5])


def test_spearman_is_scipys_and_undefined_without_an_order():
    generator = np.random.default_rng(0)
    first, second = generator.integers(0, 4, (5, 8)).astype(float), generator.normal(size=(5, 8))
    expected = [spearmanr(a, b).statistic for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(row_spearman(first, second), expected)
    assert np.isnan(row_spearman(np.ones((1, 3)), second[:1, :3])).all()
    assert np.isnan(row_spearman(np.ones((2, 1)), np.ones((2, 1)))).all()
