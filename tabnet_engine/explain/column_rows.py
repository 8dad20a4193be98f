"""The rows in which one column counts most: what it pushed, or how much of it was read. No torch: pages import this.

Shapes: B rows, F columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.masks import MaskExplanation

__all__ = ["ColumnRows", "rows_moved", "rows_reading"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ColumnRows:
    """Rows in order, with what the column did in each.

    ``positions`` lie among the ``n_rows`` explained rows, ``rows`` are numbers in the table, ``amounts`` are pushes
    in the unit of the score, or shares of the reading.
    """

    positions: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    amounts: npt.NDArray[np.float64]
    n_rows: int


def rows_moved(attribution: Attribution, feature: str, output: int, *, n_rows: int = 20) -> ColumnRows:
    """The rows that a column moves most, up or down, the farthest first.

    Args:
        attribution: signed values (B, F, K).
        feature: the column, or a group of columns that moved together.
        output: which of the K outputs.
        n_rows: how many at most.

    Raises:
        ValueError: the values know no such column.
    """
    pushes = attribution.values[:, attribution.features.index(feature), output].astype(np.float64)
    return _leading(attribution.rows, pushes, n_rows)


def rows_reading(masks: MaskExplanation, feature: str, *, n_rows: int = 20) -> ColumnRows:
    """The rows that read a column most, by its share of the aggregated mask.

    Raises:
        ValueError: the masks know no such column.
    """
    place = masks.features.index(feature)
    # Only the one column is weighed: the aggregate of a million rows would be a table of its own.
    weighed = np.einsum("sb,sb->b", masks.step_sizes, masks.masks[:, :, place])
    total = masks.step_sizes.sum(axis=0)
    shares = np.divide(weighed, total, out=np.zeros_like(weighed), where=total > 0).astype(np.float64)
    return _leading(masks.rows, shares, n_rows)


def _leading(rows: npt.NDArray[np.int64], amounts: npt.NDArray[np.float64], n_rows: int) -> ColumnRows:
    n_wanted, size = min(n_rows, len(amounts)), np.abs(amounts)
    largest = np.argpartition(-size, n_wanted - 1)[:n_wanted] if n_wanted else np.zeros(0, dtype=np.int64)
    positions = largest[np.lexsort((rows[largest], -size[largest]))].astype(np.int64)
    return ColumnRows(positions=positions, rows=rows[positions], amounts=amounts[positions], n_rows=len(amounts))
