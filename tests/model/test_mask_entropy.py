"""The entropy of masks (L_sparse): its bounds, and safety at exact zeros in every precision."""

import math

import pytest
import torch

from tabnet_engine.model.sparse import sparsemax
from tabnet_engine.model.tabnet import mask_entropy


def test_bounds() -> None:
    masks = torch.softmax(torch.randn(3, 50, 7) * torch.logspace(-2, 2, 50).unsqueeze(1), dim=2)
    assert 0 <= float(mask_entropy(masks)) <= math.log(7)
    assert float(mask_entropy(torch.full((2, 5, 7), 1 / 7))) == pytest.approx(math.log(7), abs=1e-6)


def test_one_hot_rows_have_exactly_none() -> None:
    assert float(mask_entropy(torch.eye(5).unsqueeze(0))) == 0


def test_is_the_papers_sum() -> None:
    masks = torch.softmax(torch.randn(2, 6, 4, dtype=torch.float64), dim=2)
    expected = -(masks * masks.log()).sum() / (2 * 6)
    torch.testing.assert_close(mask_entropy(masks), expected)


def test_with_epsilon_it_is_the_papers_sum_to_the_letter() -> None:
    masks = sparsemax(torch.randn(2, 6, 4, dtype=torch.float64) * 2)
    expected = -(masks * (masks + 1e-5).log()).sum() / (2 * 6)
    torch.testing.assert_close(mask_entropy(masks, 1e-5), expected)
    assert float(mask_entropy(torch.eye(5).unsqueeze(0), 1e-5)) == pytest.approx(-1e-5, rel=1e-2)


def test_epsilon_goes_over_into_the_exact_entropy() -> None:
    masks = sparsemax(torch.randn(2, 6, 4, dtype=torch.float64))
    errors = [abs(float(mask_entropy(masks, epsilon) - mask_entropy(masks))) for epsilon in (1e-3, 1e-6, 1e-15)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-12


@pytest.mark.parametrize("epsilon", [0.0, 1e-5, 0.1])
def test_gradient(epsilon: float) -> None:
    masks = torch.softmax(torch.randn(2, 3, 4, dtype=torch.float64), dim=2).requires_grad_()
    assert torch.autograd.gradcheck(lambda value: mask_entropy(value, epsilon), (masks,))


@pytest.mark.parametrize("epsilon", [0.0, 1e-15])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_zeros_are_safe_in_every_precision(dtype: torch.dtype, epsilon: float) -> None:
    """1e-15 is zero in half precision, where "+ eps" alone would give 0 * -inf."""
    masks = torch.eye(4, dtype=dtype).unsqueeze(0).requires_grad_()
    entropy = mask_entropy(masks, epsilon)
    entropy.backward()
    assert abs(float(entropy.detach())) <= 2 * epsilon
    assert masks.grad is not None
    assert torch.isfinite(masks.grad).all()
