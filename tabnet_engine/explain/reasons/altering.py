"""How a change of the row would have altered its outcome: counterfactuals at the cutoff of the decision.

Shapes: B rows, K outputs. torch is imported only where the network runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.counterfactual.constraints import Constraints
from tabnet_engine.explain.counterfactual.finding import find_counterfactuals
from tabnet_engine.explain.counterfactual.reference import Reference
from tabnet_engine.explain.counterfactual.result import CounterfactualResult
from tabnet_engine.explain.counterfactual.scoring import RowScorer
from tabnet_engine.explain.counterfactual.settings import SearchSettings
from tabnet_engine.explain.counterfactual.wanted import EVEN, WantedOutcome
from tabnet_engine.explain.reasons.limiting import proposal_limits, search_settings
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from tabnet_engine.explain.reasons.measuring import CaseModel
    from tabnet_engine.explain.reasons.reference import CandidateRows
    from tabnet_engine.explain.subject import LogitModel, Steering

__all__ = ["Alterations", "decision_scorer", "wanted_outcome"]

Floats = npt.NDArray[np.float64]

_MAX_ROWS = 20_000  # that distances are measured by: shares of rows, which so many tell to a hundredth


@dataclass(frozen=True)
class AgainstRest:
    """A model of several classes as one of two: the log-odds of one class against all others together."""

    model: LogitModel
    start: int
    stop: int
    code: int
    name: str

    @property
    def layout(self) -> InputLayout:
        """Which slot belongs to which raw feature."""
        return self.model.layout

    @property
    def outputs(self) -> tuple[str, ...]:
        """The class."""
        return (self.name,)

    @property
    def run_id(self) -> str:
        """The run it came from."""
        return self.model.run_id

    def logits(self, table: EncodedTable) -> Floats:
        """Log-odds (B, 1) of encoded rows."""
        own = self.model.logits(table)[:, self.start : self.stop]
        rest = np.logaddexp.reduce(np.delete(own, self.code, axis=1), axis=1)
        return np.asarray((own[:, self.code] - rest)[:, None])


def decision_scorer(model: CaseModel) -> RowScorer:
    """The model as the decision sees it: a cutoff of one among several classes makes it one of two."""
    score, decision = model.score, model.score.decision
    codec = score.codec
    if codec.task is not Task.MULTICLASS or decision.cutoff is None:
        return RowScorer(model.subject, model.encoder, model.targets)
    code = codec.classes.index(decision.favourable)
    against = AgainstRest(model.subject, score.place.start, score.place.stop, code, decision.favourable)
    classes = (_other_than(codec, decision.favourable), decision.favourable)
    return RowScorer(
        against, model.encoder, TargetCodecs((TargetCodec(name=codec.name, task=Task.BINARY, classes=classes),))
    )


def wanted_outcome(model: CaseModel, *, favourable: bool) -> WantedOutcome:
    """The favourable outcome at the decision's cutoff, or the other one, as a search asks for it.

    Where a cutoff is met exactly, the decision approves and a search may not: no score of doubles is meant to lie
    there.
    """
    score, decision = model.score, model.score.decision
    codec, place = score.codec, score.place
    if codec.task is Task.REGRESSION:
        cutoff = float(decision.cutoff or 0.0)
        is_low = favourable == decision.is_high_favourable
        low, high = (cutoff, None) if is_low else (None, cutoff)
        return WantedOutcome(target=codec.name, task=codec.task, start=place.start, stop=place.stop, low=low, high=high)
    scorer = decision_scorer(model)
    if scorer.targets is not model.targets:
        codec, place = scorer.targets.codecs[0], slice(0, 1)
    code = codec.classes.index(decision.favourable)
    cutoff = EVEN if decision.cutoff is None else decision.cutoff
    if codec.task is Task.BINARY and code == 0:
        cutoff = 1 - cutoff  # a search counts the probability of the second class
    which = {"code": code} if favourable else {"other_than": code}
    return WantedOutcome(
        target=codec.name,
        task=codec.task,
        classes=codec.classes,
        start=place.start,
        stop=place.stop,
        cutoff=cutoff,
        **which,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Alterations:
    """Looks for changes of one row after another; made once for many."""

    model: CaseModel
    scorer: RowScorer
    reference: Reference
    constraints: Constraints
    settings: SearchSettings

    @classmethod
    def of_rows(cls, model: CaseModel, candidates: CandidateRows, protected: Sequence[str]) -> Self | None:
        """Measure the rows that changes are weighed by; None where no proposal is asked for.

        Args:
            model: that decides.
            candidates: rows of the table, of which a sample is measured.
            protected: columns that no proposal changes, beside those that the settings fix.

        Raises:
            ExplanationError: a column of the limits that the table does not have, or one that cannot move one way.
        """
        config = model.config
        if not config.n_counterfactuals:
            return None
        known = set(map(str, candidates.frame.columns))
        constraints = proposal_limits(model.encoder.schema, config, protected, known=known)
        rows = candidates.rows
        if len(rows) > _MAX_ROWS:
            rows = np.sort(np.random.default_rng([config.seed, 9]).permutation(rows)[:_MAX_ROWS])
        scorer = decision_scorer(model)
        reference = Reference.build(
            scorer,
            candidates.frame.iloc[rows],
            seed=config.seed,
            name=candidates.name,
            n_population=len(candidates.rows),
        )
        return cls(
            model=model,
            scorer=scorer,
            reference=reference,
            constraints=constraints,
            settings=search_settings(config),
        )

    def of_row(
        self, cells: pd.DataFrame, row: int, *, is_favourable: bool, steering: Steering | None = None
    ) -> tuple[CounterfactualResult | None, str]:
        """Changes that would have given the other outcome, or why none were looked for, in English.

        Raises:
            JobCancelledError: the steering asked to stop.
        """
        wanted = wanted_outcome(self.model, favourable=not is_favourable)
        try:
            found = find_counterfactuals(
                self.scorer,
                self.reference,
                cells,
                wanted,
                constraints=self.constraints,
                settings=self.settings,
                row_number=row,
                steering=steering,
            )
        except ExplanationError as error:
            return None, str(error)
        return found, ""


def _other_than(codec: TargetCodec, favourable: str) -> str:
    """What the other classes are called together; never what one of them is called."""
    name = say("other than {class_name}", class_name=favourable)
    while name in codec.classes:
        name += "′"
    return name
