"""Columns that stand for each other, found in the data, so that they can move together.

Destroyed alone, each of two copies seems dispensable, since the other one still tells; permuted alone, they make
rows that cannot exist. Shapes: B rows, F raw features, R values of a row.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.autoencoder.models import Autoencoder, Floats

__all__ = ["correlated_groups", "correlations"]

DEFAULT_THRESHOLD = 0.8
_TINY = 1e-8


def correlations(model: Autoencoder, table: EncodedTable) -> Floats:
    """How strongly each two columns go together (F, F), from 0 to 1: their largest canonical correlation.

    For two numbers that is |Pearson| of their ranks, which is |Spearman|; for a number and a category the
    correlation ratio; for two categories the largest correlation of any scoring of both (Hotelling 1936).
    """
    cells = model.cells(table)
    n_features = model.layout.n_features
    bases = [_basis(cells.values[:, model.owner == feature]) for feature in range(n_features)]
    strength = np.eye(n_features)
    for first, second in itertools.combinations(range(n_features), 2):
        if bases[first].shape[1] and bases[second].shape[1]:
            largest = np.linalg.norm(bases[first].T @ bases[second], ord=2)
            strength[first, second] = strength[second, first] = min(1.0, float(largest))
    return strength


def correlated_groups(
    model: Autoencoder, table: EncodedTable, *, threshold: float = DEFAULT_THRESHOLD
) -> dict[str, tuple[str, ...]]:
    """Groups of columns, each two of them correlated by at least the threshold, named by their columns.

    The strongest pairs are joined first, and two groups only when all their columns go together (complete
    linkage), so that no chain of neighbours ties columns that have nothing in common.

    Args:
        model: the autoencoder.
        table: rows (B).
        threshold: above 0, at most 1.

    Raises:
        ExplanationError: a threshold outside its range.
    """
    if not 0 < threshold <= 1:
        raise ExplanationError(f"the threshold of a correlation must be above 0 and at most 1, got {threshold}")
    strength = correlations(model, table)
    np.fill_diagonal(strength, -1.0)
    groups = [[feature] for feature in range(len(strength))]
    while strength.max() >= threshold:
        first, second = np.unravel_index(int(strength.argmax()), strength.shape)
        groups[first] += groups[second]
        groups[second] = []
        strength[first] = strength[:, first] = np.minimum(strength[first], strength[second])
        strength[second] = strength[:, second] = strength[first, first] = -1.0
    names = model.layout.feature_names
    found = (tuple(names[feature] for feature in sorted(group)) for group in groups if len(group) > 1)
    return {" + ".join(group): group for group in found}


def _basis(values: Floats) -> npt.NDArray[np.float64]:
    """Orthonormal columns that span a feature's centred values (B, r); none for a constant one."""
    ranked = _ranks(values) if values.shape[1] == 1 else values
    left, singular, _ = np.linalg.svd(ranked - ranked.mean(axis=0), full_matrices=False)
    basis: Floats = left[:, singular > _TINY * max(1.0, float(singular.max(initial=0.0)))]
    return basis


def _ranks(values: Floats) -> Floats:
    """Ranks (B, 1), equals sharing their mean rank."""
    return pd.DataFrame(values).rank().to_numpy(dtype=np.float64)
