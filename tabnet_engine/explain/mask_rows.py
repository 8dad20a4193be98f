"""Maps of masks: rows in an order, averaged to the lines that a screen can show, and the rows behind each line.

Shapes: B rows of an explanation, N rows in an order, L lines of a map, S steps, F' columns shown. No torch: pages
import this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.explain.mask_orders import ORDERS, MapOrder, OrderedRows
from tabnet_engine.explain.masks import Floats32, MaskExplanation
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["LineGroup", "MaskMap", "mask_map"]

MAX_LINES, MAX_FEATURES = 500, 60
_MOST_CELLS, _FEWEST_LINES = 72_000, 100  # what a browser draws at once without a wait

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LineGroup:
    """Lines ``first`` to ``last`` (from 0) whose rows stand together in the order; ``made`` as of a row group."""

    name: str
    first: int
    last: int
    made: bool = False

    @property
    def shown_name(self) -> str:
        """The name in the reader's language; a user's word stays as it is."""
        return recalled(self.name) if self.made else self.name


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskMap:
    """Masks of a stretch of rows in at most a few hundred lines.

    ``masks`` (S, L, F') and ``aggregate`` (L, F') hold, in each line, the mean of ``counts`` (L) rows; a line of one
    row holds that row exactly, and no line has rows of two groups. ``line_rows`` names a line's first row number in
    the table. ``first`` and ``last`` (L) are its places in the order of all ``n_rows``, from 0. ``score`` (L) is its
    mean logit of ``output``, ``keys`` (L) the mean of the number that was ordered by, NaN where it is not known.
    ``n_columns_left_out`` columns were read least and are not shown; ``share_left_out`` is how much of the aggregate
    they hold.
    """

    features: tuple[str, ...]
    masks: Floats32
    aggregate: Floats32
    counts: Integers
    first: Integers
    last: Integers
    line_rows: Integers
    score: Floats
    keys: Floats | None
    groups: tuple[LineGroup, ...]
    output: str
    order: MapOrder
    by: str
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
    def is_exact(self) -> bool:
        """Whether every line is one row."""
        return bool((self.counts == 1).all())

    @property
    def note(self) -> str:
        """What a line is and what is not shown, in plain sentences for beside the figure."""
        return self.told()

    def told(self, score: str | None = None) -> str:
        """The same, with what the score is called in a sentence."""
        n_shown = int(self.counts.sum())
        parts = [self._what_a_line_is(), self._order_sentence(score)]
        if n_shown < self.n_rows:
            text = say(
                "Shown are the rows {first:,} to {last:,} of {n_rows:,} in this order.",
                first=int(self.first[0]) + 1 if self.n_lines else 0,
                last=int(self.last[-1]) + 1 if self.n_lines else 0,
                n_rows=self.n_rows,
            )
            parts.append(text)
        if self.n_columns_left_out:
            parts.append(
                say_plural(
                    "Not shown: the {count} column that was read least ({share:.1f} % of the reading).",
                    "Not shown: the {count:,} columns that were read least ({share:.1f} % of the reading).",
                    self.n_columns_left_out,
                    share=100 * self.share_left_out,
                )
            )
        return one_text(parts)

    def _what_a_line_is(self) -> str:
        n_rows, most = int(self.counts.sum()), int(self.counts.max()) if self.n_lines else 0
        if most <= 1:
            return say_plural("{count} row; each line is one row.", "{count:,} rows; each line is one row.", n_rows)
        return say(
            "{n_rows:,} rows in {n_lines:,} lines; each line is the mean of up to {most:,} rows.",
            n_rows=n_rows,
            n_lines=self.n_lines,
            most=most,
        )

    def _order_sentence(self, score: str | None) -> str:
        if self.order == "column":
            return say("They are ordered by the column {column}.", column=self.by)
        if self.order == "score" and score is not None:
            return say("They are ordered by {score}, the highest first.", score=score)
        if self.order == "score":
            return say("They are ordered by the score of {output}, the highest first.", output=self.output)
        return say("They are ordered by: {order}.", order=say(ORDERS[self.order]))

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for each line, no two alike: its row number, or the rows' places in the order, counted from 1."""
        one, many = say("row {row}"), say("rows {first:,} to {last:,} in this order")
        return tuple(
            one.format(row=row) if count == 1 else many.format(first=first + 1, last=last + 1)
            for row, count, first, last in zip(
                self.line_rows.tolist(), self.counts.tolist(), self.first.tolist(), self.last.tolist(), strict=True
            )
        )

    @property
    def group_note(self) -> str:
        """Which group each number along the lines stands for; empty without groups."""
        named = [(number, group) for number, group in enumerate(self.groups, start=1) if group.shown_name]
        if not named:
            return ""
        listed = "; ".join(f"{number} = {group.shown_name}" for number, group in named)
        return say("The groups along the rows: {groups}.", groups=listed)

    def stretch_of(self, lines: Sequence[int]) -> tuple[int, int] | None:
        """First and last place in the order (from 0) of the lines from the least to the greatest of some.

        None when none of them exists.
        """
        known = [line for line in lines if 0 <= line < self.n_lines]
        return (int(self.first[min(known)]), int(self.last[max(known)])) if known else None

    def table(self) -> pd.DataFrame:
        """Every number of the map: one line for each line, the columns of all steps side by side."""
        head = {"from place": self.first + 1, "to place": self.last + 1, "first row": self.line_rows}
        named = {f"step {step + 1}": masks for step, masks in enumerate(self.masks)} | {"all steps": self.aggregate}
        cells = {
            f"{step}: {name}": masks[:, place]
            for step, masks in named.items()
            for place, name in enumerate(self.features)
        }
        return pd.DataFrame({**head, "rows": self.counts, "score": self.score, **cells})


def mask_map(
    explanation: MaskExplanation,
    ordered: OrderedRows,
    *,
    output: int = 0,
    stretch: tuple[int, int] | None = None,
    max_lines: int = MAX_LINES,
    max_features: int = MAX_FEATURES,
) -> MaskMap:
    """Average neighbours in an order until the map has about as many lines as a screen shows.

    Columns stand in the table's order; beyond ``max_features`` those read least are left out and counted.

    Args:
        explanation: the rows (B).
        ordered: which of them (N), in which order.
        output: which logit is the score.
        stretch: first and last place in the order (from 0) to show; all when absent.
        max_lines: the most lines; fewer where a line has many cells.
        max_features: the most columns.
    """
    n_rows = len(ordered.positions)
    begin, end = (0, n_rows) if stretch is None else (max(stretch[0], 0), min(stretch[1] + 1, n_rows))
    positions = ordered.positions[begin:end]
    n_cells = (explanation.n_steps + 1) * min(len(explanation.features), max_features)
    most = min(max_lines, max(_MOST_CELLS // n_cells, _FEWEST_LINES))
    borders = [group.first - begin for group in ordered.groups if begin < group.first < end]
    starts = _line_starts(len(positions), most, borders)
    counts = np.diff(np.append(starts, len(positions))).astype(np.int64)
    masks, aggregate = _line_masks(explanation, positions, starts, counts)
    shown = _columns_to_show(aggregate, counts, max_features)
    keys = None if ordered.keys is None else _line_means(ordered.keys[begin:end], starts, counts)
    return MaskMap(
        features=tuple(explanation.features[index] for index in shown),
        masks=masks[:, :, shown],
        aggregate=aggregate[:, shown],
        counts=counts,
        first=starts + begin,
        last=starts + counts - 1 + begin,
        line_rows=explanation.rows[positions[starts]],
        score=_line_means(explanation.logits[positions, output], starts, counts),
        keys=keys,
        groups=_line_groups(ordered, starts + begin, end),
        output=explanation.outputs[output],
        order=ordered.order,
        by=ordered.by,
        n_rows=n_rows,
        n_columns_left_out=len(explanation.features) - len(shown),
        share_left_out=_share_left_out(aggregate, counts, shown),
    )


def _line_starts(n_rows: int, most: int, borders: Sequence[int]) -> Integers:
    """First place of each line; lines differ in length by one row at most, but where a group begins."""
    n_lines = min(n_rows, max(most - len(borders), 1))
    even = (np.arange(n_lines, dtype=np.int64) * n_rows) // max(n_lines, 1)
    return np.union1d(even, np.asarray(borders, dtype=np.int64)) if n_lines < n_rows else even


def _line_masks(
    explanation: MaskExplanation, positions: Integers, starts: Integers, counts: Integers
) -> tuple[Floats32, Floats32]:
    """Means of the masks (S, L, F) and of the aggregate (L, F), without a copy of the rows."""
    from scipy.sparse import csr_array

    shape = (len(starts), explanation.n_rows)
    bounds = np.append(starts, len(positions)).astype(np.int64)

    def means(values: Floats32, weights: Floats32) -> Floats32:
        summed = csr_array((weights, positions, bounds), shape=shape) @ values
        return np.asarray(summed / np.maximum(counts, 1)[:, None], dtype=np.float32)

    ones = np.ones(len(positions), dtype=np.float32)
    masks = np.stack([means(step, ones) for step in explanation.masks])
    sizes = explanation.step_sizes[:, positions]
    total = sizes.sum(axis=0)
    shares = np.divide(sizes, total, out=np.zeros_like(sizes), where=total > 0)
    # A row's masks sum to one, so its aggregate is their mean with the shares of the steps as weights.
    parts = [means(step, share) for step, share in zip(explanation.masks, shares, strict=True)]
    return masks, np.sum(parts, axis=0, dtype=np.float32)


def _line_means(values: Floats, starts: Integers, counts: Integers) -> Floats:
    """Means (L) of consecutive values; of those known, NaN where none is."""
    if len(starts) == 0:
        return np.zeros(0)
    known = np.isfinite(values)
    sums = np.add.reduceat(np.where(known, values, 0.0), starts)
    n_known = np.add.reduceat(known.astype(np.int64), starts)
    means: Floats = np.divide(sums, n_known, out=np.full(len(counts), np.nan), where=n_known > 0)
    return means


def _columns_to_show(aggregate: Floats32, counts: Integers, max_features: int) -> list[int]:
    n_features = aggregate.shape[1]
    if n_features <= max_features:
        return list(range(n_features))
    read = (aggregate.astype(np.float64) * counts[:, None]).sum(axis=0)
    return sorted(np.argsort(-read, kind="stable")[:max_features].tolist())


def _line_groups(ordered: OrderedRows, first: Integers, end: int) -> tuple[LineGroup, ...]:
    """The groups that have lines here; a single one without a name is none."""
    found = []
    stops = [*(group.first for group in ordered.groups), len(ordered.positions)][1:]
    for group, stop in zip(ordered.groups, stops, strict=True):
        lines = np.flatnonzero((first >= group.first) & (first < min(stop, end)))
        if len(lines):
            found.append(LineGroup(group.name, int(lines[0]), int(lines[-1]), made=group.made))
    return tuple(found)


def _share_left_out(aggregate: Floats32, counts: Integers, shown: Sequence[int]) -> float:
    per_column = (aggregate.astype(np.float64) * counts[:, None]).sum(axis=0)
    total = per_column.sum()
    return float(1 - per_column[list(shown)].sum() / total) if total > 0 else 0.0
