"""The decoder of masked reconstruction, and the network that pretrains an encoder (Arik & Pfister 2021, section 3.5).

Shapes: B rows, F raw features in G groups, S decision steps, R reconstructed values of a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from tabnet_engine.config import ModelConfig, PretrainingConfig
from tabnet_engine.errors import ConfigError
from tabnet_engine.model.embedding import FeatureEmbedding
from tabnet_engine.model.layers import FeatureTransformer, glorot_weights
from tabnet_engine.model.tabnet import TabNetEncoder, mask_entropy

if TYPE_CHECKING:
    from tabnet_engine.data.encoding import InputLayout

__all__ = ["CellTargets", "Reconstructed", "TabNetAutoencoder", "TabNetDecoder"]

# Codes below this one are the states "missing" and "unseen", not categories.
_N_STATES = 2


class TabNetDecoder(nn.Module):
    """A feature transformer and a linear map for each step, summed (paper figure 4b).

    Shape: latents (S, B, n_d) -> (B, R).

    >>> decoder = TabNetDecoder(4, 7, 3, n_shared=1, n_independent=1, virtual_batch_size=8, momentum=0.1)
    >>> decoder(torch.rand(3, 5, 4)).shape
    torch.Size([5, 7])
    """

    def __init__(
        self,
        n_d: int,
        n_values: int,
        n_steps: int,
        *,
        n_shared: int,
        n_independent: int,
        virtual_batch_size: int,
        momentum: float,
    ) -> None:
        super().__init__()
        self.transformer = FeatureTransformer(
            n_d,
            n_d,
            n_steps,
            n_shared=n_shared,
            n_independent=n_independent,
            virtual_batch_size=virtual_batch_size,
            momentum=momentum,
        )
        self.weight = glorot_weights(n_steps, n_values, n_d)
        # The biases of all steps would only be added up.
        self.bias = nn.Parameter(torch.zeros(n_values, 1))

    def forward(self, latents: Tensor) -> Tensor:
        """Values of all cells from what the encoder's steps gave."""
        steps = (self.weight[step] @ self.transformer(x.t(), step) for step, x in enumerate(latents))
        return (torch.stack(list(steps)).sum(dim=0) + self.bias).t()


class CellTargets(nn.Module):
    """What is to be reconstructed: numbers in standardised units, categories as one indicator each.

    ``owner`` (R,) says whose raw feature each value is.
    # DIFF(paper 3.5): the paper reconstructs the encoder's own input, whose category embeddings learn along: a
    target that moves, and that is met best when all categories become one. Numbers that are not embedded are the
    paper's target exactly.

    Shape: numeric (B, N) with NaN for missing, categorical (B, C) -> values (B, R), observed (B, F).
    """

    owner: Tensor
    slots: Tensor

    def __init__(self, layout: InputLayout) -> None:
        super().__init__()
        self.n_categories = tuple(size - _N_STATES for size in layout.categorical_sizes)
        counted = zip(layout.categorical_feature, self.n_categories, strict=True)
        owners = [*layout.numeric_feature, *(feature for feature, n in counted for _ in range(n))]
        self.register_buffer("owner", torch.tensor(owners, dtype=torch.int64), persistent=False)
        slots = torch.tensor([*layout.numeric_feature, *layout.categorical_feature], dtype=torch.int64)
        self.register_buffer("slots", slots, persistent=False)
        self.n_features = layout.n_features

    def __len__(self) -> int:
        return len(self.owner)

    def forward(self, numeric: Tensor, categorical: Tensor) -> tuple[Tensor, Tensor]:
        """Values, 0 where there is none, and 1 where a feature has a value, else 0."""
        codes = categorical - _N_STATES
        absent = torch.cat([numeric.isnan(), codes < 0], dim=1)
        parts = [numeric.nan_to_num()]
        for slot, n in enumerate(self.n_categories):
            # One class more takes the states, and is dropped.
            shown = nnf.one_hot(codes[:, slot].clamp(min=-1) + 1, n + 1)[:, 1:]
            parts.append(shown.to(numeric.dtype))
        gaps = numeric.new_zeros(len(numeric), self.n_features).index_add_(1, self.slots, absent.to(numeric.dtype))
        return torch.cat(parts, dim=1), (gaps == 0).to(numeric.dtype)


@dataclass(frozen=True, slots=True)
class Reconstructed:
    """One forward of the autoencoder.

    Attributes:
        values: (B, R), in the units of :class:`CellTargets`.
        masks: (S, B, G), what each step read.
        sparsity: scalar, the mean entropy of the masks.
    """

    values: Tensor
    masks: Tensor
    sparsity: Tensor


class TabNetAutoencoder(nn.Module):
    """Embedding and encoder of a :class:`~tabnet_engine.model.tabnet.TabNet` with a decoder for a head.

    Hidden features are 0, their mean, after the input norm, and the prior of the first step is 1 - hidden
    (paper section 3.5).

    Shape: numeric (B, N), categorical (B, C), hidden (B, G) of 0 and 1 -> :class:`Reconstructed`.

    Raises:
        ConfigError: a layout without a single feature.
    """

    feature_group: Tensor

    def __init__(self, layout: InputLayout, config: ModelConfig, pretraining: PretrainingConfig) -> None:
        super().__init__()
        if not layout.feature_names:
            raise ConfigError("a network needs at least one feature column, got none")
        self.config = config
        self.embedding = FeatureEmbedding(layout, config)
        self.encoder = TabNetEncoder(self.embedding.column_feature, layout.feature_group, config)
        self.entropy_epsilon = config.entropy_epsilon
        self.targets = CellTargets(layout)
        self.register_buffer("feature_group", torch.tensor(layout.feature_group), persistent=False)
        self.decoder = TabNetDecoder(
            config.n_d,
            len(self.targets),
            config.n_steps,
            n_shared=pretraining.n_shared_decoder,
            n_independent=pretraining.n_independent_decoder,
            virtual_batch_size=config.virtual_batch_size,
            momentum=config.momentum,
        )

    @property
    def n_parameters(self) -> int:
        """Number of trainable values."""
        return sum(parameter.numel() for parameter in self.parameters())

    def forward(self, numeric: Tensor, categorical: Tensor, hidden: Tensor) -> Reconstructed:
        """Fill in the hidden cells of one batch."""
        prior = 1 - hidden
        keep = prior.index_select(1, self.feature_group)
        latents, masks = self.encoder(self.embedding(numeric, categorical), prior, keep)
        return Reconstructed(self.decoder(latents), masks, mask_entropy(masks, self.entropy_epsilon))
