"""Groups of columns that share a mask entry, scaled masks, and columns hidden from the steps."""

import copy
import dataclasses
import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tabnet_engine.config import ModelConfig
from tabnet_engine.data.encoding import InputLayout
from tabnet_engine.model.tabnet import TabNet, TabNetEncoder, TabNetOutput, column_scale, mask_entropy

NAMES = ("age", "colour", "date", "city", "income")
# Encoded widths with piecewise numbers of 4 dimensions: 4, 3, 8, 2, 4.
LAYOUT = InputLayout(
    feature_names=NAMES,
    numeric_feature=(0, 2, 2, 4),
    categorical_feature=(1, 3),
    categorical_sizes=(5, 12),
    bins=((-1.0, 0.0, 1.0), (-1.0, 1.0), (-1.0, 0.5, 1.0), (-2.0, 2.0)),
    groups=(0, 1, 0, 1, 2),
)
WIDTHS = (4, 3, 8, 2, 4)
GROUPS = (0, 1, 0, 1, 2)
SMALL = ModelConfig(n_d=4, n_a=3, n_steps=3, virtual_batch_size=16, momentum=0.5, d_categorical=(3, 2), gamma=1.5)


def network(seed: int = 0, layout: InputLayout = LAYOUT, **changes: object) -> TabNet:
    torch.manual_seed(seed)
    return TabNet(layout, 2, ModelConfig.from_mapping({**SMALL.to_mapping(), **changes}))


def batch(n_rows: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    codes = [torch.randint(0, size, (n_rows,), generator=generator) for size in LAYOUT.categorical_sizes]
    return torch.randn(n_rows, 4, generator=generator), torch.stack(codes, 1)


def warm(net: TabNet) -> TabNet:
    for seed in range(4):
        net(*batch(32, seed))
    return net.eval()


def group_masks(net: TabNet, cells: tuple[Tensor, Tensor]) -> Tensor:
    return net.encoder(net.embedding(*cells))[1]


SCALINGS = pytest.mark.parametrize("mask_scaling", ["none", "width"])


@SCALINGS
@pytest.mark.parametrize("training", [True, False])
def test_masks_of_groups_are_divided_among_their_columns(mask_scaling: str, training: bool) -> None:
    """A column's share is its part of what the entry lets through: by width, or equally when that is scaled."""
    net = warm(network(mask_scaling=mask_scaling)).train(training)
    cells = batch(31)
    entries = group_masks(copy.deepcopy(net), cells)
    assert entries.shape == (3, 31, 3)
    masks = net(*cells).masks
    assert masks.shape == (3, 31, 5)
    amounts = WIDTHS if mask_scaling == "none" else (1, 1, 1, 1, 1)
    for feature, group in enumerate(GROUPS):
        whole = sum(amount for amount, other in zip(amounts, GROUPS, strict=True) if other == group)
        torch.testing.assert_close(masks[..., feature], entries[..., group] * amounts[feature] / whole)
    sums = masks.double().sum(dim=2)
    torch.testing.assert_close(sums, torch.ones_like(sums), atol=3e-7, rtol=0)
    assert (masks >= 0).all()


@SCALINGS
def test_what_passes_a_mask(mask_scaling: str) -> None:
    net = network(mask_scaling=mask_scaling)
    attention = net.encoder.attention
    a, x = torch.randn(3, 20), torch.ones(21, 20)
    mask, masked, _ = attention(a, x, None, 0)
    for dimension, feature in enumerate(net.embedding.column_feature.tolist()):
        group = GROUPS[feature]
        factor = 1 if mask_scaling == "none" else 1 / (GROUPS.count(group) * WIDTHS[feature])
        torch.testing.assert_close(masked[dimension], mask[group] * factor)


def test_scaling_lets_through_as_much_of_a_column_as_its_mask_says() -> None:
    """Under "width" the entries that reach the dimensions of a column sum to the column's own mask."""
    net = network(mask_scaling="width")
    mask, masked, _ = net.encoder.attention(torch.randn(3, 20), torch.ones(21, 20), None, 0)
    passed = torch.zeros(5, 20).index_add_(0, net.embedding.column_feature, masked.detach())
    torch.testing.assert_close(passed, net.encoder.on_features(mask.detach().t()).t())


@given(
    widths=st.lists(st.integers(1, 5), min_size=1, max_size=6),
    seed=st.integers(0, 2**16),
)
@settings(deadline=None, max_examples=40)
def test_scales_of_each_group_sum_to_one(widths: list[int], seed: int) -> None:
    owners = torch.tensor([feature for feature, width in enumerate(widths) for _ in range(width)])
    raw = torch.randint(0, 3, (len(widths),), generator=torch.Generator().manual_seed(seed)).tolist()
    groups = [sorted(set(raw)).index(group) for group in raw]
    scale = column_scale(owners, groups)
    sums = torch.zeros(max(groups) + 1).index_add_(0, torch.tensor(groups)[owners], scale)
    torch.testing.assert_close(sums, torch.ones_like(sums))


@given(groups=st.lists(st.integers(0, 4), min_size=5, max_size=5), scaled=st.booleans(), n_rows=st.integers(2, 9))
@settings(deadline=None, max_examples=40)
def test_any_grouping_keeps_masks_on_the_simplex(groups: list[int], scaled: bool, n_rows: int) -> None:
    dense = tuple(sorted(set(groups)).index(group) for group in groups)
    net = network(layout=dataclasses.replace(LAYOUT, groups=dense), mask_scaling="width" if scaled else "none")
    out = net(*batch(n_rows))
    assert (out.masks >= 0).all()
    sums = out.masks.double().sum(dim=2)
    torch.testing.assert_close(sums, torch.ones_like(sums), atol=4e-7, rtol=0)
    assert -1e-6 <= float(out.sparsity.detach()) <= math.log(max(dense) + 1) + 1e-6
    torch.testing.assert_close(out.logits, out.step_contributions.sum(dim=0))


def test_one_column_of_one_dimension_each_is_not_scaled() -> None:
    assert column_scale(torch.arange(4), range(4)).tolist() == [1, 1, 1, 1]


def test_every_feature_in_a_group_of_its_own_is_the_same_as_no_groups() -> None:
    alone = dataclasses.replace(LAYOUT, groups=())
    listed = dataclasses.replace(LAYOUT, groups=(0, 1, 2, 3, 4))
    reordered = dataclasses.replace(LAYOUT, groups=(3, 1, 4, 0, 2))
    nets = [warm(network(layout=layout)) for layout in (alone, listed, reordered)]
    outs = [net(*batch(20)) for net in nets]
    assert [net.encoder.is_grouped for net in nets] == [False, False, True]
    assert torch.equal(outs[0].masks, outs[1].masks)
    # The same weights, entry by entry in another order, give the same masks on the columns.
    order = torch.tensor([3, 1, 4, 0, 2])
    moved = copy.deepcopy(nets[0])
    inverse = torch.argsort(order)
    target = TabNet(reordered, 2, SMALL)
    state = moved.state_dict()
    for name in [name for name in state if name.startswith("encoder.attention.")]:
        state[name] = state[name][:, inverse]
    target.load_state_dict(state)
    torch.testing.assert_close(target.eval()(*batch(20)).masks, outs[0].masks)


def test_sparsity_counts_groups_not_columns() -> None:
    net = network()
    cells = batch(40)
    entries = group_masks(copy.deepcopy(net), cells)
    torch.testing.assert_close(net(*cells).sparsity, mask_entropy(entries))


def test_epsilon_of_the_settings_reaches_the_entropy() -> None:
    net = network(entropy_epsilon=1e-2)
    cells = batch(40)
    entries = group_masks(copy.deepcopy(net), cells)
    torch.testing.assert_close(net(*cells).sparsity, mask_entropy(entries, 1e-2))
    assert float((mask_entropy(entries) - mask_entropy(entries, 1e-2)).detach().abs()) > 1e-3


def test_a_prior_speaks_of_groups() -> None:
    net = warm(network())
    prior = torch.ones(8, 3)
    assert torch.equal(net(*batch(8), prior).logits, net(*batch(8)).logits)
    with pytest.raises(RuntimeError):
        net(*batch(8), torch.ones(8, 5))


@SCALINGS
def test_bfloat16_leaves_the_rows_of_masks_whole(mask_scaling: str) -> None:
    """Dividing an entry among columns happens in the masks' own precision."""
    net = network(mask_scaling=mask_scaling)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = net(*batch(32))
    (out.logits.float().square().mean() + out.sparsity).backward()
    sums = out.masks.sum(dim=2)
    torch.testing.assert_close(sums, torch.ones_like(sums), atol=3e-7, rtol=0)
    assert all(torch.isfinite(parameter.grad).all() for parameter in net.parameters())


def gradients(
    net: TabNet, cells: tuple[Tensor, Tensor], prior: Tensor | None
) -> tuple[TabNetOutput, dict[str, Tensor]]:
    out = net(*cells, prior)
    weight = torch.randn(out.masks.shape, generator=torch.Generator().manual_seed(1), dtype=out.masks.dtype)
    loss = out.logits.square().mean() + out.sparsity + (out.masks * weight).sum() + out.latents.square().mean()
    parameters = dict(net.named_parameters())
    found = torch.autograd.grad(loss, [*parameters.values()], materialize_grads=True)
    return out, dict(zip(parameters, found, strict=True))


@SCALINGS
@pytest.mark.parametrize("mask_function", ["sparsemax", "entmax15"])
@pytest.mark.parametrize("with_prior", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
def test_the_fused_pass_equals_the_plain_formulas(
    monkeypatch: pytest.MonkeyPatch, mask_scaling: str, mask_function: str, with_prior: bool, grouped: bool
) -> None:
    layout = LAYOUT if grouped else dataclasses.replace(LAYOUT, groups=())
    fused = network(
        layout=layout, mask_scaling=mask_scaling, mask_function=mask_function, entropy_epsilon=1e-5
    ).double()
    plain = copy.deepcopy(fused)
    cells = batch(20)[0].double(), batch(20)[1]
    prior = torch.rand(20, layout.n_groups, dtype=torch.float64) if with_prior else None
    ours = gradients(fused, cells, prior)
    monkeypatch.setattr(TabNetEncoder, "_can_fuse", lambda self, x: False)
    theirs = gradients(plain, cells, prior)
    for field in dataclasses.fields(TabNetOutput):
        torch.testing.assert_close(getattr(ours[0], field.name), getattr(theirs[0], field.name))
    for name, value in theirs[1].items():
        torch.testing.assert_close(ours[1][name], value, msg=lambda text, name=name: f"{name}: {text}")


@SCALINGS
def test_the_fused_pass_has_the_numerical_gradient(mask_scaling: str) -> None:
    encoder = network(n_steps=2, mask_scaling=mask_scaling).double().encoder
    x = torch.randn(6, 21, dtype=torch.float64, requires_grad=True)
    prior = torch.rand(6, 3, dtype=torch.float64, requires_grad=True)
    keep = torch.randint(0, 2, (6, 5)).double()
    assert torch.autograd.gradcheck(encoder, (x, prior, keep), atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_a_hidden_column_has_no_effect_but_on_the_input_norm(training: bool) -> None:
    """Hiding comes after the norm: its statistics see every cell, the steps see the mean instead."""
    net = warm(network()).train(training)
    x = net.embedding(*batch(24)).detach()
    keep = torch.ones(24, 5)
    keep[::2, 1] = 0
    # In training a changed cell would move the norm for all rows; exchanged cells keep its statistics.
    owned = net.embedding.column_feature == 1
    changed = x.clone()
    changed[::2][:, owned] = changed[::2].flip(0)[:, owned]
    hidden = [copy.deepcopy(net).encoder(cells, None, keep) for cells in (x, changed)]
    seen = [copy.deepcopy(net).encoder(cells) for cells in (x, changed)]
    for one, other in zip(*hidden, strict=True):
        torch.testing.assert_close(one, other)
    assert not torch.allclose(seen[0][0], seen[1][0])


def test_hiding_does_not_shift_the_statistics_of_the_input_norm() -> None:
    hiding, seeing = network(), network()
    x = hiding.embedding(*batch(24)).detach()
    hiding.encoder(x, None, torch.zeros(24, 5))
    seeing.encoder(x)
    for name in ("running_mean", "running_var"):
        assert torch.equal(getattr(hiding.encoder.input_norm, name), getattr(seeing.encoder.input_norm, name))


def test_keeping_all_is_keeping_nothing_back() -> None:
    net = warm(network())
    x = net.embedding(*batch(9))
    for one, other in zip(net.encoder(x), net.encoder(x, None, torch.ones(9, 5)), strict=True):
        assert torch.equal(one, other)


def test_unseen_inputs_get_no_gradient() -> None:
    net = warm(network())
    x = net.embedding(*batch(9)).detach().requires_grad_()
    keep = torch.ones(9, 5)
    keep[:, 2] = 0
    (gradient,) = torch.autograd.grad(net.encoder(x, None, keep)[0].sum(), x)
    hidden = net.embedding.column_feature == 2
    assert (gradient[:, hidden] == 0).all()
    assert (gradient[:, ~hidden] != 0).any()


def test_groups_and_scales_follow_the_settings_and_are_not_stored() -> None:
    """A run's weights are the same file with and without groups, but for the width of its masks."""
    grouped, alone = network(mask_scaling="width"), network(layout=dataclasses.replace(LAYOUT, groups=()))
    assert grouped.state_dict().keys() == alone.state_dict().keys()
    shapes = [(name, tuple(value.shape)) for name, value in grouped.state_dict().items()]
    different = {name for name, shape in shapes if shape != tuple(alone.state_dict()[name].shape)}
    assert different
    assert all(name.startswith("encoder.attention.") for name in different)


def test_permuted_columns_of_a_group_change_nothing_but_the_order() -> None:
    """Equivariance with mixed widths: each column keeps its mask, wherever it stands in the table."""
    order = (3, 0, 4, 2, 1)
    place = [order.index(feature) for feature in range(5)]
    moved = InputLayout(
        feature_names=tuple(NAMES[feature] for feature in order),
        numeric_feature=tuple(place[feature] for feature in LAYOUT.numeric_feature),
        categorical_feature=tuple(place[feature] for feature in LAYOUT.categorical_feature),
        categorical_sizes=LAYOUT.categorical_sizes,
        bins=LAYOUT.bins,
        groups=tuple(GROUPS[feature] for feature in order),
    )
    one = warm(network(mask_scaling="width"))
    other = TabNet(moved, 2, SMALL.replace(mask_scaling="width")).eval()
    state = one.state_dict()
    state["embedding.column_feature"] = other.state_dict()["embedding.column_feature"]
    other.load_state_dict(state)
    ours, theirs = one(*batch(12)), other(*batch(12))
    torch.testing.assert_close(theirs.logits, ours.logits)
    torch.testing.assert_close(theirs.masks, ours.masks[..., list(order)])


def test_all_columns_in_one_group_read_everything_always() -> None:
    net = warm(network(layout=dataclasses.replace(LAYOUT, groups=(0,) * 5)))
    out = net(*batch(7))
    shares = torch.tensor(WIDTHS) / sum(WIDTHS)
    for step, row in itertools.product(range(3), range(7)):
        torch.testing.assert_close(out.masks[step, row], shares)
    assert float(out.sparsity.detach()) == 0
