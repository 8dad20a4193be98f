"""The condition of a point picks exactly the rows that the curve counts at it, for every kind of column."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.explain.effects.at_once import interaction_seconds, partners_of
from tabnet_engine.explain.effects.partial import partial_dependence
from tabnet_engine.explain.effects.point_rows import condition_of_point
from tabnet_engine.explain.row_filter import parse_filter


def score(table):
    return np.nan_to_num(table.numeric[:, :1].astype(float))


@pytest.mark.parametrize("feature", ["age", "job", "joined", "member"])
@pytest.mark.parametrize("n_points", [2, 7, 100])
def test_the_rows_that_meet_a_points_condition_are_those_nearest_to_it(mixed, feature, n_points):
    source = mixed(score)
    schema = source.encoder.schema
    points = partial_dependence(source, feature, n_points=n_points).points
    column = schema.column(feature)
    found = [
        int(parse_filter(condition_of_point(points, place, column), schema).mask(source.frame).sum())
        for place in range(len(points))
    ]
    assert found == points.counts.tolist()


def test_a_column_with_one_value_has_all_known_rows_at_its_point(mixed):
    frame = mixed.frame()
    frame["age"] = frame["age"].where(frame["age"].isna(), 30.0)
    source = mixed(score, frame=frame)
    points = partial_dependence(source, "age").points
    assert condition_of_point(points, 0, source.encoder.schema.column("age")) == "age is not missing"


def test_single_rows_stand_on_the_scale_of_the_effect(mixed):
    source = mixed(lambda table: score(table) ** 2 + table.numeric[:, 1:2])
    curve = partial_dependence(source, "age", n_row_curves=10**6)
    lines = curve.centred_row_curves(0)
    assert lines is not None
    np.testing.assert_allclose(lines @ curve.points.weights, 0, atol=1e-9)
    np.testing.assert_allclose(lines.mean(axis=0), curve.effect.values[:, 0], atol=1e-9)


def test_partners_are_the_most_important_others():
    assert partners_of("b", ("a", "b", "c", "d"), 2) == ("a", "c")
    assert partners_of("b", ("b",)) == ()


def test_the_time_of_interactions_grows_with_the_columns(mixed):
    source = mixed(score)
    assert 0 < interaction_seconds(source, 1) < interaction_seconds(source, 10**6)
