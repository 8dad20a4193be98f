"""Exact Shapley values: every coalition of the columns that differ from the background.

Shapes: B explained rows, M background rows, P players, n players that vary, K outputs.

phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! (v(S + i) - v(S)) (Shapley 1953), with v of
:class:`tabnet_engine.explain.signed.game.RowGame`, in double precision. Players that hold the background's cells are
dummies: leaving them out of the sum changes nothing and halves the coalitions each time.
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
from tabnet_engine.explain.signed.budget import check_exact
from tabnet_engine.explain.signed.game import RowGame
from tabnet_engine.explain.signed.mixtures import CellKeys, mixtures_of
from tabnet_engine.explain.subject import ChosenRows, LogitModel, Steering
from tabnet_engine.texts.speaking import say

__all__ = ["exact_shapley"]

# Coalitions between two looks at whether to cancel.
COALITIONS_AT_ONCE = 2**12

Floats = npt.NDArray[np.float64]


def exact_shapley(
    model: LogitModel,
    chosen: ChosenRows,
    background: BackgroundSample,
    *,
    players: Players | None = None,
    device: str | None = None,
    steering: Steering | None = None,
) -> Attribution:
    """Explain the logits of the chosen rows by all coalitions.

    Args:
        model: gives logits of encoded rows.
        chosen: the rows to explain (B).
        background: what replaces the columns that a coalition does not know (M).
        players: columns that move together; None for one player per raw column.
        device: where a network computes; None takes CUDA where there is one.
        steering: told the rows done after each row; may cancel.

    Raises:
        ExplanationError: more coalitions than the stated bounds, or a model that contradicts itself.
        SchemaError: a number is missing, and the network has no state for missing cells.
        JobCancelledError: the steering asked to stop.
    """
    steering = steering or Steering()
    players = players or Players.columns(model.layout.feature_names)
    n_rows = len(chosen)
    n_varying = CellKeys(model.layout, players, background.encoded).varying(chosen.table).sum(axis=1)
    check_exact(n_varying, background.background.n_rows)
    mixtures = mixtures_of(model, players, background.encoded, device=device)
    steering.step(0, n_rows)
    values, logits = np.zeros((n_rows, len(players), len(model.outputs))), np.empty((n_rows, len(model.outputs)))
    for index in range(n_rows):
        game = RowGame(model, players, chosen.table.take([index]), background.encoded, mixtures=mixtures)
        worth = _worth(game, partial(steering.step, index, n_rows))
        values[index, game.varying] = _shapley(worth)
        logits[index] = game.full
        steering.step(index + 1, n_rows)
    coalitions = 2**n_varying
    return Attribution(
        method="exact",
        features=players.names,
        outputs=model.outputs,
        rows=chosen.rows,
        values=values,
        base=mixtures.base,
        logits=logits,
        background=background.background,
        n_evaluations=int(coalitions.max()),
        n_permutations=0,
        seed=0,
        additivity_error=float(np.abs(values.sum(axis=1) + mixtures.base - logits).max()),
        standard_error=None,
        selection=chosen.selection,
        run_id=model.run_id,
        algorithm=say("exact Shapley values over all combinations of the columns that differ from the background"),
        evaluations=coalitions,
        groups=players.groups(model.layout.feature_names),
    )


def _worth(game: RowGame, pulse: Callable[[], None]) -> Floats:
    """The worth (2^n, K) of all coalitions of the varying players; bit i of the place says whether player i is in."""
    n_varying = len(game.varying)
    worth = np.empty((2**n_varying, len(game.base)))
    for start in range(0, len(worth), COALITIONS_AT_ONCE):
        if start:
            pulse()
        place = np.arange(start, min(start + COALITIONS_AT_ONCE, len(worth)))
        coalitions = np.zeros((len(place), game.n_players), dtype=bool)
        coalitions[:, game.varying] = (place[:, None] >> np.arange(n_varying)) & 1
        worth[place] = game.values(coalitions)
    return worth


def _shapley(worth: Floats) -> Floats:
    """Shapley values (n, K) from the worth (2^n, K) of all coalitions."""
    n_varying = (len(worth) - 1).bit_length()
    n_known = np.array([place.bit_count() for place in range(len(worth))])
    orders = math.factorial(n_varying)
    weights = [math.factorial(n) * math.factorial(n_varying - n - 1) / orders for n in range(n_varying)]
    values = np.empty((n_varying, worth.shape[1]))
    for player in range(n_varying):
        # The middle axis says whether the player is in the coalition.
        pairs = worth.reshape(-1, 2, 2**player, worth.shape[1])
        known = n_known.reshape(-1, 2, 2**player)[:, 0]
        values[player] = np.tensordot(np.array(weights)[known], pairs[:, 1] - pairs[:, 0], axes=2)
    return values
