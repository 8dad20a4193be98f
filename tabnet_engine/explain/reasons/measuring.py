"""One row measured against its reference: score, contributions, principal reasons, and what moving them does.

A report and the check of its evidence both measure by this module, so that the one cannot say what the other does not
find. Shapes: M reference rows, P players (the raw columns F), K outputs. torch is imported where the network runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.encoding import CellState, EncodedTable, TableEncoder
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.counterfactual.space import RowSpace, with_values
from tabnet_engine.explain.estimates import NORMAL_POINT
from tabnet_engine.explain.reasons.records import Contribution, JointMove, Score
from tabnet_engine.explain.reasons.reference import ReferenceSample
from tabnet_engine.explain.reasons.scoring import FavourableScore, decision_for
from tabnet_engine.explain.reasons.steady import SteadySubject
from tabnet_engine.explain.reasons.typical import State, TypicalCell, TypicalCells, changed_to, direction_of
from tabnet_engine.explain.signed.methods import SignedMethod, explain_rows
from tabnet_engine.explain.subject import ChosenRows, Subject

if TYPE_CHECKING:
    from tabnet_engine.config import ReportConfig
    from tabnet_engine.explain.subject import Steering
    from tabnet_engine.runs.artefact import Run

__all__ = ["CaseModel", "Measured", "principal_places"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_ROUNDING = 1e-9  # of the largest contribution, or of one unit of the score: a sum of doubles is no more exact
STATES: dict[int, State] = {CellState.OBSERVED: "known", CellState.MISSING: "missing", CellState.UNSEEN: "unseen"}


def principal_places(
    values: Floats, errors: Floats | None, *, is_favourable: bool, most: int
) -> tuple[list[int], list[int]]:
    """Which players are principal reasons, the largest first, and which would be if they were told from 0.

    Of a row that is not approved these are players that speak against it, else players that speak for it.

    Args:
        values: contributions (P).
        errors: their standard errors (P); None where they are exact.
        is_favourable: whether the row is approved.
        most: at most so many reasons.

    Returns:
        Positions of the reasons, and of players among the first ``most`` whose 95 % interval holds 0.
    """
    towards = values if is_favourable else -values
    floor = _floor(values)
    ordered = np.argsort(-towards, kind="stable")
    speaking = ordered[towards[ordered] > floor]
    if errors is None:
        return speaking[:most].tolist(), []
    is_told = towards[speaking] > NORMAL_POINT * errors[speaking]
    return speaking[is_told][:most].tolist(), speaking[:most][~is_told[:most]].tolist()


def _floor(values: Floats) -> float:
    """The size up to which a contribution is 0 but for rounding."""
    return _ROUNDING * max(1.0, float(np.abs(values).max(initial=0.0)))


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseModel:
    """A model that decides, and how its decisions are explained; made once for many rows."""

    subject: Subject
    encoder: TableEncoder
    targets: TargetCodecs
    score: FavourableScore
    is_assumed: bool
    config: ReportConfig

    @classmethod
    def of_run(cls, run: Run, config: ReportConfig) -> Self:
        """The network of a run, and what counts as approved.

        Raises:
            ExplanationError: a pretraining, or nothing says what is favourable.
            SchemaError: no target is called so.
            DamagedRunError: a part of the run is damaged.
        """
        subject = SteadySubject.of_run(run)
        target = config.target or run.targets.names[0]
        codec, _ = run.targets.of(target)
        decision, is_assumed = decision_for(
            codec, config.favourable, config.cutoff, is_high_favourable=config.is_high_favourable
        )
        score = FavourableScore.of(run.targets, target, decision)
        return cls(
            subject=subject,
            encoder=run.encoder,
            targets=run.targets,
            score=score,
            is_assumed=is_assumed,
            config=config,
        )

    @property
    def method(self) -> SignedMethod:
        """The method of the contributions: Shapley values, exact for few columns, else sampled."""
        return SignedMethod(name="shap", n_evaluations=self.config.n_evaluations, seed=self.config.seed)

    def chosen(self, cells: pd.DataFrame, row: int) -> ChosenRows:
        """A table of one line, encoded.

        Raises:
            ExplanationError: not exactly one line.
            SchemaError: a column is absent, or a cell is not what its column's kind holds.
        """
        if len(cells) != 1:
            raise ExplanationError(f"one row is reported on at a time, got {len(cells):,}")
        return ChosenRows(self.encoder.transform(cells), np.array([row], dtype=np.int64), f"row {row}")

    def measure(
        self, cells: pd.DataFrame, row: int, reference: ReferenceSample, *, steering: Steering | None = None
    ) -> Measured:
        """Explain one row against its reference.

        Args:
            cells: the raw cells, one line.
            row: its number in the table; what is drawn at random depends on it and on the seed alone.
            reference: of that row.
            steering: may cancel.

        Raises:
            ExplanationError: not exactly one line, or a budget that cannot be met.
            SchemaError: a cell is not what its column's kind holds.
            JobCancelledError: the steering asked to stop.
        """
        chosen = self.chosen(cells, row)
        found = explain_rows(self.subject, chosen, reference.background, self.method, steering=steering)
        score = self.score.of_row(found.logits[0])
        return Measured(
            model=self,
            score=score,
            cells=cells.reset_index(drop=True),
            chosen=chosen,
            reference=reference,
            logits=found.logits,
            attribution=score.attribution(found),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """What was found of one row. ``logits`` are (1, K), ``attribution`` is of the score alone."""

    model: CaseModel
    score: FavourableScore
    cells: pd.DataFrame
    chosen: ChosenRows
    reference: ReferenceSample
    logits: Floats
    attribution: Attribution

    @property
    def values(self) -> Floats:
        """What each column (P) adds to the score."""
        values: Floats = self.attribution.values[0, :, 0]
        return values

    @property
    def errors(self) -> Floats | None:
        """Their standard errors (P) by the sampling; None where they are exact."""
        errors = self.attribution.standard_error
        return None if errors is None else errors[0, :, 0]

    @property
    def is_flat(self) -> bool:
        """Whether no column adds anything."""
        return bool((np.abs(self.values) <= _floor(self.values)).all())

    @property
    def mean_score(self) -> float:
        """The mean score of the reference: what the contributions start from."""
        return float(self.attribution.base[0])

    @cached_property
    def told(self) -> Score:
        """The score and the decision."""
        logits, decision = self.logits, self.score.decision
        shares = self.score.shares(logits)
        return Score(
            value=float(self.score.score(logits)[0]),
            cutoff=self.score.cutoff,
            margin=float(self.score.margin(logits)[0]),
            is_favourable=bool(self.score.selected(logits)[0]),
            predicted=self.score.predicted(logits[0]),
            unit=self.score.unit,
            share=None if shares is None else float(shares[0]),
            cutoff_share=None if shares is None else decision.cutoff,
        )

    @cached_property
    def typical(self) -> tuple[tuple[TypicalCell, ...], Floats]:
        """The reference value of each column (F), and the row's own cells as numbers (F)."""
        space = RowSpace.of(self.model.encoder.schema)
        cells, own = TypicalCells.of(space, self.reference.cells, self.cells)
        return cells.compared_with(own), own

    @cached_property
    def contributions(self) -> tuple[Contribution, ...]:
        """What each column adds (P), in the columns' order."""
        names = self.attribution.features
        shown = self.model.encoder.display_values(self.cells).iloc[0]
        states = self.model.encoder.cell_states(self.cells)[0].tolist()
        typical, numbers = self.typical
        errors = [None] * len(names) if self.errors is None else self.errors.tolist()
        return tuple(
            Contribution(
                column=name,
                value=value,
                standard_error=error,
                actual=str(shown[name]),
                reference=cell.text,
                reference_detail=cell.detail,
                direction=direction_of(STATES[state], number, cell),
            )
            for name, value, error, cell, state, number in zip(
                names, self.values.tolist(), errors, typical, states, numbers.tolist(), strict=True
            )
        )

    @cached_property
    def principal(self) -> tuple[list[int], list[int]]:
        """Positions of the principal reasons, and of those left out, as :func:`principal_places` finds them."""
        return principal_places(
            self.values,
            self.errors,
            is_favourable=self.told.is_favourable,
            most=self.model.config.max_reasons,
        )

    @cached_property
    def moves(self) -> tuple[tuple[float, bool], ...]:
        """For each principal reason the change of the score when its column alone is set to the typical value.

        With it whether that alone changes the outcome.
        """
        names = [self.attribution.features[place] for place in self.principal[0]]
        scores, outcomes = self._moved([[name] for name in names])
        return tuple(
            (float(after - scores[0]), bool(outcome != outcomes[0]))
            for after, outcome in zip(scores[1:].tolist(), outcomes[1:].tolist(), strict=True)
        )

    @property
    def opposed(self) -> tuple[str, ...]:
        """Principal reasons whose own move takes the score further the way that they speak, not back."""
        sign = 1.0 if self.told.is_favourable else -1.0
        names = (self.attribution.features[place] for place in self.principal[0])
        return tuple(name for name, (moved, _) in zip(names, self.moves, strict=True) if sign * moved > _ROUNDING)

    @cached_property
    def joint(self) -> JointMove | None:
        """All principal reasons set to their typical values at once; None where there is none."""
        columns = tuple(self.attribution.features[place] for place in self.principal[0])
        if not columns:
            return None
        scores, outcomes = self._moved([columns])
        return JointMove(
            columns=columns, before=float(scores[0]), after=float(scores[1]), flips=bool(outcomes[0] != outcomes[1])
        )

    def _moved(self, moves: Sequence[Sequence[str]]) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Scores and outcomes of the row itself and then of each copy with some columns set to typical values.

        Every copy is made of raw cells and goes through the encoder, as a reader could do it by hand.
        """
        own = self.cells.loc[:, list(self.attribution.features)]
        copies = (with_values(own, changed_to(self.typical[0], columns)) for columns in moves)
        encoded = [self.model.encoder.transform(copy) for copy in (own, *copies)]
        together = EncodedTable(
            np.concatenate([table.numeric for table in encoded]),
            np.concatenate([table.categorical for table in encoded]),
        )
        logits = self.model.subject.logits(together)
        return self.score.score(logits), self.score.selected(logits)
