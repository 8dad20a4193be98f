"""What the steps read over many rows, small enough to draw. numpy only: pages import this.

Shapes: B rows, F raw features, S steps, K outputs, L lines of a map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.mask_stream import MaskSummary, MaskTotals
from tabnet_engine.explain.masks import Floats32, MaskExplanation

__all__ = ["MaskMap", "MaskSummary", "RowOrder", "mask_map", "row_order", "summarise_masks"]

RowOrder = Literal["score", "row", "reading"]
_ORDER_TEXTS = {
    "score": "by the score of {output}, the highest first",
    "row": "as in the table",
    "reading": "by the column that was read most, then by how much it was read",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskMap:
    """Masks of many rows in at most a few hundred lines.

    ``masks`` (S, L, F') and ``aggregate`` (L, F') hold, in each line, the mean of ``counts`` (L) rows.
    ``line_rows`` names a line's first row number in the table. ``first`` and ``last`` (L) are its places
    in the order, from 0. ``score`` (L) is its mean logit of ``output``. ``n_columns_left_out`` columns
    were read least and are not shown; ``share_left_out`` is how much of the aggregate they hold.
    """

    features: tuple[str, ...]
    masks: Floats32
    aggregate: Floats32
    counts: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    line_rows: npt.NDArray[np.int64]
    score: npt.NDArray[np.float64]
    output: str
    order: str
    n_rows: int
    n_columns_left_out: int
    share_left_out: float

    @property
    def n_steps(self) -> int:
        """S, the number of decision steps."""
        return len(self.masks)

    @property
    def n_lines(self) -> int:
        """L, the number of lines."""
        return len(self.counts)

    @property
    def note(self) -> str:
        """What a line is and what is not shown: one plain sentence for beside the figure."""
        per_line = int(self.counts.max()) if self.n_lines else 0
        lines = "Each line is one row" if per_line <= 1 else f"Each line is the mean of up to {per_line:,} rows"
        text = f"{lines}; {self.n_rows:,} rows in {self.n_lines:,} lines, ordered {self.order}."
        if self.n_columns_left_out:
            text += (
                f" Not shown: the {self.n_columns_left_out:,} columns that were read least "
                f"({100 * self.share_left_out:.1f} % of the reading)."
            )
        return text

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for each line: its row number, or the rows' places in the order, counted from 1."""
        return tuple(
            f"row {row}" if count == 1 else f"rows {first + 1:,} to {last + 1:,} in this order"
            for row, count, first, last in zip(
                self.line_rows.tolist(), self.counts.tolist(), self.first.tolist(), self.last.tolist(), strict=True
            )
        )


def summarise_masks(explanation: MaskExplanation) -> MaskSummary:
    """Averages of masks and step shares over the rows of an explanation."""
    totals = MaskTotals(explanation.features, explanation.n_steps)
    totals.add(explanation)
    return totals.summary()


def row_order(explanation: MaskExplanation, order: RowOrder, *, output: int = 0) -> npt.NDArray[np.int64]:
    """Positions (B) of the rows in the wanted order.

    Args:
        explanation: the rows.
        order: ``score`` (highest logit of ``output`` first), ``row`` (as in the table) or ``reading``
            (rows that read the same column most stand together, the most frequent such column first).
        output: which logit ``score`` means.
    """
    if order == "score":
        return np.argsort(-explanation.logits[:, output], kind="stable").astype(np.int64)
    if order == "row":
        return np.argsort(explanation.rows, kind="stable").astype(np.int64)
    aggregate = explanation.aggregate
    leading = aggregate.argmax(axis=1)
    frequency = np.bincount(leading, minlength=len(explanation.features))
    # The last key sorts first: frequency of the leading column, that column, then how much it was read.
    return np.lexsort((-aggregate.max(axis=1), leading, -frequency[leading])).astype(np.int64)


def mask_map(
    explanation: MaskExplanation,
    *,
    order: RowOrder = "score",
    output: int = 0,
    max_lines: int = 500,
    max_features: int = 60,
) -> MaskMap:
    """Order the rows and average neighbours until the map has at most ``max_lines`` lines.

    Columns stand in the table's order; beyond ``max_features`` those read least are left out and counted.
    """
    positions = row_order(explanation, order, output=output)
    shown = _columns_to_show(explanation, max_features)
    starts = _line_starts(len(positions), max_lines)
    counts = np.diff(np.append(starts, len(positions)))
    aggregate = _line_means(explanation.aggregate[positions], starts, counts)
    return MaskMap(
        features=tuple(explanation.features[index] for index in shown),
        masks=np.stack([_line_means(step[positions], starts, counts)[:, shown] for step in explanation.masks]),
        aggregate=aggregate[:, shown],
        counts=counts,
        first=starts,
        last=starts + counts - 1,
        line_rows=explanation.rows[positions[starts]],
        score=_line_means(explanation.logits[positions], starts, counts)[:, output].astype(np.float64),
        output=explanation.outputs[output],
        order=_ORDER_TEXTS[order].format(output=explanation.outputs[output]),
        n_rows=len(positions),
        n_columns_left_out=len(explanation.features) - len(shown),
        share_left_out=_share_left_out(aggregate, counts, shown),
    )


def _columns_to_show(explanation: MaskExplanation, max_features: int) -> list[int]:
    if len(explanation.features) <= max_features:
        return list(range(len(explanation.features)))
    read = explanation.aggregate.sum(axis=0, dtype=np.float64)
    return sorted(np.argsort(-read, kind="stable")[:max_features].tolist())


def _line_starts(n_rows: int, max_lines: int) -> npt.NDArray[np.int64]:
    """First place of each line; lines differ in length by one row at most."""
    n_lines = min(n_rows, max_lines)
    return (np.arange(n_lines, dtype=np.int64) * n_rows) // max(n_lines, 1)


def _line_means(
    values: npt.NDArray[np.floating], starts: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
) -> Floats32:
    """Means (L, ...) of consecutive rows of ``values`` (B, ...)."""
    if len(starts) == 0:
        return np.zeros((0, *values.shape[1:]), dtype=np.float32)
    sums = np.add.reduceat(values.astype(np.float64), starts, axis=0)
    return (sums / counts[:, None]).astype(np.float32)


def _share_left_out(aggregate: Floats32, counts: npt.NDArray[np.int64], shown: Sequence[int]) -> float:
    per_column = (aggregate.astype(np.float64) * counts[:, None]).sum(axis=0)
    total = per_column.sum()
    return float(1 - per_column[list(shown)].sum() / total) if total > 0 else 0.0
