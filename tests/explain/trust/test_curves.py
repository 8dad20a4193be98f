"""Deletion and insertion: against the definition on a known model, against random orders, at the edges."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tabnet_engine.errors import JobCancelledError
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.subject import ChosenRows, Steering
from tabnet_engine.explain.trust.curves import (
    MAX_POINTS,
    GameRows,
    curve_counts,
    orders_of,
    random_orders,
    walk_orders,
)
from tabnet_engine.explain.trust.faithfulness import (
    RANDOM_ORDER,
    RANDOM_WEIGHTS,
    Curve,
    WalkSettings,
    measure_faithfulness,
)
from tabnet_engine.explain.trust.row_values import RowValues, random_values

WEIGHTS = np.array([3.0, -2.0, 1.0, 0.5, -0.25, 0.0, 0.0, 0.0])


@pytest.fixture
def linear(cases):
    """Rows of a linear model and their exact Shapley values w (x - E[x])."""
    generator = np.random.default_rng(1)
    values = generator.normal(size=(46, len(WEIGHTS))).astype(np.float32)
    model = cases.NumpyModel(cases.plain_layout(len(WEIGHTS)), lambda table: table.numeric @ WEIGHTS)
    chosen = ChosenRows(cases.plain_table(values[:40]), np.arange(100, 140), "test rows")
    background = cases.plain_table(values[40:])
    rows = GameRows(
        model=model, players=Players.columns(model.layout.feature_names), chosen=chosen, background=background
    )
    shapley = WEIGHTS * (values[:40] - values[40:].mean(axis=0))
    explained = RowValues(
        method="shap", features=model.layout.feature_names, rows=chosen.rows, values=shapley, is_signed=True
    )
    return rows, explained


def measure(rows, *methods, **changes):
    settings = WalkSettings(top_k=2, n_orders=6, seed=3)
    outputs = np.zeros(len(rows.chosen), dtype=np.int64)
    measured = measure_faithfulness(rows, methods, outputs, settings, target="yes", **changes)
    return measured, {(finding.subject, finding.key): finding for finding in measured.findings}


def test_a_walk_replaces_and_gives_columns_as_defined(linear):
    rows, explained = linear
    order = np.array([[[2, 0, 1, 3, 4, 5, 6, 7]]] * 40)
    walks = walk_orders(rows, order, np.zeros(40, dtype=np.int64), top_k=2)
    x, mean = rows.chosen.table.numeric.astype(float), rows.background.numeric.mean(axis=0, dtype=float)
    known = np.arange(8)[None] == 2
    np.testing.assert_allclose(walks.inserted[:, 0, 1], np.where(known, x, mean) @ WEIGHTS, atol=1e-5)
    np.testing.assert_allclose(walks.deleted[:, 0, 1], np.where(known, mean, x) @ WEIGHTS, atol=1e-5)
    np.testing.assert_allclose(walks.logit, x @ WEIGHTS, atol=1e-5)
    np.testing.assert_allclose(walks.base, mean @ WEIGHTS, atol=1e-5)
    np.testing.assert_allclose(walks.deleted[:, 0, -1], walks.base, atol=1e-5)
    np.testing.assert_allclose(walks.inserted[:, 0, -1], walks.logit, atol=1e-5)
    np.testing.assert_allclose(walks.at(walks.moved, 1)[:, 0], np.abs(explained.values[:, 2]), atol=1e-5)


def test_a_row_alone_is_the_row_among_others(linear):
    rows, explained = linear
    _, together = measure(rows, explained)
    chosen = rows.chosen
    alone = GameRows(
        model=rows.model,
        players=rows.players,
        chosen=ChosenRows(chosen.table.take([7]), chosen.rows[[7]]),
        background=rows.background,
    )
    outputs = np.zeros(40, dtype=np.int64)
    settings = WalkSettings(top_k=2, n_orders=6, seed=3)
    areas = measure_faithfulness(rows, [explained], outputs, settings, target="").areas
    single = measure_faithfulness(alone, [explained.take([7])], outputs[:1], settings, target="").areas
    assert single["shap"][0] == pytest.approx(areas["shap"][7], abs=1e-12)
    assert single[""][0] == pytest.approx(areas[""][7], abs=1e-12)
    assert together["SHAP", "deletion"].n_rows == 40


def test_true_values_stand_and_a_planted_useless_explanation_does_not(linear):
    rows, explained = linear
    _, real = measure(rows, explained)
    _, planted = measure(rows, random_values(explained, seed=77))
    assert {key for _, key in real} == {
        "deletion", "insertion", "necessity", "sufficiency", "signed_deletion", "signed_insertion",
    }  # fmt: skip
    for name, finding in real.items():
        assert finding.stands, name
        assert not planted[name].stands, name
        better = finding.estimate.value - planted[name].estimate.value
        assert (better > 0) == finding.higher_is_better, name


def test_an_explanation_of_the_network_with_random_weights_is_a_control(linear):
    rows, explained = linear
    _, real = measure(rows, explained, randomised={"shap": random_values(explained, seed=8)})
    assert [control.name for control in real["SHAP", "deletion"].controls] == [RANDOM_ORDER, RANDOM_WEIGHTS]
    assert all(finding.stands for finding in real.values())
    _, itself = measure(rows, explained, randomised={"shap": explained})
    assert not any(finding.stands for finding in itself.values())


def test_masks_have_no_signed_curve(linear):
    rows, explained = linear
    masks = RowValues(
        method="masks",
        features=explained.features,
        rows=explained.rows,
        values=explained.sizes,
        is_signed=False,
    )
    measured, found = measure(rows, masks, explained)
    assert len([key for subject, key in found if subject == "attention masks"]) == 4
    assert {(curve.method, curve.kind) for curve in measured.curves} == {
        (method, kind) for method in ("masks", "shap", "") for kind in ("deletion", "insertion")
    }
    curve = next(curve for curve in measured.curves if curve.method == "shap" and curve.kind == "deletion")
    assert (curve.shares[0], curve.shares[-1]) == (0.0, 1.0)
    assert curve.distances[0].value == pytest.approx(0, abs=1e-6)
    again = Curve.from_mapping(json.loads(json.dumps(curve.to_mapping())))
    assert again.distances == curve.distances
    assert again.shares == curve.shares


def test_constant_values_are_ordered_at_random_not_by_the_table():
    orders = orders_of(np.zeros((200, 6)), np.arange(200), seed=0)
    assert 0.1 < (orders[:, 0] == 0).mean() < 0.25
    np.testing.assert_array_equal(np.sort(orders, axis=1), np.tile(np.arange(6), (200, 1)))
    alone = orders_of(np.zeros((1, 6)), np.array([150]), seed=0)
    np.testing.assert_array_equal(alone[0], orders[150])


def test_random_orders_come_with_their_reverse():
    orders = random_orders(np.array([4, 9]), 5, 6, seed=1)
    assert orders.shape == (2, 6, 5)
    np.testing.assert_array_equal(orders[:, 1], orders[:, 0, ::-1])
    np.testing.assert_array_equal(random_orders(np.array([9]), 5, 6, seed=1)[0], orders[1])
    with pytest.raises(ValueError, match="pairs"):
        random_orders(np.array([4]), 5, 3, seed=1)


@pytest.mark.parametrize(("n_players", "top_k"), [(1, 3), (2, 1), (20, 3), (500, 3), (37, 36)])
def test_curves_have_their_ends_and_the_leading_few(n_players, top_k):
    counts = curve_counts(n_players, top_k)
    assert (counts[0], counts[-1]) == (0, n_players)
    assert min(top_k, n_players) in counts
    assert len(counts) <= MAX_POINTS + 1
    assert (np.diff(counts) > 0).all()


def test_one_column_cannot_be_told_apart_from_random(cases):
    model = cases.NumpyModel(cases.plain_layout(1), lambda table: 2 * table.numeric)
    table = cases.plain_table(np.arange(6.0)[:, None])
    chosen = ChosenRows(table, np.arange(6))
    rows = GameRows(model=model, players=Players.columns(("x0",)), chosen=chosen, background=table.take([0, 1]))
    explained = RowValues(method="shap", features=("x0",), rows=chosen.rows, values=np.ones((6, 1)), is_signed=True)
    _, found = measure(rows, explained)
    assert not any(finding.stands for finding in found.values())


def test_a_walk_can_be_cancelled(linear):
    rows, _ = linear
    asked = iter([False, False, True])
    orders = random_orders(rows.chosen.rows, 8, 2, seed=0)
    steering = Steering(should_cancel=lambda: next(asked))
    with pytest.raises(JobCancelledError, match="cancelled after 2 of 40 rows"):
        walk_orders(rows, orders, np.zeros(40, dtype=np.int64), top_k=2, steering=steering)
