"""One number per column: means by hand, equal weight of rows, errors of the mean."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.explain.importance import GlobalImportance, from_attribution, from_masks


def importance(values, **changes):
    facts = {
        "method": "masks",
        "features": tuple(f"f{index}" for index in range(len(values))),
        "values": np.asarray(values, dtype=float),
        "standard_error": None,
        "n_rows": 3,
        "note": "",
    }
    return GlobalImportance(**{**facts, **changes})


def test_masks_count_every_active_row_the_same(cases):
    explanation = dataclasses.replace(
        cases.masks(n_rows=3, n_steps=1, n_features=2),
        masks=np.array([[[1, 0], [0, 1], [0.5, 0.5]]], dtype=np.float32),
        step_sizes=np.array([[1000, 1, 0]], dtype=np.float32),
    )
    result = from_masks(explanation)
    np.testing.assert_allclose(result.values, [0.5, 0.5])  # the loud first row does not dominate
    np.testing.assert_allclose(result.standard_error, [0.5, 0.5])
    assert (result.method, result.n_rows, result.name) == ("masks", 2, "attention masks")
    assert result.note.endswith("Left out: 1 rows in which no step was active.")


def test_masks_sum_to_one(cases):
    assert from_masks(cases.masks(n_rows=30, n_features=7)).values.sum() == pytest.approx(1, abs=1e-6)


def test_shap_is_the_mean_size_of_the_values_over_rows_and_outputs(cases):
    values = np.array([[[1.0, -3.0], [0.0, 0.0]], [[-1.0, 1.0], [2.0, 0.0]]])
    result = from_attribution(cases.attribution(values))
    np.testing.assert_allclose(result.values, [1.5, 0.5])
    np.testing.assert_allclose(result.standard_error, [0.5, 0.5])
    assert "2 rows and 2 outputs" in result.note
    assert "background: 3 rows, training rows; 70 evaluations a row" in result.note


TARGETS = TargetCodecs(
    (
        TargetCodec("kind", Task.MULTICLASS, ("a", "b")),
        TargetCodec("price", Task.REGRESSION),
    )
)


@given(unit=st.floats(1e-3, 1e6), seed=st.integers(0, 50))
def test_the_unit_of_one_target_does_not_change_what_matters_to_all(cases, unit, seed):
    values = np.random.default_rng(seed).normal(size=(5, 4, 3))
    first = from_attribution(cases.attribution(values), TARGETS)
    other = values.copy()
    other[:, :, 2] *= unit
    second = from_attribution(cases.attribution(other, additivity_error=0.0), TARGETS)
    np.testing.assert_allclose(first.values, second.values, rtol=1e-9)
    assert first.values.sum() == pytest.approx(1)
    assert "2 targets, each target counting the same" in first.note


def test_each_target_counts_the_same_whatever_its_number_of_outputs(cases):
    values = np.zeros((2, 2, 3))
    values[:, 0, :2] = [[1.0, -3.0], [5.0, 1.0]]
    values[:, 1, 2] = [1_000.0, -3_000.0]
    result = from_attribution(cases.attribution(values), TARGETS)
    np.testing.assert_allclose(result.values, [0.5, 0.5])


def test_a_target_that_nothing_moves_and_a_single_target_are_no_division_by_zero(cases):
    values = np.zeros((2, 2, 3))
    values[:, 0, 2] = 4.0
    np.testing.assert_allclose(from_attribution(cases.attribution(values), TARGETS).values, [0.5, 0])
    one = TargetCodecs((TARGETS.codecs[1],))
    alone = cases.attribution(values[:, :, 2:])
    assert from_attribution(alone, one).values.tolist() == from_attribution(alone).values.tolist() == [4, 0]


def test_one_row_has_no_error_and_no_row_no_importance(cases):
    assert from_masks(cases.masks(n_rows=1)).standard_error is None
    explanation = cases.masks(n_rows=2)
    silent = dataclasses.replace(explanation, step_sizes=np.zeros_like(explanation.step_sizes))
    assert from_masks(silent).values.tolist() == [0, 0, 0]
    assert from_masks(silent).shares.tolist() == [0, 0, 0]


def test_shares_and_order():
    result = importance([1, 3, 3, 0])
    np.testing.assert_allclose(result.shares, [1 / 7, 3 / 7, 3 / 7, 0])
    assert result.order.tolist() == [1, 2, 0, 3]
    assert importance([1.0], method="gradients").name == "expected gradients"
    assert importance([1.0], method="one of tomorrow").name == "one of tomorrow"


def test_values_below_zero_are_shown_for_permutation_and_count_nothing_as_shares():
    result = importance([-1.0, 3.0, 1.0], method="permutation")
    assert result.values.tolist() == [-1, 3, 1]
    np.testing.assert_allclose(result.shares, [0, 0.75, 0.25])
    assert result.order.tolist() == [1, 2, 0]
    assert importance([-1.0, -3.0], method="permutation").shares.tolist() == [0, 0]


def test_an_interval_is_the_methods_own_or_that_of_the_mean():
    error = np.array([0.1, 1.0])
    low, high = importance([1.0, 1.0], standard_error=error).interval
    np.testing.assert_allclose([low, high], [[0.804004, 0.0], [1.195996, 2.959964]], atol=1e-6)
    low, _ = importance([1.0, 1.0], standard_error=error, method="permutation").interval
    assert low[1] < -0.9
    own = importance([1.0, 1.0], standard_error=error, low=np.zeros(2), high=np.full(2, 3.0))
    assert [ends.tolist() for ends in own.interval] == [[0, 0], [3, 3]]
    assert importance([1.0]).interval is None


def test_the_note_names_the_method_and_how_it_was_computed(cases):
    values = cases.attribution(np.ones((2, 3, 1)), method="gradients", algorithm="paths from each row")
    note = from_attribution(values).note
    assert note.startswith("Mean absolute value by expected gradients over 2 rows;")
    assert note.endswith("paths from each row: 70 evaluations a row.")


def test_importances_stored_before_intervals_existed_are_readable():
    old = {"method": "shap", "features": ["a"], "values": [1.0], "standard_error": [0.1], "n_rows": 3, "note": ""}
    assert GlobalImportance.from_mapping(old).interval is not None


@pytest.mark.parametrize("error", [None, np.array([0.1, 0.2])])
def test_survives_json(error):
    ends = {} if error is None else {"low": np.array([-0.1, 0.5]), "high": np.array([0.4, 0.9])}
    before = importance([0.25, 0.75], standard_error=error, note="over rows", **ends)
    after = GlobalImportance.from_mapping(json.loads(json.dumps(before.to_mapping())))
    assert after.to_mapping() == before.to_mapping()


@pytest.mark.parametrize(("values", "words"), [([-1.0, 2.0], "must not be negative"), ([np.nan, 1.0], "finite")])
def test_refuses_what_no_importance_can_be(values, words):
    with pytest.raises(ValueError, match=words):
        importance(values)
    with pytest.raises(ValueError, match="one value for each"):
        importance([1.0, 2.0], features=("a",))
    with pytest.raises(ValueError, match="one value for each"):
        importance([1.0, 2.0], standard_error=np.zeros(3))
    with pytest.raises(ValueError, match="both ends"):
        importance([1.0, 2.0], low=np.zeros(2))
