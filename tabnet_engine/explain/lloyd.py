"""k-means and the silhouette, in plain numpy: the same labels for the same seed, on any number of threads.

Shapes: B points, D dimensions, A clusters.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["k_means", "mean_silhouette", "pairwise_distances"]

_MOST_ROUNDS = 100

Points = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def k_means(points: Points, number: int, *, n_starts: int, seed: int) -> tuple[Points, Labels]:
    """Centres (A, D) and labels (B) with the smallest sum of squared distances found.

    Source: Lloyd 1982, started as Arthur & Vassilvitskii 2007 ("k-means++") propose; the best of ``n_starts``.

    Args:
        points: (B, D), at least ``number`` different ones.
        number: A.
        n_starts: how often to start.
        seed: of the starts.
    """
    generator = np.random.default_rng(seed)
    best: tuple[float, Points, Labels] | None = None
    for _ in range(n_starts):
        centres, labels, total = _settle(points, _spread_starts(points, number, generator))
        if best is None or total < best[0]:
            best = total, centres, labels
    if best is None:
        raise ValueError(f"n_starts must be at least 1, got {n_starts}")
    return best[1], best[2]


def mean_silhouette(distances: Points, labels: Labels) -> float | None:
    """Mean of (b - a) / max(a, b) (Rousseeuw 1987): a to the own cluster, b to the nearest other one.

    A point alone in its cluster counts 0.

    Args:
        distances: (B, B).
        labels: (B,).

    Returns:
        None for fewer than two clusters, or as many as points.
    """
    names, codes = np.unique(labels, return_inverse=True)
    if not 2 <= len(names) < len(labels):
        return None
    counts = np.bincount(codes)
    sums = distances @ np.eye(len(names))[codes]
    places = np.arange(len(codes))
    own = sums[places, codes] / np.maximum(counts[codes] - 1, 1)
    means = sums / counts
    means[places, codes] = np.inf
    other = means.min(axis=1)
    larger = np.maximum(own, other)
    widths = np.divide(other - own, larger, out=np.zeros_like(own), where=larger > 0)
    return float(np.where(counts[codes] > 1, widths, 0.0).mean())


def pairwise_distances(points: Points) -> Points:
    """Euclidean distances (B, B)."""
    squares = np.square(points).sum(axis=1)
    squared = squares[:, None] + squares[None] - 2 * points @ points.T
    np.fill_diagonal(squared, 0.0)
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))


def _spread_starts(points: Points, number: int, generator: np.random.Generator) -> Points:
    """Points drawn with chances in proportion to their squared distance to those drawn before."""
    chosen = [int(generator.integers(len(points)))]
    nearest = np.square(points - points[chosen[0]]).sum(axis=1)
    while len(chosen) < number:
        total = float(nearest.sum())
        chances = nearest / total if total > 0 else None
        chosen.append(int(generator.choice(len(points), p=chances)))
        nearest = np.minimum(nearest, np.square(points - points[chosen[-1]]).sum(axis=1))
    return points[chosen].copy()


def _settle(points: Points, centres: Points) -> tuple[Points, Labels, float]:
    """Centres, labels and sum of squared distances once no point changes its cluster."""
    labels = np.full(len(points), -1, dtype=np.int64)
    squares = np.square(points).sum(axis=1)
    distance = squares
    for _ in range(_MOST_ROUNDS):
        squared = squares[:, None] + np.square(centres).sum(axis=1) - 2 * points @ centres.T
        new = squared.argmin(axis=1).astype(np.int64)
        distance = np.maximum(squared[np.arange(len(points)), new], 0.0)
        if np.array_equal(new, labels):
            break
        labels = new
        centres = _means(points, labels, len(centres), distance)
    return centres, labels, float(distance.sum())


def _means(points: Points, labels: Labels, number: int, distance: Points) -> Points:
    """Mean of each cluster; one that lost all its points goes to the point farthest from its own centre."""
    members = np.eye(number)[labels]
    counts = members.sum(axis=0)
    centres: Points = (members.T @ points) / np.maximum(counts, 1)[:, None]
    farthest = np.argsort(-distance, kind="stable")
    for place, empty in enumerate(np.flatnonzero(counts == 0).tolist()):
        centres[empty] = points[farthest[place]]
    return centres
