"""How much the score falls when one column becomes unknown and all others stay.

Shapes: B explained rows, M background rows, P players, K outputs.

phi_j = f(x) - mean over the background of f(x with player j's cells from the background): the last step of a walk
through the columns that ends with j, so one term of the Shapley value (Lundberg & Lee 2017, equation 4), not all.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed.budget import check_budget
from tabnet_engine.explain.signed.game import RowGame
from tabnet_engine.explain.signed.row_games import Rule, divide_games
from tabnet_engine.explain.subject import ChosenRows, LogitModel, Steering
from tabnet_engine.texts.speaking import say

__all__ = ["ablation"]

Floats = npt.NDArray[np.float64]


def ablation(
    model: LogitModel,
    chosen: ChosenRows,
    background: BackgroundSample,
    *,
    players: Players | None = None,
    n_evaluations: int | None = None,
    seed: int = 0,
    device: str | None = None,
    steering: Steering | None = None,
) -> Attribution:
    """Explain the logits of the chosen rows by taking away one player at a time; the values are not complete.

    Args:
        model: gives logits of encoded rows.
        chosen: the rows to explain (B).
        background: what replaces the column that is taken away (M).
        players: raw columns, or groups of them.
        n_evaluations: the most coalitions per explained row; P + 1 are needed and no more are used.
        seed: only written down, nothing is drawn.
        device: where a network computes; None takes CUDA where there is one.
        steering: told the rows done after each row; may cancel.

    Raises:
        ExplanationError: a budget that cannot be met or exceeds its bounds, or a model that contradicts itself.
        SchemaError: a number is missing, and the network has no state for missing cells.
        JobCancelledError: the steering asked to stop.
    """
    players = players or Players.columns(model.layout.feature_names)
    needed = len(players) + 1
    if n_evaluations is not None and n_evaluations < needed:
        raise ExplanationError(
            f"{n_evaluations:,} evaluations are too few for {len(players):,} columns: {needed:,} are needed, one for "
            "each column and one more; raise n_evaluations"
        )
    check_budget(len(players), len(chosen), background.background.n_rows, 2 * needed)
    rule = Rule(
        method="ablation",
        algorithm=say("the score minus its mean over the background when one column alone is taken from there"),
        divide=_without_each,
        n_evaluations=needed,
        seed=seed,
        is_complete=False,
    )
    return divide_games(model, chosen, background, rule, players=players, device=device, steering=steering)


def _without_each(game: RowGame, _row: int) -> Floats:
    """Values (P, K); a player that holds the background's cells everywhere gets exactly 0."""
    varying = game.varying
    known = np.ones((len(varying), game.n_players), dtype=bool)
    known[np.arange(len(varying)), varying] = False
    values = np.zeros((game.n_players, len(game.full)))
    if len(varying):
        values[varying] = game.full - game.values(known)
    return values
