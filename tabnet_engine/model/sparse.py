"""Sparse maps onto the probability simplex: sparsemax and entmax-1.5, with exact gradients.

Shapes: any; the map runs along ``dim``. Both give vectors that are >= 0, sum to one and hold exact zeros.
An entry of ``-inf`` is excluded: its result is 0. Where all of a vector is excluded the result is all zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd import Function

__all__ = ["MASK_FUNCTIONS", "MaskFunction", "entmax15", "sparsemax"]

# Up to this many entries comparing all pairs is faster than sorting (256 and 4,096 rows, one core).
_PAIRWISE_LIMIT = 32
# After the shift by the maximum the threshold lies in [-1, 0): what is below it never matters, and a finite
# stand-in for -inf keeps inf - inf out of the arithmetic.
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
    return _apply(_Sparsemax, x, dim)


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
    return _apply(_Entmax15, x, dim)


def _apply(function: type[Function], x: Tensor, dim: int) -> Tensor:
    first = x.movedim(dim, 0)
    mask = cast("Tensor", function.apply(first))  # type: ignore[no-untyped-call]
    return mask.movedim(0, dim)


def _sparsemax_forward(x: Tensor) -> Tensor:
    """Sparsemax of ``x`` (F, ...) along the first axis."""
    z = _shifted(x)
    support = _pairwise_support(z) if z.shape[0] <= _PAIRWISE_LIMIT else _sorted_support(z)
    inside = support.to(z.dtype)
    size = inside.sum(dim=0).clamp_(min=1)
    threshold = (z * inside).sum(dim=0).sub_(1).div_(size)
    return z.sub_(threshold).clamp_(min=0)


def _sparsemax_backward(mask: Tensor, gradient: Tensor) -> Tensor:
    """The gradient minus its mean over the support, on the support; zero elsewhere."""
    inside = (mask > 0).to(gradient.dtype)
    size = inside.sum(dim=0).clamp_(min=1)
    mean = (gradient * inside).sum(dim=0).div_(size)
    return (gradient - mean).mul_(inside)


def _shifted(x: Tensor) -> Tensor:
    """``x`` minus its maximum, a new tensor in which excluded entries are finite."""
    highest = x.amax(dim=0).clamp_(min=torch.finfo(x.dtype).min)
    return (x - highest).clamp_(min=_EXCLUDED)


def _pairwise_support(z: Tensor) -> Tensor:
    """Entry i is in the support exactly where sum_j max(z_j - z_i, 0) < 1."""
    excess = (z.unsqueeze(0) - z.unsqueeze(1)).clamp_(min=0).sum(dim=1)
    # The second condition follows from the first unless every entry is excluded.
    return (excess < 1).logical_and_(z > -1)


def _sorted_support(z: Tensor) -> Tensor:
    """The same support from the sorted values: the largest k with 1 + k z_(k) > sum of the k largest."""
    ordered = z.sort(dim=0, descending=True).values
    inside = 1 + _ranks(z) * ordered > ordered.cumsum(dim=0)
    last = inside.sum(dim=0, keepdim=True).sub_(1).clamp_(min=0)
    return (z >= ordered.gather(0, last)).logical_and_(z > -1)


def _ranks(z: Tensor) -> Tensor:
    """1, 2, ... along the first axis, shaped to broadcast against ``z``."""
    ranks = torch.arange(1, z.shape[0] + 1, dtype=z.dtype, device=z.device)
    return ranks.view(-1, *[1] * (z.dim() - 1))


def _entmax15_forward(x: Tensor) -> Tensor:
    """Entmax-1.5 of ``x`` (F, ...) along the first axis: max(x / 2 - tau, 0)^2."""
    z = _shifted(x / 2)
    excluded = z <= -1
    return z.sub_(_entmax15_threshold(z)).clamp_(min=0).square_().masked_fill_(excluded, 0)


def _entmax15_backward(mask: Tensor, gradient: Tensor) -> Tensor:
    """The gradient minus its mean weighted by the root of the mask, times that root."""
    root = mask.sqrt()
    total = root.sum(dim=0)
    total.masked_fill_(total == 0, 1)
    weighted = gradient * root
    return weighted.sub_(root.mul_(weighted.sum(dim=0).div_(total)))


def _entmax15_threshold(z: Tensor) -> Tensor:
    """The tau with sum max(z - tau, 0)^2 = 1, solved for each support size on the sorted values."""
    ordered, ranks = z.sort(dim=0, descending=True).values, _ranks(z)
    mean = ordered.cumsum(dim=0).div_(ranks)
    variance = ordered.square().cumsum(dim=0).div_(ranks).sub_(mean.square())
    candidates = mean - (1 / ranks - variance).clamp_(min=0).sqrt_()
    last = (candidates <= ordered).sum(dim=0, keepdim=True).sub_(1).clamp_(min=0)
    return candidates.gather(0, last).squeeze(0)


class _Sparsemax(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        mask = _sparsemax_forward(x)
        ctx.save_for_backward(mask)
        return mask

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _sparsemax_backward(ctx.saved_tensors[0], gradient)


class _Entmax15(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        mask = _entmax15_forward(x)
        ctx.save_for_backward(mask)
        return mask

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _entmax15_backward(ctx.saved_tensors[0], gradient)


@dataclass(frozen=True)
class MaskFunction:
    """A map along ``dim`` and, for fused layers, its forward and backward along the first axis.

    ``backward(mask, gradient)`` needs the forward's result only.
    """

    apply: Callable[[Tensor, int], Tensor]
    forward: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor], Tensor]


MASK_FUNCTIONS = {
    "sparsemax": MaskFunction(sparsemax, _sparsemax_forward, _sparsemax_backward),
    "entmax15": MaskFunction(entmax15, _entmax15_forward, _entmax15_backward),
}
