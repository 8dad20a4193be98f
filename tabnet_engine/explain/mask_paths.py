"""Which column each step of a row reads most, and the paths that this makes from step to step. numpy only.

Shapes: B rows, S steps, F raw features, Q different paths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.masks import MaskExplanation

__all__ = ["LeadingPaths", "leading_columns", "leading_paths"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class LeadingPaths:
    """The different ways in which the columns read most follow each other, the most frequent first.

    ``codes`` (B) number each row's path, ``columns`` (Q, S) are the feature positions of a path, ``counts`` (Q) its
    rows. What a step reads beside its leading column is not looked at.
    """

    features: tuple[str, ...]
    codes: Integers
    columns: Integers
    counts: Integers

    @property
    def names(self) -> tuple[str, ...]:
        """Each path as its columns in the order of the steps, such as "age → job"."""
        return tuple(" → ".join(self.features[place] for place in path) for path in self.columns.tolist())

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """The share of the rows (Q) that each path has."""
        return self.counts / max(int(self.counts.sum()), 1)


def leading_columns(explanation: MaskExplanation, positions: Integers | None = None) -> Integers:
    """The feature position (S, B) that each step reads most; of columns read alike the first.

    Args:
        explanation: the rows.
        positions: of the rows wanted, all when absent.
    """
    parts = [part.masks.argmax(axis=2) for part in explanation.chunks(positions)]
    return np.concatenate(parts, axis=1).astype(np.int64)


def leading_paths(explanation: MaskExplanation, positions: Integers | None = None) -> LeadingPaths:
    """The paths of the rows; arguments are those of :func:`leading_columns`."""
    leading = leading_columns(explanation, positions)
    codes, width = np.zeros(leading.shape[1], dtype=np.int64), len(explanation.features)
    for step in leading:  # numbered anew at each step: S columns of F would not fit one number
        codes = np.unique(codes * width + step, return_inverse=True)[1].astype(np.int64)
    counts = np.bincount(codes)
    order = np.argsort(-counts, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    codes = place[codes].astype(np.int64)
    first = np.zeros(len(counts), dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]  # any row of a path knows its columns
    columns = leading[:, first].T if len(codes) else np.zeros((0, len(leading)), dtype=np.int64)
    return LeadingPaths(
        features=explanation.features, codes=codes, columns=columns, counts=counts[order].astype(np.int64)
    )
