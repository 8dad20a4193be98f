"""Ablation: its definition, that it does not claim to add up, and budgets."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.errors import ExplanationError, JobCancelledError
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed.ablation import ablation
from tabnet_engine.explain.subject import Steering


def cubic(table) -> np.ndarray:
    numbers = np.nan_to_num(table.numeric.astype(np.float64), nan=-1.0)
    job, sex = table.categorical.T.astype(np.float64)
    first = numbers[:, 0] * numbers[:, 1] * (job - 2) + numbers[:, 2] * sex + numbers[:, 3]
    return np.stack([first, np.tanh(numbers.sum(axis=1)) * sex * job], axis=1)


def test_is_the_score_minus_its_mean_without_one_column(cases, networks):
    layout, background, rows = cases.mixed_layout(), cases.mixed_table(7, seed=5), cases.mixed_table(3, seed=6)
    model = cases.NumpyModel(layout, cubic, outputs=("first", "second"))
    result = ablation(model, networks.chosen(rows, first=4), networks.sample(background), seed=3)
    for index in range(3):
        row = rows.take([index])
        for player in range(4):
            known = frozenset(range(4)) - {player}
            without = model.logits(cases.with_columns(layout, background, row, known)).mean(axis=0)
            np.testing.assert_allclose(result.values[index, player], model.logits(row)[0] - without, atol=1e-12)
    assert not result.is_complete
    assert "they do not sum to the score" in result.provenance
    assert result.additivity_error == pytest.approx(np.abs(result.residual).max())
    assert (result.method, result.seed, result.n_evaluations) == ("ablation", 3, 5)
    assert result.rows.tolist() == [4, 5, 6]


def test_groups_are_taken_away_together(cases, networks):
    layout, background, rows = cases.mixed_layout(), cases.mixed_table(7, seed=5), cases.mixed_table(1, seed=6)
    model = cases.NumpyModel(layout, cubic, outputs=("first", "second"))
    players = Players.grouped(layout.feature_names, {"person": ("age", "sex")})
    result = ablation(model, networks.chosen(rows), networks.sample(background), players=players)
    without = model.logits(cases.with_columns(layout, background, rows, frozenset({1, 2}))).mean(axis=0)
    np.testing.assert_allclose(result.values[0, 0], model.logits(rows)[0] - without, atol=1e-12)
    assert result.groups == {"person": ("age", "sex")}


def test_a_column_that_never_differs_gets_exactly_zero_and_nothing_is_asked_about_it(cases, networks):
    model = cases.NumpyModel(cases.plain_layout(2), lambda t: t.numeric.prod(axis=1))
    background = cases.plain_table([[0.0, 5.0], [1.0, 5.0]])
    result = ablation(model, networks.chosen(cases.plain_table([[3.0, 5.0]])), networks.sample(background))
    np.testing.assert_allclose(result.values[0, :, 0], [15.0 - 2.5, 0], atol=1e-6)
    same = ablation(model, networks.chosen(background.take([0])), networks.sample(background.take([0])))
    assert (same.values == 0).all()


def test_on_a_network_several_targets_and_missing_cells(cases, networks):
    subject = networks.random(cases.mixed_layout(), n_outputs=3, seed=1)
    background, rows = cases.mixed_table(5, seed=1), cases.mixed_table(2, seed=2)
    result = ablation(subject, networks.chosen(rows), networks.sample(background))
    without = subject.logits(cases.with_columns(subject.layout, background, rows.take([1]), frozenset({0, 1, 3})))
    np.testing.assert_allclose(result.values[1, 2], subject.logits(rows)[1] - without.mean(axis=0), atol=1e-9)


def test_budgets_and_cancelling(cases, networks):
    model = cases.NumpyModel(cases.plain_layout(3), lambda t: t.numeric.sum(axis=1))
    rows, background = (
        networks.chosen(cases.plain_table(np.ones((3, 3)))),
        networks.sample(cases.plain_table(np.zeros((2, 3)))),
    )
    with pytest.raises(ExplanationError, match="3 evaluations are too few for 3 columns: 4 are needed"):
        ablation(model, rows, background, n_evaluations=3)
    with pytest.raises(ExplanationError, match="no row to explain"):
        ablation(model, networks.chosen(cases.plain_table(np.ones((0, 3)))), background)
    seen: list[int] = []
    with pytest.raises(JobCancelledError, match="1 of 3"):
        ablation(model, rows, background, steering=Steering(lambda done, _: seen.append(done), lambda: len(seen) == 1))
