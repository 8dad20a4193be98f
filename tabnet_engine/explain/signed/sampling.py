"""Shapley values by antithetic permutation sampling, with the error of the sampling.

Shapes: B explained rows, M background rows, P players, n players that vary, K outputs, R repetitions (orders).

An order of the players is walked forwards, each player becoming known after the ones before it, and then backwards
(Mitchell, Cooper, Frank & Holmes 2022, "Sampling permutations for Shapley value estimation", section 4.1). The sum of
a walk is the row's score minus that of the background row where it starts, whatever the order, and the mean of both
directions is exact for all interactions of two players.

Every background row has orders of its own, where the papers walk one order over the whole background: as many forward
passes then average M times as many orders, and since every background row has the same share in each repetition, the
differences between background rows add no error. R orders for each of M background rows give M (R - 1) degrees of
freedom for the standard error.

All walks of a row go through the network together. Rows do not: what stands beside it in a batch changes a row's last
digits, and a row must get the same values alone and among others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed.budget import check_budget
from tabnet_engine.explain.signed.game import RowGame
from tabnet_engine.explain.signed.mixtures import mixtures_of
from tabnet_engine.explain.subject import ChosenRows, LogitModel, Steering
from tabnet_engine.texts.speaking import say

__all__ = ["sampled_shapley"]

# Degrees of freedom that a standard error must have before it may stop a row: with fewer it is too often small by luck.
LEAST_FREEDOM = 20
# Steps of walks (mixtures, before the same ones are found) that are walked together.
STEPS_AT_ONCE = 500_000

Floats = npt.NDArray[np.float64]


def sampled_shapley(  # noqa: PLR0913 - each is a choice of its own that the caller makes
    model: LogitModel,
    chosen: ChosenRows,
    background: BackgroundSample,
    *,
    players: Players | None = None,
    n_evaluations: int | None = None,
    target_error: float | None = None,
    seed: int = 0,
    device: str | None = None,
    steering: Steering | None = None,
) -> Attribution:
    """Explain the logits of the chosen rows by sampled orders of the columns.

    A row's orders depend on ``seed`` and its row number alone. A target that is not reached within the budget is not
    an error: ``algorithm`` of the result says for how many rows it was.

    Args:
        model: gives logits of encoded rows.
        chosen: the rows to explain (B).
        background: what replaces the columns that a coalition does not know (M).
        players: columns that move together; None for one player per raw column.
        n_evaluations: the most coalitions per explained row, at least ``2P + 1``; ten orders by default, a hundred
            with a target.
        target_error: a row stops once all its standard errors are at most this, in the unit of the logits, but not
            before a few repetitions; None uses the whole budget.
        seed: of the orders.
        device: where a network computes; None takes CUDA where there is one.
        steering: told the rows done after each row; may cancel.

    Raises:
        ExplanationError: a budget that cannot be met or exceeds its bounds, or a model that contradicts itself.
        SchemaError: a number is missing, and the network has no state for missing cells.
        JobCancelledError: the steering asked to stop.
    """
    steering = steering or Steering()
    players = players or Players.columns(model.layout.feature_names)
    n_rows = len(chosen)
    most = check_budget(len(players), n_rows, background.background.n_rows, n_evaluations, target_error)
    mixtures = mixtures_of(model, players, background.encoded, device=device)
    steering.step(0, n_rows)
    walks, fulls = [], []
    for index in range(n_rows):
        game = RowGame(
            model, players, chosen.table.take([index]), background.encoded, mixtures=mixtures, is_single=True
        )
        walk = _Walks(game, np.random.default_rng([seed, int(chosen.rows[index])]))
        walk.go_on(most, target_error, partial(steering.step, index, n_rows))
        walks.append(walk)
        fulls.append(game.full)
        steering.step(index + 1, n_rows)
    values, logits = np.stack([walk.values for walk in walks]), np.stack(fulls)
    pairs = np.array([walk.n_pairs for walk in walks], dtype=np.int64)
    per_pair = 2 * len(players) + 1
    return Attribution(
        method="sampling",
        features=players.names,
        outputs=model.outputs,
        rows=chosen.rows,
        values=values,
        base=mixtures.base,
        logits=logits,
        background=background.background,
        n_evaluations=int(pairs.max()) * per_pair,
        n_permutations=int(pairs.max()),
        seed=seed,
        additivity_error=float(np.abs(values.sum(axis=1) + mixtures.base - logits).max()),
        standard_error=np.stack([walk.standard_error for walk in walks]) if pairs.min() > 1 else None,
        selection=chosen.selection,
        run_id=model.run_id,
        algorithm=_algorithm(walks, most, target_error),
        target_error=target_error,
        evaluations=pairs * per_pair,
        groups=players.groups(model.layout.feature_names),
    )


class _Walks:
    """The walks of one row so far: for every background row the mean of its repetitions, and their spread.

    Within a background row the repetitions are independent draws of the order, so their variance is that of the
    sampling; the difference between background rows is no error, since each of them has its share in every repetition.
    """

    def __init__(self, game: RowGame, generator: np.random.Generator) -> None:
        self._game = game
        self._generator = generator
        self.n_pairs = 0
        self._mean = np.zeros((game.n_background, len(game.varying), len(game.base)))
        self._squares = np.zeros_like(self._mean)

    @property
    def values(self) -> Floats:
        """The Shapley values (P, K)."""
        return self._of_players(self._mean.mean(axis=0))

    @property
    def standard_error(self) -> Floats:
        """Of the values (P, K); zero for a single repetition, whose error is not known."""
        n_background = self._game.n_background
        freedom = max(1, self.n_pairs - 1)
        of_mean = self._squares.sum(axis=0) / (freedom * max(1, self.n_pairs))
        return self._of_players(np.sqrt(of_mean) / n_background)

    def _of_players(self, varying: Floats) -> Floats:
        everything = np.zeros((self._game.n_players, varying.shape[1]))
        everything[self._game.varying] = varying
        return everything

    def has_reached(self, target_error: float) -> bool:
        """Whether every standard error is known and at most the target."""
        return self.n_pairs > 1 and bool((self.standard_error <= target_error).all())

    def go_on(self, most: int, target_error: float | None, pulse: Callable[[], None]) -> None:
        """Walk until the target is reached or ``most`` repetitions are made; ``pulse`` is called between batches."""
        if target_error is None:
            self._walk(most, pulse)
            return
        self._walk(min(least_pairs(self._game.n_background), most), pulse)
        while self.n_pairs < most and not self.has_reached(target_error):
            # The error falls with the root of the repetitions. At most as many again: the estimate is a rough one.
            needed = math.ceil(self.n_pairs * (float(self.standard_error.max()) / target_error) ** 2)
            self._walk(min(needed, 2 * self.n_pairs, most) - self.n_pairs, pulse)

    def _walk(self, n_pairs: int, pulse: Callable[[], None]) -> None:
        """Make so many more repetitions, several at once."""
        steps = 2 * self._game.n_background * max(1, len(self._game.varying))
        size = max(1, STEPS_AT_ONCE // steps)
        for start in range(0, n_pairs, size):
            if start:
                pulse()
            for gains in _gains(self._game, min(size, n_pairs - start), self._generator):
                self.n_pairs += 1
                # Welford's update, which does not lose the digits of a small spread.
                change = gains - self._mean
                self._mean += change / self.n_pairs
                self._squares += change * (gains - self._mean)


def least_pairs(n_background: int) -> int:
    """Repetitions before the first look at the standard error, so that it rests on enough differences."""
    return 2 + LEAST_FREEDOM // n_background


def _gains(game: RowGame, n_pairs: int, generator: np.random.Generator) -> Floats:
    """What each varying player adds, the mean of both directions: (R, M, n, K)."""
    n_varying, n_background, n_outputs = len(game.varying), game.n_background, len(game.base)
    if n_varying == 0:
        return np.zeros((n_pairs, n_background, 0, n_outputs))
    # Drawn repetition by repetition, so that more repetitions begin with the same ones.
    forwards = generator.random((n_pairs * n_background, n_varying)).argsort(axis=1)
    background = np.tile(np.arange(n_background), n_pairs)
    logits = game.walks(np.concatenate([forwards, forwards[:, ::-1]]), np.concatenate([background, background]))
    # A backward walk meets the players in the opposite order.
    there, back = np.split(np.diff(logits, axis=1), 2)
    gains = np.empty_like(there)
    np.put_along_axis(gains, forwards[:, :, None], (there + back[:, ::-1]) / 2, axis=1)
    return gains.reshape(n_pairs, n_background, n_varying, n_outputs)


def _algorithm(walks: list[_Walks], most: int, target_error: float | None) -> str:
    least, largest = min(walk.n_pairs for walk in walks), max(walk.n_pairs for walk in walks)
    orders = f"{least:,}" if least == largest else say("{low:,} to {high:,}", low=least, high=largest)
    if target_error is None:
        return say(
            "sampled Shapley values: {orders} orders of the columns for each background row, forwards and backwards",
            orders=orders,
        )
    n_reached = sum(walk.has_reached(target_error) for walk in walks)
    if n_reached == len(walks):
        return say(
            "sampled Shapley values: {orders} orders of the columns for each background row, forwards and backwards, "
            "until every standard error was at most {error:g}",
            orders=orders,
            error=target_error,
        )
    return say(
        "sampled Shapley values: {orders} orders of the columns for each background row, forwards and backwards; a "
        "standard error of at most {error:g} was reached for {n_reached:,} of {n_rows:,} rows within {most:,} orders",
        orders=orders,
        error=target_error,
        n_reached=n_reached,
        n_rows=len(walks),
        most=most,
    )
