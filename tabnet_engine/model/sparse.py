"""Sparse maps onto the probability simplex: sparsemax and entmax-1.5, with exact gradients.

Shapes: any; the map runs along ``dim``. Both give rows that are >= 0, sum to one and hold exact zeros.
An entry of ``-inf`` is excluded (its result is 0); where a whole row is excluded the row is all zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd import Function

__all__ = ["MASK_FUNCTIONS", "entmax15", "sparsemax"]

# Up to this many entries comparing all pairs is faster than sorting (measured: 256 rows, one core).
_PAIRWISE_LIMIT = 32
# After the shift by the row's maximum the threshold lies in [-1, 0): what is below it never matters, and
# a finite stand-in for -inf keeps inf - inf out of the arithmetic.
_EXCLUDED = -2.0


def sparsemax(x: Tensor, dim: int = -1) -> Tensor:
    """Euclidean projection onto the simplex (Martins & Astudillo 2016; TabNet section 3.2).

    Args:
        x: scores, any shape; left unchanged.
        dim: the axis that is mapped.

    Returns:
        Same shape as ``x``, along ``dim`` non-negative and summing to one.

    >>> sparsemax(torch.tensor([0.0, 0.5, 1.0, 1.5]))
    tensor([0.0000, 0.0000, 0.2500, 0.7500])
    """
    return _along_last(_Sparsemax, x, dim)


def entmax15(x: Tensor, dim: int = -1) -> Tensor:
    """Entmax with alpha = 1.5, between softmax and sparsemax (Peters, Niculae & Martins 2019).

    Args:
        x: scores, any shape; left unchanged.
        dim: the axis that is mapped.

    Returns:
        Same shape as ``x``, along ``dim`` non-negative and summing to one.

    >>> entmax15(torch.tensor([1.0, 2.0, 3.0]))
    tensor([0.0000, 0.1693, 0.8307])
    """
    return _along_last(_Entmax15, x, dim)


MASK_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {"sparsemax": sparsemax, "entmax15": entmax15}


def _along_last(function: type[Function], x: Tensor, dim: int) -> Tensor:
    if dim in (-1, x.dim() - 1):
        return cast("Tensor", function.apply(x))  # type: ignore[no-untyped-call]
    return cast("Tensor", function.apply(x.transpose(dim, -1))).transpose(dim, -1)  # type: ignore[no-untyped-call]


def _shifted(x: Tensor) -> Tensor:
    """``x`` minus its row maximum, a new tensor in which excluded entries are finite."""
    highest = x.amax(dim=-1, keepdim=True).clamp_(min=torch.finfo(x.dtype).min)
    return (x - highest).clamp_(min=_EXCLUDED)


class _Sparsemax(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # type: ignore[override]
        z = _shifted(x)
        support = _pairwise_support(z) if z.shape[-1] <= _PAIRWISE_LIMIT else _sorted_support(z)
        size = support.sum(dim=-1, keepdim=True).clamp_(min=1)
        threshold = ((z * support).sum(dim=-1, keepdim=True) - 1).div_(size)
        mask = z.sub_(threshold).clamp_(min=0)
        ctx.save_for_backward(mask)
        return mask

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        (mask,) = ctx.saved_tensors
        support = (mask > 0).to(gradient.dtype)
        mean = (gradient * support).sum(dim=-1, keepdim=True) / support.sum(dim=-1, keepdim=True).clamp_(min=1)
        return (gradient - mean).mul_(support)


def _pairwise_support(z: Tensor) -> Tensor:
    """Entry i is in the support exactly where sum_j max(z_j - z_i, 0) < 1."""
    excess = (z.unsqueeze(-2) - z.unsqueeze(-1)).clamp_(min=0).sum(dim=-1)
    return (excess < 1).logical_and_(z > -1)


def _sorted_support(z: Tensor) -> Tensor:
    """The same support from the sorted values: the largest k with 1 + k z_(k) > sum of the k largest."""
    ordered = z.sort(dim=-1, descending=True).values
    rank = torch.arange(1, z.shape[-1] + 1, dtype=z.dtype, device=z.device)
    inside = 1 + rank * ordered > ordered.cumsum(dim=-1)
    last = inside.sum(dim=-1, keepdim=True).sub_(1).clamp_(min=0)
    return (z >= ordered.gather(-1, last)).logical_and_(z > -1)


class _Entmax15(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # type: ignore[override]
        z = _shifted(x / 2)
        threshold = _entmax15_threshold(z)
        mask = (z - threshold).clamp_(min=0).square_().masked_fill_(z <= -1, 0)
        ctx.save_for_backward(mask)
        return mask

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        (mask,) = ctx.saved_tensors
        root = mask.sqrt()
        weighted = gradient * root
        total = root.sum(dim=-1, keepdim=True)
        total = total.masked_fill(total == 0, 1)
        return weighted.sub_(weighted.sum(dim=-1, keepdim=True).div_(total) * root)


def _entmax15_threshold(z: Tensor) -> Tensor:
    """The tau with sum max(z - tau, 0)^2 = 1, solved for each support size on the sorted values."""
    ordered = z.sort(dim=-1, descending=True).values
    rank = torch.arange(1, z.shape[-1] + 1, dtype=z.dtype, device=z.device)
    mean = ordered.cumsum(dim=-1) / rank
    mean_square = ordered.square().cumsum(dim=-1) / rank
    slack = (1 / rank - (mean_square - mean.square())).clamp_(min=0)
    candidates = mean - slack.sqrt_()
    last = (candidates <= ordered).sum(dim=-1, keepdim=True).sub_(1).clamp_(min=0)
    return candidates.gather(-1, last)
