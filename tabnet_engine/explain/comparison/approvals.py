"""Who is approved by the champion and who by the challenger, on the same rows, each at its own cutoff. numpy only.

Shapes: B rows, K outputs in the common form.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.comparison.decisions import mcnemar
from tabnet_engine.explain.comparison.metrics import paired_share_difference
from tabnet_engine.explain.estimates import Estimate, proportion_estimate
from tabnet_engine.explain.groups.decision import Decision

if TYPE_CHECKING:
    from tabnet_engine.explain.comparison.approval_rules import ApprovalRules
    from tabnet_engine.explain.comparison.rows import PairedScores
    from tabnet_engine.explain.reasons.scoring import FavourableScore

__all__ = ["MOST_LISTED_ROWS", "Approvals", "ChangedApproval", "approvals"]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MOST_LISTED_ROWS = 1_000  # of the rows that are decided otherwise; how many there are is always said


@dataclass(frozen=True, kw_only=True)
class ChangedApproval:
    """A row that one run approves and the other declines.

    ``is_approved`` is what the challenger does. ``first`` and ``second`` are the probability of the favourable class
    by each run, or the predicted quantity. ``actual`` is what came, ``is_favourable`` whether that was favourable;
    None where it is not known.
    """

    row: int
    is_approved: bool
    first: float
    second: float
    actual: str | float | None
    is_favourable: bool | None

    @property
    def change(self) -> float:
        """How far the score moved: second minus first."""
        return self.second - self.first


@dataclass(frozen=True, kw_only=True, eq=False)
class Approvals:
    """Approved or declined by both runs, each by its own rule.

    ``decisions`` are the rules of the champion and of the challenger; ``is_assumed`` tells that nobody chose the
    favourable class. ``counts[i, j]`` rows were approved (1) or declined (0) by the champion (i) and by the challenger
    (j); of these with a known outcome, ``outcomes[i, j, k]`` turned out favourable (k = 1) or not (0). A quantity
    turned out favourable where it keeps the cutoff of the challenger. ``rates`` are the approved shares of both,
    ``difference`` is that of the challenger minus that of the champion, paired. ``n_at_first_cutoff`` rows would be
    decided otherwise if the challenger had the champion's cutoff. ``changed`` are the first of the rows that are
    decided otherwise, the largest change of the score first.
    """

    decisions: tuple[Decision, Decision]
    is_assumed: bool
    counts: Integers
    outcomes: Integers
    rates: tuple[Estimate, Estimate]
    difference: Estimate
    n_at_first_cutoff: int
    changed: tuple[ChangedApproval, ...]

    @property
    def n_rows(self) -> int:
        """How many rows both decided on."""
        return int(self.counts.sum())

    @property
    def n_gained(self) -> int:
        """How many rows are newly approved."""
        return int(self.counts[0, 1])

    @property
    def n_lost(self) -> int:
        """How many rows are newly declined."""
        return int(self.counts[1, 0])

    @property
    def n_changed(self) -> int:
        """How many rows are decided otherwise."""
        return self.n_gained + self.n_lost

    @property
    def n_known(self) -> int:
        """Of how many rows the outcome is known."""
        return int(self.outcomes.sum())

    @property
    def n_corrected(self) -> int:
        """Rows newly approved that turned out favourable, and rows newly declined that did not."""
        return int(self.outcomes[0, 1, 1] + self.outcomes[1, 0, 0])

    @property
    def n_spoiled(self) -> int:
        """Rows newly approved that did not turn out favourable, and rows newly declined that did."""
        return int(self.outcomes[0, 1, 0] + self.outcomes[1, 0, 1])

    @property
    def p_value(self) -> float | None:
        """Of McNemar's exact test that as many decisions became right as became wrong; None without outcomes."""
        return mcnemar(self.n_corrected, self.n_spoiled) if self.n_known else None

    def to_mapping(self) -> dict[str, Any]:
        """The approvals as plain JSON values."""
        return {
            "decisions": [dataclasses.asdict(decision) for decision in self.decisions],
            "is_assumed": self.is_assumed,
            "counts": self.counts.tolist(),
            "outcomes": self.outcomes.tolist(),
            "rates": [rate.to_mapping() for rate in self.rates],
            "difference": self.difference.to_mapping(),
            "n_at_first_cutoff": self.n_at_first_cutoff,
            "p_value": self.p_value,
            "changed_rows": {
                "n_rows": self.n_changed,
                "most_listed": MOST_LISTED_ROWS,
                "rows": [{**dataclasses.asdict(row), "change": row.change} for row in self.changed],
            },
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        before, after = (Decision(**item) for item in values["decisions"])
        own, other = map(Estimate.from_mapping, values["rates"])
        names = [field.name for field in dataclasses.fields(ChangedApproval)]
        rows = values["changed_rows"]["rows"]
        return cls(
            decisions=(before, after),
            is_assumed=bool(values["is_assumed"]),
            counts=np.asarray(values["counts"], dtype=np.int64),
            outcomes=np.asarray(values["outcomes"], dtype=np.int64),
            rates=(own, other),
            difference=Estimate.from_mapping(values["difference"]),
            n_at_first_cutoff=int(values["n_at_first_cutoff"]),
            changed=tuple(ChangedApproval(**{name: row[name] for name in names}) for row in rows),
        )


def approvals(scores: PairedScores, rules: ApprovalRules) -> Approvals:
    """Decide on every row by both runs, and count what changed.

    Args:
        scores: rows that both score.
        rules: when each run approves; of the same target.
    """
    was, is_now = rules.first.selected(scores.first), rules.second.selected(scores.second)
    known = scores.known
    deserved = np.zeros(scores.n_rows, dtype=bool)
    deserved[known] = rules.second.decision.deserved(rules.second.codec, scores.y[known])
    return Approvals(
        decisions=(rules.first.decision, rules.second.decision),
        is_assumed=rules.is_assumed,
        counts=_counted(was, is_now),
        outcomes=_counted(was[known], is_now[known], deserved[known]),
        rates=(_rate(was), _rate(is_now)),
        difference=paired_share_difference(was, is_now),
        n_at_first_cutoff=int((was != rules.first.selected(scores.second)).sum()),
        changed=_changed(scores, rules, was, is_now, deserved),
    )


def _counted(*flags: Flags) -> Integers:
    """How many rows (B) hold each combination of N flags: 2 x 2 x … with N places."""
    size = len(flags)
    codes = np.zeros(len(flags[0]), dtype=np.int64)
    for flag in flags:
        codes = 2 * codes + flag
    return np.bincount(codes, minlength=2**size).reshape((2,) * size).astype(np.int64)


def _rate(approved: Flags) -> Estimate:
    return proportion_estimate(int(approved.sum()), len(approved))


def _changed(
    scores: PairedScores, rules: ApprovalRules, was: Flags, is_now: Flags, deserved: Flags
) -> tuple[ChangedApproval, ...]:
    """The rows that are decided otherwise, the largest change of the score first, as many as are listed."""
    first, second = _scores(rules.first, scores.first), _scores(rules.second, scores.second)
    places = np.flatnonzero(was != is_now)
    places = places[np.argsort(-np.abs(second - first)[places], kind="stable")][:MOST_LISTED_ROWS]
    known = scores.known
    return tuple(
        ChangedApproval(
            row=int(scores.rows[place]),
            is_approved=bool(is_now[place]),
            first=float(first[place]),
            second=float(second[place]),
            actual=_actual(scores, place) if known[place] else None,
            is_favourable=bool(deserved[place]) if known[place] else None,
        )
        for place in places.tolist()
    )


def _scores(rule: FavourableScore, logits: Floats) -> Floats:
    """What is set against the cutoff (B): the probability of the favourable class, or the predicted quantity."""
    shares = rule.shares(logits)
    return logits[:, 0] if shares is None else shares


def _actual(scores: PairedScores, place: int) -> str | float:
    value = float(scores.y[place])
    return value if scores.target.task is Task.REGRESSION else scores.target.classes[int(value)]
