"""How well a pretrained network fills in hidden cells, column by column; read without torch.

Shape letters: B rows, F raw features.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

__all__ = [
    "CONSTANT",
    "CellSums",
    "ColumnReconstruction",
    "Floats",
    "Reconstruction",
    "column_reconstructions",
    "mean_error",
    "skipped_column",
]

Floats = npt.NDArray[np.float64]

# Why a column has no error: it holds one value only.
CONSTANT = "constant"


@dataclass(frozen=True, kw_only=True)
class ColumnReconstruction:
    """One column: the squared error on its hidden cells, relative to predicting the column's mean.

    0 is exact and 1 is no better than the mean of the training rows (for a category: than the categories'
    shares). ``n_masked`` counts the hidden cells behind it. ``error`` is None where there is nothing to
    measure, and ``skipped`` then says why in a few words.
    """

    name: str
    error: float | None
    standard_error: float | None
    n_masked: int
    skipped: str = ""


@dataclass(frozen=True, kw_only=True)
class Reconstruction:
    """All columns in table order, on rows that the pretraining did not learn from.

    ``overall`` is the mean of the columns' errors; ``mask_rate``, ``n_rows`` and ``seed`` say which cells
    were hidden: each with that chance, in so many rows, drawn from that seed.
    """

    columns: tuple[ColumnReconstruction, ...]
    overall: float | None
    mask_rate: float
    n_rows: int
    seed: int

    @property
    def measured(self) -> tuple[ColumnReconstruction, ...]:
        """The columns that have an error."""
        return tuple(column for column in self.columns if column.error is not None)

    @property
    def skipped(self) -> tuple[ColumnReconstruction, ...]:
        """The columns that have none."""
        return tuple(column for column in self.columns if column.error is None)

    def to_mapping(self) -> dict[str, Any]:
        """The measurement as plain JSON values."""
        return dataclasses.asdict(self) | {"columns": [dataclasses.asdict(column) for column in self.columns]}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote.

        Raises:
            ValueError: a part is missing or is not what a measurement holds.
        """
        try:
            return cls(
                columns=tuple(_column(item) for item in values["columns"]),
                overall=_number_or_none(values["overall"]),
                mask_rate=float(values["mask_rate"]),
                n_rows=int(values["n_rows"]),
                seed=int(values["seed"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the reconstruction cannot be read: {error}") from error


def _column(item: Mapping[str, Any]) -> ColumnReconstruction:
    return ColumnReconstruction(
        name=str(item["name"]),
        error=_number_or_none(item["error"]),
        standard_error=_number_or_none(item["standard_error"]),
        n_masked=int(item["n_masked"]),
        skipped=str(item["skipped"]),
    )


def _number_or_none(value: Any) -> float | None:
    number = None if value is None else float(value)
    if number is not None and not math.isfinite(number):
        raise ValueError(f"an error must be finite, got {number}")
    return number


@dataclass(frozen=True)
class CellSums:
    """Sums over the hidden cells of each feature, (F,) all, from which every figure follows.

    ``n`` counts cells; ``error`` sums their squared errors e and ``spread`` their squared distances m from the
    training mean; the others sum e^2, m^2 and e m.
    """

    n: Floats
    error: Floats
    spread: Floats
    error_square: Floats
    spread_square: Floats
    product: Floats

    @classmethod
    def of(cls, hidden: Floats, errors: Floats, spreads: Floats) -> Self:
        """Sum over rows.

        Args:
            hidden: (B, F) of 0 and 1; what is 0 does not count.
            errors: (B, F), e.
            spreads: (B, F), m.
        """
        e, m = hidden * errors, hidden * spreads
        return cls(*(part.sum(axis=0) for part in (hidden, e, m, e * e, m * m, e * m)))

    def __add__(self, other: CellSums) -> CellSums:
        """The sums over the rows of both."""
        return CellSums(*(mine + theirs for mine, theirs in zip(_parts(self), _parts(other), strict=True)))

    def ratio(self, least_spread: Floats) -> Floats:
        """The error relative to predicting the mean (F,); NaN where there is nothing to measure.

        Args:
            least_spread: (F,) the least mean squared distance that is divided by; 0 for a constant feature.
        """
        spread = np.maximum(self.spread, least_spread * self.n)
        measured = (self.n > 0) & (least_spread > 0)
        ratio: Floats = np.divide(self.error, spread, out=np.full(len(self.n), np.nan), where=measured)
        return ratio

    def standard_error(self, least_spread: Floats) -> Floats:
        """The standard error of :meth:`ratio`, that of a ratio of two means (F,); NaN for fewer than two cells."""
        ratio = self.ratio(least_spread)
        squares = self.error_square - 2 * ratio * self.product + np.square(ratio) * self.spread_square
        scale = np.maximum(self.spread, least_spread * self.n)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.n > 1, np.sqrt(np.maximum(squares, 0) * self.n / (self.n - 1)) / scale, np.nan)


def _parts(sums: CellSums) -> tuple[Floats, ...]:
    return (sums.n, sums.error, sums.spread, sums.error_square, sums.spread_square, sums.product)


def mean_error(ratios: Floats) -> float | None:
    """The mean over the columns that have an error (F,); None where none has."""
    present = ratios[~np.isnan(ratios)]
    return float(present.mean()) if present.size else None


def column_reconstructions(
    names: tuple[str, ...], sums: CellSums, least_spread: Floats
) -> tuple[ColumnReconstruction, ...]:
    """One measurement for each feature."""
    ratios, errors = sums.ratio(least_spread), sums.standard_error(least_spread)
    return tuple(
        ColumnReconstruction(
            name=name,
            error=None if np.isnan(ratio) else float(ratio),
            standard_error=None if np.isnan(error) else float(error),
            n_masked=int(n),
            skipped="" if not np.isnan(ratio) else CONSTANT if least <= 0 else "no cell was hidden",
        )
        for name, ratio, error, n, least in zip(names, ratios, errors, sums.n, least_spread, strict=True)
    )


def skipped_column(name: str) -> ColumnReconstruction:
    """A column that took no part since it holds one value only."""
    return ColumnReconstruction(name=name, error=None, standard_error=None, n_masked=0, skipped=CONSTANT)
