"""Ghost batch normalisation (Hoffer et al. 2017; TabNet section 3.2).

Shapes: B rows, C channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

__all__ = ["GhostBatchNorm", "ghost_chunks"]


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


class GhostBatchNorm(nn.Module):
    """Batch norm over each ghost batch by itself; one set of running statistics.

    The running statistics follow the sequential rule, as if the chunks came one after the other:
    r <- (1-m)^k r + sum_i m (1-m)^(k-1-i) stat_i, the variance unbiased. Evaluation is one batch norm.

    Shape: (B, C) -> (B, C).

    >>> GhostBatchNorm(3, virtual_batch_size=4, momentum=0.1)(torch.rand(10, 3)).shape
    torch.Size([10, 3])
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, n_features: int, virtual_batch_size: int, momentum: float, eps: float = 1e-5) -> None:
        super().__init__()
        self.virtual_batch_size = virtual_batch_size
        self.momentum = momentum
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(n_features))
        self.bias = nn.Parameter(torch.zeros(n_features))
        self.register_buffer("running_mean", torch.zeros(n_features))
        self.register_buffer("running_var", torch.ones(n_features))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``x`` (B, C); in training B must be at least 2.

        Raises:
            ValueError: one row in training, whose variance does not exist.
        """
        n_rows = x.shape[0]
        if not self.training or (2 <= n_rows <= self.virtual_batch_size):
            return self._normalise(x)
        if n_rows < 2:
            raise ValueError(f"batch norm in training needs at least 2 rows, got {n_rows}")
        sizes = ghost_chunks(n_rows, self.virtual_batch_size)
        if len(sizes) == 1:
            return self._normalise(x)
        return self._normalise_chunks(x, sizes)

    def _normalise(self, x: Tensor) -> Tensor:
        return nnf.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training, self.momentum, self.eps
        )

    def _normalise_chunks(self, x: Tensor, sizes: tuple[int, ...]) -> Tensor:
        """At most two sizes occur, so at most two batched calls do all the chunks."""
        n_larger = sizes.count(sizes[0])
        parts = [(x[: n_larger * sizes[0]], n_larger)]
        if n_larger < len(sizes):
            parts.append((x[n_larger * sizes[0] :], len(sizes) - n_larger))
        results = [self._normalise_equal(rows, n_chunks) for rows, n_chunks in parts]
        self._remember(torch.cat([mean for _, mean, _ in results]), torch.cat([var for _, _, var in results]))
        return results[0][0] if len(results) == 1 else torch.cat([out for out, _, _ in results])

    def _normalise_equal(self, x: Tensor, n_chunks: int) -> tuple[Tensor, Tensor, Tensor]:
        """Normalise equal chunks by one call that sees every (chunk, channel) pair as a channel."""
        n_channels = x.shape[1]
        wide = x.unflatten(0, (n_chunks, -1)).transpose(0, 1).flatten(1)
        mean, var = self.running_mean.repeat(n_chunks), self.running_var.repeat(n_chunks)
        # Momentum 1 makes the running buffers hold just this call's mean and unbiased variance.
        out = nnf.batch_norm(
            wide, mean, var, self.weight.repeat(n_chunks), self.bias.repeat(n_chunks), True, 1.0, self.eps
        )
        out = out.unflatten(1, (n_chunks, n_channels)).transpose(0, 1).flatten(0, 1)
        return out, mean.view(n_chunks, n_channels), var.view(n_chunks, n_channels)

    @torch.no_grad()
    def _remember(self, means: Tensor, variances: Tensor) -> None:
        keep = 1 - self.momentum
        n_chunks = means.shape[0]
        weights = means.new_tensor([self.momentum * keep ** (n_chunks - 1 - index) for index in range(n_chunks)])
        self.running_mean.mul_(keep**n_chunks).add_(weights @ means)
        self.running_var.mul_(keep**n_chunks).add_(weights @ variances)
