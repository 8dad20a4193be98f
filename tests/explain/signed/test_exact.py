"""Exact Shapley values: the definition by brute force, on numpy models and networks."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.errors import ExplanationError, JobCancelledError
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed import exact
from tabnet_engine.explain.signed.exact import exact_shapley
from tabnet_engine.explain.subject import ChosenRows, Steering


def test_equals_brute_force_for_eight_columns(cases, networks):
    generator = np.random.default_rng(0)
    rows, background = generator.normal(size=(2, 8)), generator.normal(size=(5, 8))

    def curved(table):
        x = table.numeric.astype(np.float64)
        return np.tanh(x[:, 0] * x[:, 1] + x[:, 2]) + x[:, 3] * x[:, 4] * x[:, 5] + np.maximum(x[:, 6], x[:, 7])

    model = cases.NumpyModel(cases.plain_layout(8), curved)
    table = cases.plain_table(background)
    found = exact_shapley(model, networks.chosen(cases.plain_table(rows)), networks.sample(table))
    for index in range(2):
        expected = cases.brute_force(model, cases.plain_table(rows[[index]]), table)
        np.testing.assert_allclose(found.values[index], expected, atol=1e-12)
    assert found.additivity_error < 1e-12
    assert found.evaluations.tolist() == [256, 256]
    assert found.standard_error is None
    assert "exact Shapley values over all combinations" in found.provenance


def test_equals_brute_force_on_a_network_with_dates_categories_missing_cells_and_several_outputs(cases, networks):
    layout, background, rows = cases.mixed_layout(), cases.mixed_table(9, seed=3), cases.mixed_table(3, seed=4)
    subject = networks.random(layout, n_outputs=3, seed=5)
    model = cases.NumpyModel(layout, subject.logits, outputs=subject.outputs)
    found = exact_shapley(subject, networks.chosen(rows), networks.sample(background))
    for index in range(3):
        expected = cases.brute_force(model, rows.take([index]), background)
        np.testing.assert_allclose(found.values[index], expected, atol=1e-12)


def test_only_what_differs_forms_coalitions(cases, networks):
    """Twenty columns, three of which differ from the background: eight coalitions, and the rest exactly zero."""
    background, row = np.zeros((4, 20)), np.zeros((1, 20))
    row[0, [2, 7, 11]] = [1.0, 2.0, 3.0]
    model = cases.NumpyModel(cases.plain_layout(20), lambda t: t.numeric[:, 2] * t.numeric[:, 7] + t.numeric[:, 11])
    found = exact_shapley(
        model, networks.chosen(cases.plain_table(row)), networks.sample(cases.plain_table(background))
    )
    np.testing.assert_allclose(found.values[0, [2, 7, 11], 0], [1.0, 1.0, 3.0], atol=1e-12)
    assert found.evaluations.tolist() == [8]
    assert (np.delete(found.values[0], [2, 7, 11], axis=0) == 0).all()


def test_columns_of_a_group_play_as_one(cases, networks):
    layout, background, row = cases.mixed_layout(), cases.mixed_table(6, seed=1), cases.mixed_table(1, seed=2)
    subject = networks.random(layout, seed=1)
    players = Players.grouped(layout.feature_names, {"person": ["age", "sex"]})
    found = exact_shapley(subject, networks.chosen(row), networks.sample(background), players=players)
    assert found.features == ("person", "joined", "job")
    assert found.groups == {"person": ("age", "sex")}
    both = frozenset({0, 3})
    alone = subject.logits(cases.with_columns(layout, background, row, both)).mean(axis=0)
    rest = subject.logits(cases.with_columns(layout, background, row, frozenset({1, 2}))).mean(axis=0)
    last = subject.logits(row)[0] - rest
    pairs = [
        subject.logits(cases.with_columns(layout, background, row, both | {other})).mean(axis=0)
        - subject.logits(cases.with_columns(layout, background, row, frozenset({other}))).mean(axis=0)
        for other in (1, 2)
    ]
    expected = (alone - found.base) / 3 + (pairs[0] + pairs[1]) / 6 + last / 3
    np.testing.assert_allclose(found.values[0, 0], expected, atol=1e-12)


def test_a_row_that_is_its_background_gets_zeros(cases, networks):
    table = cases.plain_table(np.ones((3, 2)))
    model = cases.NumpyModel(cases.plain_layout(2), lambda t: t.numeric.sum(axis=1))
    found = exact_shapley(model, networks.chosen(table.take([0])), networks.sample(table))
    assert (found.values == 0).all()
    assert found.evaluations.tolist() == [1]


def test_too_many_columns_are_refused_before_the_model_is_asked(cases, networks):
    model = cases.NumpyModel(cases.plain_layout(17), lambda t: pytest.fail("evaluated"))
    with pytest.raises(ExplanationError, match="sample instead, or put columns into groups"):
        exact_shapley(
            model,
            networks.chosen(cases.plain_table(np.ones((1, 17)))),
            networks.sample(cases.plain_table(np.zeros((2, 17)))),
        )


def test_a_row_alone_is_the_row_among_others_and_cancelling_stops_within_a_row(cases, networks, monkeypatch):
    layout, background, rows = cases.mixed_layout(), cases.mixed_table(6, seed=7), cases.mixed_table(4, seed=8)
    subject = networks.random(layout, seed=2)
    together = exact_shapley(subject, networks.chosen(rows, first=20), networks.sample(background))
    alone = exact_shapley(subject, ChosenRows(rows.take([2]), np.array([22])), networks.sample(background))
    np.testing.assert_array_equal(together.values[2], alone.values[0])
    monkeypatch.setattr(exact, "COALITIONS_AT_ONCE", 4)
    seen: list[tuple[int, int]] = []
    with pytest.raises(JobCancelledError, match="1 of 4"):
        exact_shapley(
            subject,
            networks.chosen(rows),
            networks.sample(background),
            steering=Steering(lambda done, total: seen.append((done, total)), lambda: len(seen) == 7),
        )
    assert seen == [(0, 4)] * 4 + [(1, 4)] * 3


def test_a_column_that_a_network_ignores_gets_exactly_zero(cases, networks):
    """Its cells differ, its embedding does not: a row's digits must not depend on where it stands in a batch."""
    import torch

    subject = networks.random(cases.plain_layout(5), seed=2)
    with torch.no_grad():
        subject.network.embedding.numeric.weight[2] = 0
    cells = cases.plain_table(np.random.default_rng(0).normal(size=(40, 5)))
    found = exact_shapley(subject, networks.chosen(cells.take(range(3))), networks.sample(cells.take(range(3, 40))))
    assert (found.values[:, 2] == 0).all()
    assert np.abs(found.values).max() > 1e-4
