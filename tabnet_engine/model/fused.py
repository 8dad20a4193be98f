"""All decision steps of a training batch as a single autograd node.

On a CPU a training step of a small network spends most of its time between the operations, in the
bookkeeping of autograd and of modules. :class:`EncoderPass` does the arithmetic of
:class:`~tabnet_engine.model.layers.FeatureTransformer` and
:class:`~tabnet_engine.model.layers.AttentiveTransformer` for all steps, with the derivative written out;
the tests hold it to the results, gradients and running statistics of those plain formulas.

Activations lie features first. Shapes: B rows, F raw features, D encoded width, S steps, H = n_d + n_a,
L layers of a feature transformer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
import torch.nn.functional as nnf
from torch import Tensor
from torch.autograd import Function

from tabnet_engine.model.layers import HALF_VARIANCE
from tabnet_engine.model.norm import normalise, normalise_backward
from tabnet_engine.model.sparse import MaskFunction

__all__ = ["BatchStatistics", "EncoderPass", "PassSettings"]


@dataclass
class BatchStatistics:
    """Mean and 1 / standard deviation that each norm of one kind saw in this batch, in layer order."""

    means: list[Tensor] = field(default_factory=list)
    rstds: list[Tensor] = field(default_factory=list)


@dataclass(frozen=True)
class PassSettings:
    """What an :class:`EncoderPass` needs besides tensors, and where it leaves its statistics."""

    n_d: int
    n_layers: int
    gamma: float
    eps: float
    n_chunks: int
    mask_function: MaskFunction
    column_feature: Tensor
    transformer_statistics: BatchStatistics = field(default_factory=BatchStatistics)
    attention_statistics: BatchStatistics = field(default_factory=BatchStatistics)


class _Layer(NamedTuple):
    """One FC and its norm: parameters, or the gradients of parameters."""

    weight: Tensor
    gain: Tensor
    bias: Tensor


class _GLUTape(NamedTuple):
    z: Tensor
    u: Tensor
    normed: Tensor
    mean: Tensor
    rstd: Tensor


class _AttentionTape(NamedTuple):
    a: Tensor
    prior: Tensor | None
    u: Tensor
    normed: Tensor
    mean: Tensor
    rstd: Tensor
    saved: tuple[Tensor, ...]
    spread: Tensor
    relaxed: Tensor


class EncoderPass(Function):
    """Normed input and first prior to the latents and masks of all steps.

    ``parameters`` are the feature transformer's entry, shared and independent weights, its norm's gain
    and bias, then the attentive transformer's weight, gain and bias, stacked as their modules hold them.

    Shape: x (D, B), prior (F, B) or None for ones -> latents (S, n_d, B), masks (S, F, B).
    """

    @staticmethod
    def forward(ctx: Any, settings: PassSettings, x: Tensor, prior: Tensor | None, *parameters: Tensor) -> Any:
        """Run all steps; see the class."""
        transformers, attention = _layers_of_steps(settings, parameters)
        tape: list[_GLUTape] = []
        attention_tape: list[_AttentionTape] = []
        hidden = _transform(settings, transformers[0], x, tape)
        decisions, masks = [], []
        for layers, attend in zip(transformers[1:], attention, strict=True):
            mask, masked, prior = _attend(settings, attend, hidden[settings.n_d :], x, prior, attention_tape)
            hidden = _transform(settings, layers, masked, tape)
            decisions.append(hidden[: settings.n_d])
            masks.append(mask)
        latents = torch.stack(decisions).relu_()
        ctx.settings, ctx.parameters, ctx.x, ctx.tapes = settings, parameters, x, (tape, attention_tape)
        ctx.save_for_backward(latents)
        ctx.set_materialize_grads(False)
        return latents, torch.stack(masks)

    @staticmethod
    def backward(ctx: Any, to_latents: Tensor | None, to_masks: Tensor | None) -> Any:
        """Gradients for ``x``, ``prior`` and the parameters."""
        settings, parameters, x = ctx.settings, ctx.parameters, ctx.x
        tape, attention_tape = ctx.tapes
        ctx.tapes = None  # frees the activations now, not when the output goes
        (latents,) = ctx.saved_tensors
        gradients = [torch.zeros_like(parameter) for parameter in parameters]
        transformers, attention = _layers_of_steps(settings, parameters)
        to_transformers, to_attention = _layers_of_steps(settings, gradients)
        n_layers, n_steps = settings.n_layers, len(attention)
        zeros = torch.zeros_like(latents) if to_latents is None else to_latents * (latents > 0)
        to_decisions = zeros.unbind()
        to_a = x.new_zeros(tape[-1].normed.shape[0] // 2 - settings.n_d, x.shape[1])
        to_x, to_prior = torch.zeros_like(x), None
        for step in range(n_steps, 0, -1):
            to_hidden = torch.cat([to_decisions[step - 1], to_a])
            step_tape = tape[step * n_layers : (step + 1) * n_layers]
            to_masked = _transform_backward(transformers[step], to_transformers[step], step_tape, to_hidden)
            to_mask = None if to_masks is None else to_masks[step - 1]
            to_a, to_prior = _attend_backward(
                settings, attention[step - 1], to_attention[step - 1], attention_tape[step - 1],
                (x, to_x), (to_mask, to_masked, to_prior),
            )  # fmt: skip
        to_hidden = torch.cat([torch.zeros_like(to_decisions[0]), to_a])
        to_x += _transform_backward(transformers[0], to_transformers[0], tape[:n_layers], to_hidden)
        return None, to_x, to_prior, *gradients


def _layers_of_steps(settings: PassSettings, parameters: Sequence[Tensor]) -> tuple[list[list[_Layer]], list[_Layer]]:
    """Views of the stacked tensors: for each step 0..S the transformer's layers, for 1..S the attention."""
    entry, shared, independent, gain, bias, *attention = parameters
    n_layers = settings.n_layers
    gains, biases = gain.unbind(), bias.unbind()
    n_steps = len(gains) // n_layers
    own = independent.unbind()
    n_own = len(own) // n_steps
    common = shared.unbind()
    steps = []
    for step in range(n_steps):
        weights = (entry[step if len(entry) > 1 else 0], *common, *own[step * n_own : (step + 1) * n_own])
        rows = slice(step * n_layers, (step + 1) * n_layers)
        steps.append([_Layer(*layer) for layer in zip(weights, gains[rows], biases[rows], strict=True)])
    return steps, [_Layer(*layer) for layer in zip(*(part.unbind() for part in attention), strict=True)]


def _transform(settings: PassSettings, layers: Sequence[_Layer], z: Tensor, tape: list[_GLUTape]) -> Tensor:
    statistics = settings.transformer_statistics
    for index, layer in enumerate(layers):
        u = torch.mm(layer.weight, z)
        normed, mean, rstd = normalise(u, layer.gain, layer.bias, settings.n_chunks, settings.eps)
        tape.append(_GLUTape(z, u, normed, mean, rstd))
        statistics.means.append(mean)
        statistics.rstds.append(rstd)
        gated = nnf.glu(normed, dim=0)
        z = gated.add_(z).mul_(HALF_VARIANCE) if index else gated
    return z


def _transform_backward(
    layers: Sequence[_Layer], to_layers: Sequence[_Layer], tape: Sequence[_GLUTape], gradient: Tensor
) -> Tensor:
    """The gradient for the transformer's input; those for the parameters are added to ``to_layers``."""
    for index in range(len(layers) - 1, -1, -1):
        layer, to_layer, seen = layers[index], to_layers[index], tape[index]
        if index:
            gradient = gradient.mul_(HALF_VARIANCE)
        to_normed = torch.ops.aten.glu_backward.default(gradient, seen.normed, 0)
        to_u, to_gain, to_bias = normalise_backward(to_normed, seen.u, seen.mean, seen.rstd, layer.gain)
        to_layer.weight.addmm_(to_u, seen.z.t())
        to_layer.gain.copy_(to_gain)
        to_layer.bias.copy_(to_bias)
        weight = layer.weight.t()
        gradient = gradient.addmm_(weight, to_u) if index else torch.mm(weight, to_u)
    return gradient


def _attend(
    settings: PassSettings, layer: _Layer, a: Tensor, x: Tensor, prior: Tensor | None, tape: list[_AttentionTape]
) -> tuple[Tensor, Tensor, Tensor]:
    u = torch.mm(layer.weight, a)
    normed, mean, rstd = normalise(u, layer.gain, layer.bias, settings.n_chunks, settings.eps)
    mask, saved = settings.mask_function.forward(normed if prior is None else normed * prior)
    spread = mask.index_select(0, settings.column_feature)
    relaxed = settings.gamma - mask
    tape.append(_AttentionTape(a, prior, u, normed, mean, rstd, saved, spread, relaxed))
    settings.attention_statistics.means.append(mean)
    settings.attention_statistics.rstds.append(rstd)
    return mask, spread * x, relaxed if prior is None else relaxed * prior


def _attend_backward(
    settings: PassSettings,
    layer: _Layer,
    to_layer: _Layer,
    seen: _AttentionTape,
    inputs: tuple[Tensor, Tensor],
    outputs: tuple[Tensor | None, Tensor, Tensor | None],
) -> tuple[Tensor, Tensor | None]:
    """Gradients for ``a`` and the prior; that for ``x`` is added to ``inputs[1]``, the others to ``to_layer``.

    ``outputs`` are the gradients of mask, masked input and next prior.
    """
    x, to_x = inputs
    to_mask, to_masked, to_next = outputs
    to_x.addcmul_(to_masked, seen.spread)
    total = torch.zeros_like(seen.relaxed) if to_mask is None else to_mask.clone()
    total.index_add_(0, settings.column_feature, to_masked * x)
    if to_next is not None:
        total.sub_(to_next if seen.prior is None else to_next * seen.prior)
    to_normed = settings.mask_function.backward(seen.saved, total)
    to_prior = None
    if seen.prior is not None:
        to_prior = to_normed * seen.normed
        if to_next is not None:
            to_prior.addcmul_(to_next, seen.relaxed)
        to_normed = to_normed * seen.prior
    to_u, to_gain, to_bias = normalise_backward(to_normed, seen.u, seen.mean, seen.rstd, layer.gain)
    torch.mm(to_u, seen.a.t(), out=to_layer.weight)
    to_layer.gain.copy_(to_gain)
    to_layer.bias.copy_(to_bias)
    return torch.mm(layer.weight.t(), to_u), to_prior
