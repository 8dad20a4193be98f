"""The two transformers of a decision step (Arik & Pfister 2021, figure 4, sections 3.2 and 3.3).

Each module holds the weights of all steps, stacked along the first axis: few large tensors make the
optimiser's work small. Activations lie features first, (C, B): see :mod:`tabnet_engine.model.norm`.
Shapes: B rows, G groups of raw features, D encoded width, S steps, H = n_d + n_a, L layers of a feature
transformer.
"""

from __future__ import annotations

import math
from typing import cast

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from tabnet_engine.model.norm import GhostBatchNorm
from tabnet_engine.model.sparse import MASK_FUNCTIONS

__all__ = ["HALF_VARIANCE", "AttentiveTransformer", "FeatureTransformer", "glorot_weights"]

HALF_VARIANCE = math.sqrt(0.5)


def glorot_weights(*shape: int) -> nn.Parameter:
    """Weights (..., n_out, n_in), each matrix drawn Glorot-uniform, the paper's initialisation."""
    bound = math.sqrt(6 / (shape[-1] + shape[-2]))
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))


class FeatureTransformer(nn.Module):
    """Shared, then step-dependent GLU layers: z_1 = G_1(x), z_k = sqrt(0.5) (z_{k-1} + G_k(z_{k-1})).

    G(x) = u[:H] * sigmoid(u[H:]) with u = GBN(W x), without bias. The FC weights of the shared layers are
    the same in every step, their norms are not (paper section 3.3). ``n_steps`` counts all uses, that is
    step 0 too.

    Shape: (D, B) -> (H, B).

    >>> transformer = FeatureTransformer(6, 4, 3, n_shared=1, n_independent=2, virtual_batch_size=8, momentum=0.1)
    >>> transformer(torch.rand(6, 5), step=0).shape
    torch.Size([4, 5])
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        n_steps: int,
        *,
        n_shared: int,
        n_independent: int,
        virtual_batch_size: int,
        momentum: float,
    ) -> None:
        super().__init__()
        self.n_layers = n_shared + n_independent
        n_own = n_independent if n_shared else n_independent - 1
        # The first layer is shared, one weight, or there is one for each step.
        self.entry = glorot_weights(1 if n_shared else n_steps, 2 * n_out, n_in)
        self.shared = glorot_weights(max(0, n_shared - 1), 2 * n_out, n_out)
        self.independent = glorot_weights(n_steps * n_own, 2 * n_out, n_out)
        self.norm = GhostBatchNorm(
            2 * n_out, virtual_batch_size=virtual_batch_size, momentum=momentum, n_layers=n_steps * self.n_layers
        )

    def weights(self, step: int) -> list[Tensor]:
        """The FC weights of one step, first layer first."""
        entry = self.entry[step if len(self.entry) > 1 else 0]
        n_own = self.n_layers - 1 - len(self.shared)
        return [entry, *self.shared, *self.independent[step * n_own : (step + 1) * n_own]]

    def forward(self, x: Tensor, step: int) -> Tensor:
        """Transform ``x`` (D, B) by the layers of one step into (H, B)."""
        layers = range(step * self.n_layers, (step + 1) * self.n_layers)
        if not self.training:
            return self._evaluate(x, step, slice(layers.start, layers.stop))
        z = x
        for layer, weight in zip(layers, self.weights(step), strict=True):
            gated = nnf.glu(self.norm(torch.mm(weight, z), layer), dim=0)
            z = gated if layer == layers.start else (z + gated) * HALF_VARIANCE
        return z

    def _evaluate(self, x: Tensor, step: int, layers: slice) -> Tensor:
        """In evaluation a norm is affine, so it goes into the FC: one matrix product a layer."""
        z = x
        scales, shifts = (part.unsqueeze(2) for part in self.norm.affine(layers))
        for index, weight in enumerate(self.weights(step)):
            gated = nnf.glu(torch.addmm(shifts[index], weight * scales[index], z), dim=0)
            z = (z + gated) * HALF_VARIANCE if index else gated
        return z


class AttentiveTransformer(nn.Module):
    """From the attention part of one step to the mask of the next, and what the mask lets through.

    M = sparsemax(P * GBN(W a)) (paper eq. 1) has one entry for each group of raw features; all encoded
    dimensions of the group share it. The next prior is P (gamma - M). ``column_group`` (D,) says whose group
    each dimension is, ``column_scale`` (D,) what its entry is multiplied by (None for 1).
    # DIFF(paper 3.2): the paper embeds a column to one dimension, where raw and encoded are the same.

    Shape: a (n_a, B), x (D, B), prior (G, B) or None for ones -> mask (G, B), masked x (D, B), prior (G, B).
    """

    column_group: Tensor
    column_scale: Tensor | None

    def __init__(
        self,
        n_a: int,
        column_group: Tensor,
        n_steps: int,
        *,
        gamma: float,
        virtual_batch_size: int,
        momentum: float,
        mask_function: str,
        column_scale: Tensor | None = None,
    ) -> None:
        super().__init__()
        n_groups = int(column_group.max()) + 1
        self.weight = glorot_weights(n_steps, n_groups, n_a)
        self.norm = GhostBatchNorm(n_groups, virtual_batch_size=virtual_batch_size, momentum=momentum, n_layers=n_steps)
        self.mask_function = MASK_FUNCTIONS[mask_function]
        self.gamma = gamma
        # Both follow from layout and settings; here they only move with the module to its device.
        self.register_buffer("column_group", column_group, persistent=False)
        scale = None if column_scale is None else column_scale.unsqueeze(1)
        self.register_buffer("column_scale", scale, persistent=False)

    def forward(self, a: Tensor, x: Tensor, prior: Tensor | None, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """The mask of one step, the input seen through it, and the prior of the step after."""
        scores = self._scores(a, step)
        mask = self.mask_function(scores if prior is None else prior * scores)
        relaxed = self.gamma - mask
        spread = mask.index_select(0, self.column_group)
        masked = (spread if self.column_scale is None else spread * self.column_scale) * x
        return mask, masked, relaxed if prior is None else prior * relaxed

    def _scores(self, a: Tensor, step: int) -> Tensor:
        weight = self.weight[step]
        if self.training:
            return cast("Tensor", self.norm(torch.mm(weight, a), step))
        scale, shift = self.norm.affine(slice(step, step + 1))
        return torch.addmm(shift.t(), weight * scale.t(), a)
