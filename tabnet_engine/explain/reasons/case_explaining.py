"""From a run, its table and a row to all that is known of the decision and its reasons.

What many rows share is made once: the network, the approved rows near the cutoff, the proxies of protected columns,
the calibration and the scale of changes. All texts are made in English, as all that is stored. torch is imported
where the network runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.reasons.altering import Alterations
from tabnet_engine.explain.reasons.by_methods import ByMethods
from tabnet_engine.explain.reasons.calibrating import held_out_calibration
from tabnet_engine.explain.reasons.limiting import needless_directions, told_limits
from tabnet_engine.explain.reasons.measuring import CaseModel, Measured
from tabnet_engine.explain.reasons.protecting import ProtectedColumns
from tabnet_engine.explain.reasons.received import cells_received
from tabnet_engine.explain.reasons.records import DecisionCase, Reason, ReferencePopulation
from tabnet_engine.explain.reasons.reference import ApprovedRows, CandidateRows, ReferenceSample
from tabnet_engine.explain.reasons.robustness import kept_outcome_of, kept_reasons_of, robustness_words
from tabnet_engine.explain.subject import Steering
from tabnet_engine.explain.timeline import step_timeline
from tabnet_engine.explain.wording import joined
from tabnet_engine.texts.speaking import ENGLISH, say, say_plural, speaking

if TYPE_CHECKING:
    from tabnet_engine.config import ReportConfig
    from tabnet_engine.explain.counterfactual.result import CounterfactualResult
    from tabnet_engine.explain.groups.decision import Decision
    from tabnet_engine.runs.artefact import Run

__all__ = ["CaseExplainer", "case_of"]

_TOP_READ = 5  # columns that are named of a decision step


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseExplainer:
    """Explains the decisions about one row after another.

    ``population`` is the reference of a row that is not in it; a row that is gets the next nearest in its place.
    """

    model: CaseModel
    frame: pd.DataFrame
    approved: ApprovedRows
    shared: ReferenceSample
    protected: ProtectedColumns
    alterations: Alterations | None
    calibration: Mapping[str, Estimate]
    evaluation: str

    @classmethod
    def of_run(
        cls,
        run: Run,
        frame: pd.DataFrame,
        config: ReportConfig,
        *,
        is_own_table: bool = True,
        steering: Steering | None = None,
    ) -> Self:
        """Prepare everything that does not depend on the row.

        Args:
            run: a trained or imported run.
            frame: the table with the rows to report on: best the one that the run was trained on.
            config: what counts as approved, what is protected, how much is computed.
            is_own_table: whether the table may be the one that the run was trained on; another one with as many rows
                has none of its training rows.
            steering: may cancel between the parts.

        Raises:
            ExplanationError: a pretraining, nothing says what is favourable, no row is approved, or a protected or
                fixed column that is not there.
            SchemaError: the table is not what the model reads, or no target is called so.
            DamagedRunError: a part of the run is damaged.
            JobCancelledError: the steering asked to stop.
        """
        asked = steering or Steering()
        with speaking(ENGLISH):
            model = CaseModel.of_run(run, config)
            candidates = CandidateRows.of_run(run, frame, seed=config.seed, is_own_table=is_own_table)
            asked.step(0, 4)
            approved = ApprovedRows.find(
                model.subject, model.encoder, model.score, candidates, n_wanted=config.n_reference
            )
            asked.step(1, 4)
            protected = ProtectedColumns.of_run(
                run, frame, config, steering=Steering(should_cancel=asked.should_cancel)
            )
            asked.step(2, 4)
            alterations = Alterations.of_rows(model, candidates, protected.declared)
            asked.step(3, 4)
            calibration, evaluation = held_out_calibration(run, frame if is_own_table else None, model)
            asked.step(4, 4)
            return cls(
                model=model,
                frame=frame,
                approved=approved,
                shared=approved.without(None),
                protected=protected,
                alterations=alterations,
                calibration=calibration,
                evaluation=evaluation,
            )

    @property
    def decision(self) -> Decision:
        """When a row is approved."""
        return self.model.score.decision

    @property
    def population(self) -> ReferencePopulation:
        """The approved rows that reasons are measured against."""
        return self.shared.population

    def received(self, row: int) -> pd.DataFrame:
        """The raw line of a row, with all its columns.

        Raises:
            ExplanationError: the table has no such row.
        """
        if not 0 <= row < len(self.frame):
            raise ExplanationError(
                f"there is no row {row:,}; the table has {len(self.frame):,} rows, numbered from 0 to "
                f"{len(self.frame) - 1:,}"
            )
        return self.frame.iloc[[row]].reset_index(drop=True)

    def reference_rows(self, row: int | None = None) -> pd.DataFrame:
        """Raw cells (M) of the columns that the model reads, of the rows that a row is measured against.

        Args:
            row: the explained row, which is left out; None for one that is not among them.
        """
        return self._reference(row).cells.copy()

    def _reference(self, row: int | None) -> ReferenceSample:
        if row is None or row not in self.shared.population.rows:
            return self.shared
        with speaking(ENGLISH):
            return self.approved.without(row)

    def explain(self, row: int, *, steering: Steering | None = None) -> DecisionCase:
        """Everything about the decision on one row; it depends on the row, the table and the settings alone.

        Args:
            row: its number in the table, from 0.
            steering: may cancel.

        Raises:
            ExplanationError: there is no such row, or it cannot be explained as asked.
            SchemaError: a cell is not what its column's kind holds.
            JobCancelledError: the steering asked to stop.
        """
        cells = self.received(row)
        with speaking(ENGLISH):
            measured = self.model.measure(cells, row, self._reference(row), steering=steering)
            return self._case(measured, row, steering)

    def _case(self, measured: Measured, row: int, steering: Steering | None) -> DecisionCase:
        changes: tuple[CounterfactualResult | None, str] = (None, say("None were asked for."))
        if self.alterations is not None:
            changes = self.alterations.of_row(
                measured.cells, row, is_favourable=measured.told.is_favourable, steering=steering
            )
        population = dataclasses.replace(measured.reference.population, mean_score=measured.mean_score)
        return case_of(
            measured,
            population=population,
            protected=self.protected,
            changes=changes,
            calibration=self.calibration,
            evaluation=self.evaluation,
        )


def case_of(
    measured: Measured,
    *,
    population: ReferencePopulation,
    protected: ProtectedColumns,
    changes: tuple[CounterfactualResult | None, str],
    calibration: Mapping[str, Estimate],
    evaluation: str,
) -> DecisionCase:
    """The case of a measured row: what follows from the row and its reference, beside what is given.

    Args:
        measured: the row.
        population: what is said of its reference.
        protected: the columns that must not be reasons.
        changes: what was found of how the outcome could have been another, and why nothing was.
        calibration: of held-out rows.
        evaluation: which rows these are.

    Raises:
        ExplanationError: a method's values fail their own check.
    """
    model, told, names = measured.model, measured.told, measured.attribution.features
    row, by_methods = int(measured.chosen.rows[0]), ByMethods.of(measured)
    reasons = _reasons(measured, by_methods)
    left_out = tuple(names[place] for place in measured.principal[1])
    shown = {contribution.column: contribution.actual for contribution in measured.contributions}
    return DecisionCase(
        run_id=model.subject.run_id,
        row=row,
        target=model.score.codec.name,
        decision=model.score.decision,
        favourable_is_assumed=model.is_assumed,
        score=told,
        cells=cells_received(model.encoder, measured.cells),
        reference=population,
        contributions=measured.contributions,
        reasons=reasons,
        no_reason="" if reasons else _no_reason(measured),
        left_out=left_out,
        joint=measured.joint,
        protection=protected.of_reasons(reasons),
        features=names,
        methods=by_methods.methods,
        agreement=by_methods.agreement,
        timeline=step_timeline(by_methods.masks, row, shown, top=_TOP_READ),
        output=measured.score.output,
        weights=tuple(measured.score.weights.tolist()),
        outcome_kept=kept_outcome_of(measured, n_repetitions=model.config.n_repetitions, seed=model.config.seed),
        counterfactual=changes[0],
        why_no_counterfactual=changes[1],
        calibration=calibration,
        evaluation=evaluation,
        settings=_settings(measured, protected),
        notes=_notes(measured, left_out, protected),
    )


def _reasons(measured: Measured, by_methods: ByMethods) -> tuple[Reason, ...]:
    """The principal reasons with all that is known of each."""
    places, config = measured.principal[0], measured.model.config
    if not places:
        return ()
    values = measured.values
    same_sign = float(abs(values[values * values[places[0]] > 0].sum()))
    kept = kept_reasons_of(measured, n_repetitions=config.n_repetitions, seed=config.seed)
    return tuple(
        Reason(
            rank=index + 1,
            contribution=measured.contributions[place],
            share=abs(float(values[place])) / same_sign,
            ranks=by_methods.ranks_of(place),
            kept=kept[index],
            moved=measured.moves[index][0],
            flips=measured.moves[index][1],
        )
        for index, place in enumerate(places)
    )


def _no_reason(measured: Measured) -> str:
    """Why no column is a reason."""
    if measured.principal[1]:
        return say(
            "No contribution can be told from 0 within the error of the sampling; more evaluations would make it "
            "smaller."
        )
    if measured.is_flat:
        return say(
            "Every contribution is 0: the row has the same cells as the approved rows it is compared with, or the "
            "model gives all of them one score."
        )
    if measured.told.is_favourable:
        return say("No column raises the score above that of the approved rows nearest to the cutoff.")
    return say(
        "No column lowers the score below that of the approved rows nearest to the cutoff, although the row is not "
        "approved."
    )


def _settings(measured: Measured, protected: ProtectedColumns) -> dict[str, Any]:
    """How everything was computed: numbers by name, and sentences."""
    found, config = measured.attribution, measured.model.config
    errors = measured.errors
    return {
        "score": measured.score.words,
        "contributions": found.provenance,
        "method": found.method,
        "algorithm": found.algorithm,
        "n_evaluations": found.n_evaluations,
        "largest_standard_error": None if errors is None else float(errors.max()),
        "additivity_error": found.additivity_error,
        "n_reference": len(measured.reference.population.rows),
        "n_reference_asked": config.n_reference,
        "seed": config.seed,
        "robustness": robustness_words(measured, config.n_repetitions),
        "proxies": dict(protected.how),
        "proposals": told_limits(measured.model.encoder.schema, config, protected.declared),
    }


def _notes(measured: Measured, left_out: tuple[str, ...], protected: ProtectedColumns) -> tuple[str, ...]:
    """What a reader must know beside the numbers."""
    notes, population = [], measured.reference.population
    asked, n_rows = measured.model.config.n_reference, len(population.rows)
    if n_rows < asked:
        notes.append(
            say_plural(
                "Only {count} approved row could be compared with, of {asked:,} that were asked for.",
                "Only {count:,} approved rows could be compared with, of {asked:,} that were asked for.",
                n_rows,
                asked=asked,
            )
        )
    if not population.is_near:
        notes.append(
            say(
                "Some of the approved rows compared with lie well beyond the cutoff, since few lie near it; to compare "
                "with fewer that are nearer, lower n_reference."
            )
        )
    if measured.opposed:
        notes.append(
            say(
                "Set alone to the reference value, these reasons do not bring the score back but take it further: "
                "{columns}. They count by what they do together with other columns, so changing one of them alone is "
                "no remedy.",
                columns=joined(measured.opposed),
            )
        )
    needless = needless_directions(measured.model.config, protected.declared)
    if needless and measured.model.config.n_counterfactuals:
        notes.append(
            say(
                "A direction was asked for protected columns, which no proposal changes anyway: {columns}.",
                columns=joined(needless),
            )
        )
    unsure = [name for name in left_out if name in {link.column for link in protected.links}]
    if unsure:
        notes.append(
            say(
                "Protected or a proxy, and no reason only because the error of the sampling hides the sign: {columns}.",
                columns=joined(unsure),
            )
        )
    return tuple(notes)
