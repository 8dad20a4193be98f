"""An order for the categories of a column: those whose rows are alike in the other columns stand side by side.

Accumulated local effects step from one category to its neighbour, so neighbours must be alike or the steps leave the
data. As Apley & Zhu 2020, section 3 and their package: the distance of two categories is the sum over the other
columns of the Kolmogorov-Smirnov distance (numbers) or half the sum of the differences of shares (categories), and
the order is the first axis of classical multidimensional scaling.

Shapes: B rows, C categories.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable, InputLayout

__all__ = ["order_by_likeness"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def order_by_likeness(layout: InputLayout, table: EncodedTable, feature: int, codes: Integers, n: int) -> Integers:
    """The categories 0 to n - 1 of one feature in their order (C).

    Args:
        layout: which slots belong to which raw feature.
        table: encoded rows (B).
        feature: the raw feature that the categories are of.
        codes: each row's category; below 0 for none.
        n: how many categories; each must have a row.
    """
    if n <= 2:
        return np.arange(n, dtype=np.int64)
    distance = np.zeros((n, n))
    for slot, owner in enumerate(layout.numeric_feature):
        if owner != feature:
            distance += _number_distances(table.numeric[:, slot], codes, n)
    for slot, owner in enumerate(layout.categorical_feature):
        if owner != feature:
            distance += _category_distances(table.categorical[:, slot], codes, n)
    return _first_axis_order(distance)


def _number_distances(values: npt.NDArray[np.float32], codes: Integers, n: int) -> Floats:
    """The largest difference of the distribution functions; missing cells stand below all numbers."""
    cells = np.where(np.isnan(values), -np.inf, values)
    at = np.unique(cells)
    shares = np.stack([np.searchsorted(np.sort(cells[codes == c]), at, "right") / (codes == c).sum() for c in range(n)])
    distance = np.zeros((n, n))
    for first, second in combinations(range(n), 2):
        distance[first, second] = distance[second, first] = np.abs(shares[first] - shares[second]).max()
    return distance


def _category_distances(states: Integers, codes: Integers, n: int) -> Floats:
    width = int(states.max()) + 1
    shares = np.stack([np.bincount(states[codes == c], minlength=width) / (codes == c).sum() for c in range(n)])
    return np.asarray(np.abs(shares[:, None] - shares[None, :]).sum(axis=2) / 2)


def _first_axis_order(distance: Floats) -> Integers:
    """Classical multidimensional scaling to one axis; equals keep their place, the first category comes early."""
    squared = np.square(distance)
    centred = -0.5 * (squared - squared.mean(axis=0) - squared.mean(axis=1)[:, None] + squared.mean())
    values, vectors = np.linalg.eigh((centred + centred.T) / 2)
    # An axis has no direction of its own: the first category is put in its lower half.
    axis = vectors[:, -1] * np.sqrt(max(values[-1], 0.0))
    axis = axis if axis[0] <= 0 else -axis
    return np.argsort(np.round(axis, 12), kind="stable").astype(np.int64)
