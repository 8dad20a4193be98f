"""The two transformers of a decision step (Arik & Pfister 2021, figure 4 and sections 3.2, 3.3).

Shapes: B rows, F raw features, D encoded width, H = n_d + n_a.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from tabnet_engine.model.norm import GhostBatchNorm
from tabnet_engine.model.sparse import MASK_FUNCTIONS

__all__ = ["AttentiveTransformer", "FeatureTransformer", "GLULayer", "glorot_weight"]

_HALF_VARIANCE = math.sqrt(0.5)


def glorot_weight(n_in: int, n_out: int) -> nn.Parameter:
    """A weight (n_out, n_in) drawn Glorot-uniform, the paper's initialisation."""
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(n_out, n_in)))


class GLULayer(nn.Module):
    """FC without bias -> ghost batch norm -> gated linear unit.

    The FC weight is handed in at the call: shared layers use one weight in every step, each with a
    norm of its own (paper section 3.3), and the encoder owns the weight once.

    Shape: x (B, n_in), weight (2H, n_in) -> (B, H).

    >>> layer = GLULayer(4, virtual_batch_size=8, momentum=0.1)
    >>> layer(torch.rand(5, 3), glorot_weight(3, 8)).shape
    torch.Size([5, 4])
    """

    def __init__(self, n_out: int, *, virtual_batch_size: int, momentum: float) -> None:
        super().__init__()
        self.norm = GhostBatchNorm(2 * n_out, virtual_batch_size, momentum)

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        """Return ``u[:, :H] * sigmoid(u[:, H:])`` with ``u = norm(x @ weight.T)``, shape (B, H)."""
        return nnf.glu(self.norm(nnf.linear(x, weight)), dim=-1)


class FeatureTransformer(nn.Module):
    """Shared then step-dependent GLU layers, each but the first with a residual scaled by sqrt(0.5).

    Shape: x (B, n_in) -> (B, H).

    >>> transformer = FeatureTransformer(6, 4, n_shared=0, n_independent=2, virtual_batch_size=8, momentum=0.1)
    >>> transformer(torch.rand(5, 6), ()).shape
    torch.Size([5, 4])
    """

    def __init__(
        self, n_in: int, n_out: int, *, n_shared: int, n_independent: int, virtual_batch_size: int, momentum: float
    ) -> None:
        super().__init__()
        widths = [n_in if index + n_shared == 0 else n_out for index in range(n_independent)]
        self.independent = nn.ParameterList(glorot_weight(width, 2 * n_out) for width in widths)
        self.layers = nn.ModuleList(
            GLULayer(n_out, virtual_batch_size=virtual_batch_size, momentum=momentum)
            for _ in range(n_shared + n_independent)
        )

    def forward(self, x: Tensor, shared: Sequence[Tensor]) -> Tensor:
        """Transform ``x`` (B, n_in) with the ``shared`` weights and this step's own into (B, H)."""
        weights = [*shared, *self.independent]
        z: Tensor = self.layers[0](x, weights[0])
        for layer, weight in zip(self.layers[1:], weights[1:], strict=True):
            z = (z + layer(z, weight)) * _HALF_VARIANCE
        return z


class AttentiveTransformer(nn.Module):
    """From the attention part of one step to the mask of the next (paper eq. 1).

    Shape: a (B, n_a), prior (B, F) -> mask (B, F), rows >= 0 that sum to one.

    >>> attention = AttentiveTransformer(4, 6, virtual_batch_size=8, momentum=0.1, mask_function="sparsemax")
    >>> attention(torch.rand(5, 4), torch.ones(5, 6)).sum(dim=1)
    tensor([1., 1., 1., 1., 1.], grad_fn=<SumBackward1>)
    """

    def __init__(
        self, n_a: int, n_features: int, *, virtual_batch_size: int, momentum: float, mask_function: str
    ) -> None:
        super().__init__()
        self.weight = glorot_weight(n_a, n_features)
        self.norm = GhostBatchNorm(n_features, virtual_batch_size, momentum)
        self.mask_function = MASK_FUNCTIONS[mask_function]

    def forward(self, a: Tensor, prior: Tensor | None) -> Tensor:
        """The mask (B, F); ``prior`` None stands for a prior of ones, as in the first step."""
        scores = self.norm(nnf.linear(a, self.weight))
        return self.mask_function(scores if prior is None else prior * scores)
