"""Signed values of many rows as a map: rows in an order that shows something, merged to what a screen shows.

numpy only (SciPy for the clusters): pages import this. Shapes: B rows, F raw features, N columns shown, L lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.texts.speaking import msg

__all__ = ["MAX_CLUSTERED", "MAX_LINES", "ORDERS", "PushMap", "push_map"]

MAX_LINES = 400
MAX_CLUSTERED = 3_000  # rows whose mutual distances are computed; more are ordered along their first component

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ORDERS: Mapping[str, str] = {
    "alike": msg("like rows together"),
    "score": msg("by the score, highest first"),
    "size": msg("by how much is pushed, most first"),
    "column": msg("by the push of the chosen column"),
    "error": msg("by the error, largest first"),
    "table": msg("as in the table"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class PushMap:
    """Lines (L) of one row each, or of the mean over some neighbouring rows.

    ``features`` (N) are the columns that move the score most, the first most. ``values`` (L, N) are signed mean
    pushes, ``scores`` (L) mean scores, ``counts`` (L) how many rows a line stands for. ``rows`` (B) are all row
    numbers from the first line to the last; ``starts`` (L) where each line begins among them.
    """

    features: tuple[str, ...]
    values: Floats
    scores: Floats
    counts: Ints
    rows: Ints
    starts: Ints
    order: str
    n_columns_left_out: int

    @property
    def is_exact(self) -> bool:
        """Whether each line is one row."""
        return bool((self.counts == 1).all())

    def rows_of(self, line: int) -> Ints:
        """The row numbers behind a line, counted from 0."""
        return self.rows[self.starts[line] : self.starts[line] + self.counts[line]]


def push_map(
    attribution: Attribution,
    output: str,
    *,
    order: str = "alike",
    column: str | None = None,
    errors: Floats | None = None,
    max_columns: int = 25,
    max_lines: int = MAX_LINES,
) -> PushMap:
    """Arrange one output's values as a map.

    Args:
        attribution: the explained rows.
        output: which output.
        order: a key of :data:`ORDERS`.
        column: whose push orders the rows, for the order "column".
        errors: (B,) how wrong each row is, for the order "error"; NaN last.
        max_columns: the most columns, those that move the score most.
        max_lines: the most lines; with more rows, neighbours are merged to their mean.

    Raises:
        ValueError: no such order, or one without what it orders by.
    """
    values = attribution.for_output(output)
    score = attribution.logits[:, attribution.outputs.index(output)]
    size = np.abs(values).mean(axis=0) if len(values) else np.zeros(values.shape[1])
    shown = np.argsort(-size, kind="stable")[:max_columns]
    if order == "column" and column is None:
        raise ValueError("the order by a column needs the column")
    if order == "error" and errors is None:
        raise ValueError("the order by error needs the errors")
    if order not in ORDERS:
        raise ValueError(f"an order is one of {', '.join(ORDERS)}, got {order!r}")
    keys: dict[str, Callable[[], Floats]] = {
        "score": lambda: -score,
        "size": lambda: -np.abs(values).sum(axis=1),
        "column": lambda: -values[:, attribution.features.index(str(column))],
        "error": lambda: -np.nan_to_num(np.asarray(errors), nan=-np.inf),
        "table": lambda: attribution.rows.astype(np.float64),
    }
    placed = _alike(values[:, shown]) if order == "alike" else np.argsort(keys[order](), kind="stable")
    edges = np.linspace(0, len(placed), min(len(placed), max_lines) + 1).astype(np.int64)
    starts, counts = edges[:-1], np.diff(edges)
    return PushMap(
        features=tuple(attribution.features[index] for index in shown),
        values=_means(values[placed][:, shown], starts, counts),
        scores=_means(score[placed][:, None], starts, counts)[:, 0],
        counts=counts,
        rows=attribution.rows[placed],
        starts=starts,
        order=order,
        n_columns_left_out=len(size) - len(shown),
    )


def _means(values: Floats, starts: Ints, counts: Ints) -> Floats:
    if not len(values):
        return np.zeros((0, values.shape[1]))
    return np.asarray(np.add.reduceat(values, starts, axis=0) / counts[:, None])


def _alike(values: Floats) -> Ints:
    """Ward's tree of the rows, its leaves from one side to the other; of many rows their first principal component."""
    if len(values) < 3:
        return np.arange(len(values), dtype=np.int64)
    if len(values) > MAX_CLUSTERED:
        centred = values - values.mean(axis=0)
        direction = np.linalg.eigh(centred.T @ centred)[1][:, -1]
        return np.argsort(centred @ direction, kind="stable").astype(np.int64)
    from scipy.cluster.hierarchy import leaves_list, linkage

    return np.asarray(leaves_list(linkage(values, method="ward")), dtype=np.int64)
