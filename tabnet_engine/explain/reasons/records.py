"""What is known of one decision and its reasons: plain records, for reports, pages and evidence. No torch.

Every score here is *towards the favourable outcome*: the log-odds of the favourable class, of several against the
likeliest other one; or the predicted quantity (with the other sign where low is favourable). A contribution below 0
speaks against the person.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tabnet_engine.explain.counterfactual.result import CounterfactualResult
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.groups.decision import Decision
from tabnet_engine.explain.timeline import StepTimeline

__all__ = [
    "CellReceived",
    "Contribution",
    "DecisionCase",
    "Direction",
    "JointMove",
    "Kept",
    "MethodRanks",
    "Protection",
    "ProxyLink",
    "Reason",
    "ReferencePopulation",
    "Score",
]

Direction = Literal["above", "below", "other", "same", "missing", "unseen"]
CellState = Literal["known", "missing", "unseen"]


@dataclass(frozen=True, kw_only=True)
class CellReceived:
    """One cell of the row: as it came, as a reader knows it, and as the network reads it.

    ``received`` is the raw cell as text ("" where missing), ``shown`` the user's own words for it, ``encoded`` what
    the network is given, in words that need no code book ("standardised 1.24", "category 3 of 7").
    """

    column: str
    kind: str
    received: str
    shown: str
    state: CellState
    encoded: str
    is_read: bool


@dataclass(frozen=True, kw_only=True)
class Score:
    """What the model says of the row.

    ``value`` is the score towards the favourable outcome (of several classes the log-odds of the favourable one against
    the likeliest other), ``cutoff`` the score from which a row is approved (None of several classes), ``margin`` how
    far the row is beyond it: below 0 the row is not approved. ``share`` is the probability of the favourable class,
    ``cutoff_share`` that of the cutoff; both None for a quantity. ``predicted`` is the class given or the quantity, in
    the user's words; ``unit`` is "log-odds" or the target's name.
    """

    value: float
    cutoff: float | None
    margin: float
    is_favourable: bool
    predicted: str
    unit: str
    share: float | None = None
    cutoff_share: float | None = None


@dataclass(frozen=True, kw_only=True)
class ReferencePopulation:
    """The approved rows at or just above the cutoff that reasons are measured against.

    ``rows`` are their numbers in the table, drawn from ``n_approved`` approved ones of ``n_candidates`` candidates;
    ``low`` and ``high`` bound their share (or score, of a quantity), ``mean_score`` is the mean of their scores: the
    base that the contributions start from. ``words`` says all this in English; ``is_near`` is False where the
    farthest one lies well above the cutoff, so that "just above" would say too much.
    """

    rows: tuple[int, ...]
    n_candidates: int
    n_approved: int
    candidates: str
    low: float
    high: float
    mean_score: float
    words: str
    is_near: bool


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """What one column adds to the score, from the reference population's mean score to the row's.

    ``reference`` is the typical value there as text (median of a number, most frequent category; where the
    row holds that itself, of the rows that differ), with
    ``reference_detail`` beside it ("half of them from 12 to 30", "62 % of them"). ``value`` sums over all columns to
    the row's score minus the mean score.
    """

    column: str
    value: float
    standard_error: float | None
    actual: str
    reference: str
    reference_detail: str
    direction: Direction


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How often a reason stayed among the principal ones, with its sign, under one cause; ``cause`` is in English."""

    cause: str
    share: float
    n_repetitions: int


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One principal reason: the column, what it adds, and how far that can be trusted.

    ``rank`` counts from 1. ``share`` is its part of all contributions of its sign. ``ranks`` are those that other
    methods give the column among all columns, by method (1 is the largest). ``moved`` is the change of the score when
    this column alone is set to the reference value, by one forward of the model; ``flips`` whether that alone
    changes the outcome.
    """

    rank: int
    contribution: Contribution
    share: float
    ranks: Mapping[str, int]
    kept: tuple[Kept, ...]
    moved: float
    flips: bool

    @property
    def column(self) -> str:
        """The column's name."""
        return self.contribution.column


@dataclass(frozen=True, kw_only=True)
class JointMove:
    """All principal reasons set to their reference values at once, by one forward of the model."""

    columns: tuple[str, ...]
    before: float
    after: float
    flips: bool


@dataclass(frozen=True, kw_only=True)
class ProxyLink:
    """A column that gives a protected one away; ``is_itself`` where it is the protected column."""

    column: str
    protected: str
    is_itself: bool
    strength: Estimate | None = None


@dataclass(frozen=True, kw_only=True)
class Protection:
    """Which columns must not be reasons, and what that did.

    ``links`` are all columns that count as protected or as a proxy; ``offending`` those of them that are principal
    reasons: with any, the report is blocked. ``not_examined`` maps a protected column whose proxies could not be
    looked for to why, in English.
    """

    declared: tuple[str, ...]
    links: tuple[ProxyLink, ...]
    offending: tuple[ProxyLink, ...]
    not_examined: Mapping[str, str]
    proxy_strength: float

    @property
    def is_blocked(self) -> bool:
        """Whether a principal reason is protected or a proxy."""
        return bool(self.offending)


@dataclass(frozen=True, kw_only=True)
class MethodRanks:
    """One method's values (P) for the row: signed towards the favourable outcome, unless it is the masks."""

    method: str
    algorithm: str
    values: tuple[float, ...]
    ranks: tuple[int, ...]
    is_signed: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class DecisionCase:
    """Everything that a decision report says about one row; the texts in it are English, as all that is stored.

    ``reasons`` are the principal ones: against the person where the row is not approved, for them where it is.
    ``no_reason`` says why there are none. ``left_out`` are columns that would have been reasons but cannot be told from
    0 within the error of the sampling. ``features`` are the P columns in the order of ``methods``. ``agreement`` is the
    median rank correlation over all pairs of methods. ``weights`` are what each output of ``timeline`` adds to the
    score by its unit, ``output`` is the one it leans on most. ``outcome_kept`` is how often the outcome stays when the
    numbers of the row are moved a little; None where that was not measured. ``calibration`` are measures of the
    held-out rows, by name. ``settings`` say how everything was computed. ``favourable_is_assumed`` tells that nobody
    chose which outcome is favourable.
    """

    run_id: str
    row: int
    target: str
    decision: Decision
    favourable_is_assumed: bool
    score: Score
    cells: tuple[CellReceived, ...]
    reference: ReferencePopulation
    contributions: tuple[Contribution, ...]
    reasons: tuple[Reason, ...]
    no_reason: str
    left_out: tuple[str, ...]
    joint: JointMove | None
    protection: Protection
    features: tuple[str, ...]
    methods: tuple[MethodRanks, ...]
    agreement: float | None
    timeline: StepTimeline
    output: str
    weights: tuple[float, ...]
    outcome_kept: Kept | None
    counterfactual: CounterfactualResult | None
    why_no_counterfactual: str
    calibration: Mapping[str, Estimate]
    evaluation: str
    settings: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Columns that the model reads and whose cell was missing."""
        return tuple(cell.column for cell in self.cells if cell.is_read and cell.state == "missing")

    @property
    def unseen(self) -> tuple[str, ...]:
        """Columns that hold a category which training never saw."""
        return tuple(cell.column for cell in self.cells if cell.is_read and cell.state == "unseen")

    def to_mapping(self) -> dict[str, Any]:
        """The case as plain JSON values, for the evidence."""
        plain = ("run_id", "row", "target", "favourable_is_assumed", "no_reason", "output", "evaluation", "agreement")
        own = {name: getattr(self, name) for name in (*plain, "why_no_counterfactual")}
        records = {name: dataclasses.asdict(getattr(self, name)) for name in ("decision", "score", "reference")}
        lists = {
            name: [dataclasses.asdict(item) for item in getattr(self, name)]
            for name in ("cells", "contributions", "reasons", "methods")
        }
        return {
            **own,
            **records,
            **lists,
            "left_out": list(self.left_out),
            "joint": None if self.joint is None else dataclasses.asdict(self.joint),
            "protection": dataclasses.asdict(self.protection),
            "features": list(self.features),
            "weights": list(self.weights),
            "outcome_kept": None if self.outcome_kept is None else dataclasses.asdict(self.outcome_kept),
            "timeline": _timeline(self.timeline),
            "counterfactual": None if self.counterfactual is None else self.counterfactual.to_mapping(),
            "calibration": {name: estimate.to_mapping() for name, estimate in self.calibration.items()},
            "settings": dict(self.settings),
            "notes": list(self.notes),
        }


def _timeline(timeline: StepTimeline) -> dict[str, Any]:
    return {
        "base": timeline.base.tolist(),
        "logits": timeline.logits.tolist(),
        "outputs": list(timeline.outputs),
        "steps": [
            {
                "step": step.step,
                "share": step.share,
                "contributions": step.contributions.tolist(),
                "features": [dataclasses.asdict(feature) for feature in step.features],
                "rest_share": step.rest_share,
            }
            for step in timeline.steps
        ],
    }
