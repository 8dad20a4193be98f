"""The data's own scale: a metric, without units, in shares of the training rows; and how usual a row is by it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.schema import Column, FeatureSchema, Kind
from tabnet_engine.explain.counterfactual.distance import DistanceScale
from tabnet_engine.explain.counterfactual.plausibility import Likeness, Plausibility
from tabnet_engine.explain.counterfactual.space import RowSpace


def scale_of(frame, **kinds):
    columns = tuple(Column(name=name, kind=kinds.get(name, Kind.NUMBER)) for name in frame)
    space = RowSpace.of(FeatureSchema(columns=columns)).extended(frame)
    return DistanceScale.fit(space, space.matrix(frame)), space


def distance(scale, space, first, second, names):
    rows = scale.positions(space.matrix(pd.DataFrame([first, second], columns=list(names))))
    return float(scale.between(rows[0], rows[1:])[0])


def test_a_number_is_as_far_as_the_share_of_rows_between():
    scale, space = scale_of(pd.DataFrame({"x": np.arange(101.0)}))
    assert distance(scale, space, [10.0], [30.0], "x") == pytest.approx(20 / 101)
    assert distance(scale, space, [0.0], [100.0], "x") == pytest.approx(100 / 101)
    # Beyond the range everything is as far as its edge.
    assert distance(scale, space, [-5.0], [-1e9], "x") == 0
    assert distance(scale, space, [-5.0], [200.0], "x") == 1


@pytest.mark.parametrize("change", [lambda x: 1000 * x, lambda x: -x, lambda x: x - 7])
def test_no_unit_changes_the_distance(change):
    values = np.random.default_rng(0).lognormal(size=300).round(3)
    own, space = scale_of(pd.DataFrame({"x": values}))
    other, other_space = scale_of(pd.DataFrame({"x": change(values)}))
    for first, second in ((0, 1), (2, 40), (5, 200)):
        expected = distance(own, space, [values[first]], [values[second]], "x")
        found = distance(other, other_space, [change(values[first])], [change(values[second])], "x")
        assert found == pytest.approx(expected)


def test_one_outlier_moves_nothing():
    values = np.arange(1_000.0)
    plain, space = scale_of(pd.DataFrame({"x": values}))
    spoiled, spoiled_space = scale_of(pd.DataFrame({"x": [*values, 1e12]}))
    before = distance(plain, space, [100.0], [300.0], "x")
    assert distance(spoiled, spoiled_space, [100.0], [300.0], "x") == pytest.approx(before, abs=2e-3)


def test_a_longer_way_is_farther_also_between_two_training_values():
    scale, space = scale_of(pd.DataFrame({"x": [0.0, 10.0, 20.0]}))
    ways = [distance(scale, space, [1.0], [to], "x") for to in (2.0, 5.0, 9.0, 15.0)]
    assert ways == sorted(ways)
    assert min(np.diff(ways)) > 0


def test_a_rare_category_is_far_and_a_missing_cell_farthest():
    frame = pd.DataFrame({"job": ["clerk"] * 60 + ["nurse"] * 35 + ["pilot"] * 5})
    scale, space = scale_of(frame, job=Kind.CATEGORY)
    assert distance(scale, space, ["clerk"], ["clerk"], ["job"]) == 0
    assert distance(scale, space, ["clerk"], ["nurse"], ["job"]) == pytest.approx(0.65)
    assert distance(scale, space, ["clerk"], ["pilot"], ["job"]) == pytest.approx(0.95)
    assert distance(scale, space, ["clerk"], [None], ["job"]) == 1
    assert distance(scale, space, [None], [None], ["job"]) == 0
    met = space.extended(pd.DataFrame({"job": ["astronaut"]}))
    assert distance(scale, met, ["clerk"], ["astronaut"], ["job"]) == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_it_is_a_metric(cells_seed):
    generator = np.random.default_rng(cells_seed)
    frame = pd.DataFrame(
        {
            "x": generator.normal(size=40).round(1),
            "zeros": np.where(generator.random(40) < 0.7, 0, generator.integers(0, 9, 40)).astype(float),
            "job": generator.choice(["a", "b", "c"], 40, p=(0.7, 0.25, 0.05)),
        }
    )
    frame = frame.mask(generator.random(frame.shape) < 0.2)
    scale, space = scale_of(frame, job=Kind.CATEGORY)
    rows = scale.positions(space.matrix(frame))
    apart = scale.pairwise(rows, rows)
    np.testing.assert_allclose(np.diag(apart), 0)
    np.testing.assert_allclose(apart, apart.T)
    assert (apart >= 0).all()
    through = (apart[:, :, None] + apart[None, :, :]).min(axis=1)
    assert (apart <= through + 1e-12).all()
    np.testing.assert_allclose(apart[3], scale.between(rows[3], rows))


def test_constant_and_empty_columns_have_a_scale_too():
    frame = pd.DataFrame({"same": [3.0] * 5, "none": [np.nan] * 5})
    scale, space = scale_of(frame)
    assert distance(scale, space, [3.0, np.nan], [3.0, np.nan], ["same", "none"]) == 0
    assert distance(scale, space, [3.0, np.nan], [4.0, 1.0], ["same", "none"]) == pytest.approx(1.5)


def test_a_row_off_the_pattern_is_less_usual_than_one_on_it():
    generator = np.random.default_rng(1)
    x = generator.normal(size=800)
    frame = pd.DataFrame({"x": x, "y": x + 0.05 * generator.normal(size=800)})
    scale, space = scale_of(frame)
    yardstick = Plausibility.build(scale, scale.positions(space.matrix(frame)), seed=0)
    rows = pd.DataFrame({"x": [0.5, 1.5], "y": [0.5, -1.5]})
    on, off = yardstick.of(scale.positions(space.matrix(rows)))
    assert on.share.value > 0.1
    assert off.share.value == 0
    assert (off.share.low, off.share.n) == (0, 500)
    assert 0 < off.share.high < 0.01
    assert "farther from its nearest training rows than 100 % of the training rows" in off.sentence
    assert Likeness.from_mapping(off.to_mapping()) == off


def test_training_rows_are_as_usual_as_they_are():
    generator = np.random.default_rng(2)
    frame = pd.DataFrame(generator.normal(size=(400, 3)), columns=list("abc"))
    scale, space = scale_of(frame)
    rows = scale.positions(space.matrix(frame))
    yardstick = Plausibility.build(scale, rows, seed=0)
    shares = [yardstick.without(row).of(row[None])[0].share.value for row in rows[:100]]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.08)


def test_a_row_does_not_vouch_for_itself():
    frame = pd.DataFrame({"x": np.arange(10.0)})
    scale, space = scale_of(frame)
    rows = scale.positions(space.matrix(frame))
    yardstick = Plausibility.build(scale, rows, seed=0)
    assert len(yardstick.without(rows[4]).reference) == 9
    alone = Plausibility.build(scale, rows[:1], seed=0)
    assert alone.without(rows[0]).of(rows[:1])[0].share.value is None
    assert "too few training rows" in alone.of(rows[:1])[0].sentence
