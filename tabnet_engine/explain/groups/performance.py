"""The task's scores with their intervals, for rows few or many. numpy only (scipy for a quantile).

Shapes: B rows, K outputs, C classes. The scores themselves are those of
:func:`tabnet_engine.training.metrics.evaluate`; here each gets its interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.estimates import ENDS, NORMAL_POINT, Estimate, mean_estimate, proportion_estimate
from tabnet_engine.explain.pseudo_values import area_pseudo_values, log_losses
from tabnet_engine.texts.speaking import say
from tabnet_engine.training.metrics import evaluate
from tabnet_engine.training.probabilities import predicted_codes

__all__ = ["performance", "row_losses"]

_RESAMPLES = 500

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float, str] | None


def performance(
    task: Task, y: npt.NDArray[Any], logits: Floats, classes: Sequence[str], *, seed: int = 0
) -> dict[str, Estimate]:
    """Scores of rows with a known outcome, by the name of the metric.

    Intervals: shares by Wilson's score; means by Student's t; the area under the curve by DeLong, DeLong &
    Clarke-Pearson (1988), on the scale of its log-odds (of several classes by the mean of their influences); balanced
    accuracy by resampling the counts of right and wrong rows; r2 by its influence function.

    Args:
        task: what is predicted.
        y: (B,) class codes, or numbers.
        logits: (B, K).
        classes: the class names; empty for a regression.
        seed: of the resampling.
    """
    scores = evaluate(task, y, logits, classes)
    makers: Mapping[str, Callable[[], Interval]]
    makers = _number_intervals(y, logits) if task is Task.REGRESSION else _class_intervals(task, y, logits, seed)
    return {name: _estimate(score, makers[name], len(y)) for name, score in scores.items()}


def _estimate(value: float | None, interval: Callable[[], Interval], n: int) -> Estimate:
    if value is None:
        return Estimate(value=None, n=n, how=say("not defined by these rows"))
    found = interval()
    if found is None or not (math.isfinite(found[0]) and math.isfinite(found[1])):
        return Estimate(value=value, n=n, how=say("too few rows, or no variation, for an interval"))
    low, high, how = found
    return Estimate(value=value, low=min(low, value), high=max(high, value), n=n, how=how)


def _class_intervals(
    task: Task, y: npt.NDArray[Any], logits: Floats, seed: int
) -> Mapping[str, Callable[[], Interval]]:
    codes = y.astype(np.int64)
    right = predicted_codes(task, logits) == codes
    return {
        "auc": lambda: _area_interval(task, codes, logits),
        "accuracy": lambda: _of(proportion_estimate(int(right.sum()), len(right))),
        "balanced_accuracy": lambda: _recall_interval(codes, right, seed),
        "log_loss": lambda: _of(mean_estimate(row_losses(task, codes, logits))),
    }


def _number_intervals(y: npt.NDArray[Any], logits: Floats) -> Mapping[str, Callable[[], Interval]]:
    error = logits[:, 0] - y
    return {
        "rmse": lambda: _root(_of(mean_estimate(error**2))),
        "mae": lambda: _of(mean_estimate(np.abs(error))),
        "r2": lambda: _explained_interval(y, error),
        "mse": lambda: _of(mean_estimate(error**2)),
        "rmsle": lambda: _root(_of(mean_estimate((np.log1p(np.maximum(logits[:, 0], 0)) - np.log1p(y)) ** 2))),
    }


def row_losses(task: Task, y: npt.NDArray[Any], logits: Floats) -> Floats:
    """The loss of each row (B): minus the log of the probability of what came, or the squared error."""
    if task is Task.REGRESSION:
        return np.asarray((logits[:, 0] - y) ** 2)
    return log_losses(task, y, logits)


def _of(estimate: Estimate) -> Interval:
    if estimate.low is None or estimate.high is None:
        return None
    return estimate.low, estimate.high, estimate.how


def _root(interval: Interval) -> Interval:
    if interval is None:
        return None
    low, high, how = interval
    return math.sqrt(max(0.0, low)), math.sqrt(high), f"{how}, of the squares"


def _area_interval(task: Task, y: npt.NDArray[np.int64], logits: Floats) -> Interval:
    parts = area_pseudo_values(task, y, logits)
    if parts is None:
        return None
    n, area = len(y), float(parts.mean())
    error = math.sqrt(float(((parts - area) ** 2).sum()) / (n * max(1, n - 1)))
    if not 0 < area < 1 or error == 0:
        return None
    centre, margin = math.log(area / (1 - area)), NORMAL_POINT * error / (area * (1 - area))
    low, high = (1 / (1 + math.exp(-end)) for end in (centre - margin, centre + margin))
    return low, high, "DeLong, on the log-odds of the area"


def _recall_interval(y: npt.NDArray[np.int64], right: npt.NDArray[np.bool_], seed: int) -> Interval:
    """Resampling rows is drawing the counts of (class, right) anew."""
    n = len(y)
    cells = np.bincount(2 * y + right, minlength=2 * (int(y.max()) + 1))
    drawn = np.random.default_rng(seed).multinomial(n, cells / n, size=_RESAMPLES).reshape(_RESAMPLES, -1, 2)
    totals = drawn.sum(axis=2)
    recalls = np.divide(drawn[:, :, 1], totals, out=np.full(totals.shape, np.nan), where=totals > 0)
    means = np.nanmean(recalls, axis=1)
    if n < 2 or np.ptp(means) == 0:
        return None
    low, high = np.quantile(means, ENDS)
    return float(low), float(high), f"bootstrap over rows, {_RESAMPLES:,} resamples"


def _explained_interval(y: npt.NDArray[Any], error: Floats) -> Interval:
    n, spread = len(y), float(np.var(y))
    if n < 3 or spread == 0:
        return None
    mse = float((error**2).mean())
    influence = -(error**2 - mse) / spread + mse * ((y - y.mean()) ** 2 - spread) / spread**2
    value = 1 - mse / spread
    margin = NORMAL_POINT * math.sqrt(float((influence**2).sum()) / (n * (n - 1)))
    return value - margin, value + margin, "influence function, normal"
