"""What every section of a decision report is told from, and its numbers as this case writes them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from tabnet_engine.explain.importance import METHOD_NAMES
from tabnet_engine.explain.reasons.records import Contribution, DecisionCase, Direction, Reason
from tabnet_engine.explain.wording import class_name, column_name, listed
from tabnet_engine.report.decision.numbers import (
    exact,
    level_beside,
    level_exact,
    percent_exact,
    quantity_beside,
    share_beside,
)
from tabnet_engine.report.document import Facts, Identity, Paragraph
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.reason_codes import ReasonSentence
from tabnet_engine.report.stated_checks import STATED, stated_or_not
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say

__all__ = ["CELL_STATES", "DIRECTIONS", "Told", "bare", "method_name", "quoted_columns"]

CELL_STATES = {"known": msg("known"), "missing": msg("missing"), "unseen": msg("not seen in training")}
# How a value stands to what is usual for approved rows.
DIRECTIONS: dict[Direction, str] = {
    "above": msg("above what is usual there"),
    "below": msg("below what is usual there"),
    "other": msg("another one than is usual there"),
    "same": msg("as is usual there"),
    "missing": msg("missing"),
    "unseen": msg("never seen in training"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """One case with everything that stands beside it; the sections read nothing else."""

    case: DecisionCase
    identity: Identity
    materials: Materials

    @property
    def is_favourable(self) -> bool:
        """Whether the outcome is in the person's favour."""
        return self.case.score.is_favourable

    @property
    def is_quantity(self) -> bool:
        """Whether a number is predicted, not a class."""
        return not self.case.decision.favourable

    @functools.cached_property
    def sentences(self) -> tuple[ReasonSentence, ...]:
        """What is said for each principal reason, in the language of the report."""
        return tuple(self.sentence(reason) for reason in self.case.reasons)

    def sentence(self, reason: Reason) -> ReasonSentence:
        """What is said for one reason."""
        return self.materials.codes.sentence(reason, self.identity.language)

    @property
    def score_name(self) -> str:
        """What the score is called: every score here is towards the favourable outcome."""
        if self.is_quantity:
            return say("the predicted {target}", target=column_name(self.case.target))
        favourable = class_name(self.case.decision.favourable)
        if self.rival:
            return say(
                "the log-odds of {class_name} against {rival}, the likeliest other class of this row",
                class_name=favourable,
                rival=class_name(self.rival),
            )
        return say("the log-odds of {output}", output=favourable)

    @property
    def rival(self) -> str:
        """The class, of several, that the favourable one is measured against; else empty."""
        pairs = zip(self.case.timeline.outputs, self.case.weights, strict=True)
        weighed = [(output, weight) for output, weight in pairs if weight]
        if len(weighed) != 2:
            return ""
        return next(output for output, weight in weighed if weight < 0).removeprefix(f"{self.case.target}: ")

    @property
    def unit(self) -> str:
        """The unit of contributions, as a chart's axis says it."""
        if self.is_quantity:
            return self.case.target
        return say("log-odds") if self.case.score.unit == "log-odds" else say("logit")

    def level(self, score: float) -> str:
        """A score as a level: a quantity in its own sign, anything else with its sign shown."""
        if not self.is_quantity:
            return level_beside(score, self.case.score.cutoff)
        return quantity_beside(self.quantity(score), self.case.decision.cutoff)

    @property
    def is_turned(self) -> bool:
        """Whether less of the quantity is more of the score."""
        return self.is_quantity and not self.case.decision.is_high_favourable

    @property
    def sign_note(self) -> str:
        """How contributions are to be read where less of the quantity is more of the score; else empty."""
        if not self.is_turned:
            return ""
        return say(
            "Low is favourable here, and contributions and changes count towards the favourable outcome: one above 0 "
            "lowers {score}.",
            score=self.score_name,
        )

    def quantity(self, score: float) -> float:
        """The quantity that a score towards the favourable side stands for."""
        return score if self.case.decision.is_high_favourable else -score

    @property
    def cutoff(self) -> str:
        """The cutoff of the score, as it was chosen; a dash where the score has none."""
        cutoff = self.case.score.cutoff
        if cutoff is None:
            return bare("")
        return exact(self.quantity(cutoff)) if self.is_quantity else level_exact(cutoff)

    def actual(self, item: Contribution) -> str:
        """A column's own value in this row, as a cell of a table."""
        return say("missing") if item.direction == "missing" else bare(item.actual)

    def level_with_share(self, score: float, share: float | None) -> str:
        """A level with the probability that it means, where it has one."""
        if share is None:
            return self.level(score)
        places = {"log_odds": self.level(score), "probability": share_beside(share, self.case.score.cutoff_share)}
        if self.case.score.cutoff is None:  # no function of the one score
            return say("{log_odds}; probability {probability}", **places)
        return say("{log_odds}, a probability of {probability}", **places)

    @property
    def rule(self) -> str:
        """When a row is approved, in words."""
        return self.case.decision.words

    @property
    def outcome(self) -> str:
        """The outcome in one sentence: what the model gives, and where that stands to the cutoff."""
        score = self.case.score
        if score.share is not None and score.cutoff_share is not None:
            told = _APPROVED if score.is_favourable else _NOT_APPROVED
            return say(
                told,
                share=share_beside(score.share, score.cutoff_share),
                output=class_name(self.case.decision.favourable),
                cutoff=percent_exact(score.cutoff_share),
            )
        if self.is_quantity and score.cutoff is not None:
            told = _QUANTITY_APPROVED if score.is_favourable else _QUANTITY_NOT_APPROVED
            return say(
                told,
                target=column_name(self.case.target),
                value=self.level(score.value),
                cutoff=self.cutoff,
            )
        told = _LIKELIEST if score.is_favourable else _NOT_LIKELIEST
        return say(told, predicted=class_name(score.predicted), output=class_name(self.case.decision.favourable))

    def required_facts(self, keys: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """Statements of people by name: those that were made, and those that the profile requires of this report."""
        required = self.materials.profile.required("decision")
        lines = ((key, stated_or_not(self.materials, key)) for key in keys)
        missing = say("Not stated")
        return tuple((say(STATED[key]), text) for key, text in lines if text != missing or key in required)

    def stated(self, *keys: str) -> tuple[Facts, ...]:
        """The same as a block, where there is any."""
        lines = self.required_facts(keys)
        return (Facts(lines=lines),) if lines else ()

    def notes(self, texts: Sequence[str]) -> tuple[Paragraph, ...]:
        """Notes that were stored in English, each as a paragraph."""
        return tuple(Paragraph(text=recalled(text), is_note=True) for text in texts)


_APPROVED = msg(
    "The outcome is favourable: the probability of {output} is {share}, and from {cutoff} a row is approved."
)
_NOT_APPROVED = msg(
    "The outcome is not favourable: the probability of {output} is {share}, and a row is approved from {cutoff} only."
)
_QUANTITY_APPROVED = msg(
    "The outcome is favourable: the predicted {target} is {value}, which keeps the cutoff of {cutoff}."
)
_QUANTITY_NOT_APPROVED = msg(
    "The outcome is not favourable: the predicted {target} is {value}, which misses the cutoff of {cutoff}."
)
_LIKELIEST = msg("The outcome is favourable: the likeliest of all classes is {predicted}.")
_NOT_LIKELIEST = msg(
    "The outcome is not favourable: the likeliest of all classes is {predicted}; a row is approved where it is "
    "{output}."
)


def bare(text: str) -> str:
    """A cell of a table; a dash where there is nothing, so that no cell seems forgotten."""
    return text or "–"


def method_name(method: str) -> str:
    """What a method is called."""
    return say(METHOD_NAMES[method]) if method in METHOD_NAMES else method


def quoted_columns(names: Sequence[str], most: int = 20) -> str:
    """Columns in a sentence, in quotes; of very many the first ones and how many more.

    >>> quoted_columns(["age", "sex"])
    '“age”, “sex”'
    """
    shown = listed([f"“{name}”" for name in names[:most]])
    if len(names) <= most:
        return shown
    return say("{names} and {n_more:,} more", names=shown, n_more=len(names) - most)
