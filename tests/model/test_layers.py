"""The two transformers against the paper's formulas, written out by hand."""

import math

import pytest
import torch
from torch import Tensor

from tabnet_engine.model.layers import AttentiveTransformer, FeatureTransformer, glorot_weights
from tabnet_engine.model.sparse import sparsemax

D, H, B, F = 5, 3, 12, 4
OWNER = torch.tensor([0, 0, 1, 2, 3])


def transformer(n_shared: int = 2, n_independent: int = 2, n_steps: int = 3) -> FeatureTransformer:
    torch.manual_seed(0)
    return FeatureTransformer(
        D, H, n_steps, n_shared=n_shared, n_independent=n_independent, virtual_batch_size=B, momentum=0.1
    ).double()


def attention(gamma: float = 1.5, mask_function: str = "sparsemax") -> AttentiveTransformer:
    torch.manual_seed(0)
    module = AttentiveTransformer(
        2, OWNER, 2, gamma=gamma, virtual_batch_size=B, momentum=0.1, mask_function=mask_function
    )
    return module.double()


def columns(n: int, seed: int = 0) -> Tensor:
    return torch.randn(n, B, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def standardised(u: Tensor) -> Tensor:
    return (u - u.mean(1, keepdim=True)) / (u.var(1, correction=0, keepdim=True) + 1e-5).sqrt()


def gated(u: Tensor) -> Tensor:
    return u[:H] * torch.sigmoid(u[H:])


@pytest.mark.parametrize(("n_shared", "n_independent"), [(2, 2), (1, 2), (0, 2), (2, 0), (1, 0), (0, 1), (3, 1)])
def test_the_formula(n_shared: int, n_independent: int) -> None:
    """z_1 = G_1(x) without a residual; every later layer, the first step-dependent one too, has one."""
    module = transformer(n_shared, n_independent)
    x = columns(D)
    for step in range(3):
        weights = module.weights(step)
        assert len(weights) == n_shared + n_independent
        z = gated(standardised(weights[0] @ x))
        for weight in weights[1:]:
            z = math.sqrt(0.5) * (z + gated(standardised(weight @ z)))
        torch.testing.assert_close(module(x, step), z)


def test_shared_weights_are_the_same_in_every_step_and_norms_are_not() -> None:
    module = transformer()
    first, last = module.weights(0), module.weights(2)
    for index in range(2):
        assert first[index].data_ptr() == last[index].data_ptr()
        assert first[2 + index].data_ptr() != last[2 + index].data_ptr()
    (gradient,) = torch.autograd.grad(module(columns(D), 1).sum(), module.norm.weight)
    assert (gradient.abs().sum(1) > 0).tolist() == [False] * 4 + [True] * 4 + [False] * 4


def test_without_shared_layers_every_step_has_its_own_entry() -> None:
    module = transformer(n_shared=0)
    assert module.weights(0)[0].data_ptr() != module.weights(1)[0].data_ptr()
    assert module.entry.shape == (3, 2 * H, D)


def test_the_gate_has_no_bias_and_the_norm_starts_neutral() -> None:
    names = {name for name, _ in transformer().named_parameters()}
    assert names == {"entry", "shared", "independent", "norm.weight", "norm.bias"}


@pytest.mark.parametrize("n_shared", [0, 2])
def test_evaluation_folds_the_norm_into_the_weight(n_shared: int) -> None:
    module = transformer(n_shared)
    with torch.no_grad():
        for name in ("weight", "running_var"):
            getattr(module.norm, name).uniform_(0.5, 2)
        for name in ("bias", "running_mean"):
            getattr(module.norm, name).normal_()
    module.eval()
    x = columns(D)
    z = x
    for index, weight in enumerate(module.weights(1)):
        normed = module.norm(weight @ z, module.n_layers + index)
        z = gated(normed) if index == 0 else math.sqrt(0.5) * (z + gated(normed))
    torch.testing.assert_close(module(x, 1), z)


def test_glorot_bound_and_spread() -> None:
    weights = glorot_weights(3, 40, 60)
    bound = math.sqrt(6 / 100)
    assert weights.shape == (3, 40, 60)
    assert 0.99 * bound < float(weights.detach().abs().max()) <= bound
    assert float(weights.detach().std()) == pytest.approx(math.sqrt(2 / 100), rel=0.05)


def test_attention_formula_and_prior() -> None:
    module = attention()
    a, x, prior = columns(2), columns(D, 1), columns(F, 2).abs()
    mask, masked, following = module(a, x, prior, 1)
    expected = sparsemax(prior * standardised(module.weight[1] @ a), 0)
    torch.testing.assert_close(mask, expected)
    torch.testing.assert_close(masked, expected[OWNER] * x)
    torch.testing.assert_close(following, prior * (1.5 - expected))


def test_no_prior_is_a_prior_of_ones() -> None:
    a, x = columns(2), columns(D, 1)
    for with_none, with_ones in zip(
        attention()(a, x, None, 0), attention()(a, x, torch.ones(F, B, dtype=torch.float64), 0), strict=True
    ):
        torch.testing.assert_close(with_none, with_ones)


def test_evaluation_folds_the_attention_norm() -> None:
    module = attention()
    with torch.no_grad():
        module.norm.weight.uniform_(0.5, 2)
        module.norm.running_mean.normal_()
        module.norm.running_var.uniform_(0.5, 2)
    module.eval()
    a = columns(2)
    mask, _, _ = module(a, columns(D), None, 1)
    torch.testing.assert_close(mask, sparsemax(module.norm(module.weight[1] @ a, 1), 0))


def test_gamma_one_does_not_force_a_column_to_be_used_once() -> None:
    """The prior multiplies scores, and a used column's 0 beats the others' negative scores."""
    module = attention(gamma=1.0)
    prior = torch.ones(F, B, dtype=torch.float64)
    prior[0] = 0
    mask = sparsemax(prior * torch.tensor([5.0, -1, -2, -3], dtype=torch.float64).unsqueeze(1), 0)
    assert float(mask[0, 0]) == 1
    _, _, following = module(columns(2), columns(D), None, 0)
    assert (following >= 0).all()


def test_a_zero_prior_does_not_exclude() -> None:
    prior, scores = torch.tensor([1.0, 1, 0, 0]), torch.tensor([-2.0, -1, -3, 0.5])
    assert sparsemax(prior * scores).tolist() == [0, 0, 0.5, 0.5]
