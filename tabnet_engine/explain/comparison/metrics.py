"""Scores of two runs on the same rows, with the difference and its paired interval. numpy only.

Shapes: B rows, K outputs in the common form of both runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.estimates import NORMAL_POINT, Estimate, mean_estimate
from tabnet_engine.explain.groups.performance import performance
from tabnet_engine.explain.pseudo_values import area_pseudo_values, log_losses
from tabnet_engine.texts.speaking import msg
from tabnet_engine.training.metrics import LOWER_IS_BETTER
from tabnet_engine.training.probabilities import predicted_codes

__all__ = ["VERDICTS", "MetricDifference", "metric_differences", "paired_share_difference"]

Floats = npt.NDArray[np.float64]

# What a verdict says of the second run.
VERDICTS: Mapping[str, str] = {
    "better": msg("better"),
    "worse": msg("worse"),
    "undecided": msg("not told apart"),
    "undefined": msg("no interval"),
}


@dataclass(frozen=True, kw_only=True)
class MetricDifference:
    """One score of both runs on the same rows. ``difference`` is that of the second minus that of the first."""

    name: str
    first: Estimate
    second: Estimate
    difference: Estimate

    @property
    def verdict(self) -> str:
        """What the interval of the difference says.

        ``better`` or ``worse`` where it leaves out zero, ``undecided`` where it does not, ``undefined`` without one.
        """
        low, high = self.difference.low, self.difference.high
        if low is None or high is None:
            return "undefined"
        if low <= 0 <= high:
            return "undecided"
        return "better" if (low > 0) != (self.name in LOWER_IS_BETTER) else "worse"

    def to_mapping(self) -> dict[str, Any]:
        """The scores as plain JSON values."""
        return {
            "name": self.name,
            "first": self.first.to_mapping(),
            "second": self.second.to_mapping(),
            "difference": self.difference.to_mapping(),
            "verdict": self.verdict,
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        parts = {name: Estimate.from_mapping(values[name]) for name in ("first", "second", "difference")}
        return cls(name=str(values["name"]), **parts)


def metric_differences(
    task: Task, y: npt.NDArray[Any], first: Floats, second: Floats, classes: Sequence[str]
) -> tuple[MetricDifference, ...]:
    """Every score of the task for both runs and the paired difference, each with a 95 % interval.

    The rows are the same, so the interval of a difference is that of the mean of the rows' own differences: for a
    score that is no mean of rows, of its influence on each row. For the area under the curve these are DeLong's
    components (DeLong, DeLong & Clarke-Pearson 1988, section 3), for accuracy it is the adjusted Wald interval for
    matched pairs (Agresti & Min 2005), which holds for few rows and no change too. The intervals are not adjusted
    for looking at several scores.

    Args:
        task: of the common form.
        y: (B,) class codes, or numbers; every one known.
        first: logits (B, K) of the first run.
        second: logits (B, K) of the second.
        classes: the class names; empty for a regression.
    """
    scores = [performance(task, y, logits, classes) for logits in (first, second)]
    parts = [_row_parts(task, y, logits) if len(y) else {} for logits in (first, second)]
    return tuple(
        MetricDifference(
            name=name,
            first=scores[0][name],
            second=scores[1][name],
            difference=_difference(name, scores[0][name], scores[1][name], parts[0].get(name), parts[1].get(name), y),
        )
        for name in scores[0]
    )


def paired_share_difference(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> Estimate:
    """How much larger the share of rows is for which ``second`` (B,) holds than that of ``first`` (B,).

    The interval is the adjusted Wald interval for matched pairs of Agresti & Min 2005: half a row is added to each
    of the four cells.
    """
    n = len(first)
    if n == 0:
        return Estimate(value=None, n=0, how="no row")
    gained, lost = int((second & ~first).sum()), int((first & ~second).sum())
    value = (gained - lost) / n
    size, up, down = n + 2, gained + 0.5, lost + 0.5
    centre = (up - down) / size
    margin = NORMAL_POINT * math.sqrt(max(0.0, up + down - (up - down) ** 2 / size)) / size
    low, high = max(-1.0, centre - margin), min(1.0, centre + margin)
    return Estimate(
        value=value, low=min(low, value), high=max(high, value), n=n, how="adjusted Wald interval for matched pairs"
    )


def _difference(
    name: str, first: Estimate, second: Estimate, own: Floats | None, other: Floats | None, y: npt.NDArray[Any]
) -> Estimate:
    """The difference of two scores on the same rows, from each row's part in them."""
    if first.value is None or second.value is None or own is None or other is None:
        return Estimate(value=None, n=len(y), how="not defined by these rows")
    if name == "accuracy":
        return paired_share_difference(own > 0, other > 0)
    value = second.value - first.value
    if name == "balanced_accuracy":
        return _by_class(value, other - own, y.astype(np.int64))
    found = mean_estimate(other - own)
    if found.low is None or found.high is None:
        return Estimate(value=value, n=len(y), how="one row has no interval")
    margin = (found.high - found.low) / 2
    how = "paired over the rows, Student's t"
    return Estimate(value=value, low=value - margin, high=value + margin, n=len(y), how=how)


def _by_class(value: float, change: Floats, y: npt.NDArray[np.int64]) -> Estimate:
    """The mean over classes of each class's mean change (B,), with the error of both put together."""
    parts = [change[y == code] for code in np.unique(y)]
    if any(len(part) < 2 for part in parts) or not change.any():
        return Estimate(value=value, n=len(y), how="too few rows, or no change, for an interval")
    variance = sum(float(part.var(ddof=1)) / len(part) for part in parts) / len(parts) ** 2
    margin = NORMAL_POINT * math.sqrt(variance)
    how = "paired over the rows of each class, normal"
    return Estimate(value=value, low=value - margin, high=value + margin, n=len(y), how=how)


def _row_parts(task: Task, y: npt.NDArray[Any], logits: Floats) -> dict[str, Floats | None]:
    """Numbers (B,) whose mean is the score, or differs from it by what no change of the rows' order moves."""
    if task is Task.REGRESSION:
        return _number_parts(np.asarray(y, dtype=np.float64), logits[:, 0])
    codes = y.astype(np.int64)
    right = (predicted_codes(task, logits) == codes).astype(np.float64)
    return {
        "auc": area_pseudo_values(task, codes, logits),
        "accuracy": right,
        "balanced_accuracy": right,
        "log_loss": log_losses(task, codes, logits),
    }


def _number_parts(y: Floats, predicted: Floats) -> dict[str, Floats | None]:
    error = predicted - y
    squared, spread = error**2, float(np.var(y))
    mse = float(squared.mean())
    explained = None
    if spread > 0:
        centred = (y - y.mean()) ** 2 - spread
        explained = -(squared - mse) / spread + mse * centred / spread**2
    logged = None
    if not (y < 0).any():
        logged = _root_parts((np.log1p(np.maximum(predicted, 0.0)) - np.log1p(y)) ** 2)
    return {"rmse": _root_parts(squared), "mae": np.abs(error), "r2": explained, "mse": squared, "rmsle": logged}


def _root_parts(squared: Floats) -> Floats:
    """The first-order parts of the root of a mean (the delta method)."""
    mean = float(squared.mean())
    if mean == 0.0:
        return np.zeros_like(squared)
    root = math.sqrt(mean)
    return np.asarray(root + (squared - mean) / (2.0 * root))
