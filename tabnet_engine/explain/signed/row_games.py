"""One game after another over the rows to explain, for methods that need nothing but the worth of coalitions.

Shapes: B explained rows, P players, K outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed.game import RowGame
from tabnet_engine.explain.signed.mixtures import mixtures_of
from tabnet_engine.explain.subject import ChosenRows, LogitModel, Steering

__all__ = ["Rule", "divide_games"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How each row's game is divided: ``divide(game, row number)`` gives the values (P, K)."""

    method: str
    algorithm: str
    divide: Callable[[RowGame, int], Floats]
    n_evaluations: int
    n_permutations: int = 0
    seed: int = 0
    is_complete: bool = True
    evaluations: npt.NDArray[np.int64] | None = field(default=None)


def divide_games(
    model: LogitModel,
    chosen: ChosenRows,
    background: BackgroundSample,
    rule: Rule,
    *,
    players: Players,
    device: str | None = None,
    steering: Steering | None = None,
) -> Attribution:
    """Play every row's game, in double precision, and divide it by the rule.

    Raises:
        ExplanationError: a model that contradicts itself, or what the rule raises.
        SchemaError: a number is missing, and the network has no state for missing cells.
        JobCancelledError: the steering asked to stop.
    """
    steering = steering or Steering()
    mixtures = mixtures_of(model, players, background.encoded, device=device)
    values, logits, base = [], [], np.zeros(len(model.outputs))
    steering.step(0, len(chosen))
    for index, row in enumerate(chosen.rows.tolist()):
        game = RowGame(model, players, chosen.table.take([index]), background.encoded, mixtures=mixtures)
        values.append(rule.divide(game, row))
        logits.append(game.full)
        base = game.base  # of every game the same
        steering.step(index + 1, len(chosen))
    found, scores = np.stack(values), np.stack(logits)
    return Attribution(
        method=rule.method,
        features=players.names,
        outputs=model.outputs,
        rows=chosen.rows,
        values=found,
        base=base,
        logits=scores,
        background=background.background,
        n_evaluations=rule.n_evaluations,
        n_permutations=rule.n_permutations,
        seed=rule.seed,
        additivity_error=float(np.abs(found.sum(axis=1) + base - scores).max()),
        selection=chosen.selection,
        run_id=model.run_id,
        algorithm=rule.algorithm,
        is_complete=rule.is_complete,
        evaluations=rule.evaluations,
        groups=players.groups(model.layout.feature_names),
    )
