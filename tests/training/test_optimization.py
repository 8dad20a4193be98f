import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tabnet_engine.config import TrainingConfig
from tabnet_engine.training.optimization import FlatParameters, Optimization, learning_rate


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


def make_network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))


def start(network, config, steps_per_epoch=5):
    return Optimization(FlatParameters(network), config, steps_per_epoch)


@pytest.mark.parametrize("clip_norm", [0.0, 0.05])
@pytest.mark.parametrize(("name", "oracle"), [("adamw", torch.optim.AdamW), ("adam", torch.optim.Adam)])
def test_steps_equal_those_of_torch(name, oracle, clip_norm):
    config = TrainingConfig(
        optimizer=name, learning_rate=0.02, weight_decay=0.3, clip_norm=clip_norm, schedule="constant", max_epochs=4
    )
    ours, theirs = make_network(), make_network()
    optimization = start(ours, config)
    decay = 0.3 if name == "adamw" else 0.0
    optimizer = oracle(theirs.parameters(), lr=0.02, weight_decay=decay)
    x = torch.randn(20, 3)
    for _ in range(20):
        optimization.step(ours(x).square().mean())
        optimizer.zero_grad()
        theirs(x).square().mean().backward()
        if clip_norm:
            nn.utils.clip_grad_norm_(theirs.parameters(), clip_norm)
        optimizer.step()
    for one, two in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)


def test_the_rate_follows_the_schedule():
    network = make_network()
    config = TrainingConfig(learning_rate=0.1, max_epochs=2)
    optimization = start(network, config)
    seen = []
    for _ in range(10):
        optimization.step(network(torch.ones(2, 3)).mean())
        seen.append(optimization.learning_rate)
    assert seen == rates(config, 10)


@pytest.mark.parametrize(("clip_norm", "expected"), [(1.0, 1.0), (0.0, 100.0), (200.0, 100.0)])
def test_the_gradient_is_clipped_to_its_norm(clip_norm, expected):
    network = nn.Linear(1, 1, bias=False)
    start(network, TrainingConfig(clip_norm=clip_norm, max_epochs=1)).step(network.weight.sum() * 100.0)
    assert network.weight.grad.item() == pytest.approx(expected, rel=1e-4)


def test_frozen_parameters_stay():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    network[0].requires_grad_(requires_grad=False)
    before = network[0].weight.clone()
    start(network, TrainingConfig(max_epochs=1)).step(network(torch.ones(3, 2)).sum())
    assert torch.equal(network[0].weight, before)


def test_flat_weights_are_the_network_s_own_until_they_are_released():
    network = make_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    flat = FlatParameters(network)
    assert flat.values.shape == flat.gradients.shape == (21,)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    with torch.no_grad():
        flat.values.zero_()
    assert all((parameter == 0).all() for parameter in network.parameters())
    flat.release()
    flat.values.fill_(1.0)
    assert all((parameter == 0).all() and parameter.grad is None for parameter in network.parameters())
    assert len({parameter.untyped_storage().data_ptr() for parameter in network.parameters()}) == 4
