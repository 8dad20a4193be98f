"""Agreement of two orders: against SciPy, undefined cases, and the sentences users read."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from tabnet_engine.explain.agreement import (
    agreement_sentence,
    disagreement_sentences,
    largest_difference_sentence,
    rank_agreement,
    row_agreement,
    row_agreement_sentence,
)
from tabnet_engine.explain.importance import GlobalImportance


def importance(values, method="masks", features=None):
    return GlobalImportance(
        method=method,
        features=tuple(features or (f"f{index}" for index in range(len(values)))),
        values=np.asarray(values, dtype=float),
        standard_error=None,
        n_rows=10,
        note="",
    )


def compare(first, second, **kwargs):
    return rank_agreement(importance(first, "masks"), importance(second, "shap"), **kwargs)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=15))
@settings(max_examples=100, deadline=None)
def test_spearman_is_scipys_also_with_ties(pairs):
    first, second = zip(*pairs, strict=True)
    agreement = compare(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert agreement.spearman is None
    else:
        assert agreement.spearman == pytest.approx(spearmanr(first, second).statistic, abs=1e-12)


def test_ranks_shares_and_overlap_by_hand():
    agreement = compare([0.5, 0.3, 0.2, 0.0], [1.0, 0.0, 3.0, 0.0], top_k=2)
    assert agreement.first_rank.tolist() == [1, 2, 3, 4]
    assert agreement.second_rank.tolist() == [2, 3, 1, 3]
    assert agreement.rank_difference.tolist() == [1, 1, -2, -1]
    assert (agreement.n_shared, agreement.top_k, agreement.overlap) == (1, 2, 0.5)
    np.testing.assert_allclose(agreement.second_share, [0.25, 0, 0.75, 0])


def test_a_column_that_nobody_uses_never_leads():
    agreement = compare([1, 0, 0, 0], [1, 0, 0, 0], top_k=3)
    assert (agreement.n_shared, agreement.top_k) == (1, 1)
    nothing = compare([0, 0], [0, 0])
    assert (nothing.n_shared, nothing.overlap, nothing.spearman) == (0, 0.0, None)


def test_the_same_columns_are_needed():
    with pytest.raises(ValueError, match="same columns"):
        rank_agreement(importance([1, 2]), importance([1, 2], features=["a", "b"]))


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ([6, 5, 4, 3, 2, 1], "largely agree (Spearman 1.00 over 6 columns); 5 of the 5 leading"),
        ([1, 2, 3, 4, 5, 6], "do not agree (Spearman -1.00 over 6 columns); 4 of the 5 leading"),
        ([6, 4, 5, 3, 2, 1], "largely agree (Spearman 0.94"),
        ([4, 6, 5, 1, 3, 2], "agree in part"),
        ([3, 6, 1, 5, 4, 2], "agree little"),
        ([1, 1, 1, 1, 1, 1], "cannot be correlated"),
    ],
)
def test_overall_agreement_in_words(second, words):
    assert words in agreement_sentence(compare([6, 5, 4, 3, 2, 1], second))


def test_a_column_that_is_read_most_but_moves_little_is_named_first():
    features = ["age", "hours", "gain", "sex", "race", "job"]
    read = importance([0.5, 0.2, 0.15, 0.1, 0.05, 0.0], features=features)
    moved = importance([0.1, 0.9, 0.8, 0.7, 0.6, 0.2], "shap", features)
    assert disagreement_sentences(rank_agreement(read, moved))[0] == (
        "'age' is read most (rank 1, 50 % of the masks) but moves the score little (rank 6, 3 % of the mean absolute "
        "SHAP values)."
    )


def test_a_column_without_a_name_is_introduced():
    names = ["5", "6", "7", "8"]
    pair = rank_agreement(importance([4, 3, 2, 1], features=names), importance([1, 3, 2, 4], "shap", names))
    assert disagreement_sentences(pair)[0].startswith("Column 5 is read most (rank 1")


def test_a_column_that_moves_much_though_read_little_is_named_too():
    sentences = disagreement_sentences(compare([6, 5, 4, 3, 2, 1], [4, 3, 2, 1, 6, 5], top_k=3))
    assert sentences[0].startswith("'f4' is read little (rank 5, 10 % of the masks) yet moves the score most (rank 1")
    assert "'f5' is read little (rank 6, 5 % of the masks) yet moves the score much (rank 2" in sentences[1]
    assert "'f0' is read most (rank 1, 29 % of the masks) but moves the score less (rank 3" in sentences[2]
    assert len(disagreement_sentences(compare([6, 5, 4, 3, 2, 1], [4, 3, 2, 1, 6, 5]), limit=2)) == 2


def test_agreement_gives_no_sentence_and_unused_columns_do_not_count():
    assert disagreement_sentences(compare([3, 2, 1], [30, 20, 10])) == ()
    first, second = np.zeros(40), np.zeros(40)
    first[:10] = second[:10] = np.arange(10, 0, -1)
    first[10:], second[10:] = np.linspace(1e-6, 1e-7, 30), np.linspace(1e-7, 1e-6, 30)  # far apart, yet unused
    assert disagreement_sentences(compare(first, second)) == ()


def test_shares_that_clearly_differ_count_even_one_place_apart():
    names = ["paid", "debt", "job", "age", "sex"]
    read = importance([0.4, 0.3, 0.2, 0.06, 0.04], features=names)
    moved = importance([0.24, 0.5, 0.18, 0.05, 0.03], "shap", names)
    assert disagreement_sentences(rank_agreement(read, moved)) == (
        (
            "'debt' is read less (rank 2, 30 % of the masks) yet moves the score most (rank 1, 50 % of the mean "
            "absolute SHAP values)."
        ),
        (
            "'paid' is read most (rank 1, 40 % of the masks) but moves the score less (rank 2, 24 % of the mean "
            "absolute SHAP values)."
        ),
    )
    closer = importance([0.35, 0.36, 0.2, 0.05, 0.04], "shap", names)
    assert disagreement_sentences(rank_agreement(read, closer)) == ()
    same_places = importance([0.9, 0.05, 0.03, 0.01, 0.01], "shap", names)
    assert disagreement_sentences(rank_agreement(read, same_places)) == ()


def test_rows_are_matched_by_their_number(cases):
    masks = cases.masks(n_rows=6, n_features=4, seed=2)
    moved = np.zeros((3, 4, 2))
    order = [4, 0, 5]
    moved[:, :, 1] = -masks.aggregate[order] * [[2.0], [3.0], [5.0]]
    attribution = cases.attribution(moved, rows=masks.rows[order], outputs=("no", "yes"))
    agreement = row_agreement(masks, attribution, output="yes")
    assert agreement.rows.tolist() == sorted(masks.rows[order].tolist())
    np.testing.assert_allclose(agreement.spearman, 1)
    np.testing.assert_allclose(agreement.overlap, 1)
    assert agreement.median_spearman == pytest.approx(1)
    assert row_agreement_sentence(agreement) == (
        "Row by row, masks and SHAP for yes have a median Spearman of 1.00 over 3 rows; it is below 0.5 in 0 % of them."
    )


def test_rows_without_an_order_are_undefined_not_zero(cases):
    masks = cases.masks(n_rows=2)
    attribution = cases.attribution(np.zeros((2, 3, 1)))
    agreement = row_agreement(masks, attribution)
    assert np.isnan(agreement.spearman).all()
    assert agreement.median_spearman is None
    assert row_agreement_sentence(agreement).startswith("No single row can be compared")
    none_shared = row_agreement(masks, dataclasses.replace(attribution, rows=np.array([90, 91])))
    assert none_shared.rows.tolist() == []
    assert none_shared.median_spearman is None


def test_rows_need_the_same_columns(cases):
    with pytest.raises(ValueError, match="same columns"):
        row_agreement(cases.masks(n_features=3), cases.attribution(np.zeros((2, 4, 1))))


def test_the_largest_difference_is_named_where_none_is_a_warning():
    read, moved = importance([5, 4, 3, 2, 1], "masks"), importance([5, 4, 3, 1, 2], "shap")
    sentence = largest_difference_sentence(rank_agreement(read, moved))
    assert "rank 4 by the masks, rank 5 by SHAP" in sentence
    assert largest_difference_sentence(rank_agreement(read, read)) == "Every column has the same place by both."
