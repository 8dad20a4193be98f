import pytest
import torch

from tabnet_engine.config import ModelConfig, PretrainingConfig
from tabnet_engine.data.encoding import InputLayout
from tabnet_engine.errors import ConfigError
from tabnet_engine.model.decoder import CellTargets, TabNetAutoencoder, TabNetDecoder

NAN = float("nan")
# A date of two slots, a category of three, a number.
LAYOUT = InputLayout(("day", "colour", "size"), (0, 0, 2), (1,), (5,), ((-1.0, 1.0),) * 3)
CONFIG = ModelConfig(n_d=5, n_a=3, n_steps=3, virtual_batch_size=4)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return TabNetAutoencoder(LAYOUT, CONFIG, PretrainingConfig())


def batch(n_rows=12):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n_rows, 3, generator=generator), torch.randint(2, 5, (n_rows, 1), generator=generator)


def test_the_decoder_adds_up_what_each_step_gives():
    decoder = TabNetDecoder(4, 7, 3, n_shared=1, n_independent=1, virtual_batch_size=8, momentum=0.1).eval()
    latents = torch.rand(3, 6, 4)
    steps = [decoder.weight[step] @ decoder.transformer(latents[step].t(), step) for step in range(3)]
    torch.testing.assert_close(decoder(latents), (sum(steps) + decoder.bias).t())


@pytest.mark.parametrize(("n_shared", "n_independent"), [(1, 1), (2, 0), (0, 2)])
def test_the_decoder_s_size_is_that_of_its_layers(n_shared, n_independent):
    n_d, n_values, n_steps = 4, 7, 3
    decoder = TabNetDecoder(
        n_d, n_values, n_steps, n_shared=n_shared, n_independent=n_independent, virtual_batch_size=8, momentum=0.1
    )
    layer = 2 * n_d * n_d
    norms = n_steps * (n_shared + n_independent) * 2 * 2 * n_d
    expected = n_shared * layer + n_steps * n_independent * layer + norms + n_steps * n_d * n_values + n_values
    assert sum(parameter.numel() for parameter in decoder.parameters()) == expected


def test_numbers_are_their_own_target_and_categories_one_indicator_each():
    numeric = torch.tensor([[0.5, -1.0, 2.0], [NAN, NAN, 0.0], [1.0, 1.0, NAN]])
    categorical = torch.tensor([[2], [4], [0]])
    values, observed = CellTargets(LAYOUT)(numeric, categorical)
    assert values.tolist() == [[0.5, -1.0, 2.0, 1, 0, 0], [0, 0, 0, 0, 0, 1], [1, 1, 0, 0, 0, 0]]
    assert observed.tolist() == [[1, 1, 1], [0, 1, 1], [1, 0, 0]]
    assert CellTargets(LAYOUT).owner.tolist() == [0, 0, 2, 1, 1, 1]


def test_a_category_never_seen_has_no_target():
    values, observed = CellTargets(LAYOUT)(torch.zeros(1, 3), torch.tensor([[1]]))
    assert values[0, 3:].tolist() == [0, 0, 0]
    assert observed.tolist() == [[1, 0, 1]]


def test_the_encoder_is_that_of_a_network_with_a_head(network):
    from tabnet_engine.model.tabnet import TabNet

    torch.manual_seed(1)
    supervised = TabNet(LAYOUT, 1, CONFIG)
    for part in ("embedding", "encoder"):
        getattr(supervised, part).load_state_dict(getattr(network, part).state_dict())
    numeric, categorical = batch()
    supervised.eval()
    network.eval()
    filled = network(numeric, categorical, torch.zeros(12, 3))
    torch.testing.assert_close(filled.masks, supervised(numeric, categorical, torch.ones(12, 3)).masks)


def test_a_hidden_cell_has_no_influence_in_evaluation(network):
    network.eval()
    numeric, categorical = batch()
    hidden = torch.zeros(12, 3)
    hidden[:, 0] = hidden[:, 1] = 1
    before = network(numeric, categorical, hidden)
    changed = numeric.clone()
    changed[:, :2] += 5
    after = network(changed, (categorical - 1).clamp(min=2), hidden)
    assert torch.equal(before.values, after.values)
    changed[:, 2] += 1
    assert not torch.equal(before.values, network(changed, categorical, hidden).values)


def test_the_prior_of_the_first_step_is_one_less_hidden(network):
    seen = []
    attend = network.encoder.attention.forward
    network.encoder.attention.forward = lambda a, x, prior, step: seen.append(prior) or attend(a, x, prior, step)
    network.eval()
    hidden = (torch.rand(12, 3) < 0.5).float()
    network(*batch(), hidden)
    assert torch.equal(seen[0].t(), 1 - hidden)


def test_hiding_does_not_shift_the_statistics_of_the_input_norm(network):
    numeric, categorical = batch()
    network.train()
    network(numeric, categorical, torch.zeros(12, 3))
    plain = network.encoder.input_norm.running_mean.clone()
    other = TabNetAutoencoder(LAYOUT, CONFIG, PretrainingConfig())
    other.embedding.load_state_dict(network.embedding.state_dict())
    other.train()
    other(numeric, categorical, torch.ones(12, 3))
    assert torch.equal(other.encoder.input_norm.running_mean, plain)


def test_columns_of_one_group_are_hidden_together():
    layout = InputLayout(("a", "b", "c"), (0, 1, 2), (), (), ((-1.0, 1.0),) * 3, groups=(0, 0, 1))
    torch.manual_seed(0)
    network = TabNetAutoencoder(layout, CONFIG, PretrainingConfig()).eval()
    numeric, categorical = torch.randn(6, 3), torch.zeros(6, 0, dtype=torch.int64)
    hidden = torch.tensor([[1.0, 0.0]]).repeat(6, 1)
    before = network(numeric, categorical, hidden).values
    numeric[:, :2] += 3
    assert torch.equal(network(numeric, categorical, hidden).values, before)


def test_a_layout_without_features_is_refused():
    with pytest.raises(ConfigError, match="at least one feature"):
        TabNetAutoencoder(InputLayout((), (), (), (), ()), CONFIG, PretrainingConfig())
