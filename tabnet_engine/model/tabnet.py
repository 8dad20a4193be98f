"""TabNet (Arik & Pfister 2021): one forward gives logits, masks and each step's exact contribution.

Shapes: B rows, F raw features in G groups, D encoded width, S decision steps, K outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
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

__all__ = ["TabNet", "TabNetEncoder", "TabNetOutput", "column_scale", "mask_entropy"]


@dataclass(frozen=True, slots=True)
class TabNetOutput:
    """All that one forward knows; explaining reads the same values that predicted.

    Attributes:
        logits: (B, K), base plus the sum of ``step_contributions``.
        masks: (S, B, F), rows >= 0 that sum to one, on the raw columns. Columns of one group divide its entry
            as :func:`column_scale` says.
        step_contributions: (S, B, K), what each step added to each logit.
        latents: (S, B, n_d), ReLU(d_i); their sum over n_d is the paper's eta.
        sparsity: scalar, the mean entropy of the masks' entries, in [0, ln G].
    """

    logits: Tensor
    masks: Tensor
    step_contributions: Tensor
    latents: Tensor
    sparsity: Tensor


def mask_entropy(masks: Tensor, epsilon: float = 0.0) -> Tensor:
    """Mean entropy of mask rows (paper section 3.2, L_sparse), a scalar in [0, ln G].

    Args:
        masks: (S, B, G).
        epsilon: added inside the logarithm, the paper's eps; 0 gives the exact entropy. Above 0 a one-hot row
            counts slightly below zero.
    """
    n_rows = masks.numel() // max(1, masks.shape[-1])
    return cast("Tensor", cast("Any", _MeanEntropy).apply(masks, n_rows, epsilon))


def column_scale(column_feature: Tensor, feature_group: Sequence[int]) -> Tensor:
    """What each encoded dimension gets of its group's mask entry under ``mask_scaling="width"`` (D,).

    The entry is dealt out equally among the columns of the group, and a column's part equally among its
    dimensions, as pytorch-tabnet 4 does: for each group the scales sum to one.

    >>> column_scale(torch.tensor([0, 1, 1, 2]), (0, 0, 1)).tolist()
    [0.5, 0.25, 0.25, 1.0]
    """
    groups = torch.tensor(feature_group, device=column_feature.device)
    shares = torch.bincount(column_feature)[column_feature] * torch.bincount(groups)[groups[column_feature]]
    return shares.double().reciprocal().float()


class TabNetEncoder(nn.Module):
    """Input norm, then the decision steps.

    ``column_feature`` (D,) says whose raw column each dimension is, ``feature_group`` (F,) whose group each
    column is; the masks here are those of the groups, :meth:`on_features` divides them among raw columns.

    Shape: x (B, D), prior (B, G) or None, keep (B, F) or None -> latents (S, B, n_d), masks (S, B, G).
    """

    column_feature: Tensor
    feature_group: Tensor
    feature_share: Tensor

    def __init__(self, column_feature: Tensor, feature_group: Sequence[int], config: ModelConfig) -> None:
        super().__init__()
        width = len(column_feature)
        scale = column_scale(column_feature, feature_group) if config.mask_scaling == "width" else None
        groups = torch.tensor(feature_group)
        self.is_grouped = tuple(feature_group) != tuple(range(len(feature_group)))
        # All of these follow from layout and settings; here they only move with the module to its device.
        self.register_buffer("column_feature", column_feature, persistent=False)
        self.register_buffer("feature_group", groups, persistent=False)
        self.register_buffer("feature_share", _feature_share(column_feature, groups, scale), persistent=False)
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
            groups[column_feature],
            config.n_steps,
            gamma=config.gamma,
            virtual_batch_size=config.virtual_batch_size,
            momentum=config.momentum,
            mask_function=config.mask_function,
            column_scale=scale,
        )

    def on_features(self, masks: Tensor) -> Tensor:
        """Masks of the groups (..., G) on the raw columns (..., F); rows keep their sum."""
        return masks.index_select(-1, self.feature_group) * self.feature_share if self.is_grouped else masks

    def forward(self, x: Tensor, prior: Tensor | None = None, keep: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run the steps on the embedded batch.

        Args:
            x: (B, D).
            prior: (B, G), P_0; None is the paper's 1.
            keep: (B, F) of 0 and 1; where 0 the steps see 0, the feature's mean, after the input norm. The norm
                itself sees everything, so that hiding does not shift its statistics.
        """
        normed = self.input_norm(x.t())
        if keep is not None:
            normed = normed * keep.t().index_select(0, self.column_feature)
        prior = None if prior is None else prior.t()
        steps = self._fused if self._can_fuse(normed) else self._plain
        latents, masks = steps(normed, prior)
        return latents.transpose(1, 2), masks.transpose(1, 2)

    def _can_fuse(self, x: Tensor) -> bool:
        """The fused pass is for training, and keeps one precision throughout."""
        return self.training and not torch.is_autocast_enabled(x.device.type)

    def _plain(self, x: Tensor, prior: Tensor | None) -> tuple[Tensor, Tensor]:
        """The steps as the paper writes them: latents (S, n_d, B), masks (S, G, B)."""
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
            column_group=attention.column_group,
            column_scale=attention.column_scale,
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
        ConfigError: a layout without a single feature, or widths that do not fit its categorical columns.
    """

    output_offset: Tensor
    output_scale: Tensor

    def __init__(self, layout: InputLayout, n_outputs: int, config: ModelConfig) -> None:
        super().__init__()
        if not layout.feature_names:
            raise ConfigError("a network needs at least one feature column, got none")
        self.config = config
        self.embedding = FeatureEmbedding(layout, config)
        self.encoder = TabNetEncoder(self.embedding.column_feature, layout.feature_group, config)
        self.entropy_epsilon = config.entropy_epsilon
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
        """Predict and explain one batch; ``prior`` (B, G) replaces P_0 = 1."""
        return self.read_embedded(self.embedding(numeric, categorical), prior)

    def read_embedded(self, x: Tensor, prior: Tensor | None = None) -> TabNetOutput:
        """The same from the embedded batch (B, D), for what moves there, such as a path between two rows."""
        logits, masks, contributions, latents = self._decided(x, prior)
        sparsity = mask_entropy(masks, self.entropy_epsilon)
        return TabNetOutput(logits, self.encoder.on_features(masks), contributions, latents, sparsity)

    def logits_of_embedded(self, x: Tensor) -> Tensor:
        """The logits (B, K) of :meth:`read_embedded` without what is told of the masks, a third of its time."""
        return self._decided(x, None)[0]

    def _decided(self, x: Tensor, prior: Tensor | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits, masks of the groups, contributions of the steps, and latents."""
        latents, masks = self.encoder(x, prior)
        contributions = nnf.linear(latents, self.head) * self.output_scale.to(latents.dtype)
        return contributions.sum(dim=0) + self.output_offset.to(latents.dtype), masks, contributions, latents


def _feature_share(column_feature: Tensor, groups: Tensor, scale: Tensor | None) -> Tensor:
    """Which share of its group's mask entry each column gets (F,): its part of what the entry lets through.

    That is ``scale`` (D,), or 1, summed over the column's dimensions, relative to its group.
    """
    amounts = torch.ones(len(column_feature)) if scale is None else scale
    of_feature = torch.zeros(len(groups)).index_add_(0, column_feature, amounts)
    return of_feature / torch.zeros(int(groups.max()) + 1).index_add_(0, groups, of_feature)[groups]


class _MeanEntropy(Function):
    """Sum of -M ln(M + eps) over all entries, divided by the number of rows, as one node."""

    @staticmethod
    def forward(ctx: Any, masks: Tensor, n_rows: int, epsilon: float) -> Tensor:
        # DIFF(paper 3.2): by default bounded from below instead of "+ eps" inside the logarithm: a one-hot row
        # has exactly 0, and the gradient at a zero is finite in every precision (1e-15 vanishes in float16).
        inside = masks + epsilon if epsilon else masks
        logarithm = inside.clamp(min=max(torch.finfo(masks.dtype).tiny, 1e-15)).log_()
        ctx.save_for_backward(logarithm, *([masks] if epsilon else []))
        ctx.n_rows = max(1, n_rows)
        return (masks * logarithm).sum().div_(-ctx.n_rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        logarithm, *masks = ctx.saved_tensors
        share = masks[0] / logarithm.exp() if masks else 1
        return (logarithm + share).mul_(gradient / -ctx.n_rows), None, None
