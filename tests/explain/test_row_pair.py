"""One row by both methods."""

import dataclasses

import numpy as np
import pytest

from tabnet_engine.explain.agreement import row_agreement
from tabnet_engine.explain.row_pair import least_agreeing, row_pair, row_pair_sentences


@pytest.fixture
def both(cases):
    masks = cases.masks(n_rows=3, n_features=3)
    return masks, cases.attribution(np.random.default_rng(1).normal(size=(2, 3, 2)), rows=np.array([12, 10]))


def test_shares_are_those_of_the_row(both):
    masks, attribution = both
    pair = row_pair(masks, attribution, 10, output=1)
    np.testing.assert_allclose(pair.first_share, masks.aggregate[0], atol=1e-6)
    moved = np.abs(attribution.values[1, :, 1])
    np.testing.assert_allclose(pair.second_share, moved / moved.sum())


def test_the_agreement_is_the_one_of_the_row_in_the_whole_comparison(both):
    masks, attribution = both
    agreement = row_agreement(masks, attribution, output="o0")
    for row, spearman in zip(agreement.rows, agreement.spearman, strict=True):
        assert row_pair(masks, attribution, int(row)).spearman == pytest.approx(spearman)


@pytest.mark.parametrize("row", [11, 99])
def test_a_row_that_one_of_them_lacks_is_refused(both, row):
    with pytest.raises(KeyError, match=f"row {row} is not explained by both"):
        row_pair(*both, row)


def test_sentences_name_the_largest_differences_and_only_those(both):
    pair = row_pair(*both, 10)
    pair = dataclasses.replace(
        pair, first_share=np.array([0.6, 0.1, 0.3]), second_share=np.array([0.1, 0.5, 0.4]), features=("a", "b", "c")
    )
    assert row_pair_sentences(pair) == (
        "a got 60 % of the reading, but only 10 % of what moved the score.",
        "b got only 10 % of the reading, yet made 50 % of what moved the score.",
    )
    assert len(row_pair_sentences(pair, limit=1)) == 1
    assert row_pair_sentences(dataclasses.replace(pair, second_share=pair.first_share)) == ()


def test_the_queue_starts_with_the_least_agreement_and_ends_with_unknown(both):
    agreement = dataclasses.replace(
        row_agreement(*both), rows=np.arange(4), spearman=np.array([0.5, np.nan, -0.5, 1.0]), overlap=np.ones(4)
    )
    assert least_agreeing(agreement).tolist() == [2, 0, 3, 1]
