"""What would have to change in one row for another outcome: the search, the checks, and the choice.

Sources: Wachter, Mittelstadt & Russell 2018 (counterfactual explanations); Mothilal, Sharma & Tan 2020 (several and
diverse, in the data's own scale); Keane & Smyth 2020 (from nearest unlike neighbours). Nothing is returned that was not
scored again from its raw cells.

Shapes: n candidate rows, F raw features, K outputs, R reference rows. torch is imported only where a network runs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.schema import Kind
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.counterfactual.constraints import ORDERED, Constraints
from tabnet_engine.explain.counterfactual.moves import Moves
from tabnet_engine.explain.counterfactual.plausibility import Likeness, Plausibility
from tabnet_engine.explain.counterfactual.probe import Probe
from tabnet_engine.explain.counterfactual.reference import Reference
from tabnet_engine.explain.counterfactual.result import (
    Change,
    Counterfactual,
    CounterfactualResult,
    NearestMiss,
    SearchSettings,
)
from tabnet_engine.explain.counterfactual.scoring import RowScorer
from tabnet_engine.explain.counterfactual.search import Found, search
from tabnet_engine.explain.counterfactual.selection import most_diverse, nearest_of_each_kind
from tabnet_engine.explain.counterfactual.space import RowSpace
from tabnet_engine.explain.counterfactual.wanted import WantedOutcome
from tabnet_engine.explain.subject import Steering
from tabnet_engine.explain.wording import percent
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["changes_between", "find_counterfactuals"]

MAX_KINDS = 60  # kinds of change that are compared with the training rows
MAX_SECOND_LOOK = 500  # further rows compared where none of those is usual enough

Floats = npt.NDArray[np.float64]


def find_counterfactuals(
    scorer: RowScorer,
    reference: Reference,
    row: pd.DataFrame,
    wanted: WantedOutcome,
    *,
    constraints: Constraints | None = None,
    settings: SearchSettings | None = None,
    row_number: int = 0,
    steering: Steering | None = None,
) -> CounterfactualResult:
    """Changes of one row that give it the wanted outcome, within the limits.

    Args:
        scorer: the model with its encoder.
        reference: what is known of the training rows; made once for many questions.
        row: the raw cells, one line.
        wanted: the outcome asked for.
        constraints: what may change and how; anything, when absent.
        settings: how many, how sparse, how usual; the seed.
        row_number: the row's number in its table; the result depends on it and on the seed alone, unless the
            settings limit the time.
        steering: asked before each forward whether to stop.

    Returns:
        At most ``settings.n`` counterfactuals, each of another kind, the best first. None is an answer too: it says
        why, and what came closest.

    Raises:
        ExplanationError: not exactly one line, a row that has the outcome already, or impossible constraints.
        SchemaError: a column is absent, or a cell is not what its column's kind holds.
        JobCancelledError: the user asked to cancel.
    """
    constraints, settings = constraints or Constraints(), settings or SearchSettings()
    if len(row) != 1:
        raise ExplanationError(f"one row is explained at a time, got {len(row):,}")
    constraints.check(scorer.encoder.schema)
    before = scorer.logits(row)
    if wanted.reached(before)[0]:
        raise ExplanationError(
            f"row {row_number} is given {wanted.outcome_words(before[0])} already; ask for another outcome"
        )
    space = reference.space.extended(row)
    own = space.matrix(row)[0]
    moves = Moves.build(reference.scale, own, reference.observed, constraints)
    probe = Probe(scorer, space, reference.scale, moves, wanted, settings.max_changes, steering or Steering())
    if settings.seconds is not None:
        probe.deadline = time.monotonic() + settings.seconds
    found = search(
        probe,
        _nearest_reaching(reference, own, wanted),
        start=float(wanted.shortfall(before)[0]) or np.finfo(np.float64).tiny,
        generator=np.random.default_rng([settings.seed, row_number]),
    )
    choice = _Choice.make(probe, reference, row, found, settings)
    return CounterfactualResult(
        row=row_number,
        run_id=scorer.model.run_id,
        wanted=wanted,
        logits=tuple(before[0].tolist()),
        counterfactuals=choice.counterfactuals,
        constraints=constraints,
        settings=settings,
        reason=_reason(probe, found, choice, settings),
        nearest_miss=None if choice.counterfactuals else _miss(probe, reference, choice),
        n_scored=probe.n_scored,
        is_exhaustive=found.is_exhaustive,
        shortened=found.shortened,
        reference=reference.note,
        is_stopped=found.is_stopped,
    )


def changes_between(space: RowSpace, own: Floats, other: Floats, apart: Floats) -> tuple[Change, ...]:
    """The cells in which two rows (F) differ, the farthest first.

    Args:
        space: the columns.
        own: the row as it is.
        other: the row as it would be.
        apart: the distance of each cell (F).
    """
    differ = (own != other) & ~(np.isnan(own) & np.isnan(other))
    places = np.flatnonzero(differ)
    ordered = places[np.argsort(-apart[places], kind="stable")]
    return tuple(_change(space, int(place), own, other, apart) for place in ordered)


def _change(space: RowSpace, place: int, own: Floats, other: Floats, apart: Floats) -> Change:
    column = space.columns[place]
    return Change(
        column=column.name,
        before=space.plain(place, float(own[place])),
        after=space.plain(place, float(other[place])),
        distance=float(apart[place]),
        unit=column.unit if column.kind is Kind.NUMBER else None,
        is_ordered=column.kind in ORDERED,
    )


def _nearest_reaching(reference: Reference, own: Floats, wanted: WantedOutcome) -> Floats:
    """The reference rows that the model gives the wanted outcome (R, F), nearest first."""
    rows = reference.rows[wanted.reached(reference.logits)]
    scale = reference.scale
    apart = scale.between(scale.positions(own[None])[0], scale.positions(rows))
    ordered: Floats = rows[np.argsort(apart, kind="stable")]
    return ordered


@dataclass(frozen=True, eq=False)
class _Choice:
    """What was chosen among the rows found, and the most usual of those too unlike the training rows."""

    counterfactuals: tuple[Counterfactual, ...]
    n_unlike: int
    least_unlike: Floats | None

    @classmethod
    def make(
        cls, probe: Probe, reference: Reference, row: pd.DataFrame, found: Found, settings: SearchSettings
    ) -> _Choice:
        own = reference.scale.positions(probe.moves.own[None])
        yardstick = reference.plausibility.without(own[0])
        least = min(settings.min_usual, _usual(yardstick.of(own))[0])
        rows = nearest_of_each_kind(probe, found.rows, MAX_KINDS)
        likeness = yardstick.of(reference.scale.positions(rows))
        usual = _usual(likeness)
        if len(rows) and not (usual >= least).any():
            rows = found.rows[np.argsort(probe.cost(found.rows), kind="stable")[:MAX_SECOND_LOOK]]
            likeness = yardstick.of(reference.scale.positions(rows))
            usual = _usual(likeness)
        fine = np.flatnonzero(usual >= least)
        unlike = None if len(fine) or not len(rows) else rows[int(np.argmax(usual))]
        chosen = _verified(probe, row, rows[fine], [likeness[index] for index in fine], settings.n)
        return cls(chosen, len(rows) - len(fine), unlike)


def _usual(likeness: tuple[Likeness, ...]) -> Floats:
    """The share of training rows that are less usual; 1 where too few rows are known to say."""
    return np.array([1.0 if item.share.value is None else item.share.value for item in likeness], dtype=np.float64)


def _verified(
    probe: Probe, row: pd.DataFrame, rows: Floats, likeness: list[Likeness], n: int
) -> tuple[Counterfactual, ...]:
    """The most diverse rows, each scored again alone from its raw cells; what does not flip there is left out."""
    apart = probe.by_column(rows)
    left = np.arange(len(rows))
    while True:
        usual = _usual(tuple(likeness[index] for index in left))
        chosen, failed = [], []
        for index in left[most_diverse(probe, rows[left], usual, n)].tolist():
            changes = changes_between(probe.space, probe.moves.own, rows[index], apart[index])
            try:
                item = Counterfactual.verified(probe.scorer, row, probe.wanted, changes, likeness=likeness[index])
            except ValueError:
                # Among many rows it flips by less than the rounding of a sum: not a flip to rely on.
                failed.append(index)
            else:
                chosen.append(item)
        if not failed:
            return tuple(chosen)
        left = np.setdiff1d(left, failed)


def _reason(probe: Probe, found: Found, choice: _Choice, settings: SearchSettings) -> str:
    """Why there are fewer counterfactuals than asked for; empty where there are as many."""
    n_found = len(choice.counterfactuals)
    if n_found == settings.n:
        return ""
    if n_found:
        return _fewer(n_found, choice, settings, is_stopped=found.is_stopped)
    return _none(probe, found, choice, settings)


def _none(probe: Probe, found: Found, choice: _Choice, settings: SearchSettings) -> str:
    """Why there is none at all."""
    n_tried = probe.n_scored
    if not probe.moves.variables:
        return say("None within these limits: no column may change, or none has another value to take.")
    if found.is_stopped:
        return say_plural(
            "None found within {seconds:g} s: {count} candidate was scored; that is no proof that there is none.",
            "None found within {seconds:g} s: {count:,} candidates were scored; that is no proof that there is none.",
            n_tried,
            seconds=settings.seconds,
        )
    if choice.n_unlike:
        return say_plural(
            "None within these limits: of {count} combination that would do, each is less usual than {share} of the "
            "training rows and than the row itself.",
            "None within these limits: of {count:,} combinations that would do, each is less usual than {share} of "
            "the training rows and than the row itself.",
            choice.n_unlike,
            share=percent(1 - settings.min_usual),
        )
    if found.is_exhaustive:
        return say_plural(
            "None within these limits: all {count} open combination were tried.",
            "None within these limits: all {count:,} open combinations were tried.",
            n_tried,
        )
    return say(
        "None found within these limits among {candidates} with at most {changes}; that is no proof that there is "
        "none.",
        candidates=say_plural("{count} candidate", "{count:,} candidates", n_tried),
        changes=say_plural("{count} change", "{count:,} changes", settings.max_changes),
    )


def _fewer(n_found: int, choice: _Choice, settings: SearchSettings, *, is_stopped: bool) -> str:
    """Why some were found, but fewer than asked for."""
    counts = {"n_found": n_found, "n": settings.n}
    if is_stopped:
        return say("Only {n_found} of {n} were found before the time was over.", **counts)
    if choice.n_unlike:
        return say(
            "Only {n_found} of {n} differ in kind; all others make the same changes or more of them, or are too "
            "unlike the training rows.",
            **counts,
        )
    return say("Only {n_found} of {n} differ in kind; all others make the same changes or more of them.", **counts)


def _miss(probe: Probe, reference: Reference, choice: _Choice) -> NearestMiss | None:
    """What came closest without being an answer; None where nothing may change."""
    row = choice.least_unlike if choice.least_unlike is not None else probe.miss
    if row is None:
        return None
    scale, own = reference.scale, probe.moves.own
    logits = probe.scorer.logits(probe.space.frame(row[None]))
    likeness = _yardstick(reference, own).of(scale.positions(row[None]))[0]
    return NearestMiss(
        changes=changes_between(probe.space, own, row, probe.by_column(row[None])[0]),
        logits=tuple(logits[0].tolist()),
        shortfall=0.0 if probe.wanted.reached(logits)[0] else max(0.0, float(probe.wanted.shortfall(logits)[0])),
        likeness=likeness,
        outcome=probe.wanted.outcome_words(logits[0]),
    )


def _yardstick(reference: Reference, own: Floats) -> Plausibility:
    return reference.plausibility.without(reference.scale.positions(own[None])[0])
