"""Any autoencoder behind one face: all that the explanations of this room need to know of one.

Shapes: B rows, F raw features in G groups, R reconstructed values of a row, Z latents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.players import Players

__all__ = ["Autoencoder", "Bools", "Cells", "Floats", "require_work", "shared_players"]

# Rows of one request through the network: an hour or two on one core.
MAX_FORWARDS = 300_000_000

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cells:
    """What is to be reconstructed: ``values`` (B, R), and which raw cells have any, ``observed`` (B, F)."""

    values: Floats
    observed: Bools


class Autoencoder(Protocol):
    """Rows in, reconstructed values out: all that the explanations of this room need."""

    @property
    def layout(self) -> InputLayout:
        """Which slot of a row belongs to which raw feature (F)."""
        ...

    @property
    def owner(self) -> npt.NDArray[np.int64]:
        """The raw feature of each reconstructed value (R,)."""
        ...

    @property
    def value_names(self) -> tuple[str, ...]:
        """What each reconstructed value is called (R,)."""
        ...

    @property
    def latent_names(self) -> tuple[str, ...]:
        """What each latent is called (Z,); none where the autoencoder shows no latents."""
        ...

    @property
    def run_id(self) -> str:
        """The run it came from; empty when there is none."""
        ...

    @property
    def description(self) -> str:
        """What is reconstructed from what, in one sentence."""
        ...

    @property
    def blank(self) -> str:
        """What a zeroed column is replaced by, in a few words."""
        ...

    @property
    def forwards_per_row(self) -> int:
        """How often the network runs to reconstruct one row."""
        ...

    def cells(self, table: EncodedTable) -> Cells:
        """The truth in the units of the reconstruction."""
        ...

    def reconstruct(self, table: EncodedTable, zeroed: Bools | None = None) -> Floats:
        """Reconstructed values (B, R), ``zeroed`` (F,) features being taken away from every row."""
        ...

    def encode(self, table: EncodedTable) -> Floats:
        """The latents (B, Z)."""
        ...

    def first_weights(self) -> Floats | None:
        """Weights of a linear first layer on each raw feature (units, F), many dimensions by their norm; else None."""
        ...


def require_work(model: Autoencoder, n_reconstructions: int, what: str, remedy: str) -> None:
    """Refuse a request that would run for hours, before anything is computed.

    Args:
        model: the autoencoder.
        n_reconstructions: rows to reconstruct.
        what: what needs them.
        remedy: what to lower.

    Raises:
        ExplanationError: it is beyond :data:`MAX_FORWARDS`.
    """
    forwards = n_reconstructions * model.forwards_per_row
    if forwards <= MAX_FORWARDS:
        return
    hidden = f", {model.forwards_per_row:,} for each reconstructed row" if model.forwards_per_row > 1 else ""
    visible = ", or show columns their own cell, which needs one for each row" if hidden else ""
    raise ExplanationError(
        f"{what} would run the network on {forwards:,} rows{hidden}, more than {MAX_FORWARDS:,}; "
        f"lower {remedy}{visible}"
    )


def shared_players(layout: InputLayout) -> Players:
    """One player for each raw feature; features that share one entry of the masks are one player together."""
    if layout.n_groups == layout.n_features:
        return Players.columns(layout.feature_names)
    groups: dict[str, list[str]] = {}
    for group in range(layout.n_groups):
        names = [n for n, own in zip(layout.feature_names, layout.feature_group, strict=True) if own == group]
        if len(names) > 1:
            groups[" + ".join(names)] = names
    return Players.grouped(layout.feature_names, groups)
