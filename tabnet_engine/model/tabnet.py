"""TabNet (Arik & Pfister 2021): one forward gives logits, masks and each step's exact contribution.

Shapes: B rows, F raw features, D encoded width, S decision steps, K outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn
from torch.autograd import Function

from tabnet_engine.config import ModelConfig
from tabnet_engine.errors import ConfigError
from tabnet_engine.model.embedding import FeatureEmbedding
from tabnet_engine.model.fused import EncoderPass, PassSettings
from tabnet_engine.model.layers import AttentiveTransformer, FeatureTransformer, glorot_weights
from tabnet_engine.model.norm import GhostBatchNorm

if TYPE_CHECKING:
    from tabnet_engine.data.encoding import InputLayout

__all__ = ["TabNet", "TabNetEncoder", "TabNetOutput", "mask_entropy"]


@dataclass(frozen=True, slots=True)
class TabNetOutput:
    """All that one forward knows; explaining reads the same values that predicted.

    Attributes:
        logits: (B, K), base plus the sum of ``step_contributions``.
        masks: (S, B, F), rows >= 0 that sum to one, on the raw columns.
        step_contributions: (S, B, K), what each step added to each logit.
        latents: (S, B, n_d), ReLU(d_i); their sum over n_d is the paper's eta.
        sparsity: scalar, the mean entropy of the masks, in [0, ln F].
    """

    logits: Tensor
    masks: Tensor
    step_contributions: Tensor
    latents: Tensor
    sparsity: Tensor


def mask_entropy(masks: Tensor) -> Tensor:
    """Mean entropy of mask rows (paper section 3.2, L_sparse), a scalar in [0, ln F].

    Args:
        masks: (S, B, F).
    """
    return cast("Tensor", cast("Any", _MeanEntropy).apply(masks, masks.numel() // max(1, masks.shape[-1])))


class TabNetEncoder(nn.Module):
    """Input norm, then the decision steps.

    Shape: x (B, D), prior (B, F) or None -> latents (S, B, n_d), masks (S, B, F).
    """

    def __init__(self, column_feature: Tensor, n_features: int, config: ModelConfig) -> None:
        super().__init__()
        width = len(column_feature)
        self.n_d, self.n_a, self.n_steps = config.n_d, config.n_a, config.n_steps
        # Plain, not ghost, batch norm on the input (paper section 3.2).
        self.input_norm = GhostBatchNorm(width, virtual_batch_size=None, momentum=config.momentum)
        self.transformer = FeatureTransformer(
            width,
            config.n_d + config.n_a,
            config.n_steps + 1,
            n_shared=config.n_shared,
            n_independent=config.n_independent,
            virtual_batch_size=config.virtual_batch_size,
            momentum=config.momentum,
        )
        self.attention = AttentiveTransformer(
            config.n_a,
            column_feature,
            n_features,
            config.n_steps,
            gamma=config.gamma,
            virtual_batch_size=config.virtual_batch_size,
            momentum=config.momentum,
            mask_function=config.mask_function,
        )

    def forward(self, x: Tensor, prior: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run the steps on the embedded batch ``x``; ``prior`` None is the paper's P_0 = 1."""
        normed = self.input_norm(x.t())
        prior = None if prior is None else prior.t()
        steps = self._fused if self._can_fuse(normed) else self._plain
        latents, masks = steps(normed, prior)
        return latents.transpose(1, 2), masks.transpose(1, 2)

    def _can_fuse(self, x: Tensor) -> bool:
        """The fused pass is for training, and keeps one precision throughout."""
        return self.training and not torch.is_autocast_enabled(x.device.type)

    def _plain(self, x: Tensor, prior: Tensor | None) -> tuple[Tensor, Tensor]:
        """The steps as the paper writes them: latents (S, n_d, B), masks (S, F, B)."""
        widths = (self.n_d, self.n_a)
        _, a = self.transformer(x, 0).split(widths)
        decisions, masks = [], []
        for step in range(self.n_steps):
            mask, masked, prior = self.attention(a, x, prior, step)
            d, a = self.transformer(masked, step + 1).split(widths)
            decisions.append(d)
            masks.append(mask)
        return torch.stack(decisions).relu(), torch.stack(masks)

    def _fused(self, x: Tensor, prior: Tensor | None) -> tuple[Tensor, Tensor]:
        """The same in one autograd node."""
        transformer, attention = self.transformer, self.attention
        settings = PassSettings(
            n_d=self.n_d,
            n_layers=transformer.n_layers,
            gamma=attention.gamma,
            eps=transformer.norm.eps,
            parts=transformer.norm.parts(x.shape[1]),
            mask_function=attention.mask_function,
            column_feature=attention.column_feature,
        )
        latents, masks = cast("Any", EncoderPass).apply(
            settings, x, prior,
            transformer.entry, transformer.shared, transformer.independent,
            transformer.norm.weight, transformer.norm.bias,
            attention.weight, attention.norm.weight, attention.norm.bias,
        )  # fmt: skip
        transformer.norm.remember(settings.transformer_statistics, settings.parts)
        attention.norm.remember(settings.attention_statistics, settings.parts)
        return latents, masks


class TabNet(nn.Module):
    """The whole network, from encoded cells to logits in the user's own units.

    ``output_offset`` and ``output_scale`` (K,) turn the head's output into the target's units; for
    classification they stay 0 and 1. The head has no bias, so that base + the sum of the step
    contributions is the logit exactly.

    Shape: numeric (B, N) with NaN for missing, categorical (B, C) -> :class:`TabNetOutput`.

    Raises:
        ConfigError: a layout without a single feature.
    """

    output_offset: Tensor
    output_scale: Tensor

    def __init__(
        self, layout: InputLayout, n_outputs: int, config: ModelConfig, *, missing_states: bool = True
    ) -> None:
        super().__init__()
        n_features = len(layout.feature_names)
        if n_features == 0:
            raise ConfigError("a network needs at least one feature column, got none")
        self.embedding = FeatureEmbedding(layout, config, missing_states=missing_states)
        self.encoder = TabNetEncoder(self.embedding.column_feature, n_features, config)
        self.head = glorot_weights(n_outputs, config.n_d)
        # In double precision: a target may lie far from zero beside its spread, as a year or 1e9 ± 1 does.
        self.register_buffer("output_offset", torch.zeros(n_outputs, dtype=torch.float64))
        self.register_buffer("output_scale", torch.ones(n_outputs, dtype=torch.float64))

    @property
    def n_parameters(self) -> int:
        """Number of trainable values."""
        return sum(parameter.numel() for parameter in self.parameters())

    def set_output_scale(self, offset: Tensor, scale: Tensor) -> None:
        """Set the units of the outputs: ``logits = offset + scale * head``, both (K,)."""
        self.output_offset.copy_(offset)
        self.output_scale.copy_(scale)

    def forward(self, numeric: Tensor, categorical: Tensor, prior: Tensor | None = None) -> TabNetOutput:
        """Predict and explain one batch; ``prior`` (B, F) replaces P_0 = 1."""
        latents, masks = self.encoder(self.embedding(numeric, categorical), prior)
        contributions = nnf.linear(latents, self.head) * self.output_scale.to(latents.dtype)
        logits = contributions.sum(dim=0) + self.output_offset.to(latents.dtype)
        return TabNetOutput(logits, masks, contributions, latents, mask_entropy(masks))


class _MeanEntropy(Function):
    """Sum of -M ln M over all entries, divided by the number of rows, as one node."""

    @staticmethod
    def forward(ctx: Any, masks: Tensor, n_rows: int) -> Tensor:
        # DIFF(paper 3.2): bounded from below instead of "+ eps" inside the logarithm: a one-hot row has
        # exactly 0, and the gradient at a zero is finite in every precision (1e-15 vanishes in float16).
        logarithm = masks.clamp(min=max(torch.finfo(masks.dtype).tiny, 1e-15)).log_()
        ctx.save_for_backward(logarithm)
        ctx.n_rows = max(1, n_rows)
        return (masks * logarithm).sum().div_(-ctx.n_rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (logarithm,) = ctx.saved_tensors
        return (logarithm + 1).mul_(gradient / -ctx.n_rows), None
