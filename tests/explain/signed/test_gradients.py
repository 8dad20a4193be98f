"""Expected and integrated gradients: closed forms, completeness, folding back to raw columns, budgets."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import ExplanationError, JobCancelledError, SchemaError
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed import gradients
from tabnet_engine.explain.signed.gradients import expected_gradients, integrated_gradients
from tabnet_engine.explain.subject import ChosenRows, Steering, Subject

METHODS = {"gradients": expected_gradients, "integrated_gradients": integrated_gradients}
both = pytest.mark.parametrize("name", METHODS)


def numbers(cases, n_rows: int, n_features: int, seed: int = 0) -> EncodedTable:
    return cases.plain_table(np.random.default_rng(seed).normal(size=(n_rows, n_features)))


# --- closed forms --------------------------------------------------------------------------------------


@both
def test_a_product_is_shared_equally_along_a_straight_path(name, cases, networks):
    """x0 x1 from (a, b) to (c, d): x0 gets (c - a) (b + d) / 2, by hand."""
    subject = networks.written(lambda x: x[:, :1] * x[:, 1:2] + 5, 3)
    background, row = numbers(cases, 6, 3), numbers(cases, 1, 3, seed=1)
    starts = background.numeric.astype(np.float64)
    if name == "integrated_gradients":
        starts = starts.mean(axis=0, keepdims=True)
    end = row.numeric[0].astype(np.float64)
    first = ((end[0] - starts[:, 0]) * (end[1] + starts[:, 1]) / 2).mean()
    second = ((end[1] - starts[:, 1]) * (end[0] + starts[:, 0]) / 2).mean()
    result = METHODS[name](subject, networks.chosen(row), networks.sample(background))
    np.testing.assert_allclose(result.values[0, :, 0], [first, second, 0], atol=1e-6)
    assert result.values[0, 2, 0] == 0
    np.testing.assert_allclose(result.base, [(starts[:, 0] * starts[:, 1]).mean() + 5], atol=1e-9)
    assert result.additivity_error <= 1e-5
    assert result.method == name


@both
def test_agrees_with_many_points_on_a_real_network(name, cases, networks):
    subject = networks.random(cases.mixed_layout(), n_outputs=2, seed=3)
    background, rows = cases.mixed_table(6, seed=5), cases.mixed_table(2, seed=6)
    result = METHODS[name](subject, networks.chosen(rows), networks.sample(background))
    for index in range(2):
        reference = dense_reference(subject, background, rows.take([index]), name == "integrated_gradients")
        np.testing.assert_allclose(result.values[index], reference, atol=2e-4)
    assert result.additivity_error <= 1e-5


def dense_reference(subject: Subject, background: EncodedTable, row: EncodedTable, is_single: bool) -> np.ndarray:
    """Values (F, K) with 2,000 points a path, written without the machinery under test."""
    network = subject.network.double().eval()
    try:
        embed = lambda table: network.embedding(torch.tensor(table.numeric).double(), torch.tensor(table.categorical))  # noqa: E731
        starts, end = embed(background).detach(), embed(row).detach()
        starts = starts.mean(dim=0, keepdim=True) if is_single else starts
        values = np.zeros((len(subject.features), len(subject.outputs)))
        at = (torch.arange(2_000).double() + 0.5) / 2_000
        for start in starts:
            x = (start + at[:, None] * (end - start)).detach().requires_grad_()
            for output in range(values.shape[1]):
                logits = network.read_embedded(x).logits[:, output]
                (slope,) = torch.autograd.grad(logits.sum(), x)
                share = (slope.mean(dim=0) * (end - start)[0]).numpy()
                np.add.at(values[:, output], network.embedding.column_feature.numpy(), share / len(starts))
        return values
    finally:
        network.float()


# --- columns, groups, targets --------------------------------------------------------------------------


@both
def test_groups_get_the_sum_of_their_columns(name, cases, networks):
    subject = networks.random(cases.mixed_layout(), seed=1)
    rows, background = networks.chosen(cases.mixed_table(3, seed=2)), networks.sample(cases.mixed_table(5, seed=4))
    alone = METHODS[name](subject, rows, background)
    players = Players.grouped(subject.features, {"person": ("age", "sex")})
    grouped = METHODS[name](subject, rows, background, players=players)
    assert grouped.features == ("person", "joined", "job")
    assert grouped.groups == {"person": ("age", "sex")}
    np.testing.assert_allclose(grouped.values[:, 0], alone.values[:, [0, 3]].sum(axis=1), atol=2e-4)
    assert grouped.additivity_error <= 1e-5


@both
def test_a_category_and_a_missing_state_have_values_of_their_own(name, cases, networks):
    subject = networks.random(cases.mixed_layout(), seed=2)
    table = cases.mixed_table(1, seed=3)
    row = EncodedTable(np.full_like(table.numeric, np.nan), np.array([[3, 0]]))
    background = EncodedTable(np.zeros((4, 4), dtype=np.float32), np.array([[4, 3]] * 4))
    result = METHODS[name](subject, networks.chosen(row), networks.sample(background))
    assert (result.values[0] != 0).all()
    assert result.additivity_error <= 1e-5


@both
def test_a_column_that_never_differs_gets_exactly_zero(name, cases, networks):
    subject = networks.random(cases.mixed_layout(), seed=2)
    background = cases.mixed_table(5, seed=4)
    row = cases.mixed_table(1, seed=9)
    background = EncodedTable(background.numeric, np.stack([background.categorical[:, 0], np.full(5, 2)], axis=1))
    row = EncodedTable(row.numeric, np.array([[3, 2]]))
    result = METHODS[name](subject, networks.chosen(row), networks.sample(background))
    assert (result.values[0, 3] == 0).all() or name == "integrated_gradients"
    np.testing.assert_allclose(result.values[0, 3], 0, atol=1e-12)


@both
def test_a_target_far_from_zero_keeps_its_digits_and_its_own_tolerance(name, cases, networks):
    subject = networks.random(cases.mixed_layout(), n_outputs=2, seed=4)
    subject.network.set_output_scale(torch.tensor([1e9, 0.0]), torch.tensor([1e5, 1.0]))
    rows, background = networks.chosen(cases.mixed_table(2, seed=2)), networks.sample(cases.mixed_table(4, seed=4))
    result = METHODS[name](subject, rows, background)
    error = np.abs(result.residual).max(axis=0)
    assert error[0] <= 1e-5 * 1e5 + 1e-6
    assert error[1] <= 1e-5
    coarse = METHODS[name](subject, rows, background, target_error=2.0)
    assert 0 < np.abs(coarse.residual[:, 0]).max() <= 2
    assert coarse.evaluations.sum() <= result.evaluations.sum()


@both
def test_an_error_on_the_scale_of_the_output_asks_for_no_cents_of_a_target_in_hundred_thousands(name, cases, networks):
    subject = networks.random(cases.mixed_layout(), n_outputs=2, seed=4)
    rows, background = networks.chosen(cases.mixed_table(2, seed=2)), networks.sample(cases.mixed_table(4, seed=4))
    small = METHODS[name](subject, rows, background, path_error=1e-3)
    subject.network.set_output_scale(torch.tensor([1e9, 0.0]), torch.tensor([1e5, 1.0]))
    large = METHODS[name](subject, rows, background, path_error=1e-3)
    np.testing.assert_array_equal(large.evaluations, small.evaluations)
    assert (np.abs(large.residual).max(axis=0) <= 1e-3 * np.array([1e5, 1.0])).all()
    assert "stopped within 0.001 of the score" in small.algorithm
    assert "within 0.001 of the score, of a number in standard deviations" in large.algorithm


# --- budget, provenance, repeatability -----------------------------------------------------------------


@both
def test_a_row_gets_the_same_values_alone_or_among_others_bit_for_bit(name, cases, networks):
    subject = networks.random(cases.mixed_layout(), seed=5)
    rows, background = cases.mixed_table(4, seed=8), networks.sample(cases.mixed_table(6, seed=7))
    together = METHODS[name](subject, networks.chosen(rows, first=20), background)
    alone = METHODS[name](subject, ChosenRows(rows.take([2]), np.array([22])), background)
    np.testing.assert_array_equal(together.values[2], alone.values[0])
    assert together.evaluations[2] == alone.evaluations[0]


@both
def test_background_rows_in_parts_meet_the_same_target(name, cases, networks, monkeypatch):
    subject = networks.random(cases.mixed_layout(), seed=5)
    rows, background = networks.chosen(cases.mixed_table(2, seed=8)), networks.sample(cases.mixed_table(6, seed=7))
    whole = METHODS[name](subject, rows, background)
    monkeypatch.setattr(gradients, "MAX_CELLS", 2 * gradients.POINTS_OF_A_PATH * 4)
    parts = METHODS[name](subject, rows, background)
    np.testing.assert_allclose(parts.values, whole.values, atol=1e-4)
    assert parts.additivity_error <= 1e-5


@both
def test_provenance_states_the_paths_the_points_and_the_error(name, cases, networks):
    subject = networks.random(cases.mixed_layout(), seed=5)
    rows, background = networks.chosen(cases.mixed_table(2, seed=8)), networks.sample(cases.mixed_table(6, seed=7))
    result = METHODS[name](subject, rows, background, seed=3)
    assert (result.run_id, result.selection, result.seed) == ("run-1", "all rows", 3)
    assert result.is_complete
    assert result.standard_error is None
    assert result.n_evaluations == result.evaluations.max()
    start = "every background row" if name == "gradients" else "the mean of the embedded background rows"
    assert start in result.algorithm
    assert "stopped within 1e-05" in result.algorithm
    few = METHODS[name](subject, rows, background, n_points=8, target_error=1e-7)
    assert "2 of 2 rows did not come within 1e-07 of the score by 8 points a path" in few.algorithm
    assert few.n_evaluations <= 8
    assert few.additivity_error == np.abs(few.residual).max() > 1e-7
    assert few.target_error == 1e-7


@both
def test_requests_that_cannot_be_met_are_refused(name, cases, networks):
    subject = networks.random(cases.mixed_layout(), seed=5)
    rows, background = networks.chosen(cases.mixed_table(2, seed=8)), networks.sample(cases.mixed_table(6, seed=7))
    with pytest.raises(ExplanationError, match="7 points are too few to follow a path: at least 8"):
        METHODS[name](subject, rows, background, n_points=7)
    with pytest.raises(ExplanationError, match="target_error must be a positive number"):
        METHODS[name](subject, rows, background, target_error=0.0)
    with pytest.raises(ExplanationError, match="no row to explain"):
        METHODS[name](subject, networks.chosen(cases.mixed_table(0)), background)
    strict = networks.random(cases.mixed_layout(), seed=5, missing_states=False)
    with pytest.raises(SchemaError, match="the number is missing"):
        METHODS[name](strict, rows, background)


@both
def test_progress_counts_rows_and_cancelling_stops(name, cases, networks):
    subject = networks.random(cases.mixed_layout(), seed=5)
    rows, background = networks.chosen(cases.mixed_table(3, seed=8)), networks.sample(cases.mixed_table(2, seed=7))
    seen: list[tuple[int, int]] = []
    steering = Steering(lambda done, total: seen.append((done, total)), lambda: len(seen) == 2)
    with pytest.raises(JobCancelledError, match="2 of 3"):
        METHODS[name](subject, rows, background, steering=steering)
    assert seen == [(0, 3), (1, 3)]


def test_the_network_is_left_as_it_was(cases, networks):
    subject = networks.random(cases.mixed_layout(), seed=5)
    before = {name: values.clone() for name, values in subject.network.state_dict().items()}
    expected_gradients(subject, networks.chosen(cases.mixed_table(1)), networks.sample(cases.mixed_table(2, seed=7)))
    for name, values in subject.network.state_dict().items():
        assert torch.equal(values, before[name])
    assert all(parameter.requires_grad and parameter.grad is None for parameter in subject.network.parameters())
