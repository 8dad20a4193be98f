"""How far a reconstruction is off, column by column, in units of each column's own spread.

Shapes: B rows, F raw features, R reconstructed values of a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.autoencoder.models import Autoencoder, Cells, Floats

__all__ = ["ColumnScale"]

# Below this share of its mean square, a column's variance is rounding.
_ROUNDING = 1e-10


@dataclass(frozen=True)
class ColumnScale:
    """What a squared error of each column is divided by: its variance (F,), 0 where nothing can be measured.

    A column of several values (a category, the parts of a date) counts as one vector; its variance is the sum over
    its values; ``owner`` (R,) says whose each value is. An error of 1 is then that of predicting the column's mean,
    whatever its unit.
    """

    variance: Floats
    owner: npt.NDArray[np.int64]

    @classmethod
    def of(cls, model: Autoencoder, table: EncodedTable) -> Self:
        """The variances among some rows, only their observed cells counting.

        Raises:
            ExplanationError: there are fewer than two rows, or no column varies among them.
        """
        if len(table) < 2:
            raise ExplanationError(f"an autoencoder is explained on two rows or more, got {len(table)}")
        cells, owner = model.cells(table), model.owner
        weight = cells.observed[:, owner]
        count = np.maximum(weight.sum(axis=0), 1)
        mean = (cells.values * weight).sum(axis=0) / count
        square = (np.square(cells.values) * weight).sum(axis=0) / count
        spread = (np.square(cells.values - mean) * weight).sum(axis=0) / count
        spread[spread <= _ROUNDING * square] = 0.0
        variance: Floats = np.bincount(owner, weights=spread, minlength=model.layout.n_features).astype(float)
        if not variance.any():
            raise ExplanationError("every column holds one value only among these rows; give rows that differ")
        return cls(variance, owner)

    @property
    def measured(self) -> tuple[int, ...]:
        """The features that vary."""
        return tuple(np.flatnonzero(self.variance > 0).tolist())

    def errors(self, cells: Cells, values: Floats) -> Floats:
        """Squared error of each cell (B, F) divided by its column's variance.

        NaN where the cell was not observed or the column does not vary.

        Args:
            cells: the truth, of as many rows or of one that all are compared with.
            values: the reconstruction (B, R).
        """
        summed = np.zeros((len(values), len(self.variance)))
        np.add.at(summed.T, self.owner, np.square(values - cells.values).T)
        present = np.broadcast_to(cells.observed & (self.variance > 0), summed.shape)
        errors: Floats = np.divide(summed, self.variance, out=np.full(summed.shape, np.nan), where=present)
        return errors
