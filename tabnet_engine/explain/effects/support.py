"""Whether replacing a column's cells makes rows that do not occur: distance to the data, beside the data's own.

Averaging over all rows asks the model about every combination of a value with every row, also about a five-year-old
with a pension. Such rows are found in the space of the column and the few columns that go with it most, numbers by
their rank: in the space of all columns, many that have nothing to do with it would hide them.

Shapes: B rows, G points, A axes of the space.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable, InputLayout

__all__ = ["N_COMPANIONS", "off_data_shares"]

N_COMPANIONS = 3  # columns besides the one that is replaced
_WEAK = 0.2  # a rank correlation below this needs no company: few combinations are then impossible
_REAL_ROWS = 0.95  # real rows within this quantile of their own distances count as near
_CLOSE = 0.05  # of a column's ranks: between rows that repeat each other, the next value is no strange one
_QUERY_ROWS, _REFERENCE_ROWS = 200, 1_000
_FEWEST_ROWS = 20
_DISTANCES_AT_ONCE = 4_000_000

Floats = npt.NDArray[np.float64]


def off_data_shares(
    layout: InputLayout, table: EncodedTable, feature: int, cells: EncodedTable, *, seed: int
) -> tuple[Floats, tuple[int, ...]] | None:
    """The share of combinations away from the data at each point.

    Args:
        layout: which slots belong to which raw feature.
        table: real rows (B).
        feature: the raw feature that is replaced.
        cells: G rows that hold the feature's values.
        seed: of the rows looked at, where there are more than needed.

    Returns:
        Shares (G) and the raw features that go with this one most; None with too few rows to tell.
    """
    if len(table) < _FEWEST_ROWS:
        return None
    generator = np.random.default_rng(seed)
    rows = table.take(generator.permutation(len(table))[:_REFERENCE_ROWS])
    own = _axes(layout, rows, rows, feature)
    companions = _companions(layout, rows, feature, own)
    if not companions:
        return np.zeros(len(cells)), ()
    others = np.hstack([_axes(layout, rows, rows, other) for other in companions])
    real = np.hstack([own, others])
    near = max(_CLOSE, float(np.quantile(_nearest(real, real, itself=True), _REAL_ROWS)))
    replaced = _axes(layout, rows, cells, feature)
    asked = others[:_QUERY_ROWS]
    shares = [
        float((_nearest(np.hstack([np.broadcast_to(point, (len(asked), len(point))), asked]), real) > near).mean())
        for point in replaced
    ]
    return np.array(shares), companions


def _axes(layout: InputLayout, known: EncodedTable, rows: EncodedTable, feature: int) -> Floats:
    """One raw feature of some rows as axes (B, A): ranks among the known rows, 0 or 1 for each state of a category."""
    axes = []
    for slot in np.flatnonzero(np.asarray(layout.numeric_feature) == feature):
        values, sought = known.numeric[:, slot], rows.numeric[:, slot]
        present = np.sort(values[np.isfinite(values)])
        middle = (np.searchsorted(present, sought, "left") + np.searchsorted(present, sought, "right")) / 2
        ranks = middle / max(1, len(present))
        axes += [np.where(np.isnan(sought), 0.5, ranks), np.isnan(sought).astype(np.float64)]
    for slot in np.flatnonzero(np.asarray(layout.categorical_feature) == feature):
        states = np.unique(known.categorical[:, slot])
        # Two rows of different categories are 1 apart, as two rows at both ends of a number are.
        axes += [(rows.categorical[:, slot] == state) / np.sqrt(2) for state in states]
    return np.stack(axes, axis=1)


def _companions(layout: InputLayout, rows: EncodedTable, feature: int, own: Floats) -> tuple[int, ...]:
    """The raw features that go with this one most, the closest first; one at a time, since tables may be wide."""
    strength = np.zeros(layout.n_features)
    for other in range(layout.n_features):
        if other != feature:
            strength[other] = _association(own, _axes(layout, rows, rows, other))
    leading = np.argsort(-strength, kind="stable")[:N_COMPANIONS]
    return tuple(int(other) for other in leading if strength[other] >= _WEAK)


def _association(first: Floats, second: Floats) -> float:
    """The largest absolute correlation of an axis of one with an axis of the other."""
    return float(np.abs(_unit(first).T @ _unit(second)).max())


def _unit(axes: Floats) -> Floats:
    centred = axes - axes.mean(axis=0)
    length = np.sqrt(np.square(centred).sum(axis=0))
    return np.asarray(np.divide(centred, length, out=np.zeros_like(centred), where=length > 1e-12))


def _nearest(points: Floats, real: Floats, *, itself: bool = False) -> Floats:
    """The distance of each point to the nearest real row; to the nearest other one where they are the real rows."""
    size = max(1, _DISTANCES_AT_ONCE // len(real))
    lengths = np.square(real).sum(axis=1)
    found = []
    for start in range(0, len(points), size):
        some = points[start : start + size]
        squared = np.square(some).sum(axis=1)[:, None] + lengths - 2.0 * (some @ real.T)
        if itself:
            squared[np.arange(len(some)), start + np.arange(len(some))] = np.inf
        found.append(np.sqrt(np.maximum(squared.min(axis=1), 0.0)))
    return np.concatenate(found)
