"""What the steps read over any number of rows, added up chunk by chunk in bounded memory. numpy only.

Shapes: B rows, F raw features, S steps, G parts of the rows. Every row counts the same, however large its
activations are: masks and aggregates of a row sum to one before they are added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.row_parts import RowParts

__all__ = ["MaskSummary", "MaskTotals", "chunk_parts", "summarise_parts", "summarise_stream"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskSummary:
    """Averages over the explained rows.

    ``mean_masks`` (S, F) and ``mean_aggregate`` (F) each sum to one over the columns.
    ``mean_step_shares`` (S) is how much of the decision each step made. ``columns_read`` (S) is the mean
    number of columns with a mask above zero. ``read_share`` (S, F) is the share of rows in which a step
    read a column at all. ``reuse`` (F) is the share of rows in which at least two steps read a column.
    ``spread`` (S) is how much a step's mask differs between rows: the root of its variance over rows, summed over
    the columns; 0 where every row has the same mask, below 1 always.
    ``n_silent`` rows had no active step and count in nothing but ``mean_masks`` and its companions.
    """

    features: tuple[str, ...]
    n_rows: int
    n_silent: int
    mean_masks: Floats
    mean_aggregate: Floats
    mean_step_shares: Floats
    columns_read: Floats
    read_share: Floats
    reuse: Floats
    spread: Floats

    @property
    def n_steps(self) -> int:
        """S, the number of decision steps."""
        return len(self.mean_masks)

    @property
    def order(self) -> npt.NDArray[np.int64]:
        """Feature positions (F), the most read first."""
        return np.argsort(-self.mean_aggregate, kind="stable").astype(np.int64)


class MaskTotals:
    """Sums over the rows added so far; their memory does not depend on how many there were."""

    def __init__(self, features: tuple[str, ...], n_steps: int) -> None:
        n_features = len(features)
        self.features = features
        self.n_rows = self.n_active = 0
        self._masks, self._read = np.zeros((2, n_steps, n_features))
        self._squares, self._step_shares = np.zeros((2, n_steps))
        self._aggregate, self._reused = np.zeros((2, n_features))

    def add(self, part: MaskExplanation) -> None:
        """Count the rows of one explanation in.

        Raises:
            ValueError: it explains other columns or steps.
        """
        if part.features != self.features or part.n_steps != len(self._masks):
            raise ValueError("the masks of one summary must be of the same columns and steps")
        read = part.masks > 0
        self.n_rows += part.n_rows
        self.n_active += int((~part.silent).sum())
        self._masks += part.masks.sum(axis=1, dtype=np.float64)
        self._squares += np.square(part.masks, dtype=np.float64).sum(axis=(1, 2))
        self._aggregate += part.aggregate.sum(axis=0, dtype=np.float64)
        self._step_shares += part.step_shares.sum(axis=1, dtype=np.float64)
        self._read += read.sum(axis=1)
        self._reused += (read.sum(axis=0) >= 2).sum(axis=0)

    def summary(self) -> MaskSummary:
        """Averages of the rows added; zeros where there was none."""
        n_rows, n_active = max(self.n_rows, 1), max(self.n_active, 1)
        mean = self._masks / n_rows
        variance = self._squares / n_rows - np.square(mean).sum(axis=1)
        return MaskSummary(
            features=self.features,
            n_rows=self.n_rows,
            n_silent=self.n_rows - self.n_active,
            mean_masks=mean,
            mean_aggregate=self._aggregate / n_active,
            mean_step_shares=self._step_shares / n_active,
            columns_read=self._read.sum(axis=1) / n_rows,
            read_share=self._read / n_rows,
            reuse=self._reused / n_rows,
            spread=np.sqrt(np.maximum(variance, 0.0)),
        )


def summarise_stream(parts: Iterable[MaskExplanation]) -> MaskSummary:
    """Averages over explanations of consecutive rows, as :func:`~tabnet_engine.explain.masks.iterate_masks` gives.

    Raises:
        ExplanationError: there is no explanation.
    """
    totals: MaskTotals | None = None
    for part in parts:
        totals = totals or MaskTotals(part.features, part.n_steps)
        totals.add(part)
    if totals is None:
        raise ExplanationError("there is no explained row to summarise; explain at least one row")
    return totals.summary()


def summarise_parts(parts: Iterable[MaskExplanation], divided: RowParts) -> tuple[MaskSummary, ...]:
    """One summary for each part of the rows (G), such as each class or each slice, in one pass.

    Args:
        parts: explanations of consecutive rows.
        divided: the part of each of these rows, in the same order.

    Raises:
        ExplanationError: there is no explanation.
        ValueError: the rows are not as many as ``divided`` has.
    """
    totals: list[MaskTotals] = []
    for part, codes in chunk_parts(parts, divided):
        totals = totals or [MaskTotals(part.features, part.n_steps) for _ in divided.names]
        for number, total in enumerate(totals):
            positions = np.flatnonzero(codes == number)
            if len(positions):
                total.add(part.take(positions))
    if not totals:
        raise ExplanationError("there is no explained row to summarise; explain at least one row")
    return tuple(total.summary() for total in totals)


def chunk_parts(
    parts: Iterable[MaskExplanation], divided: RowParts
) -> Iterable[tuple[MaskExplanation, npt.NDArray[np.int64]]]:
    """Each explanation with the part of each of its rows.

    Raises:
        ValueError: the rows are not as many as ``divided`` has.
    """
    start = 0
    for part in parts:
        codes = divided.codes[start : start + part.n_rows]
        start += part.n_rows
        if len(codes) == part.n_rows:
            yield part, codes
    if start != len(divided.codes):
        raise ValueError(f"{start} explained rows cannot be divided by the parts of {len(divided.codes)} rows")
