"""One measured figure about an explanation, beside what a useless explanation scores. numpy only: pages import this.

A number such as "rank-biased overlap 0.62" says nothing by itself; whether random explanations of the same rows
score 0.60 or 0.20 does. So a :class:`Finding` cannot be made without at least one :class:`Control`, and its words
follow from the interval of the difference, never from the value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.estimates import CONFIDENCE, Estimate, mean_estimate, proportion_estimate
from tabnet_engine.explain.importance import METHOD_NAMES
from tabnet_engine.explain.wording import amount, clauses, signed
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say

__all__ = ["Control", "Family", "Finding", "NotMeasured", "Verdict", "measure_rows", "subject_of"]

_BARELY = 0.1  # up to this share of the way from a control to the best value a difference says little, however sure
_WELL = 0.5  # from this share of the way from a control to the best value on, a difference is called large

Floats = npt.NDArray[np.float64]


class Family(StrEnum):
    """What kind of question a figure answers."""

    AGREEMENT = "agreement"
    FAITHFULNESS = "faithfulness"
    RANDOMISATION = "randomisation"
    STABILITY = "stability"


class Verdict(StrEnum):
    """What the comparison with a useless explanation says; it follows from the interval of the difference."""

    WELL_ABOVE = "well above"
    ABOVE = "above"
    BARELY_ABOVE = "barely above"
    WELL_BELOW = "well below"
    BELOW = "below"
    BARELY_BELOW = "barely below"
    ALIKE = "alike"
    WORSE = "worse"
    UNDEFINED = "undefined"


_READINGS = {
    Verdict.WELL_ABOVE: msg("well above {control}"),
    Verdict.ABOVE: msg("above {control}"),
    Verdict.BARELY_ABOVE: msg("barely above {control}"),
    Verdict.WELL_BELOW: msg("well below {control}"),
    Verdict.BELOW: msg("below {control}"),
    Verdict.BARELY_BELOW: msg("barely below {control}"),
    Verdict.ALIKE: msg("not told apart from {control}"),
    Verdict.WORSE: msg("worse than {control}"),
    Verdict.UNDEFINED: msg("not defined by these rows beside {control}"),
}


@dataclass(frozen=True, kw_only=True)
class Control:
    """What a useless explanation scores on the same measure and rows, and how much better the real one is.

    ``advantage`` is the difference over the same rows, counted so that above zero means: the real one is better.
    """

    name: str
    estimate: Estimate
    advantage: Estimate

    def to_mapping(self) -> dict[str, Any]:
        """The control as plain JSON values."""
        return {
            "name": self.name,
            "estimate": self.estimate.to_mapping(),
            "advantage": self.advantage.to_mapping(),
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            name=str(values["name"]),
            estimate=Estimate.from_mapping(values["estimate"]),
            advantage=Estimate.from_mapping(values["advantage"]),
        )


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One figure of a certificate.

    ``key`` names the measure for programs, ``name`` for people; ``subject`` says of which method or pair of methods
    and, with several targets, of which. ``how`` is one sentence on how it was measured, ``unit`` what the value
    counts in. ``best`` is the value of a perfect explanation where there is one, ``higher_is_better`` the direction.

    Raises:
        ValueError: no control to compare with.
    """

    family: Family
    key: str
    name: str
    subject: str
    estimate: Estimate
    controls: tuple[Control, ...]
    how: str
    n_rows: int
    seed: int
    unit: str = ""
    higher_is_better: bool = True
    best: float | None = None

    def __post_init__(self) -> None:
        if not self.controls:
            raise ValueError(f"the finding {self.key!r} must be compared with at least one control")

    @property
    def stands(self) -> bool:
        """Whether the figure is told apart, for the better, from every control, and by more than a trifle."""
        lows = [control.advantage.low for control in self.controls]
        gains = [self._share_gained(control) for control in self.controls]
        return all(low is not None and low > 0 for low in lows) and all(gain >= _BARELY for gain in gains)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What the comparison with each control says."""
        return tuple(self._verdict(control) for control in self.controls)

    @property
    def reading(self) -> str:
        """What the figure says, in plain words, for each control."""
        return clauses(
            [
                say(_READINGS[verdict], control=recalled(control.name))
                for verdict, control in zip(self.verdicts, self.controls, strict=True)
            ]
        )

    @property
    def sentence(self) -> str:
        """The figure with its interval, its controls and what they mean, for beside a table or figure."""
        against = clauses(
            [
                say("{control}: {value}", control=recalled(control.name), value=self._shown(control.estimate))
                for control in self.controls
            ]
        )
        subject, name = recalled(self.subject), recalled(self.name)
        return say(
            "{subject}, {name}: {value} over {n_rows:,} rows ({against}). {reading}.",
            subject=f"{subject[:1].upper()}{subject[1:]}",
            name=name,
            value=self._shown(self.estimate),
            n_rows=self.n_rows,
            against=against,
            reading=f"{self.reading[:1].upper()}{self.reading[1:]}",
        )

    def _verdict(self, control: Control) -> Verdict:
        advantage = control.advantage
        if advantage.value is None:
            return Verdict.UNDEFINED
        if advantage.low is None or advantage.high is None or advantage.low <= 0 <= advantage.high:
            return Verdict.ALIKE
        if advantage.high < 0:
            return Verdict.WORSE
        gain = self._share_gained(control)
        if gain >= _WELL:
            return Verdict.WELL_ABOVE if self.higher_is_better else Verdict.WELL_BELOW
        if gain < _BARELY:
            return Verdict.BARELY_ABOVE if self.higher_is_better else Verdict.BARELY_BELOW
        return Verdict.ABOVE if self.higher_is_better else Verdict.BELOW

    def _share_gained(self, control: Control) -> float:
        """How much of what there was to gain over the control was gained."""
        useless, gained = control.estimate.value, control.advantage.value
        if useless is None or gained is None:
            return 0.0
        possible = abs(useless) if self.best is None else abs(self.best - useless)
        return gained / possible if possible > 0 else float(gained > 0)

    def _shown(self, estimate: Estimate) -> str:
        if estimate.value is None:
            return say("not defined")
        unit = f" {self.unit}" if self.unit else ""
        number = signed(estimate.value) if estimate.value < 0 else amount(estimate.value)
        if estimate.low is None or estimate.high is None:
            return f"{number}{unit}"
        low, high = (signed(edge) if edge < 0 else amount(edge) for edge in (estimate.low, estimate.high))
        return say("{number} (95 % interval {low} to {high})", number=f"{number}{unit}", low=low, high=high)

    def to_mapping(self) -> dict[str, Any]:
        """The finding as plain JSON values, with its reading for whoever reads the file."""
        return {
            "family": str(self.family),
            "key": self.key,
            "name": self.name,
            "subject": self.subject,
            "estimate": self.estimate.to_mapping(),
            "controls": [control.to_mapping() for control in self.controls],
            "how": self.how,
            "n_rows": self.n_rows,
            "seed": self.seed,
            "unit": self.unit,
            "higher_is_better": self.higher_is_better,
            "best": self.best,
            "reading": self.reading,
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote; the reading follows from the numbers again."""
        return cls(
            family=Family(values["family"]),
            key=str(values["key"]),
            name=str(values["name"]),
            subject=str(values["subject"]),
            estimate=Estimate.from_mapping(values["estimate"]),
            controls=tuple(Control.from_mapping(item) for item in values["controls"]),
            how=str(values["how"]),
            n_rows=int(values["n_rows"]),
            seed=int(values["seed"]),
            unit=str(values["unit"]),
            higher_is_better=bool(values["higher_is_better"]),
            best=None if values["best"] is None else float(values["best"]),
        )


@dataclass(frozen=True, kw_only=True)
class NotMeasured:
    """A figure that the certificate lacks, why, and what would give it."""

    family: Family
    name: str
    reason: str

    def to_mapping(self) -> dict[str, Any]:
        """The gap as plain JSON values."""
        return {"family": str(self.family), "name": self.name, "reason": self.reason}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(family=Family(values["family"]), name=str(values["name"]), reason=str(values["reason"]))


def subject_of(method: str, target: str = "") -> str:
    """What a figure is about: a method and, with several targets, whose values it gave."""
    name = say(METHOD_NAMES.get(method, method))
    return say("{method} for '{target}'", method=name, target=target) if target else name


def measure_rows(
    values: Floats,
    controls: Mapping[str, Floats],
    *,
    median: bool = False,
    bounds: tuple[float, float] | None = None,
    **facts: Any,
) -> Finding:
    """A finding that is the mean over rows of ``values`` (B,), or their median; NaN are left out.

    Args:
        values: the measure of each row.
        controls: by name the same measure (B,) of useless explanations of the same rows.
        median: whether rows are summed up by their median instead of their mean.
        bounds: the least and the most that the measure can be: intervals end there.
        facts: the other fields of :class:`Finding`; ``n_rows`` is counted here.
    """
    higher = bool(facts.get("higher_is_better", True))
    summary = _median_estimate if median else mean_estimate
    return Finding(
        estimate=_with_doubt(_within(summary(values), bounds), bounds),
        controls=tuple(
            Control(
                name=name,
                estimate=_within(summary(other), bounds),
                advantage=_with_doubt(summary(values - other if higher else other - values), _differences(bounds)),
            )
            for name, other in controls.items()
        ),
        n_rows=int(np.isfinite(values).sum()),
        **facts,
    )


def _median_estimate(values: Floats) -> Estimate:
    """The median with the interval between two of the values themselves (Thompson 1936), whatever their distribution.

    Half of all values lie below the median, so that how many of the rows do is a toss of coins. With few rows even
    the least and the greatest hold it between them less often than in 95 %: then there is no interval.
    """
    from scipy.special import bdtr

    known = np.sort(values[np.isfinite(values)])
    n = len(known)
    if not n:
        return Estimate(value=None, n=0, how=say("not defined by these rows"))
    left_out = int((bdtr(np.arange(n), n, 0.5) <= (1 - CONFIDENCE) / 2).sum())  # rows at each end
    if not left_out:
        return Estimate(value=float(np.median(known)), n=n, how=say("too few rows for an interval of a median"))
    low, high = float(known[left_out - 1]), float(known[n - left_out])
    return Estimate(value=float(np.median(known)), low=low, high=high, n=n, how=say("order statistics of the rows"))


def _within(estimate: Estimate, bounds: tuple[float, float] | None) -> Estimate:
    """The estimate with its interval inside the bounds."""
    if bounds is None or estimate.low is None or estimate.high is None:
        return estimate
    return dataclasses.replace(estimate, low=max(bounds[0], estimate.low), high=min(bounds[1], estimate.high))


def _differences(bounds: tuple[float, float] | None) -> tuple[float, float] | None:
    """The least and the most that two values within the bounds can differ by."""
    return None if bounds is None else (bounds[0] - bounds[1], bounds[1] - bounds[0])


def _with_doubt(estimate: Estimate, bounds: tuple[float, float] | None) -> Estimate:
    """Where all rows are equal, an interval for the rows that are not among them: five rows do not leave none.

    Up to as many rows as Wilson's score allows may differ, and by as much as the bounds allow.
    """
    if bounds is None or not np.isfinite(bounds).all():
        return estimate
    if estimate.value is None or estimate.low is None or estimate.low != estimate.high:
        return estimate
    value, unseen = estimate.value, proportion_estimate(0, estimate.n)
    share = unseen.high or 0.0
    low, high = value - share * (value - bounds[0]), value + share * (bounds[1] - value)
    return dataclasses.replace(estimate, low=low, high=high, how=say("{how}, since all rows are equal", how=unseen.how))
