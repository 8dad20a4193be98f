"""Ghost batch normalisation (Hoffer et al. 2017; TabNet section 3.2).

Activations lie features first, (C, B): the rows of one ghost batch are then contiguous for each channel,
and every (channel, ghost batch) pair is a group of one group-norm call, however many ghost batches there
are. Shapes: B rows, C channels, L layers, k ghost batches.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

__all__ = ["BatchStatistics", "GhostBatchNorm", "Parts", "ghost_chunks", "normalise", "normalise_backward"]

# Consecutive parts of a batch, each (rows, equal ghost batches in it); sizes differ by one row at most, so
# there are one or two.
Parts = tuple[tuple[int, int], ...]


def ghost_chunks(n_rows: int, virtual_batch_size: int) -> tuple[int, ...]:
    """Sizes of the consecutive ghost batches that ``n_rows`` rows are cut into, larger ones first.

    The sizes differ by at most one, and none is 1: one row has no variance. For that a chunk may hold
    one row more than ``virtual_batch_size`` (only where that is 2 and the number of rows is odd).

    >>> ghost_chunks(1000, 256), ghost_chunks(7, 3), ghost_chunks(5, 2)
    ((250, 250, 250, 250), (3, 2, 2), (3, 2))
    """
    # DIFF(paper 3.2): balanced sizes instead of full ghost batches and a remainder, which could be one row.
    n_chunks = max(1, min(-(-n_rows // virtual_batch_size), n_rows // 2))
    size, n_larger = divmod(n_rows, n_chunks)
    return (size + 1,) * n_larger + (size,) * (n_chunks - n_larger)


def normalise(x: Tensor, gain: Tensor, bias: Tensor, parts: Parts, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise each ghost batch of ``x`` (C, B), contiguous, by itself; differentiable.

    Returns:
        The result (C, B), and of each ghost batch the mean and 1 / sqrt(variance + eps), (1, C * k) both:
        for one part after the other, channel by channel.
    """
    if len(parts) == 1:
        return _normalise_equal(x, gain, bias, parts[0][1], eps)
    pieces = torch.split(x, [n_rows for n_rows, _ in parts], dim=1)
    results = [
        _normalise_equal(piece.contiguous(), gain, bias, n_chunks, eps)
        for piece, (_, n_chunks) in zip(pieces, parts, strict=True)
    ]
    out, mean, rstd = (torch.cat(values, dim=1) for values in zip(*results, strict=True))
    return out, mean, rstd


def normalise_backward(
    gradient: Tensor, x: Tensor, mean: Tensor, rstd: Tensor, gain: Tensor, parts: Parts
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of :func:`normalise` for ``x`` (C, B), ``gain`` (C,) and ``bias`` (C,)."""
    if len(parts) == 1:
        return _normalise_equal_backward(gradient, x, mean, rstd, gain)
    rows = [n_rows for n_rows, _ in parts]
    groups = [len(x) * n_chunks for _, n_chunks in parts]
    pieces = zip(*(torch.split(value, rows, 1) for value in (gradient, x)),
                 *(torch.split(value, groups, 1) for value in (mean, rstd)), strict=True)  # fmt: skip
    results = [
        _normalise_equal_backward(to_out.contiguous(), piece.contiguous(), m.contiguous(), r.contiguous(), gain)
        for to_out, piece, m, r in pieces
    ]
    to_x, to_gains, to_biases = zip(*results, strict=True)
    return torch.cat(to_x, dim=1), sum(to_gains), sum(to_biases)


def _normalise_equal(x: Tensor, gain: Tensor, bias: Tensor, n_chunks: int, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    n_channels, n_rows = x.shape
    groups = n_channels * n_chunks
    if n_chunks > 1:
        gain, bias = _for_each_chunk(gain, n_chunks), _for_each_chunk(bias, n_chunks)
    return torch.native_group_norm(x, gain, bias, 1, groups, n_rows // n_chunks, groups, eps)


def _normalise_equal_backward(
    gradient: Tensor, x: Tensor, mean: Tensor, rstd: Tensor, gain: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
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
        parts, weight = self.parts(x.shape[1]), self.weight[layer]
        # Autocast hands over bfloat16; the statistics stay in the precision of the parameters.
        rows = x.to(weight.dtype).contiguous()
        out, mean, rstd = normalise(rows, weight, self.bias[layer], parts, self.eps)
        self._follow(mean, rstd, parts, slice(layer, layer + 1))
        return out

    def affine(self, layers: slice) -> tuple[Tensor, Tensor]:
        """What evaluation does to each channel in some of the layers: scale and shift (L, C), differentiable."""
        scale = self.weight[layers] * torch.rsqrt(self.running_var[layers] + self.eps)
        return scale, self.bias[layers] - self.running_mean[layers] * scale

    def parts(self, n_rows: int) -> Parts:
        """How a training batch is cut into ghost batches.

        Raises:
            ValueError: fewer than 2 rows, whose variance does not exist.
        """
        if n_rows < 2:
            raise ValueError(f"batch norm in training needs at least 2 rows, got {n_rows}")
        if self.virtual_batch_size is None or n_rows <= self.virtual_batch_size:
            return ((n_rows, 1),)
        sizes = Counter(ghost_chunks(n_rows, self.virtual_batch_size))
        return tuple((size * n_chunks, n_chunks) for size, n_chunks in sizes.items())

    def remember(self, statistics: BatchStatistics, parts: Parts) -> None:
        """Update every layer's running statistics after a batch."""
        self._follow(torch.cat(statistics.means), torch.cat(statistics.rstds), parts, slice(None))

    @torch.no_grad()
    def _follow(self, means: Tensor, rstds: Tensor, parts: Parts, layers: slice) -> None:
        """Blend statistics (L, C * k), laid out as :func:`normalise` returns them, into those of ``layers``."""
        running_mean, running_var = self.running_mean[layers], self.running_var[layers]
        shape = (*running_mean.shape, -1)
        groups = [running_mean.shape[1] * n_chunks for _, n_chunks in parts]
        for mean, rstd, (n_rows, n_chunks) in zip(
            torch.split(means, groups, 1), torch.split(rstds, groups, 1), parts, strict=True
        ):
            size = n_rows // n_chunks
            variance = rstd.pow(-2).sub_(self.eps).clamp_(min=0).mul_(size / (size - 1))
            _blend(running_mean, mean.reshape(shape), self.momentum)
            _blend(running_var, variance.view(shape), self.momentum)


def _blend(running: Tensor, new: Tensor, momentum: float) -> None:
    """Follow the ghost batches in ``new`` (L, C, k) one after the other, all at once."""
    n_chunks = new.shape[-1]
    if n_chunks == 1:
        running.lerp_(new.squeeze(-1), momentum)
        return
    keep = 1 - momentum
    weights = [momentum * keep ** (n_chunks - 1 - index) for index in range(n_chunks)]
    running.mul_(keep**n_chunks).add_(new @ new.new_tensor(weights))
