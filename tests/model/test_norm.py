"""Ghost batch norm against torch's batch norm on each ghost batch."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tabnet_engine.model.norm import BatchStatistics, GhostBatchNorm, Parts, ghost_chunks, normalise, normalise_backward

N_CHANNELS = 3
rows = st.integers(2, 60)
virtual = st.integers(2, 20)


def norm(virtual_batch_size: int | None, momentum: float = 0.3, n_layers: int = 1) -> GhostBatchNorm:
    module = GhostBatchNorm(
        N_CHANNELS, virtual_batch_size=virtual_batch_size, momentum=momentum, n_layers=n_layers
    ).double()
    with torch.no_grad():
        module.weight.uniform_(0.5, 2)
        module.bias.normal_()
    return module


def reference(module: GhostBatchNorm) -> nn.BatchNorm1d:
    """Torch's own, with the same parameters; called once a ghost batch it follows the sequential rule."""
    batch_norm = nn.BatchNorm1d(N_CHANNELS, momentum=module.momentum).double()
    with torch.no_grad():
        batch_norm.weight.copy_(module.weight[0])
        batch_norm.bias.copy_(module.bias[0])
    return batch_norm


def batch(n_rows: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n_rows, N_CHANNELS, dtype=torch.float64, generator=generator) * 3 + 1


@given(n_rows=rows, size=virtual)
def test_chunks_cover_the_rows_and_none_is_one(n_rows: int, size: int) -> None:
    sizes = ghost_chunks(n_rows, size)
    assert sum(sizes) == n_rows
    assert min(sizes) >= 2
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= size + (size == 2)
    assert list(sizes) == sorted(sizes, reverse=True)


@given(n_rows=rows, size=virtual, seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=150)
def test_equals_batch_norm_on_each_chunk(n_rows: int, size: int, seed: int) -> None:
    module = norm(size)
    batch_norm = reference(module)
    x = batch(n_rows, seed)
    expected = torch.cat([batch_norm(chunk) for chunk in x.split(ghost_chunks(n_rows, size))])
    torch.testing.assert_close(module(x.t()).t(), expected)
    torch.testing.assert_close(module.running_mean[0], batch_norm.running_mean)
    torch.testing.assert_close(module.running_var[0], batch_norm.running_var)


def test_running_statistics_follow_the_sequential_rule() -> None:
    module, x = norm(4, momentum=0.1), batch(12)
    module(x.t())
    chunks = x.split(4)
    weights = [0.1 * 0.9 ** (2 - index) for index in range(3)]
    mean = sum(w * chunk.mean(0) for w, chunk in zip(weights, chunks, strict=True))
    variance = 0.9**3 + sum(w * chunk.var(0) for w, chunk in zip(weights, chunks, strict=True))
    torch.testing.assert_close(module.running_mean[0], mean)
    torch.testing.assert_close(module.running_var[0], variance)


@pytest.mark.parametrize(("n_rows", "size"), [(8, None), (8, 8), (12, 4), (11, 4), (5, 2)])
def test_gradients_equal_those_of_batch_norm(n_rows: int, size: int | None) -> None:
    module = norm(size)
    batch_norm = reference(module)
    x, gradient = batch(n_rows).requires_grad_(), batch(n_rows, seed=1)
    ours = torch.autograd.grad(module(x.t()).t(), [x, module.weight, module.bias], gradient)
    sizes = (n_rows,) if size is None else ghost_chunks(n_rows, size)
    out = torch.cat([batch_norm(chunk) for chunk in x.split(sizes)])
    theirs = torch.autograd.grad(out, [x, batch_norm.weight, batch_norm.bias], gradient)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.flatten(), other.flatten())


@pytest.mark.parametrize("parts", [((12, 1),), ((12, 3),), ((8, 2), (3, 1))])
def test_written_out_derivative(parts: Parts) -> None:
    n_rows = sum(rows for rows, _ in parts)
    x, gradient = batch(n_rows).t().contiguous().requires_grad_(), batch(n_rows, seed=1).t().contiguous()
    gain = torch.rand(N_CHANNELS, dtype=torch.float64, requires_grad=True)
    bias = torch.rand(N_CHANNELS, dtype=torch.float64, requires_grad=True)
    out, mean, rstd = normalise(x, gain, bias, parts, 1e-5)
    expected = torch.autograd.grad(out, [x, gain, bias], gradient)
    written = normalise_backward(gradient, x.detach(), mean.detach(), rstd.detach(), gain.detach(), parts)
    for mine, other in zip(written, expected, strict=True):
        torch.testing.assert_close(mine, other)


def test_evaluation_is_one_batch_norm() -> None:
    module = norm(4)
    for seed in range(5):
        module(batch(12, seed).t())
    batch_norm = reference(module).eval()
    batch_norm.load_state_dict(
        {"running_mean": module.running_mean[0], "running_var": module.running_var[0]}, strict=False
    )
    module.eval()
    for n_rows in (0, 1, 9):
        torch.testing.assert_close(module(batch(n_rows).t()).t(), batch_norm(batch(n_rows)))


def test_layers_do_not_touch_each_other() -> None:
    module = norm(4, n_layers=3)
    before = copy.deepcopy(module.state_dict())
    out = module(batch(8).t(), layer=1)
    for index in (0, 2):
        assert torch.equal(module.running_mean[index], before["running_mean"][index])
    assert not torch.equal(module.running_mean[1], before["running_mean"][1])
    (gradient,) = torch.autograd.grad(out.sum(), module.bias)
    assert gradient[1].abs().sum() > 0
    assert gradient[[0, 2]].abs().sum() == 0


@pytest.mark.parametrize("n_rows", [4, 12, 11])
def test_remembering_all_layers_at_once_equals_one_by_one(n_rows: int) -> None:
    at_once, one_by_one = norm(4, n_layers=2), norm(4, n_layers=2)
    parts, statistics = at_once.parts(n_rows), BatchStatistics()
    for layer in range(2):
        x = batch(n_rows, layer).t().contiguous()
        one_by_one(x, layer)
        _, mean, rstd = normalise(x, at_once.weight[layer], at_once.bias[layer], parts, at_once.eps)
        statistics.means.append(mean.detach())
        statistics.rstds.append(rstd.detach())
    at_once.remember(statistics, parts)
    torch.testing.assert_close(at_once.running_mean, one_by_one.running_mean)
    torch.testing.assert_close(at_once.running_var, one_by_one.running_var)


def test_a_constant_channel_stays_finite() -> None:
    module = GhostBatchNorm(1, virtual_batch_size=4, momentum=1.0)
    out = module(torch.full((1, 8), 7.0))
    torch.testing.assert_close(out, torch.zeros(1, 8), atol=1e-3, rtol=0)
    assert 0 <= float(module.running_var) < 1e-9


def test_one_row_is_refused_in_training_and_fine_in_evaluation() -> None:
    module = norm(4)
    with pytest.raises(ValueError, match="at least 2 rows, got 1"):
        module(batch(1).t())
    assert torch.isfinite(module.eval()(batch(1).t())).all()


@pytest.mark.parametrize(
    ("n_rows", "parts"), [(4, ((4, 1),)), (12, ((12, 3),)), (11, ((8, 2), (3, 1))), (3, ((3, 1),))]
)
def test_parts(n_rows: int, parts: Parts) -> None:
    assert norm(4).parts(n_rows) == parts
