"""Ghost batch normalisation (Hoffer et al. 2017; TabNet section 3.2).

Activations lie features first, (C, B): the rows of one ghost batch are then contiguous for each channel,
and every (channel, ghost batch) pair is a group of one group-norm call, however many ghost batches there
are. Shapes: B rows, C channels, L layers, k ghost batches.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

__all__ = ["BatchStatistics", "GhostBatchNorm", "ghost_chunks", "normalise", "normalise_backward"]


def ghost_chunks(n_rows: int, virtual_batch_size: int) -> tuple[int, ...]:
    """Sizes of the consecutive ghost batches that ``n_rows`` rows are cut into, larger ones first.

    The sizes differ by at most one, and none is 1: one row has no variance. For that a chunk may hold
    one row more than ``virtual_batch_size`` (only where that is 2 and the number of rows is odd).

    >>> ghost_chunks(1000, 256), ghost_chunks(7, 3), ghost_chunks(5, 2)
    ((250, 250, 250, 250), (3, 2, 2), (3, 2))
    """
    n_chunks = max(1, min(-(-n_rows // virtual_batch_size), n_rows // 2))
    size, n_larger = divmod(n_rows, n_chunks)
    return (size + 1,) * n_larger + (size,) * (n_chunks - n_larger)


def normalise(x: Tensor, gain: Tensor, bias: Tensor, n_chunks: int, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise ``n_chunks`` equal ghost batches of ``x`` (C, B), contiguous, each by itself.

    Returns:
        The result (C, B), and of each ghost batch the mean and 1 / sqrt(variance + eps), (1, C * k) both.
    """
    n_channels, n_rows = x.shape
    groups = n_channels * n_chunks
    if n_chunks > 1:
        gain, bias = _for_each_chunk(gain, n_chunks), _for_each_chunk(bias, n_chunks)
    return torch.native_group_norm(x, gain, bias, 1, groups, n_rows // n_chunks, groups, eps)


def normalise_backward(
    gradient: Tensor, x: Tensor, mean: Tensor, rstd: Tensor, gain: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of :func:`normalise` for ``x`` (C, B), ``gain`` (C,) and ``bias`` (C,)."""
    n_channels, n_rows = x.shape
    groups = mean.shape[1]
    n_chunks = groups // n_channels
    if n_chunks > 1:
        gain = _for_each_chunk(gain, n_chunks)
    to_x, to_gain, to_bias = torch.ops.aten.native_group_norm_backward.default(
        gradient, x, mean, rstd, gain, 1, groups, n_rows // n_chunks, groups, [True, True, True]
    )
    if n_chunks > 1:
        to_gain, to_bias = to_gain.view(-1, n_chunks).sum(dim=1), to_bias.view(-1, n_chunks).sum(dim=1)
    return to_x, to_gain, to_bias


def _for_each_chunk(channels: Tensor, n_chunks: int) -> Tensor:
    """(C,) -> (C * k,), each entry k times."""
    return channels.unsqueeze(1).expand(-1, n_chunks).reshape(-1)


@dataclass
class BatchStatistics:
    """What the norms of one :class:`GhostBatchNorm` saw in a batch, layer by layer, as :func:`normalise` gives it."""

    means: list[Tensor] = field(default_factory=list)
    rstds: list[Tensor] = field(default_factory=list)


class GhostBatchNorm(nn.Module):
    """Batch norms for ``n_layers`` layers of one width, each over every ghost batch by itself.

    The running statistics, one set a layer, follow the sequential rule, as if the ghost batches came one
    after the other: r <- (1-m)^k r + sum_i m (1-m)^(k-1-i) stat_i, the variance unbiased. Evaluation is
    one batch norm with them. ``virtual_batch_size`` None is plain batch norm.

    Shape: (C, B) -> (C, B), features first.

    >>> GhostBatchNorm(3, virtual_batch_size=4, momentum=0.1)(torch.rand(3, 10)).shape
    torch.Size([3, 10])
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self, n_features: int, *, virtual_batch_size: int | None, momentum: float, n_layers: int = 1, eps: float = 1e-5
    ) -> None:
        super().__init__()
        self.virtual_batch_size = virtual_batch_size
        self.momentum = momentum
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(n_layers, n_features))
        self.bias = nn.Parameter(torch.zeros(n_layers, n_features))
        self.register_buffer("running_mean", torch.zeros(n_layers, n_features))
        self.register_buffer("running_var", torch.ones(n_layers, n_features))

    def forward(self, x: Tensor, layer: int = 0) -> Tensor:
        """Normalise ``x`` (C, B) by the norm of one layer; in training B must be at least 2.

        Raises:
            ValueError: one row in training, whose variance does not exist.
        """
        if not self.training:
            scale, shift = self.affine(slice(layer, layer + 1))
            return x * scale.t() + shift.t()
        parts = [self._normalise_part(part, layer, n_chunks) for part, n_chunks in self._parts(x)]
        out, means, variances = (
            parts[0] if len(parts) == 1 else (torch.cat(p, dim=-1) for p in zip(*parts, strict=True))
        )
        self._follow(means, variances, slice(layer, layer + 1))
        return out

    def affine(self, layers: slice) -> tuple[Tensor, Tensor]:
        """What evaluation does to each channel in some of the layers: scale and shift (L, C), differentiable."""
        scale = self.weight[layers] * torch.rsqrt(self.running_var[layers] + self.eps)
        return scale, self.bias[layers] - self.running_mean[layers] * scale

    def equal_chunks(self, n_rows: int) -> int:
        """The number of ghost batches in training, or 0 where their sizes differ.

        Raises:
            ValueError: fewer than 2 rows, whose variance does not exist.
        """
        sizes = self._sizes(n_rows)
        return len(sizes) if sizes[0] == sizes[-1] else 0

    def remember(self, statistics: BatchStatistics, n_rows: int) -> None:
        """Update every layer's running statistics after a batch of ``n_rows`` rows in equal ghost batches."""
        shape = (*self.running_mean.shape, -1)
        means, rstds = torch.cat(statistics.means).view(shape), torch.cat(statistics.rstds).view(shape)
        self._follow(means, _unbiased_variance(rstds, n_rows, self.eps), slice(None))

    def _sizes(self, n_rows: int) -> tuple[int, ...]:
        if n_rows < 2:
            raise ValueError(f"batch norm in training needs at least 2 rows, got {n_rows}")
        if self.virtual_batch_size is None or n_rows <= self.virtual_batch_size:
            return (n_rows,)
        return ghost_chunks(n_rows, self.virtual_batch_size)

    def _parts(self, x: Tensor) -> list[tuple[Tensor, int]]:
        """``x`` cut where the size of the ghost batches changes, with their numbers: at most two parts."""
        sizes = self._sizes(x.shape[1])
        n_larger = sizes.count(sizes[0])
        if n_larger == len(sizes):
            return [(x, n_larger)]
        cut = n_larger * sizes[0]
        return [(x[:, :cut], n_larger), (x[:, cut:], len(sizes) - n_larger)]

    def _normalise_part(self, x: Tensor, layer: int, n_chunks: int) -> tuple[Tensor, Tensor, Tensor]:
        """One part's result (C, B), and mean and unbiased variance (1, C, k) of its ghost batches."""
        weight = self.weight[layer]
        # Autocast hands over bfloat16; the statistics stay in the precision of the parameters.
        rows = x.to(weight.dtype).contiguous()
        out, mean, rstd = normalise(rows, weight, self.bias[layer], n_chunks, self.eps)
        shape = (1, x.shape[0], n_chunks)
        variance = _unbiased_variance(rstd.detach().view(shape), x.shape[1], self.eps)
        return out, mean.detach().view(shape), variance

    @torch.no_grad()
    def _follow(self, means: Tensor, variances: Tensor, layers: slice) -> None:
        """Blend statistics (L, C, k) into the running ones of ``layers``."""
        n_chunks = means.shape[-1]
        for running, new in ((self.running_mean[layers], means), (self.running_var[layers], variances)):
            if n_chunks == 1:
                running.lerp_(new.squeeze(-1), self.momentum)
            else:
                keep = 1 - self.momentum
                weights = [self.momentum * keep ** (n_chunks - 1 - index) for index in range(n_chunks)]
                running.mul_(keep**n_chunks).add_(new @ new.new_tensor(weights))


def _unbiased_variance(rstd: Tensor, n_rows: int, eps: float) -> Tensor:
    """The variance, dividing by n - 1, behind ``rstd`` (..., k) of k equal parts of ``n_rows`` rows."""
    size = n_rows // rstd.shape[-1]
    return rstd.pow(-2).sub_(eps).clamp_(min=0).mul_(size / (size - 1))
