"""Agreement of methods: separates a planted useless explanation, and knows what can be compared."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.trust.method_agreement import RANDOM_COLUMNS, agreement_findings, compare_rows
from tabnet_engine.explain.trust.row_values import RowValues, looked_at, random_values


def row_values(values, method="shap", rows=None, *, is_signed=True):
    values = np.asarray(values, dtype=float)
    return RowValues(
        method=method,
        features=tuple(f"f{index}" for index in range(values.shape[1])),
        rows=np.arange(len(values)) if rows is None else np.asarray(rows),
        values=values,
        is_signed=is_signed,
    )


def noisy_pair(n_rows=80, n_players=10, noise=0.3, seed=0):
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=(n_rows, n_players)) ** 3
    other = truth + noise * generator.normal(size=truth.shape)
    return row_values(truth), row_values(other, "gradients")


def by_key(findings):
    return {finding.key: finding for finding in findings}


def test_real_agreement_stands_and_a_planted_useless_explanation_does_not():
    first, second = noisy_pair()
    real = by_key(agreement_findings(first, second, subject="x", top_k=3, seed=1))
    planted = by_key(agreement_findings(first, random_values(second, seed=99), subject="x", top_k=3, seed=1))
    assert set(real) == {"spearman", "rank_biased_overlap", "jaccard", "sign"}
    for key, finding in real.items():
        assert finding.stands, key
        assert finding.reading.startswith("well above" if key != "jaccard" else ("well above", "above"))
        assert not planted[key].stands, key
        assert finding.estimate.low > planted[key].estimate.high, key


def test_further_useless_explanations_are_controls_too():
    first, second = noisy_pair()
    findings = agreement_findings(first, second, subject="x", top_k=3, seed=1, useless={"random weights": second})
    assert [control.name for control in findings[0].controls] == [RANDOM_COLUMNS, "random weights"]
    assert not findings[0].stands, "an explanation cannot be told apart from itself"


def test_masks_are_compared_by_size_only():
    values = np.array([[1.0, -3, 2, 0], [0.5, 0, -1, 0]])
    masks = row_values(np.abs(values) / np.abs(values).sum(axis=1, keepdims=True), "masks", is_signed=False)
    pair = compare_rows(masks, row_values(values), top_k=2)
    assert pair.sign is None
    np.testing.assert_allclose(pair.spearman, 1)
    np.testing.assert_allclose(pair.jaccard, 1)


def test_rows_are_matched_by_their_number():
    first, second = row_values([[1.0, 2], [3, 1]], rows=[5, 9]), row_values([[1.0, 3], [9, 9]], rows=[9, 20])
    pair = compare_rows(first, second, top_k=1)
    assert pair.rows.tolist() == [9]
    np.testing.assert_allclose(pair.spearman, -1)
    with pytest.raises(ValueError, match="no row in common"):
        compare_rows(first, row_values([[1.0, 1]], rows=[1]), top_k=1)
    with pytest.raises(ValueError, match="same columns"):
        compare_rows(first, row_values([[1.0, 1, 1]], rows=[5]), top_k=1)


def test_random_values_are_dealt_by_seed_and_row_alone():
    given = row_values(np.arange(40.0).reshape(4, 10), rows=[7, 8, 9, 30])
    alone = random_values(given.take([2]), seed=5)
    np.testing.assert_array_equal(random_values(given, seed=5).values[2], alone.values[0])
    np.testing.assert_array_equal(np.sort(random_values(given, seed=5).values, axis=1), given.values)
    assert (random_values(given, seed=6).values != random_values(given, seed=5).values).any()


def test_values_of_one_output_are_taken_row_by_row(cases):
    values = np.random.default_rng(0).normal(size=(3, 4, 2))
    taken = RowValues.of_attribution(cases.attribution(values), np.array([0, 1, 0]))
    np.testing.assert_array_equal(taken.values[1], values[1, :, 1])
    np.testing.assert_array_equal(taken.values[2], values[2, :, 0])


def test_masks_of_a_group_are_the_sum_of_its_columns(cases):
    masks = cases.masks(n_features=3)
    grouped = RowValues.of_masks(masks, Players(("a", "b"), ((0, 2), (1,))))
    np.testing.assert_allclose(grouped.values[:, 0], masks.aggregate[:, [0, 2]].sum(axis=1), atol=1e-6)
    assert not grouped.is_signed
    with pytest.raises(ValueError, match="not negative"):
        row_values([[-1.0]], is_signed=False)


def test_the_explained_output_is_that_of_the_predicted_class():
    targets = TargetCodecs((
        TargetCodec("grade", Task.MULTICLASS, ("a", "b", "c")),
        TargetCodec("paid", Task.BINARY, ("no", "yes")),
        TargetCodec("price", Task.REGRESSION),
    ))  # fmt: skip
    logits = np.array([[0.0, 2.0, 1.0, -4.0, 7.0], [3.0, 2.0, 1.0, 4.0, 7.0]])
    outputs = looked_at(targets, logits)
    assert {name: values.tolist() for name, values in outputs.items()} == {
        "grade": [1, 0],
        "paid": [3, 3],
        "price": [4, 4],
    }
