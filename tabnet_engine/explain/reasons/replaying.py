"""The decision and its reasons computed again from the evidence alone: model, raw cells, raw reference rows.

Nothing of the table is needed, and the code is the one that made the report (:mod:`...reasons.measuring`). Shapes: M
reference rows, P players (the raw columns F), K outputs. torch is imported where the network runs.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.counterfactual.result import CounterfactualResult
from tabnet_engine.explain.reasons.altering import decision_scorer, wanted_outcome
from tabnet_engine.explain.reasons.measuring import CaseModel, Measured
from tabnet_engine.explain.reasons.records import Contribution, JointMove, ReferencePopulation, Score
from tabnet_engine.explain.reasons.reference import ReferenceSample
from tabnet_engine.texts.speaking import ENGLISH, speaking

if TYPE_CHECKING:
    from tabnet_engine.config import ReportConfig
    from tabnet_engine.runs.artefact import Run

__all__ = ["TOLERANCE", "ReplayedCase", "counterfactual_differences", "replay_case"]

# Relative to the larger number, and absolute below one unit of the score. Another processor or number of threads sums
# in another order, which moves the values by about 1e-9; single precision within a walk by about 1e-7.
TOLERANCE = 1e-6


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

    def differences(self, case_mapping: Mapping[str, Any]) -> tuple[str, ...]:
        """A sentence for each thing that a stored case says otherwise; none where they are equal.

        Numbers are equal up to :data:`TOLERANCE`, names and outcomes exactly.

        Args:
            case_mapping: as :meth:`DecisionCase.to_mapping` wrote it.

        Raises:
            ExplanationError: it does not hold what a case holds.
        """
        try:
            told = _told(case_mapping)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ExplanationError(
                f"the stored case cannot be read: {error!r}; restore the evidence from a copy"
            ) from error
        found = []
        own = self._facts()
        for name in dict.fromkeys((*own, *told)):
            mine, theirs = own.get(name, _ABSENT), told.get(name, _ABSENT)
            if not _equal(mine, theirs):
                found.append(f"{name}: the evidence says {_shown(theirs)}, the model says {_shown(mine)}")
        return tuple(found)

    def _facts(self) -> dict[str, Any]:
        joint = None if self.joint is None else dataclasses.asdict(self.joint)
        facts = _facts(dataclasses.asdict(self.score), self.mean_score, joint)
        facts |= _of_contributions([dataclasses.asdict(item) for item in self.contributions])
        facts["principal reasons"] = list(self.reasons)
        facts["reasons left out"] = list(self.left_out)
        for column, moved, flips in zip(self.reasons, self.moved, self.flips, strict=True):
            facts |= _of_move(column, moved, flips=flips)
        return facts


def replay_case(
    run: Run, cells: pd.DataFrame, reference_rows: pd.DataFrame, config: ReportConfig, row: int
) -> ReplayedCase:
    """Decide and explain a row again, from what the evidence holds.

    Args:
        run: the model, loaded from the evidence or the workspace.
        cells: the raw line.
        reference_rows: raw cells (M) of the reference, in the order of the report.
        config: the request of the report.
        row: the row's number in its table, on which the sampling depends.

    Raises:
        ExplanationError: not exactly one line, no reference row, or a request that does not fit the run.
        SchemaError: the cells are not what the model reads.
        DamagedRunError: a part of the run is damaged.
    """
    if len(reference_rows) == 0:
        raise ExplanationError("the evidence holds no reference row, so the reasons cannot be computed again")
    with speaking(ENGLISH):
        model = CaseModel.of_run(run, config)
        reference = ReferenceSample.of_cells(model.encoder, reference_rows, _unknown(len(reference_rows)))
        return _replayed(model.measure(cells, row, reference))


def counterfactual_differences(
    run: Run, cells: pd.DataFrame, config: ReportConfig, counterfactual: Mapping[str, Any]
) -> tuple[str, ...]:
    """What the model says otherwise of the stored changes, each scored again from the raw line; none where all hold.

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
            found.append(f"counterfactual: the outcome asked for ({stored.wanted.words}) is not that of the decision")
        if not _equal(before, list(stored.logits)):
            found.append(f"counterfactual: the row is scored {_shown(before)}, not {_shown(list(stored.logits))}")
        for place, item in enumerate(stored.counterfactuals, start=1):
            after = scorer.logits(item.apply(cells))[0].tolist()
            if not _equal(after, list(item.logits)):
                found.append(
                    f"counterfactual {place}: the changes score {_shown(after)}, not {_shown(list(item.logits))}"
                )
            elif not stored.wanted.reached([after])[0]:
                found.append(f"counterfactual {place}: the changes do not give {stored.wanted.words}")
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


_ABSENT = object()


def _told(case: Mapping[str, Any]) -> dict[str, Any]:
    """What a stored case says of everything that is computed again, by what it is."""
    facts = _facts(case["score"], case["reference"]["mean_score"], case["joint"])
    facts |= _of_contributions(case["contributions"])
    facts["principal reasons"] = [item["contribution"]["column"] for item in case["reasons"]]
    facts["reasons left out"] = list(case["left_out"])
    for item in case["reasons"]:
        facts |= _of_move(item["contribution"]["column"], item["moved"], flips=item["flips"])
        column = item["contribution"]["column"]
        if item["contribution"] not in case["contributions"]:
            facts[f"reason {column!r}"] = "another contribution than the one listed for that column"
    return facts


def _facts(score: Mapping[str, Any], mean_score: float, joint: Mapping[str, Any] | None) -> dict[str, Any]:
    names = ("value", "cutoff", "margin", "is_favourable", "predicted", "unit", "share", "cutoff_share")
    facts = {f"score, {name.replace('_', ' ')}": score[name] for name in names}
    facts["mean score of the reference"] = mean_score
    facts["joint move"] = None if joint is None else [*map(str, joint["columns"])]
    for name in ("before", "after", "flips"):
        facts[f"joint move, {name}"] = None if joint is None else joint[name]
    return facts


def _of_contributions(items: list[Mapping[str, Any]]) -> dict[str, Any]:
    facts: dict[str, Any] = {"columns": [item["column"] for item in items]}
    for item in items:
        facts[f"contribution of {item['column']!r}"] = item["value"]
        facts[f"standard error of {item['column']!r}"] = item["standard_error"]
        for name in ("actual", "reference", "direction"):
            facts[f"{name} value of {item['column']!r}"] = item[name]
    return facts


def _of_move(column: str, moved: float, *, flips: bool) -> dict[str, Any]:
    return {f"score when {column!r} alone is moved": moved, f"outcome when {column!r} alone is moved": flips}


def _equal(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(map(_equal, mine, theirs))
    if _is_number(mine) and _is_number(theirs):
        return math.isclose(mine, theirs, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return type(mine) is type(theirs) and bool(mine == theirs)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    if isinstance(value, float):
        return f"{value:.9g}"
    return ", ".join(map(_shown, value)) if isinstance(value, list) else f"{value!r}"
