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
from torch.autograd.function import once_differentiable

__all__ = ["MASK_FUNCTIONS", "MaskFunction", "entmax15", "sparsemax"]

# Up to this many entries comparing all pairs is faster than sorting (256 rows, one core); it takes memory
# that grows with their square.
_PAIRWISE_LIMIT = 16
_SORTED_BY_NUMPY = frozenset({torch.float32, torch.float64})
# Relative to the maximum, both thresholds lie above -2: what is below that never matters, and a finite
# stand-in for -inf keeps inf - inf out of the arithmetic.
_FLOOR = -3.0


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
    scores = x.movedim(dim, 0)
    highest = scores.detach().amax(dim=0).clamp(min=torch.finfo(x.dtype).min)
    mask = cast("Any", function).apply((scores - highest).clamp(min=_FLOOR)) * (scores > -torch.inf)
    return cast("Tensor", mask.movedim(0, dim))


def _sparsemax_forward(x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Sparsemax of finite ``x`` (F, ...) along the first axis, and what its backward needs."""
    z = x - x.amax(dim=0)
    inside = (_pairwise_support(z) if z.shape[0] <= _PAIRWISE_LIMIT else _sorted_support(z)).to(z.dtype)
    share = inside.sum(dim=0).reciprocal_()
    threshold = (z * inside).sum(dim=0).sub_(1).mul_(share)
    # What rounding left of the sum goes back into the threshold: rows sum to one to the last digits.
    excess = (z - threshold).clamp_(min=0).sum(dim=0).sub_(1)
    threshold.add_(excess.mul_(share))
    return z.sub_(threshold).clamp_(min=0), (inside, share)


def _sparsemax_backward(saved: tuple[Tensor, Tensor], gradient: Tensor) -> Tensor:
    """The gradient minus its mean over the support, on the support; zero elsewhere."""
    inside, share = saved
    on_support = gradient * inside
    return on_support.sub_(on_support.sum(dim=0).mul_(share) * inside)


def _pairwise_support(z: Tensor) -> Tensor:
    """Entry i is in the support exactly where sum_j max(z_j - z_i, 0) < 1."""
    return (z.unsqueeze(0) - z.unsqueeze(1)).clamp_(min=0).sum(dim=1) < 1


def _sorted_support(z: Tensor) -> Tensor:
    """The same support from the sorted values: the largest k with 1 + k z_(k) > sum of the k largest."""
    ordered = _descending(z)
    inside = 1 + _ranks(z) * ordered > _running_sum(ordered)
    last = inside.sum(dim=0, keepdim=True).sub_(1).clamp_(min=0)
    return z >= ordered.gather(0, last)


def _descending(z: Tensor) -> Tensor:
    """The values of ``z`` (F, ...) along the first axis, the largest first.

    On a processor NumPy sorts values alone and with wide instructions; torch sorts their places with them, which took
    twenty times as long (500 entries of 4,064 rows, one core) and most of an explanation of a wide table.
    """
    if z.device.type != "cpu" or z.dtype not in _SORTED_BY_NUMPY:
        return z.sort(dim=0, descending=True).values
    # Of its own, a vector after the other in memory: what follows runs along the vectors too.
    falling = z.detach().movedim(0, -1).neg().contiguous().numpy()
    falling.sort(axis=-1)
    return torch.from_numpy(falling).neg_().movedim(-1, 0)


def _running_sum(ordered: Tensor) -> Tensor:
    """Sums along the first axis, written in memory as ``ordered`` lies there."""
    if ordered.dim() > 1 and ordered.stride(0) == 1:
        return ordered.movedim(0, -1).cumsum(dim=-1).movedim(-1, 0)
    return ordered.cumsum(dim=0)


def _ranks(z: Tensor) -> Tensor:
    """1, 2, ... along the first axis, shaped to broadcast against ``z``."""
    ranks = torch.arange(1, z.shape[0] + 1, dtype=z.dtype, device=z.device)
    return ranks.view(-1, *[1] * (z.dim() - 1))


def _entmax15_forward(x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Entmax-1.5 of finite ``x`` (F, ...) along the first axis: max(x / 2 - tau, 0)^2."""
    z = (x - x.amax(dim=0)).div_(2)
    threshold = _entmax15_threshold(z)
    root = (z - threshold).clamp_(min=0)
    # One Newton step takes back the cancellation in the threshold: the sum is one to the last digits.
    threshold.add_(root.square().sum(dim=0).sub_(1).div_(root.sum(dim=0).mul_(2)))
    root = z.sub_(threshold).clamp_(min=0)
    return root.square(), (root, root.sum(dim=0))


def _entmax15_backward(saved: tuple[Tensor, Tensor], gradient: Tensor) -> Tensor:
    """The gradient minus its mean weighted by the root of the mask, times that root."""
    root, total = saved
    weighted = gradient * root
    return weighted.sub_(weighted.sum(dim=0).div_(total) * root)


def _entmax15_threshold(z: Tensor) -> Tensor:
    """The tau with sum max(z - tau, 0)^2 = 1, solved for each support size on the sorted values."""
    ordered, ranks = _descending(z), _ranks(z)
    mean = _running_sum(ordered).div_(ranks)
    variance = _running_sum(ordered.square()).div_(ranks).sub_(mean.square())
    candidates = mean - (1 / ranks - variance).clamp_(min=0).sqrt_()
    last = (candidates <= ordered).sum(dim=0, keepdim=True).sub_(1).clamp_(min=0)
    return candidates.gather(0, last).squeeze(0)


class _Sparsemax(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        mask, saved = _sparsemax_forward(x)
        ctx.save_for_backward(*saved)
        return mask

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _sparsemax_backward(ctx.saved_tensors, gradient)


class _Entmax15(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        mask, saved = _entmax15_forward(x)
        ctx.save_for_backward(*saved)
        return mask

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _entmax15_backward(ctx.saved_tensors, gradient)


@dataclass(frozen=True)
class MaskFunction:
    """A map along the first axis of finite scores, and its parts for a layer that writes out its derivative.

    ``forward(x)`` returns the mask and what ``backward(saved, gradient)`` needs.
    """

    function: type[Function]
    forward: Callable[[Tensor], tuple[Tensor, tuple[Tensor, Tensor]]]
    backward: Callable[[tuple[Tensor, Tensor], Tensor], Tensor]

    def __call__(self, x: Tensor) -> Tensor:
        """The mask of ``x`` (F, ...), differentiable."""
        return cast("Tensor", cast("Any", self.function).apply(x))


MASK_FUNCTIONS = {
    "sparsemax": MaskFunction(_Sparsemax, _sparsemax_forward, _sparsemax_backward),
    "entmax15": MaskFunction(_Entmax15, _entmax15_forward, _entmax15_backward),
}
