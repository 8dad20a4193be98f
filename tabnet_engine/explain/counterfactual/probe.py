"""Candidate rows scored against the wanted outcome, with the nearest miss remembered.

Shapes: n candidate rows, F raw features. torch is imported only where a network really runs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.counterfactual.distance import DistanceScale
from tabnet_engine.explain.counterfactual.moves import Moves
from tabnet_engine.explain.counterfactual.scoring import RowScorer
from tabnet_engine.explain.counterfactual.space import RowSpace
from tabnet_engine.explain.counterfactual.wanted import WantedOutcome
from tabnet_engine.explain.subject import Steering

__all__ = ["CHANGE_COST", "OutOfTimeError", "Probe"]

MAX_ROWS = 8_192  # candidates of one forward
MOST_HITS = 60  # rows kept for a search that is stopped
CHANGE_COST = 0.1  # one more changed column must save this much distance to be worth it

Floats = npt.NDArray[np.float64]


class OutOfTimeError(Exception):
    """The search's time is over: never seen outside it."""


@dataclass(eq=False)
class Probe:
    """One row's question to the model. ``n_scored`` counts the candidates, ``miss`` is the row that came closest.

    ``space`` holds the categories of the row too; ``max_changes`` bounds what counts as a miss within the limits.
    ``deadline`` is when scoring ends, on the monotonic clock: until then ``hits`` (n, F) keeps the cheapest rows that
    reached the outcome within the limits.
    """

    scorer: RowScorer
    space: RowSpace
    scale: DistanceScale
    moves: Moves
    wanted: WantedOutcome
    max_changes: int
    steering: Steering
    n_scored: int = 0
    miss: Floats | None = None
    miss_shortfall: float = np.inf
    deadline: float | None = None
    hits: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.hits = np.empty((0, len(self.moves.own)))
        self._own_position = self.scale.positions(self.moves.own[None])[0]
        self._own_encoded = self.scorer.encoder.transform(self.space.frame(self.moves.own[None]))

    def shortfall(self, rows: Floats) -> Floats:
        """How far each candidate (n, F) stays from the wanted outcome (n).

        Raises:
            JobCancelledError: the user asked to cancel.
            OutOfTimeError: the deadline is over.
        """
        parts = []
        for start in range(0, len(rows), MAX_ROWS):
            self.steering.step(self.n_scored + start, self.n_scored + len(rows))
            if self.deadline is not None and time.monotonic() > self.deadline:
                raise OutOfTimeError
            logits = self._logits(rows[start : start + MAX_ROWS])
            short = self.wanted.shortfall(logits)
            # The rule decides, not the sign: a shortfall of exactly 0 may be either side of a cutoff.
            nearly = np.maximum(short, np.finfo(np.float64).tiny)
            parts.append(np.where(self.wanted.reached(logits), np.minimum(short, 0.0), nearly))
        found = np.concatenate(parts) if parts else np.empty(0)
        self.n_scored += len(rows)
        self._remember(rows, found)
        if self.deadline is not None:
            self._keep(rows[found <= 0])
        return found

    def _logits(self, rows: Floats) -> Floats:
        """Logits (n, K) of candidates (n, F): only what some candidate changes is written out and encoded anew."""
        changed = np.flatnonzero(self.moves.changed(rows).any(axis=0)).tolist() or [0]
        return self.scorer.logits_of_changed(self.space.frame(rows, changed), self._own_encoded)

    def reached(self, rows: Floats) -> npt.NDArray[np.bool_]:
        """Which candidates (n) have the wanted outcome."""
        return self.shortfall(rows) <= 0

    def within(self, rows: Floats) -> npt.NDArray[np.bool_]:
        """Which candidates (n) keep all limits."""
        return np.asarray(self.moves.allowed(rows) & (self.moves.n_moves(rows) <= self.max_changes))

    def by_column(self, rows: Floats) -> Floats:
        """The distance of each cell (n, F) from the row's own."""
        return self.scale.by_column(self._own_position, self.scale.positions(rows))

    def cost(self, rows: Floats) -> Floats:
        """What a reader prefers less (n): far changes, and many."""
        cost: Floats = self.by_column(rows).sum(axis=1) + CHANGE_COST * self.moves.n_moves(rows)
        return cost

    def _remember(self, rows: Floats, shortfall: Floats) -> None:
        closer = np.flatnonzero((shortfall > 0) & (shortfall < self.miss_shortfall))
        for place in closer[np.argsort(shortfall[closer], kind="stable")]:
            row = rows[place : place + 1]
            if self.within(row)[0] and self.moves.changed(row).any():
                self.miss, self.miss_shortfall = row[0].copy(), float(shortfall[place])
                return

    def _keep(self, rows: Floats) -> None:
        fine = rows[self.within(rows)]
        if len(fine):
            both = np.unique(np.vstack([self.hits, fine]), axis=0)
            self.hits = both[np.argsort(self.cost(both), kind="stable")[:MOST_HITS]]
