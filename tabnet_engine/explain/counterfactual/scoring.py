"""Raw cells in, logits out: through the encoder that training used, and no other way.

Shapes: B rows, K outputs, F raw features. torch is imported only where a network really runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.encoding import EncodedTable, TableEncoder
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.explain.subject import LogitModel, Subject

if TYPE_CHECKING:
    from tabnet_engine.runs.artefact import Run

__all__ = ["RowScorer"]


@dataclass(frozen=True)
class RowScorer:
    """A model together with what turns raw cells into its inputs, and what its outputs mean."""

    model: LogitModel
    encoder: TableEncoder
    targets: TargetCodecs

    @classmethod
    def of_run(cls, run: Run) -> Self:
        """The network of a stored run; its weights are loaded here.

        Raises:
            ExplanationError: the run is a pretraining, which predicts nothing.
            DamagedRunError: a part of the run is damaged.
        """
        return cls(Subject.of_run(run), run.encoder, run.targets)

    def logits(self, cells: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Logits (B, K) of raw rows.

        Raises:
            SchemaError: a column is absent, or a cell is not what its column's kind holds.
        """
        return self.model.logits(self.encoder.transform(cells))

    def logits_of_changed(self, cells: pd.DataFrame, row: EncodedTable) -> npt.NDArray[np.float64]:
        """Logits (B, K) of copies of one encoded row in which the columns of ``cells`` (B lines) are others.

        Raises:
            SchemaError: a cell is not what its column's kind holds.
        """
        return self.model.logits(self.encoder.transform_changed(cells, row))
