"""The two transformers of a decision step (Arik & Pfister 2021, figure 4, sections 3.2 and 3.3).

Activations lie features first, (C, B): see :mod:`tabnet_engine.model.norm`. Shapes: B rows, F raw
features, D encoded width, H = n_d + n_a, L layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from tabnet_engine.model.fused import HALF_VARIANCE, AttentionStep, GLUStack
from tabnet_engine.model.norm import GhostBatchNorm
from tabnet_engine.model.sparse import MASK_FUNCTIONS

__all__ = ["AttentiveTransformer", "FeatureTransformer", "glorot_weight"]


def glorot_weight(n_in: int, n_out: int) -> nn.Parameter:
    """A weight (n_out, n_in) drawn Glorot-uniform, the paper's initialisation."""
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(n_out, n_in)))


def _fused_chunks(norm: GhostBatchNorm, x: Tensor) -> int:
    """Ghost batches of ``x`` where the fused layer can serve it, else 0: then the plain formula does."""
    if not norm.training or torch.is_autocast_enabled(x.device.type):
        return 0
    return norm.equal_chunks(x.shape[1])


class FeatureTransformer(nn.Module):
    """Shared, then step-dependent GLU layers: z_1 = G_1(x), z_k = sqrt(0.5) (z_{k-1} + G_k(z_{k-1})).

    The shared FC weights are handed in at the call: every step uses the same ones, each with norms of its
    own (paper section 3.3), and the encoder owns them once.

    Shape: x (n_in, B) -> (H, B).

    >>> transformer = FeatureTransformer(6, 4, n_shared=0, n_independent=2, virtual_batch_size=8, momentum=0.1)
    >>> transformer(torch.rand(6, 5), []).shape
    torch.Size([4, 5])
    """

    def __init__(
        self, n_in: int, n_out: int, *, n_shared: int, n_independent: int, virtual_batch_size: int, momentum: float
    ) -> None:
        super().__init__()
        widths = [n_in if index + n_shared == 0 else n_out for index in range(n_independent)]
        self.independent = nn.ParameterList(glorot_weight(width, 2 * n_out) for width in widths)
        self.norm = GhostBatchNorm(
            2 * n_out, virtual_batch_size=virtual_batch_size, momentum=momentum, n_layers=n_shared + n_independent
        )

    def forward(self, x: Tensor, shared: Sequence[Tensor]) -> Tensor:
        """Transform ``x`` (n_in, B) by the ``shared`` weights and this step's own into (H, B)."""
        weights = [*shared, *self.independent]
        if not self.training:
            return self._evaluate(x, weights)
        n_chunks = _fused_chunks(self.norm, x)
        return self._fused(x, weights, n_chunks) if n_chunks else self._plain(x, weights)

    def _plain(self, x: Tensor, weights: Sequence[Tensor]) -> Tensor:
        z = x
        for index, weight in enumerate(weights):
            gated = nnf.glu(self.norm(torch.mm(weight, z), index), dim=0)
            z = (z + gated) * HALF_VARIANCE if index else gated
        return z

    def _fused(self, x: Tensor, weights: Sequence[Tensor], n_chunks: int) -> Tensor:
        norm, n_layers = self.norm, len(weights)
        results = cast("Any", GLUStack).apply(x, norm.weight, norm.bias, n_chunks, norm.eps, *weights)
        norm.remember(results[1 : 1 + n_layers], results[1 + n_layers :], x.shape[1])
        return cast("Tensor", results[0])

    def _evaluate(self, x: Tensor, weights: Sequence[Tensor]) -> Tensor:
        """In evaluation a norm is affine, so it goes into the FC: one matrix product a layer."""
        scales, shifts = self.norm.affine()
        z = x
        for index, weight in enumerate(weights):
            normed = torch.addmm(shifts[index].unsqueeze(1), weight * scales[index].unsqueeze(1), z)
            gated = nnf.glu(normed, dim=0)
            z = (z + gated) * HALF_VARIANCE if index else gated
        return z


class AttentiveTransformer(nn.Module):
    """From the attention part of one step to the mask of the next, and what the mask lets through.

    M = sparsemax(P * GBN(W a)) (paper eq. 1) on the raw features; all encoded dimensions of a feature
    share its entry. The next prior is P (gamma - M).
    # DIFF(paper 3.2): the paper embeds a column to one dimension, where raw and encoded are the same.

    Shape: a (n_a, B), x (D, B), prior (F, B) or None for ones -> mask (F, B), masked x (D, B), prior (F, B).
    """

    column_feature: Tensor

    def __init__(
        self,
        n_a: int,
        column_feature: Tensor,
        n_features: int,
        *,
        gamma: float,
        virtual_batch_size: int,
        momentum: float,
        mask_function: str,
    ) -> None:
        super().__init__()
        self.weight = glorot_weight(n_a, n_features)
        self.norm = GhostBatchNorm(n_features, virtual_batch_size=virtual_batch_size, momentum=momentum)
        self.mask_function = MASK_FUNCTIONS[mask_function]
        self.gamma = gamma
        # The embedding stores it; here it only follows the module to its device.
        self.register_buffer("column_feature", column_feature, persistent=False)

    def forward(self, a: Tensor, x: Tensor, prior: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """The mask for this row, the input seen through it, and the prior of the next step."""
        n_chunks = _fused_chunks(self.norm, a)
        return self._fused(a, x, prior, n_chunks) if n_chunks else self._plain(a, x, prior)

    def _plain(self, a: Tensor, x: Tensor, prior: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        scores = self._scores(a)
        mask = self.mask_function.apply(scores if prior is None else prior * scores, 0)
        relaxed = self.gamma - mask
        masked = mask.index_select(0, self.column_feature) * x
        return mask, masked, relaxed if prior is None else prior * relaxed

    def _scores(self, a: Tensor) -> Tensor:
        if self.training:
            return cast("Tensor", self.norm(torch.mm(self.weight, a)))
        scale, shift = self.norm.affine()
        return torch.addmm(shift.t(), self.weight * scale.t(), a)

    def _fused(self, a: Tensor, x: Tensor, prior: Tensor | None, n_chunks: int) -> tuple[Tensor, Tensor, Tensor]:
        norm = self.norm
        mask, masked, relaxed, mean, rstd = cast("Any", AttentionStep).apply(
            a, x, prior, self.weight, norm.weight[0], norm.bias[0], self.column_feature,
            self.mask_function, self.gamma, n_chunks, norm.eps,
        )  # fmt: skip
        norm.remember([mean], [rstd], a.shape[1])
        return mask, masked, relaxed
