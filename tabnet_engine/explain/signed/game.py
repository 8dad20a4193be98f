"""The game that an attribution divides: what the model says when only some columns of a row are known.

Shapes: M background rows, P players, n players that vary, L coalitions, W walks, U mixed rows, K outputs.

The worth of a coalition is the mean logit over the background rows with the coalition's columns set to the explained
row's: the interventional game (Lundberg & Lee 2017, "A unified approach to interpreting model predictions", section
4; Janzing, Minorics & Bloebaum 2020). No mixture is evaluated twice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed.mixtures import Mixtures, mixtures_of
from tabnet_engine.explain.subject import LogitModel

__all__ = ["TOLERANCE", "RowGame"]

# How far a network may miss its own outputs, relative to their size, when the same row stands in another batch or is
# computed in single precision: a tenth of what shows in a figure of four digits.
TOLERANCE = 1e-5
# Mixtures whose keys and logits are held at the same time, over all coalitions of one call.
MIXTURES_AT_ONCE = 2_000_000
# Players of mixtures (U x P) that are written down at the same time.
MEMBERSHIPS_AT_ONCE = 8_000_000

Floats = npt.NDArray[np.float64]
Coalitions = npt.NDArray[np.bool_]
Places = tuple[npt.NDArray[np.int64], ...]
Mixed = tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]


class RowGame:
    """The game of one explained row.

    Args:
        model: gives logits of encoded rows.
        players: whose columns move together (P).
        row: the explained row, encoded.
        background: M encoded rows that stand for not knowing a column.
        mixtures: of the same model, players and background, to be shared by many rows; made here when None.
        is_single: compute between the two end points in single precision where the model has it. The end points are
            always in double precision, so that sums of differences are as exact as them.

    The explained row goes once more with the first mixtures, and must come out as it does alone, up to
    :data:`TOLERANCE` of its size. Where single precision fails that, as in a network that magnifies rounding, the
    game goes over to double precision; where that fails too, nothing is computed.

    Raises:
        ExplanationError: not exactly one row, or a background without rows.
        SchemaError: a number is missing, and the network has no state for missing cells.
    """

    def __init__(
        self,
        model: LogitModel,
        players: Players,
        row: EncodedTable,
        background: EncodedTable,
        *,
        mixtures: Mixtures | None = None,
        is_single: bool = False,
    ) -> None:
        if len(row) != 1:
            raise ExplanationError(f"a game has one explained row, got {len(row):,}")
        if len(background) == 0:
            raise ExplanationError("the background has no rows; give at least one row that stands for not knowing")
        self._mixtures = mixtures_of(model, players, background) if mixtures is None else mixtures
        self._row = row
        self._is_checked = False
        self._use(is_single=is_single)
        keys = self._mixtures.keys
        of_row = keys.of_table(row)
        self._start, self._end = keys.background.sum(axis=1, dtype=np.uint64), of_row.sum(dtype=np.uint64)
        self._change = of_row - keys.background
        self._varies = (self._change != 0).any(axis=0)

    def _use(self, *, is_single: bool) -> None:
        self.is_single = is_single
        self._mixed = self._mixtures.of_row(self._row, is_single=is_single)

    @property
    def base(self) -> Floats:
        """The worth (K,) of knowing nothing: the background's mean logits, in double precision."""
        return self._mixtures.base

    @property
    def full(self) -> Floats:
        """The worth (K,) of knowing everything: the row's own logits, in double precision."""
        return self._mixed.full

    @property
    def n_players(self) -> int:
        """P."""
        return len(self._varies)

    @property
    def n_background(self) -> int:
        """M."""
        return len(self._start)

    @property
    def varying(self) -> npt.NDArray[np.int64]:
        """Players whose cells differ from at least one background row; all others are dummies, worth exactly 0."""
        return np.flatnonzero(self._varies)

    def values(self, coalitions: npt.ArrayLike) -> Floats:
        """The worth (L, K) of coalitions (L, P), bool: their mean logits over the background.

        Raises:
            ExplanationError: the model contradicts itself, see :class:`RowGame`.
        """
        known = np.asarray(coalitions, dtype=bool)
        if known.ndim != 2 or known.shape[1] != self.n_players:
            raise ValueError(f"coalitions must have the shape (L, {self.n_players}), got {known.shape}")
        worth = np.empty((len(known), len(self.base)))
        size = max(1, MIXTURES_AT_ONCE // max(self.n_background * len(self.base), self.n_players))
        for start in range(0, len(known), size):
            part = known[start : start + size]
            keys = self._start + part[:, self._varies].astype(np.uint64) @ self._change[:, self._varies].T
            logits = self._distinct(keys, np.arange(self.n_background), partial(_take, part))
            worth[start : start + size] = logits.mean(axis=1)
        return worth

    def walks(self, orders: npt.NDArray[np.int64], background: npt.NDArray[np.int64]) -> Floats:
        """The logits (W, n + 1, K) along walks from a background row to the explained row.

        Args:
            orders: (W, n) of the varying players, as places in :attr:`varying`: the order in which they become known.
            background: (W,) the background row where each walk starts.

        Raises:
            ExplanationError: the model contradicts itself, see :class:`RowGame`.
        """
        change = self._change[background[:, None], self.varying[orders]]
        keys = self._start[background][:, None] + np.cumsum(change, axis=1, dtype=np.uint64)
        turn = np.argsort(orders, axis=1)

        def mixtures(place: Places) -> Mixed:
            walk, step = place
            known = np.zeros((len(walk), self.n_players), dtype=bool)
            known[:, self._varies] = turn[walk] <= step[:, None]
            return known, background[walk]

        start = np.broadcast_to(self._mixtures.background_logits[background, None], (len(orders), 1, len(self.base)))
        return np.concatenate([start, self._distinct(keys, background[:, None], mixtures)], axis=1)

    def _distinct(
        self, keys: npt.NDArray[np.uint64], background: npt.NDArray[np.int64], mixtures: Callable[[Places], Mixed]
    ) -> Floats:
        """Logits (..., K) by keys (...): each different mixture is evaluated once, and the two end points not at all.

        ``background`` broadcasts to the rows that fill up the mixtures; ``mixtures`` gives known players and
        background rows of the mixtures at some places of ``keys``.
        """
        logits = np.empty((*keys.shape, len(self.base)))
        starts, ends = keys == self._start[background], keys == self._end
        logits[starts] = np.broadcast_to(self._mixtures.background_logits[background], logits.shape)[starts]
        logits[ends] = self.full
        inner = np.flatnonzero(~(starts | ends))
        inverse, distinct = pd.factorize(keys.reshape(-1)[inner])
        first = np.empty(len(distinct), dtype=np.int64)
        first[inverse[::-1]] = inner[::-1]
        size = max(1, MEMBERSHIPS_AT_ONCE // self.n_players)
        found = np.empty((len(first), len(self.base)))
        for start in range(0, len(first), size):
            found[start : start + size] = self._logits(
                *mixtures(np.unravel_index(first[start : start + size], keys.shape))
            )
        logits.reshape(-1, len(self.base))[inner] = found[inverse]
        return logits

    def _logits(self, known: Coalitions, background: npt.NDArray[np.int64]) -> Floats:
        """Logits of mixtures; the first time the row itself goes with them, and must come out as it is alone."""
        if self._is_checked:
            return self._mixed.logits(known, background)
        logits = self._mixed.logits(np.vstack([known, np.ones(self.n_players, dtype=bool)]), np.append(background, 0))
        error = np.abs(logits[-1] - self.full)
        if (error <= TOLERANCE * self._size()).all():
            self._is_checked = True
            return logits[:-1]
        if self.is_single:
            self._use(is_single=False)
            return self._logits(known, background)
        raise ExplanationError(
            f"the values failed their own check and are not kept: the model's score of one row differs by "
            f"{float(error.max()):.2g} with the rows beside it, since this network magnifies rounding; train with "
            "fewer n_steps or a smaller learning_rate"
        )

    def _size(self) -> Floats:
        """How large each output is (K,), at least one unit, without the offset of a target far from zero."""
        origin, unit = self._mixtures.units
        size: Floats = np.maximum(np.abs(self.full - origin), np.abs(unit))
        return size


def _take(coalitions: Coalitions, place: Places) -> Mixed:
    """The mixtures at some places of coalitions x background rows."""
    return coalitions[place[0]], place[1]
