"""Whether a proposed row could be one of the training rows: its distance to the nearest of them, against theirs.

Shapes: M reference rows, F raw features. No torch: pages import this.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.counterfactual.distance import DistanceScale
from tabnet_engine.explain.estimates import Estimate, proportion_estimate
from tabnet_engine.explain.wording import percent
from tabnet_engine.texts.speaking import say

__all__ = ["MAX_OWN_ROWS", "N_NEAREST", "Likeness", "Plausibility"]

N_NEAREST = 5
MAX_OWN_ROWS = 500  # reference rows whose own distances are the yardstick

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """How like the training rows a row is.

    ``distance`` is the mean distance to the nearest training rows; ``share`` the share of training rows that lie
    farther from their own nearest rows than this one does from its, with its interval: near 0 it is unlike them all.
    """

    distance: float
    share: Estimate

    @property
    def sentence(self) -> str:
        """The likeness in words."""
        if self.share.value is None:
            return say("There are too few training rows to say how usual this combination is.")
        return say(
            "It lies farther from its nearest training rows than {share} of the training rows from theirs.",
            share=percent(1 - self.share.value),
        )

    def to_mapping(self) -> dict[str, Any]:
        """The likeness as plain JSON values."""
        return {"distance": self.distance, "share": self.share.to_mapping()}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(distance=float(values["distance"]), share=Estimate.from_mapping(values["share"]))


@dataclass(frozen=True, eq=False)
class Plausibility:
    """The yardstick: reference rows as positions (M, F), and how far some of them are from their own nearest ones.

    Nearness is the mean distance to the :data:`N_NEAREST` nearest rows, to fewer where there are fewer; ``own`` holds
    it, ascending, for at most :data:`MAX_OWN_ROWS` rows, each measured without itself.
    """

    scale: DistanceScale
    reference: Floats
    own: Floats

    @classmethod
    def build(cls, scale: DistanceScale, reference: Floats, *, seed: int) -> Self:
        """Measure the reference rows (M, F), given as positions."""
        n_rows = len(reference)
        drawn = np.random.default_rng(seed).permutation(n_rows)[:MAX_OWN_ROWS]
        own = np.empty(0)
        if n_rows > 1:
            distances = scale.pairwise(reference[drawn], reference)
            distances[np.arange(len(drawn)), drawn] = np.inf  # a row is no neighbour of itself
            own = np.sort(_nearness(distances))
        return cls(scale, reference, own)

    def without(self, row: Floats) -> Self:
        """The same yardstick without the rows equal to ``row`` (F).

        A proposal differs from the explained row in a few cells only: were that row one of the reference rows, it
        would vouch for every change of itself.
        """
        apart = self.scale.between(row, self.reference)
        return dataclasses.replace(self, reference=self.reference[apart > 0])

    def of(self, positions: Floats) -> tuple[Likeness, ...]:
        """The likeness of each row (B, F), given as positions."""
        if len(self.reference) == 0:
            unknown = Estimate(value=None, n=0, how="no other training row")
            return tuple(Likeness(distance=0.0, share=unknown) for _ in positions)
        near = _nearness(self.scale.pairwise(positions, self.reference))
        n_farther = len(self.own) - np.searchsorted(self.own, near, side="left")
        pairs = zip(near.tolist(), n_farther.tolist(), strict=True)
        return tuple(Likeness(distance=d, share=proportion_estimate(n, len(self.own))) for d, n in pairs)


def _nearness(distances: Floats) -> Floats:
    """Mean of the nearest (B) of the distances (B, M), those of a row to itself being infinite."""
    k = min(N_NEAREST, max(1, distances.shape[1] - 1))
    nearest = np.partition(distances, k - 1, axis=1)[:, :k]
    mean: Floats = nearest.mean(axis=1)
    return mean
