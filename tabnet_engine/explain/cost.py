"""How long signed values will take here, judged by explaining one row.

Shapes: B rows, P players, K outputs.
"""

from __future__ import annotations

import dataclasses
import math
import time

import numpy as np
import pandas as pd

from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.signed.budget import PERMUTATIONS_FOR_TARGET, default_evaluations
from tabnet_engine.explain.signed.methods import SignedMethod, exact_is_cheap
from tabnet_engine.explain.single_row import RowExplainer

__all__ = [
    "FULL_PATHS",
    "evaluations_asked",
    "evaluations_for_target",
    "seconds_per_evaluation",
    "seconds_per_row",
    "shap_seconds",
    "usual_error",
]

# Methods that follow gradients: a row's cost is measured, for no budget of coalitions says what it is.
FULL_PATHS = ("gradients", "integrated_gradients")

_REPEATS = 3
_PATH_ERROR = 1e-3  # as the settings of a job have it


def seconds_per_evaluation(explainer: RowExplainer, cells: pd.DataFrame) -> float:
    """Seconds of one evaluation of one background row, measured on the table of one line ``cells``.

    The row is explained three times and the fastest counts: the first one pays for imports, and whatever
    else the machine does would pass for the cost of explaining.

    Raises:
        UserError: the row cannot be explained.
    """
    fastest = float("inf")
    for _ in range(_REPEATS):
        started = time.perf_counter()
        explanation = explainer.explain(cells)
        fastest = min(fastest, time.perf_counter() - started)
    return fastest / (explanation.attribution.n_evaluations * explainer.background.background.n_rows)


def shap_seconds(unit: float, *, n_features: int, n_rows: int, n_background: int, n_evaluations: int | None) -> float:
    """Seconds for a whole job, from what :func:`seconds_per_evaluation` measured.

    Args:
        unit: seconds of one evaluation of one background row.
        n_features: raw columns.
        n_rows: rows to explain.
        n_background: background rows.
        n_evaluations: evaluations per row; None takes the default.
    """
    return unit * n_rows * n_background * (n_evaluations or default_evaluations(n_features))


def seconds_per_row(explainer: RowExplainer, cells: pd.DataFrame, name: str) -> float:
    """Seconds of one row by a method that follows paths, against the explainer's background.

    Args:
        explainer: the loaded network.
        cells: a table of one line.
        name: one of :data:`FULL_PATHS`.

    Raises:
        UserError: the row cannot be explained.
    """
    asked = dataclasses.replace(explainer, method=SignedMethod(name=name, path_error=_PATH_ERROR))
    fastest = math.inf
    for _ in range(_REPEATS):
        started = time.perf_counter()
        asked.explain(cells)
        fastest = min(fastest, time.perf_counter() - started)
    return fastest


def evaluations_asked(name: str, n_players: int, n_evaluations: int | None) -> int:
    """Coalitions for each row that a method which asks for coalitions takes, as its rules say.

    Args:
        name: a signed method that is none of :data:`FULL_PATHS`.
        n_players: P.
        n_evaluations: the budget; None for the method's own.
    """
    if name in {"exact", "shap_exact"} or (name == "shap" and exact_is_cheap(n_players, n_evaluations)):
        return int(2**n_players)
    if name == "ablation":
        return n_players + 1
    return n_evaluations or default_evaluations(n_players)


def usual_error(stored: Attribution | None) -> float:
    """The standard error that the rows of stored values have in the middle, in the unit of the logits.

    Each row counts by its largest one; without any the answer is 0.01, and it is never below 0.0001.
    """
    if stored is None or stored.standard_error is None or not stored.n_rows:
        return 0.01
    largest = stored.standard_error.reshape(stored.n_rows, -1).max(axis=1)
    return float(max(0.0001, round(np.median(largest), 4)))


def evaluations_for_target(stored: Attribution, target_error: float) -> tuple[int, int]:
    """Coalitions for each row until its largest standard error is the target: on average, judging by stored values.

    The error of a mean falls with the square root of what is averaged.

    Args:
        stored: sampled values with their standard errors.
        target_error: in the unit of the logits, above zero.

    Returns:
        What the average row takes, and the most that any row may take.
    """
    per_order = 2 * len(stored.features) + 1
    most = PERMUTATIONS_FOR_TARGET * per_order
    if stored.standard_error is None or not stored.n_rows:
        return most, most
    error = stored.standard_error.reshape(stored.n_rows, -1).max(axis=1)
    spent = np.full(stored.n_rows, stored.n_evaluations) if stored.evaluations is None else stored.evaluations
    needed = np.ceil(spent / per_order * (error / target_error) ** 2) * per_order
    return int(np.clip(needed, 2 * per_order, most).mean()), most
