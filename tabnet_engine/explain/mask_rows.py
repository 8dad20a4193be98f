"""Maps of masks in an order that looks at outcomes, and the rows behind each line of a map.

Shapes: B rows, L lines of a map. numpy only: pages import this.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.mask_summaries import MaskMap, RowOrder, mask_map, row_order
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.row_outcomes import RowOutcomes

__all__ = ["ORDERS", "MapOrder", "OrderedMap", "ordered_map"]

MapOrder = Literal["score", "row", "reading", "outcome", "error"]

ORDERS: dict[MapOrder, str] = {
    "score": "score, highest first",
    "reading": "what was read most",
    "outcome": "actual outcome, then score",
    "error": "error, largest first",
    "row": "as in the table",
}
_BY_OUTCOME = {
    "outcome": "by the actual outcome, then by the score",
    "error": "by the error, the largest first",
}

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class OrderedMap:
    """A map together with the row numbers (B) in its order."""

    map: MaskMap
    rows: Integers

    def rows_of(self, lines: Sequence[int]) -> Integers:
        """Row numbers behind some lines, in the map's order; lines that do not exist hold no row."""
        chosen = sorted({line for line in lines if 0 <= line < self.map.n_lines})
        parts = [self.rows[self.map.first[line] : self.map.last[line] + 1] for line in chosen]
        return np.concatenate(parts) if parts else self.rows[:0]


def ordered_map(
    explanation: MaskExplanation, outcomes: RowOutcomes | None, order: MapOrder, *, output: int = 0
) -> OrderedMap:
    """A map of the rows in the wanted order.

    Args:
        explanation: the rows.
        outcomes: prediction and outcome of exactly these rows; needed for the orders that look at them.
        order: a key of :data:`ORDERS`.
        output: which logit is the score.

    Raises:
        ValueError: the order needs outcomes that are not given, or they are of other rows.
    """
    if order in get_args(RowOrder):
        positions = row_order(explanation, order, output=output)  # type: ignore[arg-type]  # checked above
        return OrderedMap(
            map=mask_map(explanation, order=order, output=output),  # type: ignore[arg-type]  # checked above
            rows=explanation.rows[positions],
        )
    if outcomes is None or not np.array_equal(outcomes.rows, explanation.rows):
        raise ValueError(f"the order {order!r} needs the outcomes of exactly the explained rows")
    positions = _outcome_positions(outcomes, order, explanation.logits[:, output])
    rows = explanation.rows[positions]
    # The map knows the table's order; numbering the rows by their place makes that the order wanted here.
    numbered = dataclasses.replace(explanation.take(positions), rows=np.arange(len(rows), dtype=np.int64))
    record = mask_map(numbered, order="row", output=output)
    named = dataclasses.replace(record, line_rows=rows[record.line_rows], order=_BY_OUTCOME[order])
    return OrderedMap(map=named, rows=rows)


def _outcome_positions(outcomes: RowOutcomes, order: MapOrder, score: npt.NDArray[np.float64]) -> Integers:
    """Positions (B); rows whose outcome is missing come last."""
    if order == "error":
        return np.lexsort((-score, -np.nan_to_num(outcomes.error, nan=-1.0))).astype(np.int64)
    return np.lexsort((-score, np.nan_to_num(outcomes.actual, nan=-np.inf), ~outcomes.known)).astype(np.int64)
