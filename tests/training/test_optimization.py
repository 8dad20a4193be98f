import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tabnet_engine.config import TrainingConfig
from tabnet_engine.errors import ConfigError
from tabnet_engine.training.optimization import FlatParameters, Optimization, TorchOptimization, learning_rate


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


class Parts(nn.Module):
    """Names as TabNet's; the head comes first among the parameters."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.head = nn.Parameter(torch.randn(4))
        self.embedding = nn.Linear(3, 4)
        self.encoder = nn.Linear(4, 4)

    def forward(self, x):
        return self.encoder(self.embedding(x).tanh()) @ self.head


def test_the_vector_s_parts_are_found_by_name():
    runs = FlatParameters(Parts()).runs(("embedding.", "encoder."))
    assert runs == [(slice(0, 4), False), (slice(4, 40), True)]
    assert FlatParameters(make_network()).runs(("embedding.",)) == [(slice(0, 21), False)]


def torch_adam(network, config, **changes):
    given = {"optimizer": None, "scheduler": None, **changes}
    return TorchOptimization(network, config, 5, **given)


@pytest.mark.parametrize("build", [start, torch_adam])
def test_a_frozen_encoder_stays_and_then_learns(build):
    network, x = Parts(), torch.randn(8, 3)
    config = TrainingConfig(freeze_epochs=2, max_epochs=4, weight_decay=1.0, schedule="constant", clip_norm=0.5)
    optimization = build(network, config)
    before = {name: tensor.clone() for name, tensor in network.named_parameters()}
    for step in range(1, 21):
        optimization.step(network(x).square().mean())
        frozen = [torch.equal(before[name], tensor) for name, tensor in network.named_parameters()]
        assert frozen == [False] + [step <= 10] * 4
    assert optimization.learning_rate == config.learning_rate


def test_a_thawed_encoder_begins_like_a_fresh_one():
    config = TrainingConfig(freeze_epochs=1, max_epochs=2, schedule="constant", clip_norm=0.0, weight_decay=0.0)
    thawed, x = Parts(), torch.randn(8, 3)
    optimization = start(thawed, config)
    for _ in range(5):
        optimization.step(thawed(x).square().mean())
    before = thawed.encoder.weight.clone()
    optimization.step(thawed(x).square().mean())
    # The first step of Adam is the rate itself in every weight that has a gradient.
    moved = (thawed.encoder.weight - before).abs()
    torch.testing.assert_close(moved, torch.full_like(moved, config.learning_rate), rtol=1e-3, atol=1e-6)


def test_freezing_takes_the_frozen_gradient_out_of_the_norm():
    config = TrainingConfig(freeze_epochs=1, max_epochs=1, clip_norm=1.0)
    network = Parts()
    optimization = start(network, config)
    loss = network.encoder.weight.sum() * 1e6 + network.head.sum() * 0.1
    optimization.step(loss)
    assert network.head.grad.tolist() == pytest.approx([0.1] * 4)
    assert network.encoder.weight.grad.abs().sum() == 0.0


@pytest.mark.parametrize("name", ["adamw", "adam"])
def test_without_an_optimizer_of_ones_own_the_settings_count(name):
    config = TrainingConfig(optimizer=name, schedule="constant", max_epochs=4)
    ours, theirs, x = make_network(), make_network(), torch.randn(20, 3)
    own, of_torch = start(ours, config), torch_adam(theirs, config)
    for _ in range(10):
        own.step(ours(x).square().mean())
        of_torch.step(theirs(x).square().mean())
    for one, two in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("per_batch", "expected"), [(True, [1.0, 0.5, 0.25, 0.125]), (False, [1.0, 1.0, 0.5, 0.5])])
def test_a_scheduler_steps_by_batch_or_by_epoch(per_batch, expected):
    network = make_network()
    optimization = torch_adam(
        network,
        TrainingConfig(),
        optimizer=lambda parameters: torch.optim.SGD(parameters, lr=1.0),
        scheduler=lambda optimizer: torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5),
        per_batch=per_batch,
    )
    seen = []
    for step in range(4):
        optimization.step(network(torch.ones(2, 3)).mean())
        seen.append(optimization.learning_rate)
        if step % 2 == 1:
            optimization.end_epoch(0.0)
    assert seen == expected


def test_a_plateau_is_seen_in_the_monitored_score():
    network = make_network()
    optimization = torch_adam(
        network,
        TrainingConfig(learning_rate=1.0),
        scheduler=lambda optimizer: torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0),
        per_batch=True,
    )
    seen = []
    for score in (3.0, 2.0, 2.0, 1.0, 5.0):
        optimization.step(network(torch.ones(2, 3)).mean())
        seen.append(optimization.learning_rate)
        optimization.end_epoch(score)
    assert seen == [1.0, 1.0, 1.0, 0.5, 0.5]


def test_a_scheduler_made_for_fewer_steps_says_so():
    network = make_network()
    optimization = torch_adam(
        network,
        TrainingConfig(),
        scheduler=lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=2),
        per_batch=True,
    )
    for _ in range(2):
        optimization.step(network(torch.ones(2, 3)).mean())
    with pytest.raises(ConfigError, match="learning-rate scheduler cannot go on"):
        optimization.step(network(torch.ones(2, 3)).mean())


def test_an_optimizer_that_needs_the_loss_again_is_refused():
    with pytest.raises(ConfigError, match="LBFGS computes the loss several times"):
        torch_adam(make_network(), TrainingConfig(), optimizer=lambda parameters: torch.optim.LBFGS(list(parameters)))
