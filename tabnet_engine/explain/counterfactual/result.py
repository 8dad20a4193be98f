"""What would have to change, as it is shown and stored. A counterfactual that does not flip cannot be constructed.

Shapes: K outputs. No torch: pages import this.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from tabnet_engine.data.values import category_text
from tabnet_engine.explain.counterfactual.constraints import Constraints
from tabnet_engine.explain.counterfactual.distance import DISTANCE_WORDS
from tabnet_engine.explain.counterfactual.plausibility import N_NEAREST, Likeness
from tabnet_engine.explain.counterfactual.scoring import RowScorer
from tabnet_engine.explain.counterfactual.settings import SearchSettings
from tabnet_engine.explain.counterfactual.space import MISSING_TEXT, PlainValue, with_values
from tabnet_engine.explain.counterfactual.wanted import WantedOutcome
from tabnet_engine.explain.wording import amount, clauses, joined, percent
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["Change", "Counterfactual", "CounterfactualResult", "NearestMiss", "SearchSettings"]

FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Change:
    """One cell, from what it is to what it would have to be; None stands for a missing cell.

    ``distance`` is the column's part of the distance: for numbers and dates the share of training rows between.
    ``is_ordered`` tells these from categories.
    """

    column: str
    before: PlainValue
    after: PlainValue
    distance: float
    unit: str | None = None
    is_ordered: bool = False

    @property
    def before_text(self) -> str:
        """The cell as it is, as a reader knows it."""
        return say(MISSING_TEXT) if self.before is None else category_text(self.before)

    @property
    def after_text(self) -> str:
        """The cell as it would have to be."""
        return say(MISSING_TEXT) if self.after is None else category_text(self.after)

    @property
    def sentence(self) -> str:
        """The change in words: "income from 32000 to 38500 EUR"."""
        cells = {"column": self.column, "before": self.before_text, "after": self.after_text}
        if self.unit and self.after is not None:
            return say("{column} from {before} to {after} {unit}", unit=self.unit, **cells)
        return say("{column} from {before} to {after}", **cells)

    def to_mapping(self) -> dict[str, Any]:
        """The change as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(**values)


@dataclass(frozen=True, kw_only=True, eq=False)
class Counterfactual:
    """Changes of one row that give it the wanted outcome.

    ``logits_before`` and ``logits`` (K) are the model's scores of the raw row without and with the changes: the
    constructor compares them with the wanted outcome. Make one with :meth:`verified`, which scores the row itself.

    Raises:
        ValueError: the scores do not reach the outcome, or reached it before; or nothing changes.
    """

    wanted: WantedOutcome
    changes: tuple[Change, ...]
    logits_before: tuple[float, ...]
    logits: tuple[float, ...]
    distance: float
    likeness: Likeness

    def __post_init__(self) -> None:
        if not self.changes:
            raise ValueError("a counterfactual must change something")
        if not all(map(math.isfinite, (*self.logits, *self.logits_before))):
            raise ValueError("the scores of a counterfactual must be finite")
        before, after = self.wanted.reached([self.logits_before, self.logits]).tolist()
        if before:
            raise ValueError(f"the row has the wanted outcome already: {self.wanted.words}")
        if not after:
            raise ValueError(f"the changes do not reach the wanted outcome: {self.wanted.words}")

    @classmethod
    def verified(
        cls,
        scorer: RowScorer,
        row: pd.DataFrame,
        wanted: WantedOutcome,
        changes: tuple[Change, ...],
        *,
        likeness: Likeness,
    ) -> Self:
        """Score the raw row (one line) with and without the changes, and make a counterfactual of them if it flips.

        Raises:
            ValueError: it does not flip.
        """
        after = with_values(row, {change.column: change.after for change in changes})
        return cls(
            wanted=wanted,
            changes=changes,
            logits_before=tuple(scorer.logits(row)[0].tolist()),
            logits=tuple(scorer.logits(after)[0].tolist()),
            distance=float(sum(change.distance for change in changes)),
            likeness=likeness,
        )

    def apply(self, row: pd.DataFrame) -> pd.DataFrame:
        """The raw row (one line) with the changes made, ready to be scored."""
        return with_values(row, {change.column: change.after for change in self.changes})

    @property
    def sentence(self) -> str:
        """The changes and the outcome in words."""
        what = joined([change.sentence for change in self.changes])
        outcome = self.wanted.outcome_words(self.logits)
        return say("Changing {changes} would give {outcome}.", changes=what, outcome=outcome)

    def to_mapping(self) -> dict[str, Any]:
        """The counterfactual as plain JSON values."""
        return {
            "wanted": self.wanted.to_mapping(),
            "changes": [change.to_mapping() for change in self.changes],
            "logits_before": list(self.logits_before),
            "logits": list(self.logits),
            "distance": self.distance,
            "likeness": self.likeness.to_mapping(),
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote; raises as the constructor does."""
        return cls(
            wanted=WantedOutcome.from_mapping(values["wanted"]),
            changes=tuple(map(Change.from_mapping, values["changes"])),
            logits_before=tuple(map(float, values["logits_before"])),
            logits=tuple(map(float, values["logits"])),
            distance=float(values["distance"]),
            likeness=Likeness.from_mapping(values["likeness"]),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class NearestMiss:
    """The changes that came closest without being an answer, and why they are none.

    ``shortfall`` is what still lacks, on the logit or in the target's unit; 0 where the outcome is reached but
    ``likeness`` is below what was asked for.
    """

    changes: tuple[Change, ...]
    logits: tuple[float, ...]
    shortfall: float
    likeness: Likeness
    outcome: str

    @property
    def sentence(self) -> str:
        """The miss in words."""
        return self.told(self.outcome)

    def apply(self, row: pd.DataFrame) -> pd.DataFrame:
        """The raw row (one line) with the changes made."""
        return with_values(row, {change.column: change.after for change in self.changes})

    def told(self, outcome: str) -> str:
        """The miss in words, with its outcome as the reader's language says it."""
        what = joined([change.sentence for change in self.changes])
        if self.shortfall > 0:
            return say(
                "What came closest, changing {changes}, gives {outcome}: {shortfall} short.",
                changes=what,
                outcome=outcome,
                shortfall=amount(self.shortfall),
            )
        return say(
            "Changing {changes} would give {outcome}, but is too unlike the training rows.",
            changes=what,
            outcome=outcome,
        )

    def to_mapping(self) -> dict[str, Any]:
        """The miss as plain JSON values."""
        return {
            "changes": [change.to_mapping() for change in self.changes],
            "logits": list(self.logits),
            "shortfall": self.shortfall,
            "likeness": self.likeness.to_mapping(),
            "outcome": self.outcome,
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            changes=tuple(map(Change.from_mapping, values["changes"])),
            logits=tuple(map(float, values["logits"])),
            shortfall=float(values["shortfall"]),
            likeness=Likeness.from_mapping(values["likeness"]),
            outcome=str(values["outcome"]),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class CounterfactualResult:
    """The answer for one row: some counterfactuals, the best first, or none, with the reason.

    ``reason`` says why there are fewer than asked for; empty where there are as many. ``is_exhaustive`` tells
    whether every open combination was tried: only then is "none" a proof; ``shortened`` says what a search of wide
    tables left aside altogether; ``is_stopped`` that its time was over. ``reference`` says which training rows stand
    behind distance and likeness. These texts are kept in English and said in the reader's language.
    """

    row: int
    run_id: str
    wanted: WantedOutcome
    logits: tuple[float, ...]
    counterfactuals: tuple[Counterfactual, ...]
    constraints: Constraints
    settings: SearchSettings
    reason: str
    nearest_miss: NearestMiss | None
    n_scored: int
    is_exhaustive: bool
    reference: str
    shortened: tuple[str, ...] = ()
    is_stopped: bool = False

    def __post_init__(self) -> None:
        if len(self.counterfactuals) > self.settings.n:
            raise ValueError(f"{len(self.counterfactuals)} counterfactuals for {self.settings.n} that were asked for")
        if (len(self.counterfactuals) < self.settings.n) != bool(self.reason):
            raise ValueError("a result with fewer counterfactuals than asked for says why, and no other")
        for item in self.counterfactuals:
            if item.wanted != self.wanted or not np.array_equal(item.logits_before, self.logits):
                raise ValueError("a counterfactual belongs to another question")

    def verify(self, scorer: RowScorer, row: pd.DataFrame) -> None:
        """Score every counterfactual again from the raw row (one line).

        Raises:
            ValueError: one does not flip with this model and this row.
        """
        for item in self.counterfactuals:
            Counterfactual.verified(scorer, row, self.wanted, item.changes, likeness=item.likeness)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The answer in words, then how it was found."""
        head = say(
            "Row {row} is given {outcome}; asked for: {wanted}.",
            row=self.row,
            outcome=self.wanted.outcome_words(self.logits),
            wanted=self.wanted.words,
        )
        return (head, *(item.sentence for item in self.counterfactuals), *self.reasons, self.note)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why there are fewer than asked for, and what came closest where there is none."""
        reason = [recalled(self.reason)] if self.reason else []
        if self.nearest_miss is None or self.counterfactuals:
            return tuple(reason)
        return (*reason, self.nearest_miss.told(self.wanted.outcome_words(self.nearest_miss.logits)))

    @property
    def note(self) -> str:
        """How the answer was found, in a few sentences for beside it."""
        limits = clauses(self.constraints.words) or say("no column is limited")
        at_most = say_plural(
            "At most {count} change, {limits}.", "At most {count:,} changes, {limits}.", self.settings.max_changes,
            limits=limits,
        )  # fmt: skip
        likeness = say(
            "Likeness: mean distance to the {n_nearest} nearest of {reference}, at least as usual as {share} of them "
            "or as the row itself.",
            n_nearest=N_NEAREST,
            reference=recalled(self.reference),
            share=percent(self.settings.min_usual),
        )
        distance = say("Distance: {words}.", words=say(DISTANCE_WORDS))
        again = say("Each proposal was scored again from its raw cells.")
        left_out = (recalled(text) for text in self.shortened)
        return one_text((at_most, self._effort, *left_out, again, distance, likeness))

    @property
    def _effort(self) -> str:
        """How many rows were scored, and what that proves."""
        if self.is_exhaustive:
            return say_plural(
                "All {count} open combination were tried, seed {seed}.",
                "All {count:,} open combinations were tried, seed {seed}.",
                self.n_scored,
                seed=self.settings.seed,
            )
        if self.is_stopped:
            return say_plural(
                "The search ended after {seconds:g} s with {count} candidate scored, so a nearer one may exist, seed "
                "{seed}.",
                "The search ended after {seconds:g} s with {count:,} candidates scored, so a nearer one may exist, "
                "seed {seed}.",
                self.n_scored,
                seconds=self.settings.seconds or 0.0,
                seed=self.settings.seed,
            )
        return say_plural(
            "{count} candidate was scored, so a nearer one may exist, seed {seed}.",
            "{count:,} candidates were scored, so a nearer one may exist, seed {seed}.",
            self.n_scored,
            seed=self.settings.seed,
        )

    def to_mapping(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        return {
            "format_version": FORMAT_VERSION,
            "row": self.row,
            "run_id": self.run_id,
            "wanted": self.wanted.to_mapping(),
            "logits": list(self.logits),
            "counterfactuals": [item.to_mapping() for item in self.counterfactuals],
            "constraints": self.constraints.to_mapping(),
            "settings": self.settings.to_mapping(),
            "reason": self.reason,
            "nearest_miss": None if self.nearest_miss is None else self.nearest_miss.to_mapping(),
            "n_scored": self.n_scored,
            "is_exhaustive": self.is_exhaustive,
            "reference": self.reference,
            "shortened": list(self.shortened),
            "is_stopped": self.is_stopped,
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote; every counterfactual is compared with the outcome again.

        Raises:
            ValueError: another format, or a counterfactual that does not flip.
        """
        if values["format_version"] != FORMAT_VERSION:
            raise ValueError(f"counterfactuals of format {values['format_version']} cannot be read")
        miss = values["nearest_miss"]
        return cls(
            row=int(values["row"]),
            run_id=str(values["run_id"]),
            wanted=WantedOutcome.from_mapping(values["wanted"]),
            logits=tuple(map(float, values["logits"])),
            counterfactuals=tuple(map(Counterfactual.from_mapping, values["counterfactuals"])),
            constraints=Constraints.from_mapping(values["constraints"]),
            settings=SearchSettings(**values["settings"]),
            reason=str(values["reason"]),
            nearest_miss=None if miss is None else NearestMiss.from_mapping(miss),
            n_scored=int(values["n_scored"]),
            is_exhaustive=bool(values["is_exhaustive"]),
            reference=str(values["reference"]),
            shortened=tuple(map(str, values.get("shortened", ()))),
            is_stopped=bool(values.get("is_stopped", False)),
        )
