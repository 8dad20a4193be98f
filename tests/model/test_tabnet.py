"""The network against the paper: parameter counts, axioms of masks and contributions, traps."""

import copy
import dataclasses
import math

import pytest
import torch
import torch.nn.functional as nnf
from torch import Tensor

from tabnet_engine.config import ModelConfig
from tabnet_engine.data.encoding import InputLayout
from tabnet_engine.errors import ConfigError
from tabnet_engine.model.fused import EncoderPass
from tabnet_engine.model.sparse import sparsemax
from tabnet_engine.model.tabnet import TabNet, TabNetEncoder, TabNetOutput, mask_entropy

PLAIN = ModelConfig(numeric_embedding="none", n_d=4, n_a=3, n_steps=3, virtual_batch_size=16, momentum=0.5)
MIXED = InputLayout(
    feature_names=("age", "colour", "date", "city"),
    numeric_feature=(0, 2, 2),
    categorical_feature=(1, 3),
    categorical_sizes=(5, 30),
    bins=((-2.0, -1.0, 0.0, 2.0), (-1.0, 1.0), (-1.0, 0.0, 1.0)),
)
BOTH_MASKS = pytest.mark.parametrize("mask_function", ["sparsemax", "entmax15"])


def numbers(n_features: int) -> InputLayout:
    names = tuple(f"x{index}" for index in range(n_features))
    return InputLayout(names, tuple(range(n_features)), (), (), ((-1.0, 1.0),) * n_features)


def network(layout: InputLayout = MIXED, n_outputs: int = 2, seed: int = 0, **settings_: object) -> TabNet:
    torch.manual_seed(seed)
    config = ModelConfig.from_mapping({**PLAIN.to_mapping(), "numeric_embedding": "piecewise", **settings_})
    return TabNet(layout, n_outputs, config)


def batch(n_rows: int, layout: InputLayout = MIXED, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    numeric = torch.randn(n_rows, len(layout.numeric_feature), generator=generator)
    codes = [torch.randint(0, size, (n_rows,), generator=generator) for size in layout.categorical_sizes]
    return numeric, torch.stack(codes, 1) if codes else torch.empty(n_rows, 0, dtype=torch.int64)


def warm(net: TabNet, layout: InputLayout = MIXED) -> TabNet:
    """Some training passes, so that running statistics and evaluation are not at their start."""
    for seed in range(4):
        net(*batch(32, layout, seed))
    return net.eval()


def assert_same(one: TabNetOutput, other: TabNetOutput, **tolerance: float) -> None:
    for field in dataclasses.fields(TabNetOutput):
        torch.testing.assert_close(getattr(one, field.name), getattr(other, field.name), **tolerance)


@BOTH_MASKS
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("n_rows", [2, 31, 64])
def test_masks_lie_on_the_simplex_of_raw_columns(mask_function: str, training: bool, n_rows: int) -> None:
    net = warm(network(mask_function=mask_function)).train(training)
    masks = net(*batch(n_rows)).masks
    assert masks.shape == (3, n_rows, 4)
    assert (masks >= 0).all()
    sums = masks.double().sum(dim=2)
    torch.testing.assert_close(sums, torch.ones_like(sums), atol=3e-7, rtol=0)


def test_masks_hold_exact_zeros() -> None:
    masks = warm(network(numbers(12)), numbers(12))(*batch(64, numbers(12))).masks
    assert (masks == 0).float().mean() > 0.2


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_logits_are_the_base_plus_the_step_contributions(training: bool, n_outputs: int) -> None:
    net = warm(network(n_outputs=n_outputs)).train(training)
    net.set_output_scale(torch.linspace(-5, 40, n_outputs), torch.linspace(0.5, 7, n_outputs))
    out = net(*batch(20))
    assert out.step_contributions.shape == (3, 20, n_outputs)
    assert out.logits.dtype == torch.float32
    assert torch.equal(out.logits, out.step_contributions.sum(dim=0) + net.output_offset.float())
    by_hand = nnf.linear(out.latents.sum(dim=0), net.head) * net.output_scale.float() + net.output_offset.float()
    torch.testing.assert_close(out.logits, by_hand, atol=1e-4, rtol=1e-5)


def test_latents_are_rectified_decisions_and_weigh_the_masks() -> None:
    out = warm(network())(*batch(20))
    assert out.latents.shape == (3, 20, 4)
    assert (out.latents >= 0).all()
    eta = out.latents.sum(dim=2)
    explained = (eta.unsqueeze(2) * out.masks).sum(dim=0)
    torch.testing.assert_close(explained.sum(dim=1), eta.sum(dim=0))


def test_zero_attention_is_not_zero_effect() -> None:
    """A column that no step reads still moves the score: step 0 sees it without a mask."""
    layout = numbers(12)
    net = warm(network(layout, n_steps=1), layout)
    numeric, categorical = (part.clone() for part in batch(200, layout))
    before = net(numeric, categorical)
    numeric[:, 0] += 0.5
    after = net(numeric, categorical)
    unread = ((before.masks[:, :, 0] == 0) & (after.masks[:, :, 0] == 0)).all(dim=0)
    assert unread.any()
    assert (before.logits[unread] != after.logits[unread]).any()


@pytest.mark.parametrize("training", [True, False])
def test_permuted_columns_with_permuted_weights_change_nothing_but_the_order(training: bool) -> None:
    layout = numbers(6)
    net = warm(network(layout, numeric_embedding="none"), layout)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    other = copy.deepcopy(net)
    with torch.no_grad():
        for name in ("weight", "bias", "running_mean", "running_var"):
            for ours, theirs in ((net.encoder.input_norm, other.encoder.input_norm),
                                 (net.encoder.attention.norm, other.encoder.attention.norm)):  # fmt: skip
                getattr(theirs, name).copy_(getattr(ours, name)[:, order])
        other.encoder.transformer.entry.copy_(net.encoder.transformer.entry[..., order])
        other.encoder.attention.weight.copy_(net.encoder.attention.weight[:, order])
    numeric, categorical = batch(32, layout)
    one = net.train(training)(numeric, categorical)
    two = other.train(training)(numeric[:, order], categorical)
    torch.testing.assert_close(two.logits, one.logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(two.masks, one.masks[..., order], atol=1e-5, rtol=1e-5)


def test_evaluation_is_deterministic_and_independent_of_the_batch() -> None:
    net = warm(network())
    numeric, categorical = batch(50)
    whole = net(numeric, categorical)
    assert_same(net(numeric, categorical), whole, atol=0, rtol=0)
    for start, stop in ((0, 1), (7, 30), (49, 50)):
        part = net(numeric[start:stop], categorical[start:stop])
        torch.testing.assert_close(part.logits, whole.logits[start:stop], atol=1e-5, rtol=0)
        torch.testing.assert_close(part.masks, whole.masks[:, start:stop], atol=1e-5, rtol=0)


def test_no_rows_in_evaluation() -> None:
    out = warm(network())(*batch(0))
    assert (out.logits.shape, out.masks.shape) == ((0, 2), (3, 0, 4))
    assert float(out.sparsity.detach()) == 0


def test_one_row_cannot_train() -> None:
    with pytest.raises(ValueError, match="at least 2 rows"):
        network()(*batch(1))


def test_no_feature_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one feature"):
        TabNet(InputLayout((), (), (), (), ()), 1, PLAIN)


def test_a_single_column_gets_all_the_attention() -> None:
    layout = numbers(1)
    out = warm(network(layout), layout)(*batch(9, layout))
    assert torch.equal(out.masks, torch.ones(3, 9, 1))
    assert float(out.sparsity.detach()) == 0


def test_missing_and_extreme_cells_give_finite_answers() -> None:
    net = warm(network())
    numeric, categorical = batch(6)
    numeric[0], numeric[1], numeric[2] = float("nan"), 1e4, -1e4
    categorical[:3] = torch.tensor([[0, 0], [1, 1], [4, 29]])
    out = net(numeric, categorical)
    assert all(torch.isfinite(getattr(out, field.name)).all() for field in dataclasses.fields(TabNetOutput))


def test_the_input_norm_sees_the_whole_batch_not_ghost_batches() -> None:
    net = network(virtual_batch_size=8)
    x = net.embedding(*batch(40)).detach()
    net(*batch(40))
    torch.testing.assert_close(net.encoder.input_norm.running_var[0], 0.5 + 0.5 * x.var(dim=0))


def test_logits_alone_are_those_of_the_whole_forward() -> None:
    net = network().eval()
    embedded = net.embedding(*batch(40))
    assert torch.equal(net.logits_of_embedded(embedded), net.read_embedded(embedded).logits)


def test_sparsity_is_the_entropy_of_the_masks() -> None:
    out = network()(*batch(40))
    torch.testing.assert_close(out.sparsity, mask_entropy(out.masks))


def standardised(x: Tensor) -> Tensor:
    return (x - x.mean(0)) / (x.var(0, correction=0) + 1e-5).sqrt()


def by_hand(net: TabNet, x: Tensor) -> tuple[Tensor, Tensor]:
    """The paper's equations row by row, with gamma 1.5 and norms at their start; latents and masks."""
    encoder = net.encoder

    def transform(value: Tensor, step: int) -> tuple[Tensor, Tensor]:
        z = None
        for weight in encoder.transformer.weights(step):
            u = standardised((value if z is None else z) @ weight.t())
            half = u.shape[1] // 2
            gated = u[:, :half] * torch.sigmoid(u[:, half:])
            z = gated if z is None else math.sqrt(0.5) * (z + gated)
        return z[:, : encoder.n_d], z[:, encoder.n_d :]

    f = standardised(x)
    _, a = transform(f, 0)
    prior = torch.ones(len(x), len(encoder.attention.weight[0]), dtype=x.dtype)
    latents, masks = [], []
    for step in range(encoder.n_steps):
        mask = sparsemax(prior * standardised(a @ encoder.attention.weight[step].t()))
        d, a = transform(mask[:, net.embedding.column_feature] * f, step + 1)
        prior = prior * (1.5 - mask)
        latents.append(d.clamp(min=0))
        masks.append(mask)
    return torch.stack(latents), torch.stack(masks)


def test_all_steps_equal_the_equations_written_by_hand() -> None:
    """The mask comes after the input norm, step 0 has none, its d-part is dropped, the prior relaxes."""
    net = network(gamma=1.5, virtual_batch_size=64).double()
    numeric, categorical = batch(40)
    cells = numeric.double(), categorical
    out, (latents, masks) = net(*cells), by_hand(net, net.embedding(*cells))
    torch.testing.assert_close(out.masks, masks)
    torch.testing.assert_close(out.latents, latents)
    torch.testing.assert_close(out.logits, latents.sum(0) @ net.head.t())


def test_the_papers_preset_is_the_paper_to_the_letter() -> None:
    """Parameter count of Syn4-6, one mask entry for each number, and eps = 1e-5 inside the entropy's logarithm."""
    layout = numbers(11)
    net = TabNet(layout, 2, ModelConfig.paper())
    assert net.n_parameters == 31_444
    x = batch(100, layout)[0].double()
    out = net.double()(x, batch(100, layout)[1])
    latents, masks = by_hand(net, x)
    torch.testing.assert_close(out.masks, masks)
    torch.testing.assert_close(out.logits, latents.sum(0) @ net.head.t())
    torch.testing.assert_close(out.sparsity, -(masks * (masks + 1e-5).log()).sum() / (5 * 100))


def loss_of(out: TabNetOutput, weight: Tensor) -> Tensor:
    """Uses every output; the masks by a gradient laid out row first."""
    return out.logits.square().mean() + out.sparsity + (out.masks * weight).sum() + out.latents.square().mean()


def results(net: TabNet, cells: tuple[Tensor, Tensor], prior: Tensor | None) -> tuple[TabNetOutput, dict, dict]:
    out = net(*cells, prior)
    weight = torch.randn(out.masks.shape, generator=torch.Generator().manual_seed(1), dtype=out.masks.dtype)
    parameters = dict(net.named_parameters())
    gradients = torch.autograd.grad(loss_of(out, weight), [*parameters.values()], materialize_grads=True)
    return out, dict(zip(parameters, gradients, strict=True)), dict(net.named_buffers())


@BOTH_MASKS
@pytest.mark.parametrize(
    ("changes", "with_prior"),
    [
        ({}, False),
        ({}, True),
        ({"virtual_batch_size": 8}, False),
        ({"virtual_batch_size": 6}, True),
        ({"n_shared": 0}, True),
        ({"n_shared": 1, "n_independent": 0, "n_steps": 1}, True),
        ({"n_shared": 0, "n_independent": 1, "virtual_batch_size": 4}, False),
        ({"n_shared": 3, "n_independent": 1}, False),
    ],
)
def test_the_fused_pass_equals_the_plain_formulas(
    monkeypatch: pytest.MonkeyPatch, mask_function: str, changes: dict, with_prior: bool
) -> None:
    fused = network(mask_function=mask_function, **changes).double()
    plain = copy.deepcopy(fused)
    cells = batch(16)[0].double(), batch(16)[1]
    prior = torch.rand(16, 4, dtype=torch.float64) if with_prior else None
    calls = []
    original = EncoderPass.apply
    monkeypatch.setattr(EncoderPass, "apply", lambda *inputs: calls.append(1) or original(*inputs))
    ours = results(fused, cells, prior)
    assert calls == [1]
    monkeypatch.setattr(TabNetEncoder, "_can_fuse", lambda self, x: False)
    theirs = results(plain, cells, prior)
    assert calls == [1]
    assert_same(ours[0], theirs[0])
    for mine, others in zip(ours[1:], theirs[1:], strict=True):
        for name, value in others.items():
            torch.testing.assert_close(mine[name], value, msg=lambda text, name=name: f"{name}: {text}")


def test_the_fused_pass_has_the_numerical_gradient() -> None:
    encoder = network(n_steps=2).double().encoder
    x = torch.randn(6, len(encoder.column_feature), dtype=torch.float64, requires_grad=True)
    prior = torch.rand(6, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(encoder, (x, prior), atol=1e-6)


@pytest.mark.parametrize("output", ["logits", "masks", "sparsity", "latents"])
def test_each_output_alone_can_be_differentiated(output: str) -> None:
    net = network()
    getattr(net(*batch(16)), output).square().sum().backward()
    gradient = net.encoder.transformer.entry.grad
    assert gradient is not None
    assert 0 < gradient.abs().sum() < math.inf


def test_a_retained_graph_can_be_differentiated_again_but_not_twice_over() -> None:
    net = network()
    logits = net(*batch(16)).logits.sum()
    first = torch.autograd.grad(logits, net.head, retain_graph=True)
    assert torch.equal(first[0], torch.autograd.grad(logits, net.head, retain_graph=True)[0])
    (gradient,) = torch.autograd.grad(logits, net.encoder.transformer.entry, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_bfloat16_autocast_trains() -> None:
    net = network()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = net(*batch(32))
        loss = out.logits.float().square().mean() + out.sparsity
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(parameter.grad).all() for parameter in net.parameters())
    sums = out.masks.float().sum(dim=2)
    torch.testing.assert_close(sums, torch.ones_like(sums), atol=2e-2, rtol=0)


def test_evaluation_can_be_differentiated_by_its_input() -> None:
    net = warm(network())
    numeric, categorical = batch(8)
    numeric.requires_grad_()
    (gradient,) = torch.autograd.grad(net(numeric, categorical).logits.sum(), numeric)
    assert 0 < gradient.abs().sum() < math.inf


def test_the_state_is_complete_and_free_of_shared_memory() -> None:
    net = warm(network())
    other = network(seed=9)
    other.load_state_dict(net.state_dict())
    assert_same(other.eval()(*batch(9)), net(*batch(9)), atol=0, rtol=0)
    addresses = [tensor.data_ptr() for tensor in net.state_dict().values() if tensor.numel()]
    assert len(addresses) == len(set(addresses))


def test_the_same_seed_gives_the_same_network() -> None:
    one, two = network(seed=5).state_dict(), network(seed=5).state_dict()
    assert all(torch.equal(value, two[name]) for name, value in one.items())


def test_it_learns() -> None:
    """A rule of two columns among five is found; the column it turns on is read."""
    layout = numbers(5)
    net = network(layout, n_outputs=1, n_d=8, n_a=8, virtual_batch_size=128)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    numeric, categorical = batch(512, layout)
    label = (numeric[:, 0] * numeric[:, 3] > 0).float()
    for _ in range(150):
        loss = nnf.binary_cross_entropy_with_logits(net(numeric, categorical).logits[:, 0], label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    correct = (net.eval()(numeric, categorical).logits[:, 0] > 0) == label.bool()
    assert correct.float().mean() > 0.95
