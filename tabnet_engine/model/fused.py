"""The two hot layers of training as single autograd nodes.

On a CPU a training step of a small network spends most of its time between the operations, in autograd's
bookkeeping. These functions do a whole layer's arithmetic in one node each, with the derivative written
out; :mod:`tabnet_engine.model.layers` has the same layers as plain formulas, and the tests hold the two
to equal results, gradients and running statistics.

Activations lie features first. Shapes: B rows, F raw features, D encoded width, H layer width, L layers,
k ghost batches.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor
from torch.autograd import Function

from tabnet_engine.model.norm import normalise, normalise_backward
from tabnet_engine.model.sparse import MaskFunction

__all__ = ["HALF_VARIANCE", "AttentionStep", "GLUStack"]

HALF_VARIANCE = math.sqrt(0.5)


class GLUStack(Function):
    """FC -> ghost batch norm -> GLU, L times, each but the first with a residual scaled by sqrt(0.5).

    Returns the result (H, B), then each layer's batch mean and 1 / standard deviation, (C, k) each.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, gains: Tensor, biases: Tensor, n_chunks: int, eps: float, *weights: Tensor) -> Any:
        """``x`` (n_in, B), ``gains`` and ``biases`` (L, 2H), L ``weights`` (2H, n_in or H)."""
        saved, means, rstds = [gains, *weights], [], []
        z = x
        for index, weight in enumerate(weights):
            u = torch.mm(weight, z)
            normed, mean, rstd = normalise(u, gains[index], biases[index], n_chunks, eps)
            saved += (z, u, normed, mean, rstd)
            gated = nnf.glu(normed, dim=0)
            z = gated.add_(z).mul_(HALF_VARIANCE) if index else gated
            means.append(mean)
            rstds.append(rstd)
        ctx.save_for_backward(*saved)
        ctx.mark_non_differentiable(*means, *rstds)
        ctx.set_materialize_grads(False)
        return (z, *means, *rstds)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor | None, *_: Tensor | None) -> Any:
        saved = ctx.saved_tensors
        n_layers = len(saved) // 6
        gains, weights, tape = saved[0], saved[1 : 1 + n_layers], saved[1 + n_layers :]
        to_gains, to_biases, to_weights = [], [], []
        for index in reversed(range(n_layers)):
            z, u, normed, mean, rstd = tape[5 * index : 5 * index + 5]
            if index:
                gradient = gradient * HALF_VARIANCE
            to_normed = torch.ops.aten.glu_backward(gradient, normed, 0)
            to_u, to_gain, to_bias = normalise_backward(to_normed, u, mean, rstd, gains[index])
            to_weights.append(torch.mm(to_u, z.t()))
            to_gains.append(to_gain)
            to_biases.append(to_bias)
            weight = weights[index].t()
            gradient = torch.addmm(gradient, weight, to_u) if index else torch.mm(weight, to_u)
        return gradient, torch.stack(to_gains[::-1]), torch.stack(to_biases[::-1]), None, None, *to_weights[::-1]


class AttentionStep(Function):
    """From the attention part of one step to the mask, the masked input and the next prior.

    Returns mask (F, B), masked input (D, B), next prior (F, B), and the norm's mean and
    1 / standard deviation, (F, k) each.
    """

    @staticmethod
    def forward(
        ctx: Any,
        a: Tensor,
        x: Tensor,
        prior: Tensor | None,
        weight: Tensor,
        gain: Tensor,
        bias: Tensor,
        column_feature: Tensor,
        mask_function: MaskFunction,
        gamma: float,
        n_chunks: int,
        eps: float,
    ) -> Any:
        """``a`` (n_a, B), ``x`` (D, B), ``prior`` (F, B) or None for ones, ``weight`` (F, n_a)."""
        u = torch.mm(weight, a)
        normed, mean, rstd = normalise(u, gain, bias, n_chunks, eps)
        mask = mask_function.forward(normed if prior is None else normed * prior)
        spread = mask.index_select(0, column_feature)
        relaxed = gamma - mask
        ctx.save_for_backward(a, x, prior, weight, gain, column_feature, u, normed, mean, rstd, mask, spread, relaxed)
        ctx.mask_function = mask_function
        ctx.mark_non_differentiable(mean, rstd)
        ctx.set_materialize_grads(False)
        return mask, spread * x, relaxed if prior is None else relaxed * prior, mean, rstd

    @staticmethod
    def backward(
        ctx: Any, to_mask: Tensor | None, to_masked: Tensor | None, to_prior_out: Tensor | None, *_: Tensor | None
    ) -> Any:
        a, x, prior, weight, gain, column_feature, u, normed, mean, rstd, mask, spread, relaxed = ctx.saved_tensors
        total = torch.zeros_like(mask) if to_mask is None else to_mask.clone()
        to_x = to_prior = None
        if to_masked is not None:
            total.index_add_(0, column_feature, to_masked * x)
            to_x = to_masked * spread
        if to_prior_out is not None:
            total.sub_(to_prior_out if prior is None else to_prior_out * prior)
        to_normed = ctx.mask_function.backward(mask, total)
        if prior is not None:
            to_prior = to_normed * normed
            if to_prior_out is not None:
                to_prior.addcmul_(to_prior_out, relaxed)
            to_normed = to_normed * prior
        to_u, to_gain, to_bias = normalise_backward(to_normed, u, mean, rstd, gain)
        to_a, to_weight = torch.mm(weight.t(), to_u), torch.mm(to_u, a.t())
        return to_a, to_x, to_prior, to_weight, to_gain, to_bias, None, None, None, None, None
