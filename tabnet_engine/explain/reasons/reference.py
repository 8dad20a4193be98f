"""The approved rows at or just above the cutoff, against which the reasons of a row are measured.

Shapes: B candidate rows, M rows of the reference, K outputs. Nothing is widened quietly: where no
row is approved, that is said with the nearest one's score. torch is imported only where a network runs.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.encoding import TableEncoder
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Background
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.reasons.records import ReferencePopulation
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.explain.reasons.scoring import FavourableScore
    from tabnet_engine.explain.subject import LogitModel
    from tabnet_engine.runs.artefact import Run

__all__ = ["ApprovedRows", "CandidateRows", "ReferenceSample", "population_with_scores"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MAX_CANDIDATES = 100_000  # scored once for a run: enough to have the cutoff's neighbourhood densely
_NEAR_SHARE = 0.1  # beyond the cutoff, as a probability
_NEAR_SPREAD = 0.25  # beyond the cutoff of a quantity, in standard deviations of the predictions

TRAINING = msg("training rows")
WITHOUT_SPLITS = msg("rows of the table; which of them trained the model is not known")
OTHER_TABLE = msg("rows of the given table, which is not the one that the run was trained on")
SOME = msg("{rows}, {n_drawn:,} of them drawn at random")

# A share or quantity and its cutoff are rounded alike, so that neither crosses the other.
_NEAREST = msg(
    "{n_rows:,} of {n_approved:,} approved among {n_candidates:,} {candidates}: those whose probability of '{label}' "
    "is nearest to the cutoff of {cutoff:g} ({low:g} to {high:g})"
)
_LIKELIEST = msg(
    "{n_rows:,} of {n_approved:,} approved among {n_candidates:,} {candidates}: those where '{label}' is the likeliest "
    "class by the least (probability {low:.3g} to {high:.3g})"
)
_QUANTITY = msg(
    "{n_rows:,} of {n_approved:,} approved among {n_candidates:,} {candidates}: those whose prediction of '{target}' "
    "is nearest to the cutoff of {cutoff:,.6g} ({low:,.6g} to {high:,.6g})"
)

_NONE_HIGH = msg(
    "none of {n_rows:,} rows ({rows}) is approved, so there is nothing to compare with: the highest predicted "
    "'{target}' is {best:,.6g} and the cutoff {cutoff:,.12g}; choose a lower cutoff"
)
_NONE_LOW = msg(
    "none of {n_rows:,} rows ({rows}) is approved, so there is nothing to compare with: the lowest predicted "
    "'{target}' is {best:,.6g} and the cutoff {cutoff:,.12g}; choose a higher cutoff"
)
_NONE_LIKELIEST = msg(
    "none of {n_rows:,} rows ({rows}) is approved, so there is nothing to compare with: '{label}' is the likeliest "
    "class of no row, its highest probability is {best:.3g}; choose a cutoff below that, or another favourable class"
)
_NONE_LIKELY = msg(
    "none of {n_rows:,} rows ({rows}) is approved, so there is nothing to compare with: the highest probability of "
    "'{label}' is {best:g} and the cutoff {cutoff:.12g}; choose a lower cutoff"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class CandidateRows:
    """The rows (B) that the reference may be drawn from: their numbers in the table, and what they are in English."""

    frame: pd.DataFrame
    rows: Integers
    name: str

    @classmethod
    def of_run(cls, run: Run, frame: pd.DataFrame, *, seed: int, is_own_table: bool = True) -> Self:
        """The training rows; all rows of a table where these are not known, or are those of another table.

        Args:
            run: the run.
            frame: the table with the row that is reported on.
            seed: of the draw where there are more than :data:`MAX_CANDIDATES`.
            is_own_table: whether the table may be the one that the run was trained on.

        Raises:
            ExplanationError: the table has no row.
        """
        if len(frame) == 0:
            raise ExplanationError(
                "the table has no row; give one with the row to report on and others to compare with"
            )
        train = run.splits.train
        rows, name = np.arange(len(frame), dtype=np.int64), WITHOUT_SPLITS
        if len(train):
            is_own = is_own_table and len(frame) == run.manifest.dataset.n_rows and int(train.max()) < len(frame)
            rows, name = (np.sort(train), TRAINING) if is_own else (rows, OTHER_TABLE)
        name = say(name)
        if len(rows) > MAX_CANDIDATES:
            rows = np.sort(np.random.default_rng([seed, 5]).permutation(rows)[:MAX_CANDIDATES])
            name = say(SOME, rows=name, n_drawn=len(rows))
        return cls(frame=frame, rows=rows, name=name)


@dataclass(frozen=True, kw_only=True, eq=False)
class ReferenceSample:
    """The reference of one row: what a report says of it, its encoded rows (M), and their raw cells.

    ``cells`` (M) hold the columns that the model reads, in the order of ``population.rows``.
    """

    population: ReferencePopulation
    background: BackgroundSample
    cells: pd.DataFrame

    @classmethod
    def of_cells(cls, encoder: TableEncoder, cells: pd.DataFrame, population: ReferencePopulation) -> Self:
        """From raw cells (M); raises SchemaError where they are not what the model reads."""
        names = list(encoder.layout.feature_names)
        own = cells.loc[:, names].reset_index(drop=True)
        rows = np.asarray(population.rows, dtype=np.int64)
        drawn = Background(
            description=population.words, rows=rows, n_population=max(population.n_approved, len(rows)), kind="cutoff"
        )
        return cls(population=population, background=BackgroundSample(drawn, encoder.transform(own)), cells=own)


@dataclass(frozen=True, kw_only=True, eq=False)
class ApprovedRows:
    """The approved candidates nearest to the cutoff, one more than the reference needs: a row is none of its own.

    ``places`` are positions in the candidates, nearest first; ``logits`` (len(places), K) belong to them. ``spread``
    is the standard deviation of all candidates' scores.
    """

    candidates: CandidateRows
    encoder: TableEncoder
    score: FavourableScore
    places: Integers
    logits: Floats
    n_approved: int
    n_wanted: int
    spread: float

    @classmethod
    def find(
        cls,
        model: LogitModel,
        encoder: TableEncoder,
        score: FavourableScore,
        candidates: CandidateRows,
        *,
        n_wanted: int,
    ) -> Self:
        """Score all candidates and keep the approved ones with the smallest margin; the earlier row wins a tie.

        Raises:
            ExplanationError: none is approved.
            SchemaError: the table is not what the model reads.
        """
        logits = model.logits(encoder.transform(candidates.frame.iloc[candidates.rows]))
        margin = score.margin(logits)
        approved = np.flatnonzero(margin >= 0)
        if not len(approved):
            raise ExplanationError(_nobody(score, logits, candidates))
        nearest = approved[np.argsort(margin[approved], kind="stable")][: n_wanted + 1]
        return cls(
            candidates=candidates,
            encoder=encoder,
            score=score,
            places=nearest.astype(np.int64),
            logits=logits[nearest],
            n_approved=len(approved),
            n_wanted=n_wanted,
            spread=float(score.score(logits).std()),
        )

    def without(self, row: int | None) -> ReferenceSample:
        """The reference of a row, which is left out of it; of a row outside the candidates where it is None.

        Raises:
            ExplanationError: the row is the only approved one.
        """
        rows = self.candidates.rows[self.places]
        kept = (
            np.flatnonzero(rows != row)[: self.n_wanted] if row is not None else np.arange(len(rows))[: self.n_wanted]
        )
        if not len(kept):
            raise ExplanationError(
                f"row {row} is the only approved one of {len(self.candidates.rows):,} rows ({self.candidates.name}), "
                "so there is no other to compare it with; choose another cutoff"
            )
        kept = kept[np.argsort(rows[kept], kind="stable")]
        population = self._population(kept, n_approved=self.n_approved - int(row is not None and row in rows))
        return ReferenceSample.of_cells(self.encoder, self.candidates.frame.iloc[rows[kept]], population)

    def _population(self, kept: Integers, *, n_approved: int) -> ReferencePopulation:
        population = ReferencePopulation(
            rows=tuple(self.candidates.rows[self.places[kept]].tolist()),
            n_candidates=len(self.candidates.rows),
            n_approved=n_approved,
            candidates=self.candidates.name,
            low=math.nan,
            high=math.nan,
            mean_score=math.nan,
            words="",
            is_near=False,
        )
        return population_with_scores(population, self.score, self.logits[kept], spread=self.spread)


def population_with_scores(
    population: ReferencePopulation, score: FavourableScore, logits: Floats, *, spread: float | None
) -> ReferencePopulation:
    """A population with what the scores of its rows say of it.

    Args:
        population: which rows, of how many.
        score: of the decision.
        logits: of the rows (M, K).
        spread: standard deviation of the scores of all candidates; where it is not known, whether a quantity is near
            stays as it was told.
    """
    shares = score.shares(logits)
    own = score.score(logits) if shares is None else shares
    population = dataclasses.replace(
        population,
        low=float(own.min()),
        high=float(own.max()),
        mean_score=float(score.score(logits).mean()),
        is_near=_is_near(score, logits, spread, told=population.is_near),
    )
    return dataclasses.replace(population, words=_words(score, population))


def _is_near(score: FavourableScore, logits: Floats, spread: float | None, *, told: bool) -> bool:
    """Whether the farthest margin is still "just above" the cutoff."""
    farthest = float(score.margin(logits).max())
    if score.shares(logits) is None:
        return told if spread is None else farthest <= _NEAR_SPREAD * spread
    cutoff = score.cutoff_log_odds
    return float(_logistic(cutoff + farthest) - _logistic(cutoff)) <= _NEAR_SHARE


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def _words(score: FavourableScore, population: ReferencePopulation) -> str:
    facts = {
        "n_rows": len(population.rows),
        "n_approved": population.n_approved,
        "n_candidates": population.n_candidates,
        "candidates": population.candidates,
    }
    decision, ends = score.decision, {"low": population.low, "high": population.high}
    if not decision.favourable:
        if not decision.is_high_favourable:
            ends = {"low": -population.high, "high": -population.low}
        return say(_QUANTITY, target=score.codec.name, cutoff=decision.cutoff, **facts, **ends)
    if decision.cutoff is None:
        return say(_LIKELIEST, label=decision.favourable, **facts, **ends)
    return say(_NEAREST, label=decision.favourable, cutoff=decision.cutoff, **facts, **ends)


def _nobody(score: FavourableScore, logits: Floats, candidates: CandidateRows) -> str:
    """Why there is no reference, with the best that was reached and what to do."""
    decision = score.decision
    facts = {"n_rows": len(candidates.rows), "rows": candidates.name, "cutoff": decision.cutoff}
    shares = score.shares(logits)
    if shares is None:
        values, facts["target"] = logits[:, score.place.start], score.codec.name
        if decision.is_high_favourable:
            return say(_NONE_HIGH, best=float(values.max()), **facts)
        return say(_NONE_LOW, best=float(values.min()), **facts)
    text = _NONE_LIKELIEST if decision.cutoff is None else _NONE_LIKELY
    return say(text, label=decision.favourable, best=float(shares.max()), **facts)
