"""Rows divided into named parts: by class, by prediction, by slice, by a column of people. No torch.

Shapes: B rows, G parts.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.row_outcomes import RowOutcomes
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = [
    "NamePiece",
    "RowParts",
    "intersection",
    "name_shown",
    "parts_by_actual",
    "parts_by_predicted",
    "parts_by_slice",
    "range_names",
]

_OUTCOME_RANGES = 4

Integers = npt.NDArray[np.int64]


class NamePiece(NamedTuple):
    """What a part is called in one column; ``is_made`` where this program named it ("missing") and no cell holds it."""

    column: str
    text: str
    is_made: bool


def name_shown(pieces: Sequence[NamePiece]) -> str:
    """The name of a part in the reader's language; what the table itself holds stays as it is.

    >>> name_shown([NamePiece("sex", "missing", False)])
    'missing'
    >>> name_shown([NamePiece("sex", "f", False), NamePiece("age", "under 30", True)])
    'sex = f, age = under 30'
    """
    texts = [recalled(piece.text) if piece.is_made else piece.text for piece in pieces]
    if len(texts) == 1:
        return texts[0]
    return ", ".join(f"{piece.column} = {text}" for piece, text in zip(pieces, texts, strict=True))


@dataclass(frozen=True, kw_only=True, eq=False)
class RowParts:
    """Which part each row is in.

    ``title`` says what divides the rows ("sex"), ``names`` (G) are the parts, ``codes`` (B) number each row's part,
    -1 for a row in none. ``how`` says how the parts were made, ``columns`` which columns of the table divide them.
    ``pieces`` holds those names that are not simply a value of the table.
    """

    title: str
    names: tuple[str, ...]
    codes: Integers
    how: str = ""
    columns: tuple[str, ...] = ()
    pieces: Mapping[str, tuple[NamePiece, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.codes.ndim != 1:
            raise ValueError(f"codes must be one number for each row, got the shape {self.codes.shape}")
        if len(self.codes) and not -1 <= self.codes.min() <= self.codes.max() < len(self.names):
            raise ValueError(f"codes must lie from -1 to {len(self.names) - 1}")
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"every part must have a name of its own, got {', '.join(self.names)}")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def sizes(self) -> Integers:
        """Rows of each part (G)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.names)).astype(np.int64)

    def members(self, part: int) -> Integers:
        """Positions of the rows of one part, ascending."""
        return np.flatnonzero(self.codes == part).astype(np.int64)

    def take(self, positions: npt.ArrayLike) -> RowParts:
        """The same parts for some of the rows, by position; a part may be left without a row."""
        return dataclasses.replace(self, codes=self.codes[np.asarray(positions)])

    def pieces_of(self, name: str) -> tuple[NamePiece, ...]:
        """What the name of a part is made of."""
        return self.pieces.get(name, (NamePiece(self.title, name, is_made=False),))

    def occurring(self) -> RowParts:
        """Without the parts that have no row."""
        kept = np.flatnonzero(self.sizes)
        new = np.full(len(self.names) + 1, -1, dtype=np.int64)
        new[kept] = np.arange(len(kept))
        names = tuple(self.names[part] for part in kept)
        pieces = {name: self.pieces[name] for name in names if name in self.pieces}
        return dataclasses.replace(self, names=names, codes=new[self.codes], pieces=pieces)


def intersection(first: RowParts, second: RowParts) -> RowParts:
    """The parts of two divisions at once, those that occur: "sex = female, age = under 30".

    Raises:
        ValueError: the two are not of equally many rows.
    """
    if len(first.codes) != len(second.codes):
        raise ValueError(f"parts of {len(first.codes)} rows cannot be crossed with those of {len(second.codes)}")
    both = (first.codes >= 0) & (second.codes >= 0)
    crossed = np.where(both, first.codes * len(second.names) + second.codes, -1)
    pairs = list(itertools.product(first.names, second.names))
    names = tuple(f"{first.title} = {a}, {second.title} = {b}" for a, b in pairs)
    pieces = {name: first.pieces_of(a) + second.pieces_of(b) for name, (a, b) in zip(names, pairs, strict=True)}
    how = "; ".join(dict.fromkeys(filter(None, (first.how, second.how))))
    title = say("{first} and {second}", first=first.title, second=second.title)
    columns = (*first.columns, *second.columns)
    return RowParts(title=title, names=names, codes=crossed, how=how, columns=columns, pieces=pieces).occurring()


def parts_by_actual(outcomes: RowOutcomes) -> RowParts:
    """Rows by the class that really came; a quantity in ranges that hold equally many rows."""
    return _by_value(outcomes, outcomes.actual, say("actual outcome"))


def parts_by_predicted(outcomes: RowOutcomes) -> RowParts:
    """Rows by the predicted class; a quantity in ranges that hold equally many rows."""
    return _by_value(outcomes, outcomes.predicted, say("prediction"))


def parts_by_slice(slices: Mapping[str, Sequence[int] | Integers], n_rows: int) -> RowParts:
    """Rows by slices that do not overlap, each given by its row positions.

    Raises:
        ExplanationError: a slice without a row, or a row in two slices.
    """
    codes = np.full(n_rows, -1, dtype=np.int64)
    for number, (name, positions) in enumerate(slices.items()):
        chosen = np.asarray(positions, dtype=np.int64)
        if len(chosen) == 0:
            raise ExplanationError(f"the slice {name!r} matches no row; loosen its condition")
        taken = chosen[codes[chosen] >= 0]
        if len(taken):
            other = tuple(slices)[int(codes[taken[0]])]
            raise ExplanationError(
                f"row {int(taken[0])} is in two slices, {other!r} and {name!r}; make their conditions exclude each "
                "other"
            )
        codes[chosen] = number
    return RowParts(title=say("slice"), names=tuple(slices), codes=codes)


def _by_value(outcomes: RowOutcomes, values: npt.NDArray[np.float64], title: str) -> RowParts:
    if outcomes.task is not Task.REGRESSION:
        return RowParts(title=title, names=outcomes.classes, codes=values.astype(np.int64))
    known = np.isfinite(values)
    inner = np.linspace(0, 1, _OUTCOME_RANGES + 1)[1:-1]
    edges = np.unique(np.quantile(values[known], inner)) if known.any() else np.zeros(0)
    codes = np.where(known, np.searchsorted(edges, values, side="right"), -1)
    how = say("ranges with about equally many rows")
    if not known.all():
        how = say_plural(
            "ranges with about equally many rows; {count} row without a value is in none",
            "ranges with about equally many rows; {count:,} rows without a value are in none",
            int((~known).sum()),
        )
    return RowParts(title=title, names=range_names([_edge(edge) for edge in edges]), codes=codes, how=how)


def _edge(value: float) -> str:
    """A border with six digits, a large one with all its digits before the point: 1234567, never 1.23e+06."""
    return f"{value:.0f}" if abs(value) >= 100_000 else f"{value:g}"


# How the lowest range is called, one between two edges, and the highest one.
_RANGE_NAMES = {
    "number": (msg("under {edge}"), msg("{low} to under {high}"), msg("{edge} or more")),
    "day": (msg("before {edge}"), msg("{low} to before {high}"), msg("{edge} or later")),
}


def range_names(edges: Sequence[str], *, kind: Literal["number", "day"] = "number") -> tuple[str, ...]:
    """What the ranges between ascending edges are called.

    Args:
        edges: where one range ends and the next begins, as they are shown.
        kind: what the edges are.

    >>> range_names(["30", "50"])
    ('under 30', '30 to under 50', '50 or more')
    """
    if not edges:
        return (say("any value"),)
    lowest, between, highest = _RANGE_NAMES[kind]
    inner = (say(between, low=low, high=high) for low, high in itertools.pairwise(edges))
    return (say(lowest, edge=edges[0]), *inner, say(highest, edge=edges[-1]))
