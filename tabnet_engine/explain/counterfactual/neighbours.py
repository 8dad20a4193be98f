"""The nearest real rows with another outcome: nothing is invented, and nothing is promised about changes.

Shapes: B candidate rows, F raw features, K outputs. torch is imported only where a network really runs.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import NoReturn, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.data.values import as_text
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.counterfactual.distance import DistanceScale
from tabnet_engine.explain.counterfactual.finding import changes_between
from tabnet_engine.explain.counterfactual.neighbour_result import Neighbour, Neighbours, Outcome
from tabnet_engine.explain.counterfactual.reference import Reference
from tabnet_engine.explain.counterfactual.scoring import RowScorer
from tabnet_engine.explain.counterfactual.wanted import WantedOutcome

__all__ = ["MAX_CANDIDATES", "Candidates", "Neighbour", "Neighbours", "Outcome", "nearest_rows"]

MAX_CANDIDATES = 50_000
MAX_CELLS = 5_000_000  # fewer candidates where rows are wide

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Real rows to choose from, scored and measured once for many questions.

    ``numbers`` (B) are their row numbers, ``cells`` (B, F) their values as numbers, ``positions`` (B, F) the same on
    the scale of distances, ``logits`` (B, K) the model's answers; ``outcomes`` holds the target columns that the
    table has (B lines). ``n_rows`` is how many they were drawn from.
    """

    scale: DistanceScale
    numbers: npt.NDArray[np.int64]
    cells: Floats
    positions: Floats
    logits: Floats
    targets: TargetCodecs
    outcomes: pd.DataFrame
    run_id: str
    n_rows: int

    @classmethod
    def of(
        cls,
        scorer: RowScorer,
        reference: Reference,
        frame: pd.DataFrame,
        *,
        numbers: npt.NDArray[np.int64] | None = None,
        n_rows: int | None = None,
    ) -> Self:
        """Score and measure rows.

        Args:
            scorer: the model with its encoder.
            reference: gives the scale of the training rows.
            frame: raw rows (B).
            numbers: their row numbers (B); their positions, when absent.
            n_rows: how many they were drawn from.

        Raises:
            SchemaError: a column is absent, or a cell is not what its column's kind holds.
        """
        logits = scorer.logits(frame)
        space = reference.space.extended(frame)
        scale = dataclasses.replace(reference.scale, space=space)
        cells = space.matrix(frame)
        names = [codec.name for codec in scorer.targets.codecs if codec.name in frame]
        return cls(
            scale=scale,
            numbers=np.arange(len(frame)) if numbers is None else numbers,
            cells=cells,
            positions=scale.positions(cells),
            logits=logits,
            targets=scorer.targets,
            outcomes=frame[names].reset_index(drop=True),
            run_id=scorer.model.run_id,
            n_rows=len(frame) if n_rows is None else n_rows,
        )

    @classmethod
    def drawn(cls, scorer: RowScorer, reference: Reference, frame: pd.DataFrame, *, seed: int = 0) -> Self:
        """Score and measure the rows of a table, at most :data:`MAX_CANDIDATES` of them drawn at random."""
        most = max(1, min(MAX_CANDIDATES, MAX_CELLS // max(1, len(reference.space.columns))))
        numbers = np.arange(len(frame))
        if len(frame) > most:
            numbers = np.sort(np.random.default_rng(seed).permutation(len(frame))[:most])
        return cls.of(scorer, reference, frame.iloc[numbers], numbers=numbers, n_rows=len(frame))

    def nearest(
        self,
        row: pd.DataFrame,
        wanted: WantedOutcome,
        *,
        by: Outcome = Outcome.PREDICTED,
        n: int = 3,
        row_number: int = 0,
    ) -> Neighbours:
        """Those nearest to one row that have the wanted outcome; see :func:`nearest_rows`."""
        if len(row) != 1:
            raise ExplanationError(f"one row is explained at a time, got {len(row):,}")
        if n < 1:
            raise ExplanationError(
                "at least one neighbour must be asked for; give n of 1 or more and a table with rows"
            )
        actual = self._actual(wanted)
        known = np.isfinite(actual)
        if by is Outcome.ACTUAL and not known.any():
            raise ExplanationError(f"the table does not tell {wanted.target!r} of any row; ask for predicted outcomes")
        met = wanted.met_by(actual) if by is Outcome.ACTUAL else wanted.reached(self.logits)
        members = np.flatnonzero(met & (self.numbers != row_number))
        if not len(members):
            _refuse_none(wanted, by)
        space = self.scale.space.extended(row)
        scale = dataclasses.replace(self.scale, space=space)
        own = space.matrix(row)[0]
        apart = scale.by_column(scale.positions(own[None])[0], self.positions[members])
        order = np.argsort(apart.sum(axis=1), kind="stable")[:n]
        texts = self._actual_texts(wanted.target, members[order])
        found = tuple(
            Neighbour(
                row=int(self.numbers[place]),
                distance=float(parts.sum()),
                differences=changes_between(space, own, self.cells[place], parts),
                logits=tuple(self.logits[place].tolist()),
                predicted=wanted.outcome_words(self.logits[place]),
                actual=text,
            )
            for place, parts, text in zip(members[order].tolist(), apart[order], texts, strict=True)
        )
        return Neighbours(
            row=row_number,
            run_id=self.run_id,
            wanted=wanted,
            by=by,
            rows=found,
            n_compared=len(self.numbers),
            n_with_outcome=len(members),
            n_known=int(known.sum()),
            n_rows=self.n_rows,
        )

    def _actual(self, wanted: WantedOutcome) -> Floats:
        """What really came (B): class codes or numbers, NaN where the table does not tell."""
        codec: TargetCodec = self.targets.of(wanted.target)[0]
        actual = np.full(len(self.numbers), np.nan)
        if codec.name in self.outcomes:
            known = np.flatnonzero(self.outcomes[codec.name].notna().to_numpy())
            actual[known] = codec.encode(self.outcomes, rows=known).astype(np.float64)
        return actual

    def _actual_texts(self, target: str, places: npt.NDArray[np.int64]) -> list[str | None]:
        if target not in self.outcomes:
            return [None] * len(places)
        return [None if pd.isna(text) else str(text) for text in as_text(self.outcomes[target].iloc[places])]


def nearest_rows(
    scorer: RowScorer,
    reference: Reference,
    row: pd.DataFrame,
    candidates: pd.DataFrame,
    wanted: WantedOutcome,
    *,
    by: Outcome = Outcome.PREDICTED,
    n: int = 3,
    row_number: int = 0,
) -> Neighbours:
    """The real rows nearest to one row that have the wanted outcome.

    Args:
        scorer: the model with its encoder.
        reference: gives the scale of the training rows.
        row: the raw cells, one line.
        candidates: raw rows (B) to choose from; their positions are their row numbers. An actual outcome is read
            from the target's column where there is one.
        wanted: the outcome.
        by: the model's outcome, or the one that really came.
        n: how many, at least 1.
        row_number: the row's number among the candidates: it is no neighbour of itself.

    Raises:
        ExplanationError: not exactly one line, no candidate, ``n`` below 1, actual outcomes that the table does not
            hold, or no row with that outcome.
        SchemaError: a column is absent, or a cell is not what its column's kind holds.
    """
    if len(row) != 1:
        raise ExplanationError(f"one row is explained at a time, got {len(row):,}")
    if len(candidates) == 0:
        raise ExplanationError(
            "there is no row to look for neighbours among; give n of 1 or more and a table with rows"
        )
    return Candidates.of(scorer, reference, candidates).nearest(row, wanted, by=by, n=n, row_number=row_number)


def _refuse_none(wanted: WantedOutcome, by: Outcome) -> NoReturn:
    if by is Outcome.PREDICTED:
        raise ExplanationError(f"no row is predicted to have {wanted.words}; ask for another outcome or give more rows")
    raise ExplanationError(f"no row really came to {wanted.words}; ask for another outcome or give more rows")
