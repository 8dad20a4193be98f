"""TabNet (Arik & Pfister 2021): one forward gives logits, masks and each step's exact contribution.

Shapes: B rows, F raw features, D encoded width, S decision steps, K outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from tabnet_engine.config import ModelConfig
from tabnet_engine.errors import ConfigError
from tabnet_engine.model.embedding import FeatureEmbedding
from tabnet_engine.model.layers import AttentiveTransformer, FeatureTransformer, glorot_weight

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
    # DIFF(paper 3.2): clamped instead of "+ eps" inside the logarithm: a one-hot row is exactly 0, and the
    # gradient at a zero is finite in every precision (an eps of 1e-15 vanishes in float16).
    smallest = max(torch.finfo(masks.dtype).tiny, 1e-15)
    return -torch.xlogy(masks, masks.clamp(min=smallest)).sum() / max(1, masks[..., 0].numel())


class TabNetEncoder(nn.Module):
    """Input norm, then the decision steps.

    The mask holds one entry for each raw feature; all encoded dimensions of the feature share it.
    # DIFF(paper 3.2): the paper embeds each column to one dimension, where the two are the same.

    Shape: x (B, D), prior (B, F) or None -> latents (S, B, n_d), masks (S, B, F).
    """

    column_feature: Tensor

    def __init__(self, column_feature: Tensor, n_features: int, config: ModelConfig) -> None:
        super().__init__()
        width, hidden = len(column_feature), config.n_d + config.n_a
        self.n_d = config.n_d
        self.gamma = config.gamma
        self.register_buffer("column_feature", column_feature, persistent=False)
        self.input_norm = nn.BatchNorm1d(width, momentum=config.momentum)
        self.shared = nn.ParameterList(
            glorot_weight(width if index == 0 else hidden, 2 * hidden) for index in range(config.n_shared)
        )
        ghost = {"virtual_batch_size": config.virtual_batch_size, "momentum": config.momentum}
        self.transformers = nn.ModuleList(
            FeatureTransformer(width, hidden, n_shared=config.n_shared, n_independent=config.n_independent, **ghost)
            for _ in range(config.n_steps + 1)
        )
        self.attention = nn.ModuleList(
            AttentiveTransformer(config.n_a, n_features, mask_function=config.mask_function, **ghost)
            for _ in range(config.n_steps)
        )

    def forward(self, x: Tensor, prior: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run the steps on the embedded batch ``x``; ``prior`` None is the paper's P_0 = 1."""
        normed = self.input_norm(x)
        shared = list(self.shared)
        hidden = self.transformers[0](normed, shared)
        latents, masks = [], []
        for transformer, attend in zip(self.transformers[1:], self.attention, strict=True):
            mask = attend(hidden[:, self.n_d :], prior)
            hidden = transformer(mask.index_select(1, self.column_feature) * normed, shared)
            relaxed = self.gamma - mask
            prior = relaxed if prior is None else prior * relaxed
            latents.append(nnf.relu(hidden[:, : self.n_d]))
            masks.append(mask)
        return torch.stack(latents), torch.stack(masks)


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
        self.head = glorot_weight(config.n_d, n_outputs)
        self.register_buffer("output_offset", torch.zeros(n_outputs))
        self.register_buffer("output_scale", torch.ones(n_outputs))

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
        contributions = nnf.linear(latents, self.head) * self.output_scale
        logits = contributions.sum(dim=0) + self.output_offset
        return TabNetOutput(logits, masks, contributions, latents, mask_entropy(masks))
