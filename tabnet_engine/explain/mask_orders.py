"""The orders in which a map of masks can show its rows. numpy only: pages import this.

Shapes: B rows of an explanation, N rows of it that are ordered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Kind
from tabnet_engine.data.values import as_numbers, as_timestamps, factorise, value_order
from tabnet_engine.explain.mask_paths import leading_paths
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.row_outcomes import RowOutcomes
from tabnet_engine.explain.row_parts import RowParts
from tabnet_engine.texts.speaking import msg

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ORDERS", "MapOrder", "OrderedRows", "RowGroup", "order_rows", "order_rows_by_column"]

MapOrder = Literal["score", "path", "reading", "outcome", "error", "column", "row"]

ORDERS: dict[MapOrder, str] = {
    "score": msg("score, highest first"),
    "path": msg("path from step to step"),
    "reading": msg("what was read most"),
    "outcome": msg("actual outcome, then score"),
    "error": msg("error, largest first"),
    "column": msg("value of a column"),
    "row": msg("as in the table"),
}

_MOST_GROUPS = 12
_MISSING = msg("missing")
_OTHERS = msg("all others")

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RowGroup:
    """Rows that stand together in an order: a name, and the place of its first row, from 0.

    ``made`` names are ours, in English; the others are the user's words.
    """

    name: str
    first: int
    made: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class OrderedRows:
    """Rows in an order.

    ``positions`` (N) are places within the explanation. ``groups`` follow each other without a gap; none where the
    order knows none. ``keys`` (N) is the number that was ordered by, where it is one that a reader wants to see.
    ``by`` is the column whose values made the order.
    """

    order: MapOrder
    positions: Integers
    groups: tuple[RowGroup, ...] = ()
    keys: Floats | None = None
    by: str = ""


def order_rows(
    explanation: MaskExplanation,
    order: MapOrder,
    *,
    output: int = 0,
    positions: Integers | None = None,
    outcomes: RowOutcomes | None = None,
    archetypes: RowParts | None = None,
) -> OrderedRows:
    """Rows in one of the orders of :data:`ORDERS` but ``column``.

    ``path`` puts rows together whose steps read the same columns most, one step after the other, the most frequent
    such path first; where archetypes are given, within each of these.

    Args:
        explanation: the rows (B).
        order: by what.
        output: which logit the score is.
        positions: of the rows wanted (N), all when absent.
        outcomes: prediction and outcome of exactly the explained rows (B), for the orders that look at them.
        archetypes: the archetype of exactly the explained rows (B), for ``path``.

    Raises:
        ValueError: the order needs outcomes that are not given, or what is given is of other rows.
    """
    chosen = np.arange(explanation.n_rows, dtype=np.int64) if positions is None else positions
    score = explanation.logits[chosen, output]
    if order == "row":
        return OrderedRows(order=order, positions=chosen[np.argsort(explanation.rows[chosen], kind="stable")])
    if order == "reading":
        return _by_reading(explanation, chosen)
    if order == "path":
        return _by_path(explanation, chosen, score, archetypes)
    if order in ("outcome", "error"):
        if outcomes is None or not np.array_equal(outcomes.rows, explanation.rows):
            raise ValueError(f"the order {order!r} needs the outcomes of exactly the explained rows")
        return _by_outcome(outcomes.take(chosen), order, chosen, score)
    if order != "score":
        raise ValueError(f"{order!r} is not an order of rows by themselves")
    return OrderedRows(order=order, positions=chosen[np.argsort(-score, kind="stable")])


def order_rows_by_column(
    explanation: MaskExplanation, cells: pd.Series, kind: Kind, *, output: int = 0, positions: Integers | None = None
) -> OrderedRows:
    """Rows by the value of a column, then by the score; a missing value comes last.

    Numbers and dates stand by size, anything else by its text, the most frequent values as groups.

    Args:
        explanation: the rows (B).
        cells: the column's cells of exactly these rows (B).
        kind: what the column holds.
        output: which logit the score is.
        positions: of the rows wanted (N), all when absent.

    Raises:
        SchemaError: a cell is not what the kind holds.
        ValueError: there are not as many cells as rows.
    """
    if len(cells) != explanation.n_rows:
        raise ValueError(f"{len(cells)} cells cannot be those of {explanation.n_rows} explained rows")
    chosen = np.arange(explanation.n_rows, dtype=np.int64) if positions is None else positions
    score, wanted, by = explanation.logits[chosen, output], cells.iloc[chosen], str(cells.name)
    if kind not in (Kind.NUMBER, Kind.DATETIME):
        return _by_text(wanted, chosen, score, by)
    values = as_numbers(wanted) if kind is Kind.NUMBER else as_timestamps(wanted)
    missing = np.isnan(values) if kind is Kind.NUMBER else np.isnat(values)
    order = np.lexsort((-score, values, missing))
    n_known = int(len(chosen) - missing.sum())
    groups = (RowGroup("", 0), RowGroup(_MISSING, n_known, made=True)) if 0 < n_known < len(chosen) else ()
    keys = values[order].astype(np.float64) if kind is Kind.NUMBER else None
    return OrderedRows(order="column", positions=chosen[order], groups=groups, keys=keys, by=by)


def _by_text(cells: pd.Series, chosen: Integers, score: Floats, by: str) -> OrderedRows:
    codes, texts = factorise(cells)
    names = sorted(set(texts), key=value_order)
    place = {name: number for number, name in enumerate(names)}
    numbers = np.array([*(place[text] for text in texts), len(names)], dtype=np.int64)[codes]
    return _grouped("column", chosen, numbers, score, names, by=by)


def _by_reading(explanation: MaskExplanation, chosen: Integers) -> OrderedRows:
    tops = [(part.argmax(axis=1), part.max(axis=1)) for part in _aggregates(explanation, chosen)]
    leading = np.concatenate([top[0] for top in tops]).astype(np.int64)
    amount = np.concatenate([top[1] for top in tops]).astype(np.float64)
    frequency = np.bincount(leading, minlength=len(explanation.features))
    ranked = np.argsort(-frequency, kind="stable")
    place = np.empty_like(ranked)
    place[ranked] = np.arange(len(ranked))
    names = [explanation.features[feature] for feature in ranked.tolist()]
    return _grouped("reading", chosen, place[leading], amount, names)


def _aggregates(explanation: MaskExplanation, chosen: Integers) -> list[npt.NDArray[np.float32]]:
    return [part.aggregate for part in explanation.chunks(chosen)]


def _by_path(explanation: MaskExplanation, chosen: Integers, score: Floats, archetypes: RowParts | None) -> OrderedRows:
    paths = leading_paths(explanation, chosen)
    if archetypes is None:
        return _grouped("path", chosen, paths.codes, score, paths.names)
    if len(archetypes.codes) != explanation.n_rows:
        raise ValueError("the archetypes must be those of exactly the explained rows")
    kinds = archetypes.codes[chosen]
    order = np.lexsort((-score, paths.codes, kinds))
    return OrderedRows(order="path", positions=chosen[order], groups=_groups(kinds[order], archetypes.names, made=True))


def _by_outcome(outcomes: RowOutcomes, order: MapOrder, chosen: Integers, score: Floats) -> OrderedRows:
    """Rows whose outcome is missing come last."""
    if order == "error":
        ranked = np.lexsort((-score, -np.nan_to_num(outcomes.error, nan=-1.0)))
        return OrderedRows(order=order, positions=chosen[ranked], keys=outcomes.error[ranked])
    if outcomes.classes:
        codes = np.where(outcomes.known, outcomes.actual, len(outcomes.classes)).astype(np.int64)
        return _grouped(order, chosen, codes, score, outcomes.classes)
    ranked = np.lexsort((-score, np.nan_to_num(outcomes.actual, nan=-np.inf), ~outcomes.known))
    return OrderedRows(order=order, positions=chosen[ranked], keys=outcomes.actual[ranked])


def _grouped(
    order: MapOrder, chosen: Integers, codes: Integers, second: Floats, names: Sequence[str], *, by: str = ""
) -> OrderedRows:
    """Rows by their codes, within a code the largest of a second number first."""
    ranked = np.lexsort((-second, codes))
    return OrderedRows(order=order, positions=chosen[ranked], groups=_groups(codes[ranked], names), by=by)


def _groups(codes: Integers, names: Sequence[str], *, made: bool = False) -> tuple[RowGroup, ...]:
    """Where each code of ascending ones begins; what comes after the first few is one group.

    A code beyond the names is that of rows without a value.
    """
    present, first = np.unique(codes, return_index=True)
    groups = [
        RowGroup(names[code], place, made=made) if code < len(names) else RowGroup(_MISSING, place, made=True)
        for code, place in zip(present.tolist(), first.tolist(), strict=True)
    ]
    if len(groups) > _MOST_GROUPS:
        groups = [*groups[: _MOST_GROUPS - 1], RowGroup(_OTHERS, groups[_MOST_GROUPS - 1].first, made=True)]
    return tuple(groups)
