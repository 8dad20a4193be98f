"""The decision and its reasons computed again from the evidence alone: model, raw cells, raw reference rows.

Nothing of the table is needed, and the code is the one that made the report (:mod:`...reasons.measuring`). Shapes: M
reference rows, P players (the raw columns F), K outputs. torch is imported where the network runs.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.counterfactual.result import Counterfactual, CounterfactualResult, NearestMiss
from tabnet_engine.explain.reasons.altering import decision_scorer, wanted_outcome
from tabnet_engine.explain.reasons.limiting import broken_limits
from tabnet_engine.explain.reasons.measuring import CaseModel, Measured
from tabnet_engine.explain.reasons.records import Contribution, JointMove, ReferencePopulation, Score
from tabnet_engine.explain.reasons.reference import ReferenceSample, population_with_scores
from tabnet_engine.explain.wording import listed
from tabnet_engine.texts.speaking import ENGLISH, msg, say, speaking

if TYPE_CHECKING:
    from tabnet_engine.config import ReportConfig
    from tabnet_engine.runs.artefact import Run

__all__ = ["TOLERANCE", "ReplayedCase", "counterfactual_differences", "replay_case"]

# Relative to the larger number, and to the largest of all the numbers that are compared: another processor or number of
# threads sums in another order, which moves scores by about 1e-15 of their size, and contributions, which are sampled
# in single precision, by about 1e-7 of the size of the score.
TOLERANCE = 1e-6
_ABSENT = object()
# What is compared, by its name in a stored case.
_SCORE = {
    "value": msg("the score"),
    "cutoff": msg("the cutoff as a score"),
    "margin": msg("the distance from the cutoff"),
    "is_favourable": msg("whether the row is approved"),
    "predicted": msg("what is predicted"),
    "unit": msg("the unit of the score"),
    "share": msg("the probability of the favourable class"),
    "cutoff_share": msg("the cutoff as a probability"),
}
_CONTRIBUTION = {
    "value": msg("the contribution of '{column}'"),
    "standard_error": msg("the standard error of the contribution of '{column}'"),
    "actual": msg("the value of '{column}'"),
    "reference": msg("the reference value of '{column}'"),
    "direction": msg("how '{column}' stands to its reference value"),
}
_MOVED_TOGETHER = {
    "before": msg("the score before the reasons are moved together"),
    "after": msg("the score after the reasons are moved together"),
    "flips": msg("whether moving the reasons together changes the outcome"),
}
_WANTED = msg("the outcome that changes are proposed for")
_BEFORE = msg("the score of the row that changes are proposed for")
_AFTER = msg("the score of the row with proposal {place}")
_NEAREST = msg("the score of the row with the changes that came closest")
_MEAN = msg("the mean score of the reference rows")
_COLUMNS = msg("the columns that the model reads")
_REASONS = msg("the principal reasons")
_LEFT_OUT = msg("the reasons left out")
_JOINT = msg("the reasons that are moved together")
_LISTED = msg("whether the contribution of the reason '{column}' is the one listed")


@dataclass(frozen=True, kw_only=True)
class ReplayedCase:
    """What the model says now. ``reasons`` are the principal columns, largest first, each with its own move.

    ``left_out`` are columns that cannot be told from 0.
    """

    score: Score
    mean_score: float
    contributions: tuple[Contribution, ...]
    reasons: tuple[str, ...]
    moved: tuple[float, ...]
    flips: tuple[bool, ...]
    left_out: tuple[str, ...]
    joint: JointMove | None
    measured: Measured = field(repr=False, compare=False)

    def differences(self, case_mapping: Mapping[str, Any]) -> tuple[str, ...]:
        """A sentence for each thing that a stored case says otherwise; none where they are equal.

        Numbers are equal up to :data:`TOLERANCE` of their size or of the largest score or contribution, names and
        outcomes exactly.

        Args:
            case_mapping: as :meth:`DecisionCase.to_mapping` wrote it.

        Raises:
            ExplanationError: it does not hold what a case holds.
        """
        try:
            with speaking(ENGLISH):
                told = _told(case_mapping)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ExplanationError(
                f"the stored case cannot be read: {error!r}; restore the evidence from a copy"
            ) from error
        with speaking(ENGLISH):
            own = self._facts()
        pairs = ((name, told.get(name, _ABSENT), own.get(name, _ABSENT)) for name in dict.fromkeys((*own, *told)))
        scale = max(map(abs, (self.score.value, self.mean_score, *(item.value for item in self.contributions))))
        with speaking(ENGLISH):
            return tuple(
                _otherwise(name, theirs, mine) for name, theirs, mine in pairs if not _equal(mine, theirs, scale)
            )

    def _facts(self) -> dict[str, Any]:
        joint = None if self.joint is None else dataclasses.asdict(self.joint)
        facts = _facts(dataclasses.asdict(self.score), self.mean_score, joint)
        facts |= _of_contributions([dataclasses.asdict(item) for item in self.contributions])
        facts[_REASONS], facts[_LEFT_OUT] = list(self.reasons), list(self.left_out)
        for column, moved, flips in zip(self.reasons, self.moved, self.flips, strict=True):
            facts |= _of_move(column, moved, flips=flips)
            facts[say(_LISTED, column=column)] = True
        return facts


def replay_case(
    run: Run,
    cells: pd.DataFrame,
    reference_rows: pd.DataFrame,
    config: ReportConfig,
    row: int,
    *,
    population: ReferencePopulation | None = None,
) -> ReplayedCase:
    """Decide and explain a row again, from what the evidence holds.

    Args:
        run: the model, loaded from the evidence or the workspace.
        cells: the raw line.
        reference_rows: raw cells (M) of the reference, in the order of the report.
        config: the request of the report.
        row: the row's number in its table, on which the sampling depends.
        population: what the case says of these rows; only which they are and of how many is believed.

    Raises:
        ExplanationError: not exactly one line, no reference row, or a request that does not fit the run.
        SchemaError: the cells are not what the model reads.
        DamagedRunError: a part of the run is damaged.
    """
    if len(reference_rows) == 0:
        raise ExplanationError("the evidence holds no reference row, so the reasons cannot be computed again")
    with speaking(ENGLISH):
        model = CaseModel.of_run(run, config)
        told = population
        if told is None or len(told.rows) != len(reference_rows):
            told = _unknown(len(reference_rows))
        reference = ReferenceSample.of_cells(model.encoder, reference_rows, told)
        logits = model.subject.logits(reference.background.encoded)
        told = population_with_scores(told, model.score, logits, spread=None)
        return _replayed(model.measure(cells, row, ReferenceSample.of_cells(model.encoder, reference_rows, told)))


def counterfactual_differences(
    run: Run, cells: pd.DataFrame, config: ReportConfig, counterfactual: Mapping[str, Any]
) -> tuple[str, ...]:
    """What does not hold of the stored changes: each is scored again from the raw line and compared with the request.

    Args:
        run: the model.
        cells: the raw line.
        config: the request of the report.
        counterfactual: as :meth:`CounterfactualResult.to_mapping` wrote it.

    Raises:
        ExplanationError: it cannot be read, or the request does not fit the run.
        SchemaError: the cells are not what the model reads.
    """
    try:
        stored = CounterfactualResult.from_mapping(counterfactual)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ExplanationError(
            f"the stored counterfactuals cannot be read: {error}; restore the evidence from a copy"
        ) from error
    with speaking(ENGLISH):
        model = CaseModel.of_run(run, config)
        scorer = decision_scorer(model)
        before = scorer.logits(cells)[0].tolist()
        found = []
        if stored.wanted not in (wanted_outcome(model, favourable=True), wanted_outcome(model, favourable=False)):
            found.append(_otherwise(say(_WANTED), stored.wanted.words, say("another outcome")))
        scale = max(map(abs, before))
        if not _equal(before, list(stored.logits), scale):
            found.append(_otherwise(say(_BEFORE), list(stored.logits), before))
        told: list[tuple[str, Counterfactual | NearestMiss]]
        told = [(say(_AFTER, place=place), item) for place, item in enumerate(stored.counterfactuals, start=1)]
        if stored.nearest_miss is not None:
            told.append((say(_NEAREST), stored.nearest_miss))
        for words, item in told:
            after = scorer.logits(item.apply(cells))[0].tolist()
            if not _equal(after, list(item.logits), scale):
                found.append(_otherwise(words, list(item.logits), after))
        declared = tuple(dict.fromkeys(config.protected))
        found += broken_limits(run.encoder.schema, config, declared, cells, stored)
        return tuple(found)


def _replayed(measured: Measured) -> ReplayedCase:
    names = measured.attribution.features
    return ReplayedCase(
        score=measured.told,
        mean_score=measured.mean_score,
        contributions=measured.contributions,
        reasons=tuple(names[place] for place in measured.principal[0]),
        moved=tuple(moved for moved, _ in measured.moves),
        flips=tuple(flips for _, flips in measured.moves),
        left_out=tuple(names[place] for place in measured.principal[1]),
        joint=measured.joint,
        measured=measured,
    )


def _unknown(n_rows: int) -> ReferencePopulation:
    """A population of which only the rows are given."""
    return ReferencePopulation(
        rows=tuple(range(n_rows)),
        n_candidates=n_rows,
        n_approved=n_rows,
        candidates="",
        low=math.nan,
        high=math.nan,
        mean_score=math.nan,
        words="reference rows of the evidence",
        is_near=True,
    )


def _told(case: Mapping[str, Any]) -> dict[str, Any]:
    """What a stored case says of everything that is computed again, by what it is."""
    facts = _facts(case["score"], case["reference"]["mean_score"], case["joint"])
    facts |= _of_contributions(case["contributions"])
    facts[_REASONS] = [item["contribution"]["column"] for item in case["reasons"]]
    facts[_LEFT_OUT] = list(case["left_out"])
    for item in case["reasons"]:
        facts |= _of_move(item["contribution"]["column"], item["moved"], flips=item["flips"])
        column = item["contribution"]["column"]
        facts[say(_LISTED, column=column)] = item["contribution"] in case["contributions"]
    return facts


def _facts(score: Mapping[str, Any], mean_score: float, joint: Mapping[str, Any] | None) -> dict[str, Any]:
    facts = {words: score[name] for name, words in _SCORE.items()}
    facts[_MEAN] = mean_score
    facts[_JOINT] = None if joint is None else [*map(str, joint["columns"])]
    return facts | {words: None if joint is None else joint[name] for name, words in _MOVED_TOGETHER.items()}


def _of_contributions(items: list[Mapping[str, Any]]) -> dict[str, Any]:
    facts: dict[str, Any] = {_COLUMNS: [item["column"] for item in items]}
    for item in items:
        facts |= {say(words, column=item["column"]): item[name] for name, words in _CONTRIBUTION.items()}
    return facts


def _of_move(column: str, moved: float, *, flips: bool) -> dict[str, Any]:
    return {
        say("the change of the score when '{column}' alone is moved", column=column): moved,
        say("whether moving '{column}' alone changes the outcome", column=column): flips,
    }


def _otherwise(what: str, told: Any, found: Any) -> str:
    return say(
        "Different: {what}. The evidence says {told}, the model says {found}.",
        what=what,
        told=_shown(told),
        found=_shown(found),
    )


def _equal(mine: Any, theirs: Any, scale: float) -> bool:
    """Whether two values are the same; numbers up to the tolerance, in relation to ``scale`` too."""
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(_equal(*pair, scale) for pair in zip(mine, theirs, strict=True))
    if _is_number(mine) and _is_number(theirs):
        return math.isclose(mine, theirs, rel_tol=TOLERANCE, abs_tol=TOLERANCE * scale)
    return type(mine) is type(theirs) and bool(mine == theirs)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    if value is _ABSENT or value is None:
        return say("nothing")
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, float):
        return f"{value:.9g}"
    return listed([_shown(item) for item in value]) if isinstance(value, list) else f"{value!r}"
