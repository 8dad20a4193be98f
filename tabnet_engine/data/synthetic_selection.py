"""Six tables whose relevant columns are known, row by row: Syn1 to Syn6 of the feature selection literature.

Eleven columns of standard normal numbers; two classes drawn with a probability that only some columns decide. In
Syn4 to Syn6 the eleventh column decides, row by row, which of two rules holds.

Source: Chen et al. 2018, "Learning to Explain" (L2X), section 4.1; Yoon et al. 2019, "INVASE", section 4.1; used by
Arik & Pfister 2021, section 4.1. The formulas are those of INVASE's published code, with which the published scores
were made; its text writes the third rule slightly differently.

Shapes: B rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["SELECTION_CEILING", "SELECTION_TARGET", "SELECTION_TASKS", "SelectionTruth", "selection_table"]

_Floats = npt.NDArray[np.float64]

SELECTION_TARGET = "y"
_N_COLUMNS = 11
_SWITCH = 10


@dataclass(frozen=True)
class _Rule:
    """One way to decide: ``value`` maps x (B, 11) to z (B,), reading only ``columns``; P(y = 1) = 1 / (1 + e^z)."""

    columns: tuple[int, ...]
    value: Callable[[_Floats], _Floats]


_PRODUCT = _Rule((0, 1), lambda x: x[:, 0] * x[:, 1])
_BALL = _Rule((2, 3, 4, 5), lambda x: (x[:, 2:6] ** 2).sum(axis=1) - 4.0)
_SUM = _Rule(
    (6, 7, 8, 9),
    lambda x: -10.0 * np.sin(0.2 * x[:, 6]) + np.abs(x[:, 7]) + x[:, 8] + np.exp(-x[:, 9]) - 2.4,
)

# The rule where x11 is below zero, and the rule elsewhere.
_RULES: dict[str, tuple[_Rule, _Rule]] = {
    "syn1": (_PRODUCT, _PRODUCT),
    "syn2": (_BALL, _BALL),
    "syn3": (_SUM, _SUM),
    "syn4": (_PRODUCT, _BALL),
    "syn5": (_PRODUCT, _SUM),
    "syn6": (_BALL, _SUM),
}
SELECTION_TASKS = tuple(_RULES)

SELECTION_CEILING = {"syn1": 0.6998, "syn2": 0.8993, "syn3": 0.9061, "syn4": 0.8212, "syn5": 0.8227, "syn6": 0.9033}
"""The AUC of the true probabilities, from four million rows each: a higher score on new rows is luck or a leak."""


@dataclass(frozen=True, eq=False)
class SelectionTruth:
    """What decided each row: ``probability`` of class 1 (B,), and ``relevant`` (B, 11), the columns that were read."""

    probability: _Floats
    relevant: npt.NDArray[np.bool_]


def selection_table(task: str, *, n_rows: int = 10_000, seed: int = 0) -> tuple[pd.DataFrame, SelectionTruth]:
    """Draw one of the six tables and the truth about it.

    Rows to test on need a seed of their own: the same seed gives the same rows.

    Args:
        task: one of :data:`SELECTION_TASKS`.
        n_rows: rows, at least 1; the papers train on 10,000.
        seed: of the random numbers.

    Returns:
        The table with the columns x1 to x11 and the classes 0 and 1 in :data:`SELECTION_TARGET`, and the truth.

    Raises:
        ValueError: an unknown task, or ``n_rows`` below 1.
    """
    if task not in _RULES:
        raise ValueError(f"task must be one of {', '.join(SELECTION_TASKS)}, got {task!r}")
    if n_rows < 1:
        raise ValueError(f"n_rows must be at least 1, got {n_rows}")
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n_rows, _N_COLUMNS))
    truth = _truth(task, x)
    frame = pd.DataFrame(x, columns=[f"x{number + 1}" for number in range(_N_COLUMNS)])
    frame[SELECTION_TARGET] = (generator.random(n_rows) < truth.probability).astype(np.int64)
    return frame, truth


def _truth(task: str, x: _Floats) -> SelectionTruth:
    low, high = _RULES[task]
    below = x[:, _SWITCH] < 0
    z = np.where(below, low.value(x), high.value(x))
    relevant = np.zeros(x.shape, dtype=np.bool_)
    for rows, rule in ((below, low), (~below, high)):
        relevant[np.ix_(np.flatnonzero(rows), np.array(rule.columns))] = True
    relevant[:, _SWITCH] = low is not high
    with np.errstate(over="ignore"):  # exp(-x10) may be huge; the probability is 0 then, as it should be
        return SelectionTruth(1.0 / (1.0 + np.exp(z)), relevant)
