"""What is known of the training rows before any row is asked about: scale, yardstick, and the model's own answers.

Shapes: M training rows, R reference rows drawn from them, F raw features, K outputs. No torch: pages import this.
"""

from __future__ import annotations

import dataclasses
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
from tabnet_engine.texts.speaking import msg, say

__all__ = ["MAX_REFERENCE_ROWS", "MAX_SCALE_ROWS", "TRAINING_ROWS", "Reference"]

MAX_REFERENCE_ROWS = 2_000
MAX_SCALE_ROWS = 50_000  # of a large table: distances are shares of rows, which so many tell to a hundredth
TRAINING_ROWS = msg("training rows")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reference:
    """The scale of the training rows, what each column (F) showed, and some rows (R, F) with their logits (R, K).

    Made once for many questions. ``drawn`` (R) are the positions of the reference rows among the M training rows;
    ``note`` says which rows stand behind plausibility, ``scale_note`` which stand behind distances, where these are
    not all.
    """

    scale: DistanceScale
    observed: tuple[Observed, ...]
    plausibility: Plausibility
    rows: Floats
    drawn: npt.NDArray[np.int64]
    logits: Floats
    note: str
    scale_note: str = ""

    @property
    def space(self) -> RowSpace:
        """The columns and their categories."""
        return self.scale.space

    @classmethod
    def build(
        cls,
        scorer: RowScorer,
        training: pd.DataFrame,
        *,
        seed: int = 0,
        name: str = TRAINING_ROWS,
        n_population: int | None = None,
    ) -> Self:
        """Measure the training rows.

        Args:
            scorer: the model.
            training: their raw cells (M); of a run that was imported without them, rows that stand for them.
            seed: of the draw of at most :data:`MAX_REFERENCE_ROWS` rows that plausibility is measured against.
            name: what the rows are; another table's must not be called training rows.
            n_population: how many rows those given were themselves drawn from; all, when absent.

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
        n_rows, n_all = len(training), n_population or len(training)
        drawn = np.arange(n_rows)
        if n_rows > MAX_REFERENCE_ROWS:
            drawn = np.sort(np.random.default_rng(seed).permutation(n_rows)[:MAX_REFERENCE_ROWS])
        if len(drawn) == n_all:
            note = say("all {n_rows:,} {name}", n_rows=n_all, name=say(name))
        else:
            note = say(
                "{n_drawn:,} of {n_rows:,} {name}, drawn at random", n_drawn=len(drawn), n_rows=n_all, name=say(name)
            )
        plausibility = Plausibility.build(scale, scale.positions(matrix[drawn]), seed=seed)
        observed = tuple(Observed.of(column, matrix[:, place]) for place, column in enumerate(space.columns))
        return cls(scale, observed, plausibility, matrix[drawn], drawn, scorer.logits(training.iloc[drawn]), note)

    @classmethod
    def of_training_rows(
        cls, scorer: RowScorer, frame: pd.DataFrame, rows: npt.NDArray[np.int64], *, seed: int = 0
    ) -> Self:
        """Measure the training rows of a table, at most :data:`MAX_SCALE_ROWS` of them drawn at random.

        Args:
            scorer: the model.
            frame: the raw table that the run was trained on.
            rows: the training rows' numbers in it.
            seed: of the draws.

        Raises:
            ExplanationError: there is no row.
            SchemaError: a column is absent, or a cell is not what its column's kind holds.
        """
        n_all = len(rows)
        if n_all <= MAX_SCALE_ROWS:
            return cls.build(scorer, frame.iloc[rows], seed=seed)
        chosen = np.sort(np.random.default_rng(seed).permutation(rows)[:MAX_SCALE_ROWS])
        note = say(
            "Distances and ranges are measured on {n_drawn:,} of the {n_rows:,} training rows, drawn at random.",
            n_drawn=MAX_SCALE_ROWS,
            n_rows=n_all,
        )
        found = cls.build(scorer, frame.iloc[chosen], seed=seed, n_population=n_all)
        return dataclasses.replace(found, scale_note=note)
