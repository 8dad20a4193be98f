"""What one method says of some rows: one number for each player, about the one output that is looked at.

Masks and signed values come in different types; every measure of trust compares them in this one. Shapes: B rows,
P players, K outputs. No torch: pages import this.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.players import Players
from tabnet_engine.training.probabilities import predicted_codes

__all__ = ["MASKS", "RowValues", "looked_at", "random_values"]

MASKS = "masks"

Floats = npt.NDArray[np.float64]
Outputs = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class RowValues:
    """Values (B, P) of one method for one output of each row; masks are not signed, they only say what was read.

    Raises:
        ValueError: shapes that do not fit, values that are not finite, or negative values that claim no sign.
    """

    method: str
    features: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    values: Floats
    is_signed: bool

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.rows), len(self.features)):
            expected = (len(self.rows), len(self.features))
            raise ValueError(f"values must have the shape {expected}, got {self.values.shape}")
        if not np.isfinite(self.values).all() or (not self.is_signed and (self.values < 0).any()):
            raise ValueError("values must be finite, and those without a sign not negative")

    @property
    def sizes(self) -> Floats:
        """How much each player counts (B, P), without the direction."""
        sizes: Floats = np.abs(self.values)
        return sizes

    @classmethod
    def of_attribution(cls, attribution: Attribution, outputs: Outputs) -> Self:
        """Signed values of one output for each row, ``outputs`` (B,) by position."""
        values = attribution.values[np.arange(attribution.n_rows), :, outputs]
        return cls(
            method=attribution.method, features=attribution.features, rows=attribution.rows, values=values,
            is_signed=True,
        )  # fmt: skip

    @classmethod
    def of_masks(cls, masks: MaskExplanation, players: Players | None = None) -> Self:
        """M_agg of each row; what a player of several columns read is the sum of its columns."""
        aggregate = masks.aggregate.astype(np.float64)
        names = masks.features
        if players is not None:
            names = players.names
            aggregate = np.stack([aggregate[:, list(owned)].sum(axis=1) for owned in players.members], axis=1)
        return cls(method=MASKS, features=names, rows=masks.rows, values=aggregate, is_signed=False)

    def with_values(self, values: Floats) -> Self:
        """The same rows with other values."""
        return dataclasses.replace(self, values=values)

    def take(self, positions: npt.ArrayLike) -> Self:
        """Some of the rows, by position."""
        chosen = np.asarray(positions)
        return dataclasses.replace(self, rows=self.rows[chosen], values=self.values[chosen])


def looked_at(targets: TargetCodecs, logits: Floats) -> dict[str, Outputs]:
    """By target the output (B,) whose logit is explained: of several classes the one that is predicted.

    A target of two classes has one logit, that of its second class; a regression has one.
    """
    chosen = {}
    for codec, place in zip(targets.codecs, targets.slices, strict=True):
        one = codec.task is not Task.MULTICLASS
        codes = np.zeros(len(logits), dtype=np.int64) if one else predicted_codes(codec.task, logits[:, place])
        chosen[codec.name] = place.start + codes
    return chosen


def random_values(given: RowValues, *, seed: int) -> RowValues:
    """A useless explanation with the same numbers: those of each row dealt out to its columns at random.

    A row's deal depends on the seed and its row number alone.
    """
    dealt = [
        np.random.default_rng((seed, int(row))).permutation(values)
        for row, values in zip(given.rows, given.values, strict=True)
    ]
    return given.with_values(np.array(dealt, dtype=np.float64).reshape(given.values.shape))
