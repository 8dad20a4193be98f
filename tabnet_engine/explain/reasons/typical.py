"""What is typical of the reference, column by column: the values that reasons are compared with. No torch.

Shapes: M rows, F raw features.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.values import category_text
from tabnet_engine.explain.counterfactual.space import PlainValue, RowSpace
from tabnet_engine.explain.reasons.records import Direction
from tabnet_engine.explain.wording import percent
from tabnet_engine.texts.speaking import say

__all__ = ["State", "TypicalCell", "TypicalCells", "changed_to", "direction_of"]

Floats = npt.NDArray[np.float64]
State = Literal["known", "missing", "unseen"]

_QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True, kw_only=True)
class TypicalCell:
    """The typical cell of one column: the median of a number or date, the most frequent category.

    Missing is typical where more than half of the cells are missing. A median is always the value of some row.

    ``value`` is what the raw cell would hold, None for a missing one; ``number`` the same as a search reads it, NaN
    for a missing one. ``text`` is the value for a reader, ``detail`` how typical it is. ``is_of_others``: the row
    itself holds the typical value, and this is the typical one of the rows that do not.
    """

    column: str
    value: PlainValue
    number: float
    text: str
    detail: str
    is_category: bool
    is_of_others: bool = False


def _typical(space: RowSpace, place: int, values: Floats) -> TypicalCell:
    name, is_category = space.columns[place].name, bool(space.is_category[place])
    present = values[~np.isnan(values)]
    if 2 * len(present) < len(values):
        detail = say("{share} of them", share=percent(1 - len(present) / len(values)))
        return TypicalCell(
            column=name, value=None, number=np.nan, text=say("missing"), detail=detail, is_category=is_category
        )
    if is_category:
        counts = np.bincount(present.astype(np.int64))
        number = float(counts.argmax())
        detail = say("{share} of them", share=percent(float(counts.max()) / len(values)))
    else:
        low, number, high = np.quantile(present, _QUARTERS, method="inverted_cdf").tolist()
        ends = [category_text(space.plain(place, end)) for end in (low, high)]
        if low == high:
            detail = say("at least half of them")
        else:
            detail = say("half of them from {low} to {high}", low=ends[0], high=ends[1])
    value = space.plain(place, number)
    return TypicalCell(
        column=name, value=value, number=number, text=category_text(value), detail=detail, is_category=is_category
    )


@dataclass(frozen=True, eq=False)
class TypicalCells:
    """The typical cells (F) of some rows, for comparing a row's own cells (F) with them.

    ``matrix`` (M, F) are the rows as numbers of ``space``, which knows the categories of the compared row as well.
    """

    space: RowSpace
    matrix: Floats

    @classmethod
    def of(cls, space: RowSpace, reference: pd.DataFrame, cells: pd.DataFrame) -> tuple[TypicalCells, Floats]:
        """The typical cells of raw reference rows (M), and the cells of a raw line as numbers (F).

        Raises:
            SchemaError: a column is absent, or a cell is not what its column's kind holds.
        """
        known = space.extended(reference).extended(cells)
        return cls(known, known.matrix(reference)), known.matrix(cells)[0]

    def compared_with(self, own: Floats) -> tuple[TypicalCell, ...]:
        """The typical cell of each column; of the rows that hold something else where a row holds the typical value.

        Otherwise a column that many reference rows differ in would be compared with the row's own value, and moving it
        there would change nothing.
        """
        return tuple(self._compared(place, value) for place, value in enumerate(own.tolist()))

    def _compared(self, place: int, own: float) -> TypicalCell:
        values = self.matrix[:, place]
        cell = _typical(self.space, place, values)
        is_same = (cell.number == own) or (np.isnan(cell.number) and np.isnan(own))
        others = values[~((values == own) | (np.isnan(values) & np.isnan(own)))]
        if not is_same or not len(others):
            return cell
        other = _typical(self.space, place, others)
        words = say(
            "among the {share} that hold another value than this row: {detail}",
            share=percent(len(others) / len(values)),
            detail=other.detail,
        )
        return dataclasses.replace(other, detail=words, is_of_others=True)


def direction_of(state: State, actual: float, typical: TypicalCell) -> Direction:
    """How a cell stands to the typical one; ``actual`` is its number as :class:`RowSpace` reads it, NaN if missing."""
    if state != "known":
        return state
    if typical.is_of_others:  # to say "lower than is usual" of the usual value would not be true
        return "same"
    if np.isnan(typical.number) or typical.is_category:
        return "same" if actual == typical.number else "other"
    if actual == typical.number:
        return "same"
    return "above" if actual > typical.number else "below"


def changed_to(typical: Sequence[TypicalCell], columns: Sequence[str]) -> dict[str, PlainValue]:
    """The typical values of some columns, by name."""
    wanted = set(columns)
    return {cell.column: cell.value for cell in typical if cell.column in wanted}
