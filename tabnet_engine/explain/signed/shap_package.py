"""Shapley values by the ``shap`` package itself, to be set beside ours.

Shapes: B explained rows, M background rows, P players, n players that vary, K outputs, L coalitions.

shap knows neither embedded categories nor columns of several slots. It is therefore given the game and not the table:
the cube {0, 1}^n, whose corners are the coalitions of the players that differ from the background, with the one
background row 0 and the explained row 1. So one raw column is one player, every background row counts, and shap's own
sampling, weighting and solving are what is compared.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed.budget import check_budget, check_exact
from tabnet_engine.explain.signed.game import RowGame
from tabnet_engine.explain.signed.mixtures import CellKeys
from tabnet_engine.explain.signed.row_games import Rule, divide_games
from tabnet_engine.explain.subject import ChosenRows, LogitModel, Steering
from tabnet_engine.texts.speaking import msg, say

__all__ = ["KERNEL_SAMPLES", "package_shapley", "warm_up"]

_KERNEL_ALL = msg(
    "KernelExplainer of the shap package, least squares over all combinations of columns, without regularisation"
)
_KERNEL_SAMPLE = msg(
    "KernelExplainer of the shap package, least squares over a sample of the combinations of columns, without "
    "regularisation"
)

# shap's own number for its KernelExplainer: two for each column and so many more.
KERNEL_SAMPLES = 2**11

# shap draws from numpy's global generator; two threads must not draw from it at once.
_GLOBAL_RANDOMNESS = threading.Lock()
_IMPORTING = threading.Lock()

Floats = npt.NDArray[np.float64]
Worth = Callable[[Floats], Floats]


def package_shapley(
    model: LogitModel,
    chosen: ChosenRows,
    background: BackgroundSample,
    *,
    explainer: str,
    players: Players | None = None,
    n_evaluations: int | None = None,
    seed: int = 0,
    steering: Steering | None = None,
) -> Attribution:
    """Explain the logits of the chosen rows by an explainer of the shap package.

    Args:
        model: gives logits of encoded rows.
        chosen: the rows to explain (B).
        background: what replaces the columns that a coalition does not know (M).
        explainer: ``shap_permutation``, ``shap_kernel`` or ``shap_exact``.
        players: raw columns, or groups of them.
        n_evaluations: coalitions per explained row, at least ``2P + 1``, for ``shap_exact`` all ``2^P``. By default
            ten orders (permutation), all coalitions up to ``2P + 2048`` of them (kernel), all coalitions (exact).
        seed: of shap's draws, together with the row number.
        steering: told the rows done after each row; may cancel.

    Raises:
        ExplanationError: a budget that cannot be met or exceeds its bounds, or a model that contradicts itself.
        SchemaError: a number is missing, and the network has no state for missing cells.
        JobCancelledError: the steering asked to stop.
    """
    players = players or Players.columns(model.layout.feature_names)
    n_varying = CellKeys(model.layout, players, background.encoded).varying(chosen.table).sum(axis=1)
    make = {"shap_permutation": _permutation, "shap_kernel": _kernel, "shap_exact": _exact}[explainer]
    plan = make(len(players), n_varying, background.background.n_rows, n_evaluations)
    evaluations = np.where(n_varying > 0, plan.spent(n_varying), 0).astype(np.int64)
    rule = Rule(
        method=explainer,
        algorithm=plan.words,
        divide=partial(_divide, warm_up(), plan, seed),
        n_evaluations=int(evaluations.max()),
        n_permutations=plan.n_permutations,
        seed=seed,
        evaluations=evaluations,
    )
    return divide_games(model, chosen, background, rule, players=players, steering=steering)


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """``explain(shap, worth, n, seed)`` gives values (n, K); ``spent`` the coalitions it asks for, by n."""

    words: str
    explain: Callable[[Any, Worth, int, int], Any]
    spent: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]
    n_permutations: int = 0


def _permutation(n_players: int, n_varying: npt.NDArray[np.int64], n_background: int, wanted: int | None) -> _Plan:
    n_orders = check_budget(n_players, len(n_varying), n_background, wanted)

    def explain(shap: Any, worth: Worth, n: int, seed: int) -> Any:
        explainer = shap.PermutationExplainer(worth, _cube(shap, n), seed=seed)
        return explainer(np.ones((1, n)), max_evals=n_orders * (2 * n + 1), silent=True).values[0]

    return _Plan(
        words=say(
            "PermutationExplainer of the shap package, {n_orders:,} orders of the columns forwards and backwards",
            n_orders=n_orders,
        ),
        explain=explain,
        spent=lambda n: n_orders * (2 * n + 1),
        n_permutations=n_orders,
    )


def _kernel(n_players: int, n_varying: npt.NDArray[np.int64], n_background: int, wanted: int | None) -> _Plan:
    most_wanted = 2 * n_players + KERNEL_SAMPLES if wanted is None else wanted
    check_budget(n_players, len(n_varying), n_background, most_wanted)

    def n_samples(n: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Coalitions besides none and all, which shap asks for in any case."""
        budget = 2 * n + KERNEL_SAMPLES if wanted is None else np.full_like(n, wanted - 2)
        exponent = np.minimum(n, 62)  # 2^63 is no whole number of 64 bits
        samples: npt.NDArray[np.int64] = np.minimum(budget, 2**exponent - 2)
        return samples

    def explain(shap: Any, worth: Worth, n: int, seed: int) -> Any:
        np.random.seed(seed)  # noqa: NPY002 - the legacy global generator is the one that shap draws from
        explainer = shap.KernelExplainer(worth, np.zeros((1, n)))
        samples = int(n_samples(np.array([n], dtype=np.int64))[0])
        # Its default keeps ten columns and gives the others 0.
        return explainer.shap_values(np.ones((1, n)), nsamples=max(1, samples), l1_reg=False, silent=True)[0]

    most = int(n_varying.max())
    everything = bool(n_samples(n_varying).max() == 2 ** min(most, 62) - 2)
    words = _KERNEL_ALL if everything else _KERNEL_SAMPLE
    return _Plan(
        words=say(words),
        explain=explain,
        spent=lambda n: n_samples(n) + 2,
    )


def _exact(n_players: int, n_varying: npt.NDArray[np.int64], n_background: int, wanted: int | None) -> _Plan:
    check_exact(n_varying, n_background)
    if wanted is not None and wanted < 2**n_players:
        raise ExplanationError(
            f"{wanted:,} evaluations are too few for exact values of {n_players:,} columns: {2**n_players:,} are "
            "needed, one for each combination of columns; raise n_evaluations or choose shap_permutation"
        )

    def explain(shap: Any, worth: Worth, n: int, _seed: int) -> Any:
        return shap.ExactExplainer(worth, _cube(shap, n))(np.ones((1, n)), max_evals=2**n, silent=True).values[0]

    return _Plan(
        words=say("ExactExplainer of the shap package, all combinations of columns"),
        explain=explain,
        spent=lambda n: 2**n,
    )


def _cube(shap: Any, n: int) -> Any:
    return shap.maskers.Independent(np.zeros((1, n)), max_samples=1)


def _divide(shap: Any, plan: _Plan, seed: int, game: RowGame, row: int) -> Floats:
    """Values (P, K); players that hold the background's cells everywhere get exactly 0 and are not asked about."""
    varying = game.varying
    values = np.zeros((game.n_players, len(game.full)))
    if len(varying) == 0:
        return values

    def worth(corners: Floats) -> Floats:
        known = np.zeros((len(corners), game.n_players), dtype=bool)
        known[:, varying] = np.asarray(corners) > 0.5
        return game.values(known)

    row_seed = int(np.random.SeedSequence([seed, row]).generate_state(1)[0])
    with _restored_global_randomness():
        found = plan.explain(shap, worth, len(varying), row_seed)
    # shap drops the axis of the outputs when there is only one.
    values[varying] = np.asarray(found, dtype=np.float64).reshape(len(varying), len(game.full))
    return values


@contextmanager
def _restored_global_randomness() -> Iterator[None]:
    """Undo what shap does: it seeds numpy's global generator, which the caller may draw from."""
    with _GLOBAL_RANDOMNESS:
        before: Any = np.random.get_state()  # noqa: NPY002  # the legacy global state is the one shap overwrites
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002  # as above


def warm_up() -> Any:
    """Import shap, some two seconds, so that the first explanation does not wait; safe from any thread.

    shap's kernels stay uncompiled: compiling takes numba 4 to 13 seconds in every process, and on the cube, with its
    single background row, saves next to nothing.

    Returns:
        The module.
    """
    config: Any = importlib.import_module("numba").config
    with _IMPORTING:
        before = config.DISABLE_JIT
        config.DISABLE_JIT = True
        try:
            return importlib.import_module("shap")
        finally:
            config.DISABLE_JIT = before
