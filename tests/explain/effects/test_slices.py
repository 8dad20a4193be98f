"""Importance by class and slice: parts that average to the whole, planted differences found, noise not."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.effects.slices import (
    SlicedImportance,
    importance_by_parts,
    importance_by_slice,
    importance_of_parts,
)
from tabnet_engine.explain.importance import from_attribution, from_masks
from tabnet_engine.explain.row_parts import RowParts

BOUGHT = TargetCodec("bought", Task.BINARY, ("no", "yes"))
PRICE = TargetCodec("price", Task.REGRESSION)
BOTH = TargetCodecs((BOUGHT, PRICE))


@settings(deadline=None)
@given(cut=st.integers(1, 29), seed=st.integers(0, 20))
def test_slices_average_to_the_whole_for_masks_and_values(cases, cut, seed):
    halves = {"first": np.arange(cut), "second": np.arange(cut, 30)}
    masks = cases.masks(n_rows=30, seed=seed)
    values = cases.attribution(np.random.default_rng(seed).normal(size=(30, 3, 2)))
    for source, whole in ((masks, from_masks(masks)), (values, from_attribution(values))):
        found = importance_by_slice(source, halves)
        assert found.whole.to_mapping() == whole.to_mapping()
        total = cut * found.parts["first"].values + (30 - cut) * found.parts["second"].values
        np.testing.assert_allclose(total / 30, whole.values)
        np.testing.assert_allclose(found.differences["first"].values, -found.differences["second"].values)


def test_each_target_counts_the_same_in_every_slice(cases):
    values = np.random.default_rng(0).normal(size=(20, 3, 2))
    rows = {"some": np.arange(7)}
    small = importance_by_slice(cases.attribution(values), rows, BOTH)
    values[:, :, 1] *= 1e6
    large = importance_by_slice(cases.attribution(values, additivity_error=0.0), rows, BOTH)
    np.testing.assert_allclose(small.parts["some"].values, large.parts["some"].values)


def test_a_planted_difference_stands_out_and_noise_does_so_at_chance(cases):
    false, n_tables = 0, 60
    for seed in range(n_tables):
        values = np.random.default_rng(seed).normal(size=(200, 4, 1))
        values[:60, 2] *= 3
        found = importance_by_slice(cases.attribution(values), {"young": np.arange(60)})
        more, less = found.standing_out("young")
        assert 2 in more
        false += len(more) + len(less) - 1
    assert false / (3 * n_tables) < 0.1
    assert "young (60 rows): more important than in the other rows: f2" in found.sentence("young")
    assert "Here only the 60 rows of 'young'." in found.parts["young"].note


def test_slices_of_one_row_and_of_all_rows_have_no_interval(cases):
    values = cases.attribution(np.ones((5, 3, 1)))
    found = importance_by_slice(values, {"one": np.array([2]), "everyone": np.arange(5)})
    assert np.isnan(found.differences["one"].low).all()
    assert np.isnan(found.differences["everyone"].values).all()
    assert found.sentence("one") == "one (1 row): no column is told apart from its importance in the other rows."
    again = SlicedImportance.from_mapping(json.loads(json.dumps(found.to_mapping(), allow_nan=False)))
    assert again.to_mapping() == found.to_mapping()


def test_rows_without_an_active_step_count_in_no_slice(cases):
    masks = cases.masks(n_rows=6)
    sizes = masks.step_sizes.copy()
    sizes[:, :3] = 0
    silent = dataclasses.replace(masks, step_sizes=sizes)
    found = importance_by_slice(silent, {"some": np.arange(5)})
    assert found.parts["some"].n_rows == 2
    with pytest.raises(ExplanationError, match="the slice 'silent' holds none of the 6 explained rows"):
        importance_by_slice(silent, {"silent": np.arange(3)})


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 99))
def test_parts_in_one_pass_are_the_same_as_slices_one_by_one(cases, seed):
    generator = np.random.default_rng(seed)
    codes = generator.integers(-1, 3, 40)
    codes[:3] = [0, 1, 2]
    parts = RowParts(title="thirds", names=("x", "y", "z", "nobody"), codes=codes)
    for source in (cases.attribution(generator.normal(size=(40, 3, 1)) + 5), cases.masks(n_rows=40, seed=seed)):
        found = importance_by_parts(source, parts)
        slices = {name: np.flatnonzero(codes == code) for code, name in enumerate("xyz")}
        one_by_one = importance_by_slice(source, slices)
        assert tuple(found.parts) == ("x", "y", "z")
        for name in "xyz":
            np.testing.assert_allclose(found.parts[name].values, one_by_one.parts[name].values)
            np.testing.assert_allclose(found.differences[name].high, one_by_one.differences[name].high)
            assert found.sentence(name) == one_by_one.sentence(name)


def test_the_difference_and_the_error_are_those_of_numpy_and_scipy(cases):
    values = np.abs(np.random.default_rng(3).normal(size=(50, 2, 1))) + 1e7  # far from zero: sums of squares would fail
    codes = np.repeat([0, 1], [20, 30])
    found = importance_by_parts(cases.attribution(values), RowParts(title="t", names=("a", "b"), codes=codes))
    inside, outside = values[:20, :, 0], values[20:, :, 0]
    np.testing.assert_allclose(found.parts["a"].standard_error, stats.sem(inside, axis=0), rtol=1e-5)
    interval = stats.ttest_ind(inside, outside, equal_var=False).confidence_interval(0.95)
    np.testing.assert_allclose(found.differences["a"].low, interval.low, rtol=1e-5)
    np.testing.assert_allclose(found.differences["a"].high, interval.high, rtol=1e-5)


def test_parts_must_be_of_the_explained_rows_and_hold_some(cases):
    source = cases.attribution(np.ones((4, 3, 1)))
    with pytest.raises(ValueError, match="parts of 3 rows cannot divide 4"):
        importance_by_parts(source, RowParts(title="t", names=("a",), codes=np.zeros(3, dtype=np.int64)))
    with pytest.raises(ExplanationError, match="none of the 4 explained rows is in any part"):
        importance_by_parts(source, RowParts(title="t", names=("a",), codes=np.full(4, -1)))


def test_the_tables_hold_every_part_and_column(cases):
    values = np.random.default_rng(0).normal(size=(9, 3, 1))
    found = importance_by_slice(cases.attribution(values), {"one": np.array([2]), "some": np.arange(4)})
    assert len(found.table) == 3 * 3
    assert set(found.table["part"]) == {"all rows", "one", "some"}
    column = found.column_table("f0")
    assert column["rows"].tolist() == [9, 1, 4]
    assert column["less that of the other rows"].iloc[0] == "–"
    assert " (" in column["importance (95 % interval)"].iloc[2]
    alone = importance_of_parts(found.whole, {"x": found.parts["some"]})
    assert np.isnan(alone.differences["x"].values).all()
    assert alone.column_table("f0")["less that of the other rows"].tolist() == ["–", "–"]
