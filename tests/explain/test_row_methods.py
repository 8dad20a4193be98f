"""One row by every method: shares, ranks, signs, and sentences where they differ."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tabnet_engine.explain.row_methods import compare_methods, method_sentences

ROW = 11
VALUES = {
    "shap": [[[0.1], [0.2], [0.3], [0.0]], [[3.0], [-2.0], [0.5], [0.1]]],
    "gradients": [[[0.1], [0.2], [0.3], [0.0]], [[2.5], [1.9], [-0.4], [0.2]]],
}


@pytest.fixture
def methods(cases):
    masks = cases.masks(n_rows=2, n_features=4)
    found = [cases.attribution(np.array(values), method=name) for name, values in VALUES.items()]
    return masks, compare_methods(masks, found, ROW, stored={"shap": True})


def test_each_method_has_its_own_shares_ranks_and_provenance(methods):
    masks, compared = methods
    read, shap, gradients = compared.readings
    np.testing.assert_allclose(read.values, masks.aggregate[1], atol=1e-6)
    assert not read.is_signed
    np.testing.assert_allclose(shap.shares, np.array([3, 2, 0.5, 0.1]) / 5.6)
    assert shap.ranks.tolist() == [1, 2, 3, 4]
    assert (read.is_stored, shap.is_stored, gradients.is_stored) == (True, True, False)


def test_pairs_are_those_of_the_definitions(methods):
    _, compared = methods
    sizes = [np.abs(reading.values) for reading in compared.readings]
    for one in range(3):
        for other in range(3):
            expected = stats.spearmanr(sizes[one], sizes[other]).statistic
            assert compared.spearman[one, other] == pytest.approx(expected)
    assert compared.overlap[1, 2] == 1.0
    table = compared.pairs()
    assert len(table) == 3
    assert table["spearman"].tolist() == pytest.approx([compared.spearman[pair] for pair in ((0, 1), (0, 2), (1, 2))])


def test_opposite_directions_of_leading_columns_are_said_and_only_those(methods):
    text = " ".join(method_sentences(methods[1]))
    assert "f1 pushes up by expected gradients, but down by SHAP" in text
    assert "f2 pushes up by SHAP, but down by expected gradients" in text
    assert "f0 pushes" not in text


def test_methods_that_agree_are_said_to_agree(cases):
    masks = cases.masks(n_rows=1, n_features=3)
    values = masks.aggregate[:, :, None].astype(np.float64)
    same = [cases.attribution(values, method=name) for name in VALUES]
    sentences = method_sentences(compare_methods(masks, same, 10))
    assert sentences[0] == "The 3 methods largely agree on this row (median Spearman 1.00 over all pairs)."
    first = f"f{int(np.argmax(values))}"
    assert sentences[1:] == (
        f"All of them put {first} first.",
        "No leading column is pushed up by one method and down by another.",
    )


def test_groups_of_columns_are_read_as_one(cases):
    masks = cases.masks(n_rows=1, n_features=3)
    grouped = cases.attribution(np.ones((1, 2, 1)), features=("both", "f2"), groups={"both": ("f0", "f1")})
    compared = compare_methods(masks, [grouped], 10)
    assert compared.features == ("both", "f2")
    np.testing.assert_allclose(compared.readings[0].values, [masks.aggregate[0, :2].sum(), masks.aggregate[0, 2]])


def test_a_row_or_columns_that_do_not_fit_are_refused(cases):
    masks = cases.masks(n_rows=1, n_features=3)
    with pytest.raises(KeyError, match="row 99"):
        compare_methods(masks, [cases.attribution(np.ones((1, 3, 1)))], 99)
    other = cases.attribution(np.ones((1, 3, 1)), features=("a", "b", "c"))
    with pytest.raises(ValueError, match="same columns"):
        compare_methods(masks, [cases.attribution(np.ones((1, 3, 1))), other], 10)


def test_every_number_of_the_map_is_in_the_table(methods):
    _, compared = methods
    table = compared.table()
    assert len(table) == 3 * 4
    assert table.groupby("method")["share"].sum().tolist() == pytest.approx([1, 1, 1])
    ranks = compared.rank_table()
    assert sorted(ranks["SHAP"]) == [1, 2, 3, 4]
