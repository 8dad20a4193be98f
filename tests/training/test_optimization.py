import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tabnet_engine.config import TrainingConfig
from tabnet_engine.training.optimization import Optimization, learning_rate


def rates(config, n_steps, steps_per_epoch=5):
    return [learning_rate(config, step, n_steps, steps_per_epoch) for step in range(n_steps)]


def test_one_cycle_equals_torch():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=50, cycle_momentum=False)
    expected = []
    for _ in range(50):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(expected) < 50:
            scheduler.step()
    assert rates(TrainingConfig(learning_rate=0.02), 50) == pytest.approx(expected, rel=1e-9)


def test_cosine_falls_from_the_peak_to_nearly_nothing():
    values = rates(TrainingConfig(learning_rate=0.02, schedule="cosine"), 100)
    assert values[0] == 0.02
    assert values[50] == pytest.approx(0.01)
    assert values[-1] < 1e-5
    assert values == sorted(values, reverse=True)


def test_exponential_falls_once_an_epoch():
    values = rates(TrainingConfig(learning_rate=0.1, schedule="exponential", decay_rate=0.5), 12)
    assert values == pytest.approx([0.1] * 5 + [0.05] * 5 + [0.025] * 2)


def test_constant_stays():
    assert set(rates(TrainingConfig(learning_rate=0.03, schedule="constant"), 9)) == {0.03}


@given(st.sampled_from(["one_cycle", "cosine", "exponential", "constant"]), st.integers(1, 300), st.integers(1, 50))
def test_every_rate_is_positive_and_at_most_the_peak(schedule, n_steps, steps_per_epoch):
    config = TrainingConfig(learning_rate=0.02, schedule=schedule)
    values = rates(config, n_steps, steps_per_epoch)
    assert all(0.0 < value <= 0.02 * (1 + 1e-12) for value in values)


@pytest.mark.parametrize("optimizer", ["adamw", "adam"])
def test_steps_lower_a_loss(optimizer):
    network = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        network.weight.fill_(1.0)
    config = TrainingConfig(optimizer=optimizer, learning_rate=0.1, max_epochs=10)
    optimization = Optimization(network, config, steps_per_epoch=5)
    for _ in range(50):
        optimization.step(network.weight.square().sum())
    assert abs(network.weight.item()) < 0.2
    assert optimization.learning_rate == pytest.approx(rates(config, 50)[-1])


def test_weight_decay_is_adamw_s_alone():
    ends = {}
    for optimizer in ("adamw", "adam"):
        network = nn.Linear(1, 1, bias=False)
        with torch.no_grad():
            network.weight.fill_(1.0)
        config = TrainingConfig(
            optimizer=optimizer, weight_decay=0.5, learning_rate=0.1, schedule="constant", max_epochs=1
        )
        Optimization(network, config, steps_per_epoch=1).step(network.weight.sum() * 0.0)
        ends[optimizer] = network.weight.item()
    assert ends == pytest.approx({"adamw": 0.95, "adam": 1.0})


@pytest.mark.parametrize(("clip_norm", "expected"), [(1.0, 1.0), (0.0, 100.0)])
def test_the_gradient_is_clipped_to_its_norm(clip_norm, expected):
    network = nn.Linear(1, 1, bias=False)
    config = TrainingConfig(clip_norm=clip_norm, max_epochs=1)
    Optimization(network, config, steps_per_epoch=1).step(network.weight.sum() * 100.0)
    assert network.weight.grad.item() == pytest.approx(expected, rel=1e-4)


def test_frozen_parameters_stay():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    network[0].requires_grad_(requires_grad=False)
    before = network[0].weight.clone()
    Optimization(network, TrainingConfig(max_epochs=1), 1).step(network(torch.ones(3, 2)).sum())
    assert torch.equal(network[0].weight, before)
