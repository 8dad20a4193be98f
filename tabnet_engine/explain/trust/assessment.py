"""All measures of trust of one network on some rows: which explanations are needed, each made once.

Shapes: B rows, M background rows, P players, K outputs, R repetitions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from tabnet_engine.config import CertifyConfig
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.subject import ChosenRows, Steering, Subject
from tabnet_engine.explain.trust.certificate import RowFaithfulness
from tabnet_engine.explain.trust.curves import GameRows
from tabnet_engine.explain.trust.explaining import Explained, Explainer
from tabnet_engine.explain.trust.faithfulness import RANDOM_WEIGHTS, Curve, WalkSettings, measure_faithfulness
from tabnet_engine.explain.trust.finding import Family, Finding, NotMeasured, subject_of
from tabnet_engine.explain.trust.method_agreement import PairAgreement, agreement_findings, compare_rows
from tabnet_engine.explain.trust.randomisation import STAGES, cascade_findings, randomised
from tabnet_engine.explain.trust.reasons import KeptReasons, kept_reasons
from tabnet_engine.explain.trust.row_values import MASKS, RowValues, looked_at
from tabnet_engine.explain.trust.stability import (
    Cause,
    decision_findings,
    decisions_of,
    importance_finding,
    kept_finding,
    other_backgrounds,
    perturbed_rows,
)
from tabnet_engine.texts.speaking import msg, say

__all__ = ["Assessed", "Assessment", "Follow"]

# How a part of the work reports: its phase and what it is about give the steering of that part.
Follow = Callable[[str, str], Steering]

_WHOLE = list(STAGES)[-1]
_GRADIENTS = ("gradients", "integrated_gradients")
# What the work is about while weights are random from the head down to a stage.
_RANDOM_DOWN_TO = {
    "head": msg("random head, {method}"),
    "layers of each step": msg("random down to the layers of each step, {method}"),
    "shared layers": msg("random down to the shared layers, {method}"),
    "attention": msg("random down to the attention, {method}"),
}


@dataclass
class Assessed:
    """What was measured so far, in the order of measuring."""

    findings: list[Finding] = field(default_factory=list)
    not_measured: list[NotMeasured] = field(default_factory=list)
    agreement: list[PairAgreement] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    faithfulness: list[RowFaithfulness] = field(default_factory=list)
    reasons: list[KeptReasons] = field(default_factory=list)

    def add(self, *findings: Finding) -> None:
        """Keep findings; one that no row defines is listed as not measured instead."""
        for finding in findings:
            if finding.estimate.value is None:
                name = say("{subject}, {figure}", subject=finding.subject, figure=finding.name)
                reason = say("none of the {n_rows:,} rows defines it", n_rows=finding.n_rows)
                self.miss(finding.family, name, reason)
            else:
                self.findings.append(finding)

    def miss(self, family: Family, name: str, reason: str) -> None:
        """Say what is not measured and why."""
        self.not_measured.append(NotMeasured(family=family, name=name, reason=reason))


class Assessment:
    """The rows of one network, what every method says of them, and what it says of a network with random weights.

    Args:
        subject: the trained network.
        targets: what its outputs stand for.
        chosen: the rows (B).
        background: stands for not knowing a column.
        config: what to measure, and how often.
        follow: reports each part of the work.
    """

    def __init__(
        self,
        subject: Subject,
        targets: TargetCodecs,
        chosen: ChosenRows,
        background: BackgroundSample,
        config: CertifyConfig,
        follow: Follow,
    ) -> None:
        self.subject, self.targets, self.chosen, self.background = subject, targets, chosen, background
        self.config, self.follow = config, follow
        self.found = Assessed()
        self.explainers = _explainers(subject, background, config)
        self.logits = subject.logits(chosen.table)
        self.outputs = looked_at(targets, self.logits)
        # Spread over the rows, which are in the order of the table.
        n_few = min(config.n_stability_rows, len(chosen))
        self.few = np.unique(np.linspace(0, len(chosen) - 1, n_few).astype(np.int64))
        self.few_rows = ChosenRows(
            chosen.table.take(self.few),
            chosen.rows[self.few],
            say("{n_rows:,} of: {rows}", n_rows=len(self.few), rows=chosen.selection),
        )
        self.explained = self._explain("Explaining", subject, chosen)
        random = randomised(subject, background.encoded, seed=config.seed)
        self.explained_random = self._explain("Explaining", random, chosen, what=msg("random weights, {method}"))

    @property
    def algorithms(self) -> dict[str, str]:
        """How each method was computed."""
        return {name: explained.algorithm for name, explained in self.explained.items()}

    def agreement(self) -> None:
        """Every pair of methods, on all rows."""
        if len(self.explainers) < 2:
            reason = say("only one method was chosen; name two or more with methods=...")
            self.found.miss(Family.AGREEMENT, say("agreement of methods"), reason)
        for target in self.outputs:
            values, random = self._values(target), self._values(target, random=True)
            for first, second in combinations(self.config.methods, 2):
                top_k = self.config.top_k
                self.found.agreement.append(compare_rows(values[first], values[second], top_k=top_k, target=target))
                self.found.add(
                    *agreement_findings(
                        values[first],
                        values[second],
                        subject=self._pair(first, second, target),
                        top_k=self.config.top_k,
                        seed=self.config.seed,
                        useless={RANDOM_WEIGHTS: random[second]},
                    )
                )

    def faithfulness(self) -> None:
        """Deletion and insertion along the order of every method, on all rows."""
        config = self.config
        rows = GameRows(
            model=self.subject,
            players=Players.columns(self.subject.features),
            chosen=self.chosen,
            background=self.background.encoded,
        )
        settings = WalkSettings(top_k=config.top_k, n_orders=config.n_random_orders, seed=config.seed)
        for target, outputs in self.outputs.items():
            measured = measure_faithfulness(
                rows,
                list(self._values(target).values()),
                outputs,
                settings,
                target=target,
                of_target=self._of(target),
                randomised=self._values(target, random=True),
                steering=self.follow("Faithfulness", self._curves(target)),
            )
            self.found.add(*measured.findings)
            self.found.curves.extend(measured.curves)
            self.found.faithfulness.extend(
                RowFaithfulness(
                    method=name,
                    target=target,
                    rows=tuple(self.chosen.rows.tolist()),
                    area=tuple(measured.areas[name].tolist()),
                    random=tuple(measured.areas[""].tolist()),
                )
                for name in self.config.methods
            )

    def randomisation(self) -> None:
        """The cascade of random weights, on some of the rows; the whole random network is known already."""
        stages: dict[str, dict[str, Explained]] = {}
        for stage in list(STAGES)[:-1]:
            random = randomised(self.subject, self.background.encoded, stage=stage, seed=self.config.seed)
            stages[stage] = self._explain("Randomisation", random, self.few_rows, what=_RANDOM_DOWN_TO[stage])
        for target, outputs in self.outputs.items():
            whole = self._values(target, random=True)
            for method, original in self._values(target).items():
                cascade = {
                    stage: explained[method].values(outputs[self.few])
                    for stage, explained in stages.items()
                    if method != MASKS or stage != "head"
                }
                cascade[_WHOLE] = whole[method].take(self.few)
                self.found.add(
                    *cascade_findings(
                        original.take(self.few),
                        cascade,
                        of_target=self._of(target),
                        top_k=self.config.top_k,
                        seed=self.config.seed,
                    )
                )
        if MASKS in self.config.methods:
            reason = say("the masks come before the head, whose weights cannot change them")
            self.found.miss(Family.RANDOMISATION, say("attention masks once the head is random"), reason)

    def perturbations(self) -> None:
        """The rows with numbers moved a little."""
        config, name = self.config, say("stability to small perturbations")
        try:
            copies = perturbed_rows(
                self.subject,
                self.targets,
                self.few_rows,
                self.background.encoded,
                fraction=config.perturbation,
                n_repetitions=config.n_repetitions,
                seed=config.seed,
            )
        except ExplanationError as error:
            self.found.miss(Family.STABILITY, name, str(error))
            return
        if not copies:
            every = say("every perturbed copy changes its prediction")
            reason = say("n_repetitions is 0") if not config.n_repetitions else every
            self.found.miss(Family.STABILITY, name, reason)
            return
        explained = [
            self._explain("Stability", self.subject, rows, what=msg("perturbed rows, {method}")) for rows in copies
        ]
        how = say(
            "Up to {n_copies} copies of each row whose numbers move by at most {fraction:g} standard deviations of "
            "their column over the background; categories, dates and missing cells stay, and copies that change the "
            "prediction are left out.",
            n_copies=config.n_repetitions,
            fraction=config.perturbation,
        )
        words = say("numbers moved by up to {fraction:g} standard deviations", fraction=config.perturbation)
        self._repeated(Cause(key="perturbation", words=words, how=how), explained)

    def backgrounds(self) -> None:
        """The rows against other draws of the background."""
        name = say("stability to the background")
        if MASKS in self.config.methods:
            reason = say("masks are read as the row passes through the network and know no background")
            self.found.miss(Family.STABILITY, say("stability to the background of attention masks"), reason)
        signed, n_repetitions = [name for name in self.config.methods if name != MASKS], self.config.n_repetitions
        n_background = self.background.background.n_rows
        if not signed or not n_repetitions or n_background < 2:
            few = say("n_repetitions is 0") if not n_repetitions else say("the background has one row")
            self.found.miss(Family.STABILITY, name, few if signed else say("no signed method was chosen"))
            return
        samples = other_backgrounds(self.background, n_repetitions=n_repetitions, seed=self.config.seed)
        explained = [self._explain("Stability", self.subject, self.few_rows, sample, only=signed) for sample in samples]
        how = say(
            "Each row explained against {n_repetitions} backgrounds of {n_background:,} rows, drawn with replacement "
            "from the run's own.",
            n_repetitions=n_repetitions,
            n_background=n_background,
        )
        self._repeated(Cause(key="background", words=say("background rows drawn again"), how=how), explained)

    def seeds(self, trainings: Sequence[tuple[Subject, ChosenRows, BackgroundSample]]) -> None:
        """The rows explained by networks that were trained with other seeds.

        Args:
            trainings: of each the network, all the rows and the background as its own encoder reads them.
        """
        explained, decisions = [], []
        for subject, rows, background in trainings:
            few = ChosenRows(rows.table.take(self.few), rows.rows[self.few], rows.selection)
            explained.append(self._explain("Retraining", subject, few, background, what=msg("trained anew, {method}")))
            decisions.append(decisions_of(self.targets, subject.logits(rows.table)))
        how = say(
            "Each row explained by {n_networks} networks trained with the run's settings and other seeds, which split "
            "the table, draw the first weights and order the batches anew.",
            n_networks=len(trainings),
        )
        self._repeated(Cause(key="seed", words=say("trained again with other seeds"), how=how), explained)
        for target, outputs in self.outputs.items():
            for method, original in self._values(target).items():
                again = [one[method].values(outputs[self.few]) for one in explained]
                self.found.add(
                    importance_finding(
                        [original.take(self.few), *again], of_target=self._of(target), seed=self.config.seed
                    )
                )
        own = decisions_of(self.targets, self.logits)
        self.found.add(*decision_findings(own, decisions, seed=self.config.seed))

    def _repeated(self, cause: Cause, explained: Sequence[Mapping[str, Explained]]) -> None:
        """Findings and per-row shares of all methods whose explanations were repeated."""
        for target in self.outputs:
            random = self._values(target, random=True)
            for method in explained[0]:
                original = self._values(target)[method].take(self.few)
                repetitions = [self._aligned(one[method], target) for one in explained]
                top_k, seed = self.config.top_k, self.config.seed
                self.found.add(
                    kept_finding(
                        original,
                        repetitions,
                        cause=cause,
                        top_k=top_k,
                        seed=seed,
                        of_target=self._of(target),
                        useless={RANDOM_WEIGHTS: random[method].take(self.few)},
                    )
                )
                self.found.reasons.append(
                    kept_reasons(original, repetitions, cause=cause.words, target=target, top_k=top_k)
                )

    def _aligned(self, explained: Explained, target: str) -> RowValues:
        """Values of the same output of each row, for explanations of some of the rows in their order."""
        place = {row: index for index, row in enumerate(self.chosen.rows.tolist())}
        places = [place[row] for row in explained.result.rows.tolist()]
        return explained.values(self.outputs[target][places])

    def _values(self, target: str, *, random: bool = False) -> dict[str, RowValues]:
        source = self.explained_random if random else self.explained
        return {method: explained.values(self.outputs[target]) for method, explained in source.items()}

    def _explain(
        self,
        phase: str,
        subject: Subject,
        rows: ChosenRows,
        background: BackgroundSample | None = None,
        *,
        what: str = "{method}",
        only: Sequence[str] | None = None,
    ) -> dict[str, Explained]:
        """What every method, or only some, says of the rows."""
        background = background or self.background
        return {
            one.method: one(
                subject, rows, background, steering=self.follow(phase, say(what, method=subject_of(one.method)))
            )
            for one in self.explainers
            if only is None or one.method in only
        }

    def _of(self, target: str) -> str:
        """The target where there are several."""
        return target if len(self.outputs) > 1 else ""

    def _pair(self, first: str, second: str, target: str) -> str:
        names = {"first": subject_of(first), "second": subject_of(second)}
        if self._of(target):
            return say("{first} and {second} for '{target}'", target=target, **names)
        return say("{first} and {second}", **names)

    def _curves(self, target: str) -> str:
        return say("curves for '{target}'", target=target) if self._of(target) else say("curves")


def _explainers(subject: Subject, background: BackgroundSample, config: CertifyConfig) -> tuple[Explainer, ...]:
    """Every method with its budget; gradients stop at a share of the scores' own spread, in whatever unit they are."""
    spread = subject.logits(background.encoded).std(axis=0)
    precision = config.gradient_precision * float(spread[spread > 0].min()) if (spread > 0).any() else None
    return tuple(
        Explainer(
            method=name,
            n_evaluations=config.n_evaluations,
            target_error=precision if name in _GRADIENTS else None,
            seed=config.seed,
        )
        for name in config.methods
    )
