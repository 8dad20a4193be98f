import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.training.reconstruction_loss import by_feature, reconstruction_loss

F = torch.tensor([[0.0, 0.0], [2.0, 4.0]])
F_HAT = torch.tensor([[1.0, 0.0], [2.0, 0.0]])
S = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
EACH = torch.arange(2)


def draw(seed, n_rows, n_features):
    generator = torch.Generator().manual_seed(seed)
    values, targets = (torch.randn(n_rows, n_features, generator=generator, dtype=torch.float64) for _ in range(2))
    hidden = (torch.rand(n_rows, n_features, generator=generator) < 0.5).double()
    return values, targets, hidden


def test_the_paper_s_example():
    assert reconstruction_loss(F_HAT, F, S, EACH).item() == 2.5


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 20), st.integers(1, 6))
def test_it_is_the_paper_s_formula_entry_by_entry(seed, n_rows, n_features):
    values, targets, hidden = draw(seed, n_rows, n_features)
    expected = 0.0
    for j in range(n_features):
        scale = (targets[:, j] - targets[:, j].mean()).square().sum().sqrt()
        for b in range(n_rows):
            expected += float(((values[b, j] - targets[b, j]) * hidden[b, j] / scale).abs() ** 2)
    found = reconstruction_loss(values, targets, hidden, torch.arange(n_features)).item()
    assert found == pytest.approx(expected, rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100), st.floats(-50, 50))
def test_units_do_not_matter(seed, scale, shift):
    values, targets, hidden = draw(seed, 8, 3)
    plain = reconstruction_loss(values, targets, hidden, torch.arange(3)).item()
    moved = reconstruction_loss(scale * values + shift, scale * targets + shift, hidden, torch.arange(3)).item()
    assert moved == pytest.approx(plain, rel=1e-6)


def test_predicting_the_mean_costs_one_for_each_column():
    _, targets, _ = draw(0, 50, 4)
    everything = torch.ones_like(targets)
    mean = targets.mean(dim=0).expand_as(targets)
    assert reconstruction_loss(mean, targets, everything, torch.arange(4)).item() == pytest.approx(4.0)


@pytest.mark.parametrize("least", [None, torch.tensor([0.1, 0.1])])
def test_a_shown_entry_gets_no_gradient(least):
    values = F_HAT.clone().requires_grad_()
    reconstruction_loss(values, F, S, EACH, least_spread=least).backward()
    assert ((values.grad != 0) == (S != 0)).all()


@pytest.mark.parametrize("constant", [0.0, 3.7, 1e6])
def test_a_constant_column_counts_nothing(constant):
    targets = torch.stack([torch.full((7,), constant), torch.randn(7)], dim=1)
    values = torch.zeros_like(targets).requires_grad_()
    loss = reconstruction_loss(values, targets, torch.ones(7, 2), EACH)
    loss.backward()
    only = reconstruction_loss(torch.zeros(7, 1), targets[:, 1:], torch.ones(7, 1), torch.arange(1))
    assert loss.item() == pytest.approx(only.item())
    assert (values.grad[:, 0] == 0).all()


def test_a_feature_of_several_values_is_one_vector():
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    values = torch.tensor([[0.5, 0.5], [0.5, 0.5], [0.0, 0.0]])
    distances = (targets - targets.mean(dim=0)).square().sum()
    expected = (0.5 + 1.0) / distances
    loss = reconstruction_loss(values, targets, torch.tensor([[1.0], [0.0], [1.0]]), torch.tensor([0, 0]))
    assert loss.item() == pytest.approx(expected.item())


def test_an_absent_target_counts_nothing():
    values, targets, hidden = draw(3, 10, 2)
    observed = torch.ones_like(hidden)
    observed[4:, 0] = 0
    damaged = targets.clone()
    damaged[4:, 0] = 1e3
    whole = reconstruction_loss(values, damaged, hidden, EACH, observed=observed)
    first = reconstruction_loss(values[:4, :1], targets[:4, :1], hidden[:4, :1], torch.arange(1))
    second = reconstruction_loss(values[:, 1:], targets[:, 1:], hidden[:, 1:], torch.arange(1))
    assert whole.item() == pytest.approx((first + second).item())


def test_a_batch_with_hardly_any_spread_does_not_outweigh_others():
    targets = torch.tensor([[0.0], [0.0], [1e-3]])
    values = torch.full((3, 1), 0.5)
    everything, only = torch.ones(3, 1), torch.arange(1)
    assert reconstruction_loss(values, targets, everything, only).item() > 1e5
    bounded = reconstruction_loss(values, targets, everything, only, least_spread=torch.tensor([0.1]))
    assert bounded.item() == pytest.approx(0.75 / 0.3, rel=1e-2)


def test_values_are_added_up_by_their_owner():
    squares = torch.tensor([[1.0, 2.0, 4.0]])
    assert by_feature(squares, torch.tensor([1, 0, 1]), 3).tolist() == [[2.0, 5.0, 0.0]]
