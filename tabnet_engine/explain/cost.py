"""How long SHAP values will take here, judged by explaining one row."""

from __future__ import annotations

import time

import pandas as pd

from tabnet_engine.explain.signed.budget import default_evaluations
from tabnet_engine.explain.single_row import RowExplainer

__all__ = ["seconds_per_evaluation", "shap_seconds"]


_REPEATS = 3


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
