"""Sampled Shapley values: the axioms, errors that cover, stopping, and what the result says of itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import ExplanationError, JobCancelledError
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed import sampling
from tabnet_engine.explain.signed.exact import exact_shapley
from tabnet_engine.explain.signed.sampling import sampled_shapley
from tabnet_engine.explain.subject import ChosenRows, Steering


def cubic(table: EncodedTable) -> np.ndarray:
    """Two outputs with third-order interactions between all kinds of slots; missing counts as -1."""
    numbers = np.nan_to_num(table.numeric.astype(np.float64), nan=-1.0)
    job, sex = table.categorical.T.astype(np.float64)
    first = numbers[:, 0] * numbers[:, 1] * (job - 2) + numbers[:, 2] * sex + numbers[:, 3]
    return np.stack([first, np.tanh(numbers.sum(axis=1)) * sex * job], axis=1)


def bent(table: EncodedTable) -> np.ndarray:
    x = table.numeric.astype(np.float64)
    return np.tanh(x[:, 0] * x[:, 1] + x[:, 2]) + x[:, 3] * x[:, 4] * x[:, 5] + np.maximum(x[:, 6], x[:, 7]) * x[:, 0]


@pytest.fixture
def mixed(cases, networks):
    """A model of the cubic, four rows and a background."""
    model = cases.NumpyModel(cases.mixed_layout(), cubic, outputs=("first", "second"))
    return model, networks.chosen(cases.mixed_table(4, seed=8), first=20), networks.sample(cases.mixed_table(6, seed=7))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_a_linear_model_gets_weight_times_distance_from_the_mean(seed, cases, networks):
    generator = np.random.default_rng(seed)
    background, rows = (generator.normal(size=(n, 5)).astype(np.float32) for n in (9, 2))
    weights = generator.normal(size=(5, 2))
    model = cases.NumpyModel(cases.plain_layout(5), lambda t: t.numeric.astype(np.float64) @ weights, ("a", "b"))
    found = sampled_shapley(
        model,
        networks.chosen(cases.plain_table(rows)),
        networks.sample(cases.plain_table(background)),
        n_evaluations=11,
        seed=seed,
    )
    distance = rows.astype(np.float64) - background.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(found.values, distance[:, :, None] * weights, atol=1e-9)
    assert found.standard_error is None  # a single repetition has no spread


def test_one_order_both_ways_is_exact_for_interactions_of_pairs(cases, networks):
    generator = np.random.default_rng(3)
    background, row = cases.plain_table(generator.normal(size=(6, 4))), cases.plain_table(generator.normal(size=(1, 4)))
    model = cases.NumpyModel(
        cases.plain_layout(4),
        lambda t: t.numeric[:, 0] * t.numeric[:, 1] + t.numeric[:, 2] * t.numeric[:, 3] - t.numeric[:, 0],
    )
    found = sampled_shapley(model, networks.chosen(row), networks.sample(background), n_evaluations=9)
    np.testing.assert_allclose(found.values[0], cases.brute_force(model, row, background), atol=1e-6)


def test_many_orders_agree_with_brute_force_for_eight_columns(cases, networks):
    generator = np.random.default_rng(0)
    background, row = (cases.plain_table(generator.normal(size=(n, 8))) for n in (10, 1))
    model = cases.NumpyModel(cases.plain_layout(8), bent)
    expected = cases.brute_force(model, row, background)
    found = sampled_shapley(model, networks.chosen(row), networks.sample(background), n_evaluations=100 * 17)
    assert (np.abs(found.values[0] - expected) <= 5 * found.standard_error[0] + 1e-9).all()
    assert np.abs(found.values[0] - expected).mean() < 0.1 * np.abs(expected).mean()


def test_an_ignored_column_gets_exactly_zero_and_twins_get_the_same(cases, networks):
    cells = np.random.default_rng(4).normal(size=(8, 4))
    cells[:, 1] = cells[:, 0]
    model = cases.NumpyModel(
        cases.plain_layout(4), lambda t: (t.numeric[:, 0] + t.numeric[:, 1]) ** 2 + t.numeric[:, 2]
    )
    found = sampled_shapley(
        model, networks.chosen(cases.plain_table(cells[:2])), networks.sample(cases.plain_table(cells[2:]))
    )
    assert (found.values[:, 3] == 0).all()
    assert (found.standard_error[:, 3] == 0).all()
    np.testing.assert_allclose(found.values[:, 0], found.values[:, 1], atol=1e-6)


def test_values_are_linear_in_the_model(mixed, cases):
    model, rows, background = mixed
    both = cases.NumpyModel(model.layout, lambda t: cubic(t) @ [[2.0], [-3.0]])
    one, sum_of_both = (sampled_shapley(each, rows, background, seed=4) for each in (model, both))
    np.testing.assert_allclose(sum_of_both.values, one.values @ [[2.0], [-3.0]], atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_values_and_base_add_up_on_networks_in_single_precision(seed, cases, networks):
    layout, background, rows = cases.mixed_layout(), cases.mixed_table(9, seed=3), cases.mixed_table(3, seed=4)
    subject = networks.random(layout, n_outputs=3, seed=seed)
    found = sampled_shapley(subject, networks.chosen(rows), networks.sample(background), n_evaluations=9)
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), subject.logits(rows), rtol=0, atol=1e-9)
    assert found.additivity_error < 1e-9


def test_a_column_that_a_network_ignores_gets_zero_to_the_rounding_of_single_precision(cases, networks):
    import torch

    subject = networks.random(cases.plain_layout(5), seed=2)
    with torch.no_grad():
        subject.network.embedding.numeric.weight[2] = 0
    cells = cases.plain_table(np.random.default_rng(0).normal(size=(40, 5)))
    found = sampled_shapley(subject, networks.chosen(cells.take(range(3))), networks.sample(cells.take(range(3, 40))))
    assert np.abs(found.values[:, 2]).max() < 1e-6 * np.abs(found.logits).max()


def test_the_standard_error_covers_the_error_at_about_95_of_100_seeds(cases, networks):
    generator = np.random.default_rng(1)
    background, row = (cases.plain_table(generator.normal(size=(n, 8))) for n in (10, 1))
    model = cases.NumpyModel(cases.plain_layout(8), bent)
    expected = exact_shapley(model, networks.chosen(row), networks.sample(background)).values
    runs = [
        sampled_shapley(model, networks.chosen(row), networks.sample(background), n_evaluations=20 * 17, seed=seed)
        for seed in range(60)
    ]
    errors = np.stack([run.values - expected for run in runs])
    stated = np.stack([run.standard_error for run in runs])
    assert 0.92 < (np.abs(errors) <= 1.96 * stated).mean() < 0.98
    assert 0.85 < np.sqrt((errors**2).mean() / (stated**2).mean()) < 1.15


def test_the_error_of_one_background_row_is_covered_too(cases, networks):
    generator = np.random.default_rng(1)
    background, row = (cases.plain_table(generator.normal(size=(1, 8))) for _ in range(2))
    model = cases.NumpyModel(cases.plain_layout(8), bent)
    expected = exact_shapley(model, networks.chosen(row), networks.sample(background)).values
    runs = [
        sampled_shapley(model, networks.chosen(row), networks.sample(background), n_evaluations=30 * 17, seed=seed)
        for seed in range(40)
    ]
    covered = np.stack([np.abs(run.values - expected) <= 1.96 * run.standard_error + 1e-12 for run in runs])
    assert 0.88 < covered.mean() <= 0.99


def test_a_row_stops_when_its_target_is_reached_and_says_so(mixed):
    model, rows, background = mixed
    found = sampled_shapley(model, rows, background, target_error=0.12)
    assert (found.standard_error <= 0.12).all()
    assert len(set(found.evaluations.tolist())) > 1, "rows stop at different times"
    assert found.n_evaluations == found.evaluations.max() < 900
    assert found.target_error == 0.12
    assert "until every standard error was at most 0.12" in found.provenance


def test_a_target_beyond_the_budget_is_said_and_not_raised(mixed):
    model, rows, background = mixed
    found = sampled_shapley(model, rows, background, target_error=1e-9, n_evaluations=9 * 12)
    assert found.evaluations.tolist() == [108] * 4
    assert "was reached for 0 of 4 rows within 12 orders" in found.algorithm


def test_stopping_early_gives_the_beginning_of_the_longer_run(mixed):
    """More repetitions begin with the same ones."""
    model, rows, background = mixed
    stopped = sampled_shapley(model, rows, background, target_error=0.12)
    row = int(stopped.evaluations.argmax())
    one = ChosenRows(rows.table.take([row]), rows.rows[[row]])
    again = sampled_shapley(model, one, background, n_evaluations=int(stopped.evaluations[row]))
    np.testing.assert_allclose(again.values[0], stopped.values[row], rtol=1e-12, atol=1e-12)


def test_batches_of_walks_change_nothing(mixed, monkeypatch):
    model, rows, background = mixed
    whole = sampled_shapley(model, rows, background)
    monkeypatch.setattr(sampling, "STEPS_AT_ONCE", 1)
    np.testing.assert_array_equal(sampled_shapley(model, rows, background).values, whole.values)


@pytest.mark.parametrize("is_network", [False, True])
def test_a_row_gets_the_same_values_alone_or_among_others_bit_for_bit(is_network, mixed, networks):
    model, rows, background = mixed
    subject = networks.random(model.layout, n_outputs=2, seed=1) if is_network else model
    together = sampled_shapley(subject, rows, background, seed=5, target_error=0.01)
    one = ChosenRows(rows.table.take([2]), np.array([22]))
    alone = sampled_shapley(subject, one, background, seed=5, target_error=0.01)
    for name in ("values", "logits", "standard_error", "evaluations"):
        np.testing.assert_array_equal(getattr(together, name)[2], getattr(alone, name)[0])
    assert not np.array_equal(sampled_shapley(subject, one, background, seed=6).values, alone.values)


def test_columns_of_a_group_play_as_one(mixed):
    model, rows, background = mixed
    players = Players.grouped(model.layout.feature_names, {"person": ["age", "sex"]})
    found = sampled_shapley(model, rows, background, players=players, n_evaluations=7 * 200)
    expected = exact_shapley(model, rows, background, players=players)
    assert found.features == ("person", "joined", "job")
    assert (np.abs(found.values - expected.values) <= 5 * found.standard_error + 1e-9).all()


def test_one_column_and_a_row_that_is_its_background(cases, networks):
    model = cases.NumpyModel(cases.plain_layout(1), lambda t: t.numeric[:, 0] ** 2)
    table = cases.plain_table([[3.0], [1.0]])
    found = sampled_shapley(model, networks.chosen(table), networks.sample(table.take([1])))
    np.testing.assert_allclose(found.values[:, 0, 0], [8.0, 0.0])
    assert (found.standard_error == 0).all()


def test_the_whole_background_counts(cases, networks):
    background = np.zeros((150, 1))
    background[100:] = 9.0
    model = cases.NumpyModel(cases.plain_layout(1), lambda t: t.numeric[:, 0])
    found = sampled_shapley(
        model, networks.chosen(cases.plain_table([[0.0]])), networks.sample(cases.plain_table(background))
    )
    np.testing.assert_allclose([found.base[0], found.values[0, 0, 0]], [3.0, -3.0])


def test_provenance_states_what_was_done(mixed):
    model, rows, background = mixed
    found = sampled_shapley(model, rows, background, seed=3)
    assert (found.method, found.run_id, found.seed, found.rows.tolist()) == ("sampling", "run-1", 3, [20, 21, 22, 23])
    assert (found.n_permutations, found.n_evaluations) == (10, 90)
    assert "sampled Shapley values: 10 orders of the columns" in found.provenance


def test_progress_counts_rows_and_cancelling_stops(mixed, monkeypatch):
    model, rows, background = mixed
    seen: list[tuple[int, int]] = []
    sampled_shapley(model, rows, background, steering=Steering(lambda done, total: seen.append((done, total))))
    assert seen == [(done, 4) for done in range(5)]
    seen.clear()
    monkeypatch.setattr(sampling, "STEPS_AT_ONCE", 1)
    steering = Steering(lambda done, total: seen.append((done, total)), lambda: len(seen) == 4)
    with pytest.raises(JobCancelledError, match="0 of 4"):
        sampled_shapley(model, rows, background, steering=steering)
    assert seen == [(0, 4)] * 4, "long rows are asked in between"


def test_a_budget_is_checked_before_the_model_is_asked(cases, networks):
    model = cases.NumpyModel(cases.plain_layout(3), lambda t: pytest.fail("evaluated"))
    rows, background = networks.chosen(cases.plain_table([[1, 2, 3]])), networks.sample(cases.plain_table([[0, 0, 0]]))
    with pytest.raises(ExplanationError, match="at least 7 are needed"):
        sampled_shapley(model, rows, background, n_evaluations=6)
    with pytest.raises(ExplanationError, match="target_error must be a positive number"):
        sampled_shapley(model, rows, background, target_error=0.0)


def test_five_hundred_columns(cases, networks):
    subject = networks.random(cases.plain_layout(500), numeric_embedding="none")
    cells = cases.plain_table(np.random.default_rng(0).normal(size=(3, 500)))
    found = sampled_shapley(
        subject, networks.chosen(cells.take([0])), networks.sample(cells.take([1, 2])), n_evaluations=1_001
    )
    assert found.additivity_error < 1e-9
