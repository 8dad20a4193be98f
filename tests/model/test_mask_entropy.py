"""The entropy of masks (L_sparse): its bounds, and safety at exact zeros in every precision."""

import math

import pytest
import torch

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


def test_gradient() -> None:
    masks = torch.softmax(torch.randn(2, 3, 4, dtype=torch.float64), dim=2).requires_grad_()
    assert torch.autograd.gradcheck(mask_entropy, (masks,))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_zeros_are_safe_in_every_precision(dtype: torch.dtype) -> None:
    masks = torch.eye(4, dtype=dtype).unsqueeze(0).requires_grad_()
    entropy = mask_entropy(masks)
    entropy.backward()
    assert float(entropy.detach()) == 0
    assert masks.grad is not None
    assert torch.isfinite(masks.grad).all()
