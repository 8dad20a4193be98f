"""Importance by class and by slice, beside that of all rows, and where a slice differs from the rest.

Shapes: B rows, F columns (players, where columns were grouped), G parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.effects.band import Band
from tabnet_engine.explain.estimates import student_point
from tabnet_engine.explain.importance import (
    GlobalImportance,
    from_attribution,
    from_masks,
    row_importances,
)
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.row_parts import RowParts
from tabnet_engine.explain.wording import amount, class_name, column_name, joined, percent, signed
from tabnet_engine.texts.speaking import msg, say, say_plural

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "SlicedImportance",
    "importance_by_parts",
    "importance_by_slice",
    "importance_of_parts",
]

Floats = npt.NDArray[np.float64]
Slices = Mapping[str, npt.NDArray[np.int64]]

_NAMED = 3  # columns that a sentence names
# By whether columns count more, and whether columns count less.
_DIFFERS = {
    (False, False): msg("{name} ({rows}): no column is told apart from its importance in the other rows."),
    (True, False): msg("{name} ({rows}): more important than in the other rows: {more}."),
    (False, True): msg("{name} ({rows}): less important than in the other rows: {less}."),
    (True, True): msg("{name} ({rows}): more important than in the other rows: {more}; less important: {less}."),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class SlicedImportance:
    """The importance of all rows and of each slice, by the slice's name.

    ``differences`` hold, for each slice, its importance less that of all other rows (F) with 95 % intervals
    (Welch's); NaN intervals where either side has fewer than two rows.
    """

    whole: GlobalImportance
    parts: Mapping[str, GlobalImportance]
    differences: Mapping[str, Band]

    def __post_init__(self) -> None:
        if set(self.parts) != set(self.differences):
            raise ValueError("each slice must have an importance and a difference")
        if any(part.features != self.whole.features for part in self.parts.values()):
            raise ValueError("every slice must have the columns of the whole")

    def standing_out(self, name: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Columns that matter more, and columns that matter less, in a slice than in the other rows.

        Only those whose interval excludes zero, the clearest first. With many columns about one in twenty does so
        by chance.
        """
        band = self.differences[name]
        with np.errstate(invalid="ignore"):
            more, less = np.flatnonzero(band.low > 0), np.flatnonzero(band.high < 0)
        return more[np.argsort(-band.values[more])], less[np.argsort(band.values[less])]

    def sentence(self, name: str) -> str:
        """How a slice differs, in words."""
        part, features = self.parts[name], [column_name(feature) for feature in self.whole.features]
        more, less = (
            say("{names} and others", names=", ".join(features[place] for place in places[:_NAMED]))
            if len(places) > _NAMED
            else joined([features[place] for place in places])
            for places in self.standing_out(name)
        )
        rows = say_plural("{count} row", "{count:,} rows", part.n_rows)
        return say(_DIFFERS[bool(more), bool(less)], name=class_name(name), rows=rows, more=more, less=less)

    def column_table(self, feature: str) -> pd.DataFrame:
        """One column in every part, with intervals, as a reader reads it."""
        import pandas as pd

        place = self.whole.features.index(feature)
        show = percent if self.whole.method == "masks" else _plain
        found = {say("all rows"): self.whole, **self.parts}
        return pd.DataFrame(
            {
                say("part"): list(found),
                say("rows"): [part.n_rows for part in found.values()],
                say("importance (95 % interval)"): [_with_interval(part, place, show) for part in found.values()],
                say("less that of the other rows"): [
                    _difference_text(self.differences.get(name), place) for name in found
                ],
            }
        )

    @property
    def table(self) -> pd.DataFrame:
        """One line for each slice and column: the importance and the difference to the other rows, with intervals."""
        import pandas as pd

        lines = [_lines(name, part, self.differences[name]) for name, part in self.parts.items()]
        return pd.concat([_lines(say("all rows"), self.whole, None), *lines], ignore_index=True)

    def to_mapping(self) -> dict[str, Any]:
        """The importances as plain JSON values."""
        return {
            "whole": self.whole.to_mapping(),
            "parts": {name: part.to_mapping() for name, part in self.parts.items()},
            "differences": {name: band.to_mapping() for name, band in self.differences.items()},
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            whole=GlobalImportance.from_mapping(values["whole"]),
            parts={name: GlobalImportance.from_mapping(part) for name, part in values["parts"].items()},
            differences={name: Band.from_mapping(band) for name, band in values["differences"].items()},
        )


def importance_by_slice(
    source: MaskExplanation | Attribution, slices: Slices, targets: TargetCodecs | None = None
) -> SlicedImportance:
    """The importance of all explained rows, and of the rows of each slice by themselves.

    Args:
        source: masks, or signed values of all outputs or of one (:func:`~tabnet_engine.explain.by_output.one_output`).
        slices: positions among the explained rows (B) by the slice's name: classes, or what a filter chose.
        targets: which output belongs to which target, where signed values have several.

    Raises:
        ExplanationError: a slice that holds none of the explained rows.
    """
    per_row, whole = _rows_and_whole(source, targets)
    parts, differences = {}, {}
    for name, places in slices.items():
        inside = np.zeros(len(per_row), dtype=np.int64)
        inside[np.asarray(places, dtype=np.int64)] = 1
        found = _Moments.of(per_row, np.where(_counted(source), inside, -1), 2)
        if not found.counts[1]:
            raise ExplanationError(f"the slice {name!r} holds none of the {len(per_row):,} explained rows; widen it")
        parts[name], differences[name] = found.part(1, name, whole), found.difference(1)
    return SlicedImportance(whole=whole, parts=parts, differences=differences)


def importance_by_parts(
    source: MaskExplanation | Attribution, parts: RowParts, targets: TargetCodecs | None = None
) -> SlicedImportance:
    """The same for rows divided into parts; all parts in one pass. Parts without an explained row are left out.

    Args:
        source: masks, or signed values of all outputs or of one.
        parts: the part of each explained row (B); a row in no part counts among the other rows of each.
        targets: which output belongs to which target, where signed values have several.

    Raises:
        ValueError: the parts are not of the explained rows.
        ExplanationError: no explained row is in any part.
    """
    per_row, whole = _rows_and_whole(source, targets)
    if len(parts.codes) != len(per_row):
        raise ValueError(f"parts of {len(parts.codes)} rows cannot divide {len(per_row)} explained rows")
    # Rows in no part stand last, so that they count among the others.
    codes = np.where(parts.codes < 0, len(parts), parts.codes)
    found = _Moments.of(per_row, np.where(_counted(source), codes, -1), len(parts) + 1)
    present = [place for place in range(len(parts)) if found.counts[place]]
    if not present:
        raise ExplanationError(f"none of the {len(per_row):,} explained rows is in any part; choose another division")
    return SlicedImportance(
        whole=whole,
        parts={parts.names[place]: found.part(place, parts.names[place], whole) for place in present},
        differences={parts.names[place]: found.difference(place) for place in present},
    )


def importance_of_parts(whole: GlobalImportance, parts: Mapping[str, GlobalImportance]) -> SlicedImportance:
    """Importances that were measured part by part; how the parts differ was not, so every difference is NaN."""
    nothing = np.full(len(whole.features), np.nan)
    return SlicedImportance(
        whole=whole, parts=parts, differences={name: Band.around(nothing, nothing) for name in parts}
    )


def _rows_and_whole(
    source: MaskExplanation | Attribution, targets: TargetCodecs | None
) -> tuple[npt.NDArray[np.floating], GlobalImportance]:
    if isinstance(source, MaskExplanation):
        return source.aggregate, from_masks(source)
    return row_importances(source, targets), from_attribution(source, targets)


def _counted(source: MaskExplanation | Attribution) -> npt.NDArray[np.bool_]:
    """Rows (B) that an importance counts: those in which a step was active."""
    return ~source.silent if isinstance(source, MaskExplanation) else np.ones(source.n_rows, dtype=np.bool_)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Moments:
    """Rows (G), sums (G, F) and sums of squares (G, F) of each part, the values taken from their common ``centre``."""

    counts: npt.NDArray[np.int64]
    centre: Floats
    sums: Floats
    squares: Floats

    @classmethod
    def of(cls, per_row: npt.NDArray[np.floating], codes: npt.NDArray[np.int64], n_parts: int) -> Self:
        """Of values (B, F) and the part of each row (B; -1: not counted). Column by column, to hold no second table."""
        shifted = codes + 1
        counts = np.bincount(shifted, minlength=n_parts + 1)
        shape = (n_parts, per_row.shape[1])
        centre, sums, squares = np.zeros(shape[1]), np.zeros(shape), np.zeros(shape)
        for place in range(shape[1]):
            values = per_row[:, place].astype(np.float64)
            centre[place] = values.mean() if len(values) else 0.0
            values -= centre[place]
            sums[:, place] = np.bincount(shifted, values, n_parts + 1)[1:]
            squares[:, place] = np.bincount(shifted, np.square(values), n_parts + 1)[1:]
        return cls(counts=counts[1:], centre=centre, sums=sums, squares=squares)

    def part(self, place: int, name: str, whole: GlobalImportance) -> GlobalImportance:
        """The importance of one part; ``name`` is its name."""
        n_rows = int(self.counts[place])
        mean, variance = _mean_and_variance(n_rows, self.sums[place], self.squares[place])
        here = say("Here only the {n_rows:,} rows of '{name}'.", n_rows=n_rows, name=name)
        return GlobalImportance(
            method=whole.method,
            features=whole.features,
            values=np.maximum(self.centre + mean, 0.0),  # rounding may miss zero
            standard_error=np.sqrt(variance / n_rows) if n_rows > 1 else None,
            n_rows=n_rows,
            note=f"{whole.note} {here}",
        )

    def difference(self, place: int) -> Band:
        """The mean of one part less that of all other counted rows, column by column, with Welch's interval."""
        n_inside, n_outside = int(self.counts[place]), int(self.counts.sum() - self.counts[place])
        nothing = np.full(self.sums.shape[1], np.nan)
        if not n_outside:
            return Band.around(nothing, nothing)
        outside = (self.sums.sum(axis=0) - self.sums[place], self.squares.sum(axis=0) - self.squares[place])
        first_mean, first = _mean_and_variance(n_inside, self.sums[place], self.squares[place])
        second_mean, second = _mean_and_variance(n_outside, *outside)
        mean = first_mean - second_mean
        if min(n_inside, n_outside) < 2:
            return Band.around(mean, nothing)
        first, second = first / n_inside, second / n_outside
        error, freedom = first + second, np.full(len(mean), np.inf)
        spread = np.square(first) / (n_inside - 1) + np.square(second) / (n_outside - 1)
        np.divide(np.square(error), spread, out=freedom, where=spread > 0)
        return Band.around(mean, np.asarray(student_point(freedom) * np.sqrt(error)))


def _mean_and_variance(n_rows: int, sums: Floats, squares: Floats) -> tuple[Floats, Floats]:
    """Of one part's rows; the variance is zero with a single row."""
    mean = sums / n_rows
    return mean, np.maximum(squares - n_rows * np.square(mean), 0.0) / max(1, n_rows - 1)


def _plain(value: float) -> str:
    return signed(value) if value < 0 else amount(value)


def _with_interval(part: GlobalImportance, place: int, show: Callable[[float], str]) -> str:
    value = show(float(part.values[place]))
    if part.interval is None:
        return value
    low, high = (show(float(edge[place])) for edge in part.interval)
    return say("{value} ({low} to {high})", value=value, low=low, high=high)


def _difference_text(band: Band | None, place: int) -> str:
    if band is None or not np.isfinite(band.values[place]):
        return "–"
    value, low, high = (float(array[place]) for array in (band.values, band.low, band.high))
    if not np.isfinite(low):
        return signed(value)
    return say("{value} ({low} to {high})", value=signed(value), low=signed(low), high=signed(high))


def _lines(name: str, part: GlobalImportance, difference: Band | None) -> pd.DataFrame:
    import pandas as pd

    unknown = np.full(len(part.features), np.nan)
    low, high = part.interval or (unknown, unknown)
    return pd.DataFrame(
        {
            say("part"): name,
            say("rows"): part.n_rows,
            say("column"): part.features,
            say("importance"): part.values,
            say("from"): low,
            say("to"): high,
            say("difference to the other rows"): unknown if difference is None else difference.values,
            say("difference from"): unknown if difference is None else difference.low,
            say("difference to"): unknown if difference is None else difference.high,
        }
    )
