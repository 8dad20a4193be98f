"""Whether the columns that a method ranks first are those that the score really hangs on.

Columns are replaced by their values in the background rows, and the explained logit is averaged over these: a
column that matters moves it. Deletion replaces the leading columns first, insertion starts from nothing known and
gives the leading columns first (Samek et al. 2017; Petsiuk et al. 2018); sufficiency and necessity are the same at
the leading few. All are compared with random orders of the same row's columns. Shapes: B rows, M background rows,
P players, O orders, G points of a curve, K outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.subject import ChosenRows, LogitModel, Steering

__all__ = ["MAX_POINTS", "GameRows", "Walks", "curve_counts", "orders_of", "random_orders", "walk_orders"]

MAX_POINTS = 21  # of a curve: wide tables are walked in equal strides

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class _Game(Protocol):
    """The mean logit over the background with some players known: what a walk asks for."""

    def values(self, coalitions: npt.NDArray[np.bool_]) -> Floats:
        """Logits (L, K) of the coalitions (L, P)."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class GameRows:
    """Rows (B) whose columns can be replaced: the model, who plays, the rows, and what replaces their cells."""

    model: LogitModel
    players: Players
    chosen: ChosenRows
    background: EncodedTable


@dataclass(frozen=True, kw_only=True, eq=False)
class Walks:
    """The explained logit along some orders of each row's columns.

    ``counts`` (G,) are how many columns are replaced (``deleted``) or known (``inserted``), from 0 to P; both
    arrays are (B, O, G). ``logit`` (B,) is the row's own, ``base`` (B,) that with nothing known.
    """

    counts: Ints
    deleted: Floats
    inserted: Floats

    @property
    def logit(self) -> Floats:
        """The explained logit of each row (B,) with every column known."""
        return np.asarray(self.deleted[:, 0, 0])

    @property
    def base(self) -> Floats:
        """The mean logit over the background (B,), with no column known."""
        return np.asarray(self.inserted[:, 0, 0])

    @property
    def moved(self) -> Floats:
        """How far the logit has moved once the leading columns are replaced (B, O, G)."""
        return np.abs(self.deleted - self.logit[:, None, None])

    @property
    def missing(self) -> Floats:
        """How far the logit still is from the row's own while only the leading columns are known (B, O, G)."""
        return np.abs(self.inserted - self.logit[:, None, None])

    def area(self, curve: Floats) -> Floats:
        """The mean height of a curve (B, O, G) over the share of columns (B, O), by the trapezoid rule."""
        area: Floats = np.trapezoid(curve, self.counts / self.counts[-1], axis=2)
        return area

    def at(self, curve: Floats, count: int) -> Floats:
        """The height of a curve (B, O, G) at so many columns (B, O), which must be one of its points."""
        return np.asarray(curve[:, :, int(np.flatnonzero(self.counts == count)[0])])


def curve_counts(n_players: int, top_k: int) -> Ints:
    """Points of a curve: 0, P, ``top_k`` and at most :data:`MAX_POINTS` in equal strides."""
    strides = np.round(np.linspace(0, n_players, min(n_players + 1, MAX_POINTS))).astype(np.int64)
    return np.unique(np.append(strides, min(top_k, n_players)))


def orders_of(values: Floats, rows: Ints, *, seed: int) -> Ints:
    """Players (B, P) of each row, the largest value first; equals in an order drawn by the seed and the row.

    Were equals kept in the table's order, a method that says nothing would be scored by that order.
    """
    ties = np.array([np.random.default_rng((seed, int(row))).random(values.shape[1]) for row in rows])
    return np.lexsort((ties.reshape(values.shape), -values), axis=1).astype(np.int64)


def random_orders(rows: Ints, n_players: int, n_orders: int, *, seed: int) -> Ints:
    """Random orders (B, O, P) of each row, each followed by its reverse: what one deletes the other inserts.

    Raises:
        ValueError: an odd number of orders.
    """
    if n_orders % 2:
        raise ValueError(f"random orders come in pairs, got {n_orders}")
    drawn = []
    for row in rows:
        generator = np.random.default_rng((seed, int(row), 1))
        half = [generator.permutation(n_players) for _ in range(n_orders // 2)]
        drawn.append([order for one in half for order in (one, one[::-1])])
    return np.array(drawn, dtype=np.int64).reshape(len(rows), n_orders, n_players)


def walk_orders(rows: GameRows, orders: Ints, outputs: Ints, *, top_k: int, steering: Steering | None = None) -> Walks:
    """Walk each row along its orders (B, O, P), replacing and giving columns.

    Args:
        rows: the rows (B), and what replaces their cells.
        orders: for each row several orders of the P players, the leading first.
        outputs: the explained output of each row (B,).
        top_k: a point that the curves must have.
        steering: follows the work.

    Raises:
        ExplanationError: a network that contradicts itself by more than rounding.
        JobCancelledError: the steering asked to stop.
    """
    from tabnet_engine.explain.signed.game import RowGame
    from tabnet_engine.explain.signed.mixtures import mixtures_of

    steering = steering or Steering()
    model, players, chosen, background = rows.model, rows.players, rows.chosen, rows.background
    counts = curve_counts(len(players), top_k)
    mixtures = mixtures_of(model, players, background)
    found = []
    for index in range(len(chosen)):
        steering.step(index, len(chosen))
        row = chosen.table.take([index])
        game = RowGame(model, players, row, background, mixtures=mixtures, is_single=True)
        found.append(_walk_row(game, orders[index], counts, int(outputs[index])))
    steering.step(len(chosen), len(chosen))
    deleted, inserted = (np.stack(part) for part in zip(*found, strict=True))
    return Walks(counts=counts, deleted=deleted, inserted=inserted)


def _walk_row(game: _Game, orders: Ints, counts: Ints, output: int) -> tuple[Floats, Floats]:
    """Deletion and insertion (O, G) of one row; every coalition is asked for once."""
    places = np.argsort(orders, axis=1)
    first = places[:, None, :] < counts[None, :, None]
    coalitions = np.stack([~first, first]).reshape(-1, orders.shape[1])
    _, asked, inverse = np.unique(np.packbits(coalitions, axis=1), axis=0, return_index=True, return_inverse=True)
    worth = game.values(coalitions[asked])[:, output]
    deleted, inserted = worth[inverse.reshape(-1)].reshape(2, len(orders), len(counts))
    return deleted, inserted
