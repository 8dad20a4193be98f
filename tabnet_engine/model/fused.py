"""All decision steps of a training batch as a single autograd node.

On a CPU a training step of a small network spends most of its time between the operations, in the
bookkeeping of autograd and of modules. :class:`EncoderPass` does the arithmetic of
:class:`~tabnet_engine.model.layers.FeatureTransformer` and
:class:`~tabnet_engine.model.layers.AttentiveTransformer` for all steps, with the derivative written out;
the tests hold it to the results, gradients and running statistics of those plain formulas.

Activations lie features first. Shapes: B rows, G groups of features, D encoded width, S steps, H = n_d + n_a,
L layers of a feature transformer.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
import torch.nn.functional as nnf
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from tabnet_engine.model.layers import HALF_VARIANCE
from tabnet_engine.model.norm import BatchStatistics, Parts, normalise, normalise_backward
from tabnet_engine.model.sparse import MaskFunction

__all__ = ["EncoderPass", "PassSettings"]


@dataclass(frozen=True)
class PassSettings:
    """What an :class:`EncoderPass` needs besides tensors, and where it leaves its statistics."""

    n_d: int
    n_layers: int
    gamma: float
    eps: float
    parts: Parts
    mask_function: MaskFunction
    column_group: Tensor
    # What passes a mask is multiplied by (D, 1); None for 1.
    column_scale: Tensor | None = None
    transformer_statistics: BatchStatistics = field(default_factory=BatchStatistics)
    attention_statistics: BatchStatistics = field(default_factory=BatchStatistics)


class _Layer(NamedTuple):
    """Views of one FC and its norm in the stacked parameters."""

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
    spread: Tensor
    relaxed: Tensor
    # What the mask function saved.
    over_features: Tensor
    over_rows: Tensor


class EncoderPass(Function):
    """Normed input and first prior to the latents and masks of all steps.

    ``parameters`` are the feature transformer's entry, shared and independent weights and its norm's gain
    and bias, then the attentive transformer's weight, gain and bias, stacked as their modules hold them.

    Shape: x (D, B), prior (G, B) or None for ones -> latents (S, n_d, B), masks (S, G, B).
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
        ctx.settings, ctx.n_parameters = settings, len(parameters)
        ctx.save_for_backward(x, latents, *parameters, *itertools.chain(*tape, *attention_tape))
        ctx.set_materialize_grads(False)
        return latents, torch.stack(masks)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_latents: Tensor | None, to_masks: Tensor | None) -> Any:
        """Gradients for ``x``, ``prior`` and the parameters."""
        x, latents, *saved = ctx.saved_tensors
        walk = _Backward(ctx.settings, x, saved[: ctx.n_parameters], saved[ctx.n_parameters :])
        to_decisions = torch.zeros_like(latents) if to_latents is None else to_latents * (latents > 0)
        to_a = torch.zeros_like(walk.attention_tape[-1].a)
        to_prior = None
        for step in range(len(latents), 0, -1):
            to_masked = walk.transform(step, torch.cat([to_decisions[step - 1], to_a]))
            to_mask = None if to_masks is None else to_masks[step - 1]
            to_a, to_prior = walk.attend(step - 1, to_mask, to_masked, to_prior)
        to_x = walk.transform(0, torch.cat([torch.zeros_like(latents[0]), to_a])).add_(walk.to_x)
        return None, to_x, to_prior, *walk.parameter_gradients()


def _layers_of_steps(settings: PassSettings, parameters: Sequence[Tensor]) -> tuple[list[list[_Layer]], list[_Layer]]:
    """For each step 0..S the layers of the transformer, for each step 1..S that of the attention."""
    entry, shared, independent, gain, bias, *attention = parameters
    steps = _weights_of_steps(entry, shared, independent, len(gain) // settings.n_layers)
    norms = iter(zip(gain.unbind(), bias.unbind(), strict=True))
    transformers = [[_Layer(weight, *next(norms)) for weight in weights] for weights in steps]
    return transformers, [_Layer(*layer) for layer in zip(*(part.unbind() for part in attention), strict=True)]


def _weights_of_steps(entry: Tensor, shared: Tensor, independent: Tensor, n_steps: int) -> list[list[Tensor]]:
    """Views of the FC weights (or of their gradients) that each of ``n_steps`` uses, first layer first."""
    entries, common, own = list(entry.unbind()), shared.unbind(), independent.unbind()
    entries = entries if len(entries) > 1 else entries * n_steps
    n_own = len(own) // n_steps
    return [[entries[step], *common, *own[step * n_own : (step + 1) * n_own]] for step in range(n_steps)]


def _transform(settings: PassSettings, layers: Sequence[_Layer], z: Tensor, tape: list[_GLUTape]) -> Tensor:
    statistics = settings.transformer_statistics
    for index, layer in enumerate(layers):
        u = torch.mm(layer.weight, z)
        normed, mean, rstd = normalise(u, layer.gain, layer.bias, settings.parts, settings.eps)
        tape.append(_GLUTape(z, u, normed, mean, rstd))
        statistics.means.append(mean)
        statistics.rstds.append(rstd)
        gated = nnf.glu(normed, dim=0)
        z = gated.add_(z).mul_(HALF_VARIANCE) if index else gated
    return z


def _attend(
    settings: PassSettings, layer: _Layer, a: Tensor, x: Tensor, prior: Tensor | None, tape: list[_AttentionTape]
) -> tuple[Tensor, Tensor, Tensor]:
    u = torch.mm(layer.weight, a)
    normed, mean, rstd = normalise(u, layer.gain, layer.bias, settings.parts, settings.eps)
    mask, saved = settings.mask_function.forward(normed if prior is None else normed * prior)
    spread = mask.index_select(0, settings.column_group)
    if settings.column_scale is not None:
        spread.mul_(settings.column_scale)
    relaxed = settings.gamma - mask
    tape.append(_AttentionTape(a, prior, u, normed, mean, rstd, spread, relaxed, *saved))
    settings.attention_statistics.means.append(mean)
    settings.attention_statistics.rstds.append(rstd)
    return mask, spread * x, relaxed if prior is None else relaxed * prior


def _batched(tensors: Sequence[Tensor], size: int) -> Iterator[Sequence[Tensor]]:
    return (tensors[start : start + size] for start in range(0, len(tensors), size))


class _Backward:
    """The way back through all steps, last layer first; gathers the gradients of ``x`` and the parameters."""

    def __init__(
        self, settings: PassSettings, x: Tensor, parameters: Sequence[Tensor], record: Sequence[Tensor]
    ) -> None:
        self.settings, self.x = settings, x
        self.transformers, self.attention = _layers_of_steps(settings, parameters)
        cut = len(_GLUTape._fields) * len(self.transformers) * settings.n_layers
        self.tape = [_GLUTape(*part) for part in _batched(record[:cut], len(_GLUTape._fields))]
        self.attention_tape = [_AttentionTape(*part) for part in _batched(record[cut:], len(_AttentionTape._fields))]
        self.to_x = torch.zeros_like(x)
        self.to_weights = [torch.zeros_like(weights) for weights in parameters[:3]]
        self.to_attention = torch.empty_like(parameters[5])
        to_entry, to_shared, to_independent = self.to_weights
        self.to_steps = _weights_of_steps(to_entry, to_shared, to_independent, len(self.transformers))
        # Of gain and bias, last layer first.
        self.to_norms: list[tuple[Tensor, Tensor]] = []
        self.to_attention_norms: list[tuple[Tensor, Tensor]] = []

    def transform(self, step: int, gradient: Tensor) -> Tensor:
        """From the gradient of a transformer's output, which is overwritten, to that of its input."""
        layers, to_weights = self.transformers[step], self.to_steps[step]
        for index in range(len(layers) - 1, -1, -1):
            layer, seen = layers[index], self.tape.pop()
            if index:
                gradient.mul_(HALF_VARIANCE)
            to_normed = torch.ops.aten.glu_backward.default(gradient, seen.normed, 0)
            to_u, to_gain, to_bias = normalise_backward(
                to_normed, seen.u, seen.mean, seen.rstd, layer.gain, self.settings.parts
            )
            self.to_norms.append((to_gain, to_bias))
            to_weights[index].addmm_(to_u, seen.z.t())
            weight = layer.weight.t()
            gradient = gradient.addmm_(weight, to_u) if index else torch.mm(weight, to_u)
        return gradient

    def attend(
        self, step: int, to_mask: Tensor | None, to_masked: Tensor, to_next: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """From the gradients of mask, masked input and next prior to those of ``a`` and the prior."""
        settings, layer, seen = self.settings, self.attention[step], self.attention_tape.pop()
        self.to_x.addcmul_(to_masked, seen.spread)
        total = torch.zeros_like(seen.relaxed)
        if to_mask is not None:
            total.add_(to_mask)
        to_spread = to_masked.mul_(self.x)
        if settings.column_scale is not None:
            to_spread.mul_(settings.column_scale)
        total.index_add_(0, settings.column_group, to_spread)
        if to_next is not None:
            total.sub_(to_next if seen.prior is None else to_next * seen.prior)
        to_normed = settings.mask_function.backward((seen.over_features, seen.over_rows), total)
        to_prior = None
        if seen.prior is not None:
            to_prior = to_normed * seen.normed
            if to_next is not None:
                to_prior.addcmul_(to_next, seen.relaxed)
            to_normed.mul_(seen.prior)
        to_u, to_gain, to_bias = normalise_backward(
            to_normed, seen.u, seen.mean, seen.rstd, layer.gain, self.settings.parts
        )
        self.to_attention_norms.append((to_gain, to_bias))
        torch.mm(to_u, seen.a.t(), out=self.to_attention[step])
        return torch.mm(layer.weight.t(), to_u), to_prior

    def parameter_gradients(self) -> tuple[Tensor, ...]:
        """In the order of the parameters."""
        norms, attention_norms = (
            [torch.stack(part[::-1]) for part in zip(*norms, strict=True)]
            for norms in (self.to_norms, self.to_attention_norms)
        )
        return (*self.to_weights, *norms, self.to_attention, *attention_norms)
