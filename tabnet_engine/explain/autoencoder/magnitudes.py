"""Sizes of weights and activations: the weak baselines that other measures are to be compared with.

They look at one layer and at nothing behind it: a large first weight may be undone by the next layer, and a busy
latent may be ignored by the decoder.

Shapes: B rows, F raw features, Z latents, H units of the first layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.explain.autoencoder.models import Autoencoder
from tabnet_engine.explain.estimates import Estimate, mean_estimate, proportion_estimate
from tabnet_engine.texts.speaking import msg

__all__ = ["MagnitudeBaselines", "magnitude_baselines"]

_NOTE = msg(
    "Weak baselines: they look at one layer alone. A large first weight may be undone by the layers behind it, and a "
    "latent that is often active may be ignored by the decoder. Use them to see whether another measure says more."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class MagnitudeBaselines:
    """Sizes at both ends of the encoder.

    ``weights`` (F) are the norms of each column's weights in the first layer, None where there is no linear first
    layer. ``activations`` (Z) are the mean sizes of the latents, ``active`` (Z) the share of rows in which they
    are not zero.
    """

    features: tuple[str, ...]
    latents: tuple[str, ...]
    weights: tuple[float, ...] | None
    activations: tuple[Estimate, ...]
    active: tuple[Estimate, ...]
    note: str = _NOTE

    def __post_init__(self) -> None:
        if self.weights is not None and len(self.weights) != len(self.features):
            raise ValueError(f"weights must hold one number for each of the {len(self.features)} features")
        if not len(self.activations) == len(self.active) == len(self.latents):
            raise ValueError(f"activations and active must hold one estimate for each of {len(self.latents)} latents")

    def to_mapping(self) -> dict[str, Any]:
        """The baselines as plain JSON values."""
        return {
            "features": list(self.features),
            "latents": list(self.latents),
            "weights": None if self.weights is None else list(self.weights),
            "activations": [estimate.to_mapping() for estimate in self.activations],
            "active": [estimate.to_mapping() for estimate in self.active],
            "note": self.note,
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        weights = values["weights"]
        return cls(
            features=tuple(values["features"]),
            latents=tuple(values["latents"]),
            weights=None if weights is None else tuple(map(float, weights)),
            activations=tuple(map(Estimate.from_mapping, values["activations"])),
            active=tuple(map(Estimate.from_mapping, values["active"])),
            note=str(values["note"]),
        )


def magnitude_baselines(model: Autoencoder, table: EncodedTable) -> MagnitudeBaselines:
    """Norms of the first weights, and how large and how often active the latents are among some rows.

    Args:
        model: the autoencoder.
        table: rows (B); without latents only the weights are measured.
    """
    weights = model.first_weights()
    latents = model.encode(table)
    return MagnitudeBaselines(
        features=model.layout.feature_names,
        latents=model.latent_names,
        weights=None if weights is None else tuple(np.sqrt(np.square(weights).sum(axis=0)).tolist()),
        activations=tuple(mean_estimate(np.abs(column)) for column in latents.T),
        active=tuple(proportion_estimate(int(np.count_nonzero(column)), len(column)) for column in latents.T),
    )
