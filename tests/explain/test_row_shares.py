"""Masks and |SHAP| of the same rows as shares: matched by row number, summing to one, differences in words."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tabnet_engine.explain.row_shares import RowShares, row_shares


@pytest.fixture
def both(cases):
    """Masks of rows 10 to 15, values of three of them in another order."""
    masks = cases.masks(n_rows=6, n_features=3, seed=1)
    values = np.random.default_rng(0).normal(size=(3, 3, 2))
    return masks, cases.attribution(values, rows=np.array([14, 10, 12]))


def test_rows_are_matched_by_number_and_each_row_sums_to_one(both):
    masks, values = both
    shares = row_shares(masks, values, output="o1")
    assert shares.rows.tolist() == [10, 12, 14]
    np.testing.assert_allclose(shares.read.sum(axis=1), 1)
    np.testing.assert_allclose(shares.moved.sum(axis=1), 1)
    sizes = np.abs(values.values[0, :, 1])  # row 14
    np.testing.assert_allclose(shares.moved[2], sizes / sizes.sum())
    np.testing.assert_allclose(shares.read[2], masks.aggregate[4] / masks.aggregate[4].sum(), rtol=1e-6)


def test_the_distance_is_the_share_that_changes_hands(both):
    shares = row_shares(*both)
    assert ((shares.distance >= 0) & (shares.distance <= 1)).all()
    apart = RowShares(
        features=("a", "b"),
        rows=np.arange(2),
        read=np.array([[1.0, 0.0], [0.5, 0.5]]),
        moved=np.array([[0.0, 1.0]] * 2),
    )
    assert apart.distance.tolist() == [1.0, 0.5]
    assert apart.difference[0].tolist() == [-1.0, 1.0], "above zero: it moved the score more than it was read"
    np.testing.assert_allclose(shares.difference.sum(axis=1), 0, atol=1e-12)


def test_a_row_where_nothing_moved_has_zeros(both):
    masks, values = both
    still = dataclasses.replace(values, values=np.zeros_like(values.values), logits=np.tile(values.base, (3, 1)))
    shares = row_shares(masks, still)
    assert (shares.moved == 0).all()
    np.testing.assert_allclose(shares.distance, 0.5)


def test_the_sentence_names_the_largest_difference_and_its_direction():
    shares = RowShares(
        features=("age", "7", "job"),
        rows=np.arange(3),
        read=np.array([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.4, 0.3, 0.3]]),
        moved=np.array([[0.1, 0.4, 0.5], [0.1, 0.8, 0.1], [0.45, 0.3, 0.25]]),
    )
    first, second, third = shares.sentences(range(3))
    assert first == "age got 60 % of the reading, but only 10 % of what moved the score."
    assert second == "Column 7 got only 20 % of the reading, yet made 80 % of what moved the score."
    assert third.startswith("No column differs by much")
    assert shares.of("job")[1].tolist() == [0.5, 0.1, 0.25]
    read, moved = shares.of("job")
    assert shares.share_moved_more("job") == sum(moved > read) / 3
    assert shares.take(np.arange(0)).share_moved_more("job") == 0.0


def test_other_columns_are_refused(both):
    masks, values = both
    with pytest.raises(ValueError, match="same columns"):
        row_shares(masks, dataclasses.replace(values, features=("x", "y", "z")))
