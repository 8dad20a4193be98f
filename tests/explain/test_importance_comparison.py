"""Methods side by side: shares add up, ranks are ranks, intervals keep their proportions, orders are orders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.explain.importance_comparison import compare_importances

FEATURES = ("a", "b", "c", "d")


def importance(method, values, error=None, features=FEATURES, **edges):
    return GlobalImportance(
        method=method,
        features=features,
        values=np.asarray(values, dtype=np.float64),
        standard_error=None if error is None else np.asarray(error, dtype=np.float64),
        n_rows=10,
        note="Note.",
        **edges,
    )


numbers = st.lists(st.integers(0, 6), min_size=4, max_size=4)


@settings(deadline=None, max_examples=60)
@given(first=numbers, second=numbers)
def test_shares_add_up_and_ranks_are_those_of_scipy(first, second):
    compared = compare_importances([importance("masks", first), importance("shap", second)])
    for place, values in enumerate((first, second)):
        assert compared.shares[place].sum() == pytest.approx(1 if sum(values) else 0)
        assert compared.ranks[place].tolist() == rankdata(-np.array(values), "min").tolist()
    np.testing.assert_allclose(compared.mean_rank, compared.ranks.mean(axis=0))
    for by in ("mean", "spread", "table", "masks", "shap"):
        assert sorted(compared.order(by)) == [0, 1, 2, 3]
    assert (np.diff(compared.mean_rank[compared.order("mean")]) >= 0).all()
    assert (np.diff(compared.rank_spread[compared.order("spread")]) <= 0).all()
    assert (np.diff(np.array(second)[compared.order("shap")]) <= 0).all()


def test_intervals_are_divided_by_the_same_sum_as_values():
    compared = compare_importances([importance("masks", [4, 3, 2, 1], [1, 1, 1, 1])])
    values, low, high = compared.values("masks", "share")
    np.testing.assert_allclose(values, [40, 30, 20, 10])
    np.testing.assert_allclose((high - low)[:3], 2 * 19.6, rtol=1e-3)
    assert low[3] == 0  # a share of the reading cannot be below nothing
    own, low, high = compared.values("masks", "own")
    assert own.tolist() == [4, 3, 2, 1]
    np.testing.assert_allclose(high - own, 1.96, rtol=1e-3)


def test_what_permuting_improved_is_below_zero_and_takes_from_no_one():
    edges = {"low": np.array([1.0, 0, -3, 0]), "high": np.array([5.0, 2, 1, 0])}
    compared = compare_importances([importance("permutation", [3, 1, -1, 0], **edges)])
    values, low, _ = compared.values("permutation", "share")
    np.testing.assert_allclose(values, [75, 25, -25, 0])
    np.testing.assert_allclose(low, [25, 0, -75, 0])


def test_without_intervals_there_are_none():
    values, low, high = compare_importances([importance("masks", [1, 1, 1, 1])]).values("masks", "share")
    assert np.isnan(low).all()
    assert np.isnan(high).all()
    np.testing.assert_allclose(values, 25)


def test_a_column_is_placed_in_words_and_disagreement_is_said():
    compared = compare_importances([importance("masks", [4, 3, 2, 1]), importance("shap", [1, 3, 2, 4])])
    agreed = "b is, of 4 columns, number 2 by attention masks, 2 by SHAP: the methods agree on its place."
    assert compared.sentence("b") == agreed
    assert compared.sentence("a").endswith("3 places lie between its best and its worst rank.")


def test_methods_over_other_columns_are_left_out_and_named():
    grouped = importance("shap", [1, 2], features=("money", "age"))
    compared = compare_importances([importance("masks", [4, 3, 2, 1]), grouped])
    assert compared.names == ("masks",)
    assert compared.left_out == ("shap",)
    with pytest.raises(KeyError, match="no importance by 'shap'"):
        compared.of("shap")
    with pytest.raises(ValueError, match="an importance to compare"):
        compare_importances([])


def test_the_table_holds_every_number_in_the_asked_order():
    compared = compare_importances([importance("masks", [1, 3, 2, 4], [1] * 4), importance("shap", [1, 3, 2, 4])])
    table = compared.table(compared.order("shap"))
    assert table["column"].tolist() == ["d", "b", "c", "a"]
    assert table["value by SHAP"].tolist() == [4, 3, 2, 1]
    assert table["rank by attention masks"].tolist() == [1, 2, 3, 4]
    assert table["SHAP, from"].isna().all()
    np.testing.assert_allclose(table["share by attention masks"], [0.4, 0.3, 0.2, 0.1])
