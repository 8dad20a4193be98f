"""Clusters of step paths: found on a sample of rows, given to any number of them.

Shapes: B rows, S steps, F raw features, A clusters. The path of a row is its masks, each weighed by its step's
share of the decision: S x F shares that sum to one. Two paths are compared by the Hellinger distance (the
Euclidean distance of their square roots), which is made for shares and keeps a few large ones from deciding alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.lloyd import k_means, mean_silhouette, pairwise_distances
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.texts.speaking import say

__all__ = ["MAX_ARCHETYPES", "PathClusters", "cluster_paths", "step_paths"]

MAX_ARCHETYPES = 12
MAX_SAMPLE = 3_000
_SILHOUETTE_ROWS = 1_000
_NO_STRUCTURE = 0.25  # Kaufman & Rousseeuw 1990, table 4: below it no substantial structure was found
_AS_GOOD = 0.02  # silhouettes closer than this are not told apart; the smaller number of clusters is kept
_STARTS = 4

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class PathClusters:
    """Centres (A, S x F) of the clusters, as means of square roots; ``rule`` says how A was chosen."""

    centres: Floats32
    n_sample: int
    seed: int
    rule: str
    silhouette: float | None

    def assign(self, explanation: MaskExplanation) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """The nearest centre (B) of each row and the squared distance to it (B); -1 where no step was active."""
        roots = np.sqrt(step_paths(explanation))
        squares = np.square(self.centres).sum(axis=1) - 2 * roots @ self.centres.T
        nearest = squares.argmin(axis=1).astype(np.int64)
        distance = squares[np.arange(len(roots)), nearest].astype(np.float64) + np.square(roots).sum(axis=1)
        nearest[explanation.silent] = -1
        return nearest, distance


def step_paths(explanation: MaskExplanation) -> Floats32:
    """Masks weighed by the steps' shares (B, S x F); rows sum to one, to zero where no step was active."""
    weighed = explanation.masks * explanation.step_shares[:, :, None]
    return np.ascontiguousarray(weighed.transpose(1, 0, 2).reshape(explanation.n_rows, -1), dtype=np.float32)


def cluster_paths(sample: MaskExplanation, *, n_archetypes: int | None = None, seed: int = 0) -> PathClusters:
    """Find clusters of step paths by k-means (Lloyd 1982) from several starts.

    Without a number given, 2 to :data:`MAX_ARCHETYPES` are tried. The smallest number is kept whose mean silhouette
    (Rousseeuw 1987) comes within 0.02 of the best; one cluster where the best is below 0.25, which Kaufman &
    Rousseeuw (1990) read as no substantial structure.

    Args:
        sample: the rows to find them on; rows without an active step take no part.
        n_archetypes: how many the user wants.
        seed: of the starts.

    Raises:
        ExplanationError: the number wanted is below 1, above the limit, or above the number of different paths.
    """
    roots = np.sqrt(step_paths(sample)[~sample.silent]).astype(np.float64)
    n_different = len(np.unique(roots.round(5), axis=0))
    if n_archetypes is not None:
        _check_number(n_archetypes, n_different)
    shown = np.random.default_rng(seed).permutation(len(roots))[:_SILHOUETTE_ROWS]
    distances = pairwise_distances(roots[shown])

    def clustered(number: int) -> tuple[Floats, float | None]:
        if number == 1:
            return roots.mean(axis=0, keepdims=True), None
        centres, labels = k_means(roots, number, n_starts=_STARTS, seed=seed)
        return centres, mean_silhouette(distances, labels[shown])

    score: float | None
    if n_different == 0:
        centres, score, rule = np.zeros((1, roots.shape[1])), None, say("No row had an active step.")
    elif n_archetypes is not None:
        (centres, score), rule = clustered(n_archetypes), say("Their number was chosen by the user.")
    else:
        tried = range(2, min(MAX_ARCHETYPES, n_different - 1) + 1)
        scored = [clustered(number) for number in tried]
        kept, rule = _choose(tried, [score for _, score in scored])
        centres, score = clustered(1) if kept is None else scored[kept]
    return PathClusters(centres=centres.astype(np.float32), n_sample=len(roots), seed=seed, rule=rule, silhouette=score)


def _check_number(wanted: int, n_different: int) -> None:
    if not 1 <= wanted <= MAX_ARCHETYPES:
        raise ExplanationError(f"the number of archetypes must be from 1 to {MAX_ARCHETYPES}, got {wanted}")
    if wanted > n_different:
        raise ExplanationError(
            f"the rows read in {n_different:,} different ways only, so there are no {wanted} archetypes; "
            "ask for fewer, or leave their number open"
        )


def _choose(tried: Sequence[int], scores: Sequence[float | None]) -> tuple[int | None, str]:
    """Position of the number kept among those tried, None for a single cluster, and the rule in words."""
    known = [score if score is not None else -1.0 for score in scores]
    best = max(known, default=-1.0)
    if best < _NO_STRUCTURE:
        if not tried:
            return None, say("All rows read in about the same way.")
        rule = say(
            "No number from 2 to {most} sets them apart (best mean silhouette {best:.2f}, below 0.25).",
            most=tried[-1],
            best=math.floor(100 * best) / 100,  # 0.249 is below 0.25, so it must not be shown as 0.25
        )
        return None, rule
    kept = next(place for place, score in enumerate(known) if score >= best - _AS_GOOD)
    rule = say(
        "Of 2 to {most} the smallest number whose mean silhouette is within {margin} of the best ({best:.2f}).",
        most=tried[-1],
        margin=_AS_GOOD,
        best=best,
    )
    return kept, rule
