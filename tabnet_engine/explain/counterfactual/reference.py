"""What is known of the training rows before any row is asked about: scale, yardstick, and the model's own answers.

Shapes: M training rows, R reference rows drawn from them, F raw features, K outputs. No torch: pages import this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.counterfactual.distance import DistanceScale
from tabnet_engine.explain.counterfactual.grid import Observed
from tabnet_engine.explain.counterfactual.plausibility import Plausibility
from tabnet_engine.explain.counterfactual.scoring import RowScorer
from tabnet_engine.explain.counterfactual.space import RowSpace

__all__ = ["MAX_REFERENCE_ROWS", "Reference"]

MAX_REFERENCE_ROWS = 2_000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reference:
    """The scale of all training rows, what each column (F) showed, and some rows (R, F) with their logits (R, K).

    Made once for many questions. ``drawn`` (R) are the positions of the reference rows among the M training rows;
    ``note`` says which rows stand behind plausibility.
    """

    scale: DistanceScale
    observed: tuple[Observed, ...]
    plausibility: Plausibility
    rows: Floats
    drawn: npt.NDArray[np.int64]
    logits: Floats
    note: str

    @property
    def space(self) -> RowSpace:
        """The columns and their categories."""
        return self.scale.space

    @classmethod
    def build(cls, scorer: RowScorer, training: pd.DataFrame, *, seed: int = 0, name: str = "training rows") -> Self:
        """Measure the training rows.

        Args:
            scorer: the model.
            training: their raw cells (M); of a run that was imported without them, rows that stand for them.
            seed: of the draw of at most :data:`MAX_REFERENCE_ROWS` rows that plausibility is measured against.
            name: what the rows are; another table's must not be called training rows.

        Raises:
            ExplanationError: there is no row.
            SchemaError: a column is absent, or a cell is not what its column's kind holds.
        """
        if len(training) == 0:
            raise ExplanationError(
                "there is no training row to measure changes by; give the table that the run was trained on"
            )
        space = RowSpace.of(scorer.encoder.schema).extended(training)
        matrix = space.matrix(training)
        scale = DistanceScale.fit(space, matrix)
        n_rows = len(training)
        drawn = np.arange(n_rows)
        note = f"all {n_rows:,} {name}"
        if n_rows > MAX_REFERENCE_ROWS:
            drawn = np.sort(np.random.default_rng(seed).permutation(n_rows)[:MAX_REFERENCE_ROWS])
            note = f"{len(drawn):,} of {n_rows:,} {name}, drawn at random"
        plausibility = Plausibility.build(scale, scale.positions(matrix[drawn]), seed=seed)
        observed = tuple(Observed.of(column, matrix[:, place]) for place, column in enumerate(space.columns))
        return cls(scale, observed, plausibility, matrix[drawn], drawn, scorer.logits(training.iloc[drawn]), note)
