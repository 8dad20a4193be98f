"""Whether predictions are as high as outcomes are: on average, along their range, and bin by bin. numpy only.

Shapes: B rows, K outputs, C classes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.explain.estimates import ENDS, NORMAL_POINT, Estimate, bootstrap_estimate, mean_estimate
from tabnet_engine.texts.speaking import say
from tabnet_engine.training.probabilities import class_probabilities, predicted_codes

__all__ = ["N_BINS", "calibration"]

N_BINS = 10
_RESAMPLES = 200
_MOST_NEWTON_STEPS = 50
_FAR_SLOPE = 50.0  # beyond it the outcomes are separated, and no slope exists
_FEWEST_ROWS = 10

Floats = npt.NDArray[np.float64]


def calibration(codec: TargetCodec, y: npt.NDArray[Any], logits: Floats, *, seed: int = 0) -> dict[str, Estimate]:
    """Measures of calibration of rows with a known outcome.

    ``calibration_in_the_large``: outcome minus prediction, on average: of the positive class's probability, or of the
    quantity (the mean residual); above 0 the model predicts too low. With several classes there is one for each,
    ``calibration_in_the_large: CLASS``. ``calibration_slope``: of the outcomes on the predictions (Cox 1958; for
    classes on the log-odds); 1 is right, below 1 the predictions are too extreme; not with several classes.
    ``calibration_error``: the expected calibration error (Naeini et al. 2015) of the positive or the predicted
    class, over :data:`N_BINS` bins of equally many rows; it is never 0 in few rows, so
    ``calibration_error_by_chance`` is what perfectly calibrated predictions would score on as many rows.

    Args:
        codec: the target.
        y: (B,) class codes, or numbers.
        logits: (B, K).
        seed: of the resampling.
    """
    if codec.task is Task.REGRESSION:
        predicted = logits[:, 0]
        return {
            "calibration_in_the_large": mean_estimate(y - predicted),
            "calibration_slope": _line_slope(predicted, y.astype(np.float64)),
        }
    shares = class_probabilities(codec.task, logits)
    if codec.task is Task.BINARY:
        probability, came = shares[:, 1], (y == 1).astype(np.float64)
        found = {
            "calibration_in_the_large": mean_estimate(came - probability),
            "calibration_slope": _logistic_slope(logits[:, 0], came),
        }
    else:
        codes = predicted_codes(codec.task, logits)
        probability, came = shares[np.arange(len(y)), codes], (codes == y).astype(np.float64)
        found = {
            f"calibration_in_the_large: {name}": mean_estimate((y == code) - shares[:, code])
            for code, name in enumerate(codec.classes)
        }
    return {**found, **_binned(probability, came, seed)}


def _line_slope(x: Floats, y: Floats) -> Estimate:
    n = len(x)
    spread = float(((x - x.mean()) ** 2).sum()) if n else 0.0
    if n < _FEWEST_ROWS or spread <= 0:
        return Estimate(value=None, n=n, how=say("too few rows, or one prediction for all"))
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread
    residual = y - y.mean() - slope * (x - x.mean())
    # Errors may grow with the prediction: the interval holds then too (White 1980).
    error = math.sqrt(float((((x - x.mean()) * residual) ** 2).sum())) / spread * math.sqrt(n / (n - 2))
    return _with_margin(slope, NORMAL_POINT * error, n, say("least squares, robust normal interval"))


def _logistic_slope(logit: Floats, came: Floats) -> Estimate:
    """Slope of a logistic regression of the outcome on the logit, by Newton's steps."""
    n = len(came)
    undefined = Estimate(value=None, n=n, how=say("too few rows of one class, or one prediction for all"))
    if min(float(came.sum()), n - float(came.sum())) < _FEWEST_ROWS / 2 or np.ptp(logit) == 0:
        return undefined
    scale = float(logit.std())
    design = np.column_stack([np.ones(n), (logit - logit.mean()) / scale])
    weights = np.zeros(2)
    for _ in range(_MOST_NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -700, 700)))
        information = design.T @ (design * (chance * (1 - chance))[:, None])
        if np.linalg.cond(information) > 1e12:
            return undefined
        step = np.linalg.solve(information, design.T @ (came - chance))
        # Long steps overshoot where outcomes are nearly separated.
        weights = weights + step * min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-300))
        if float(np.abs(step).max()) < 1e-9:
            error = math.sqrt(float(np.linalg.inv(information)[1, 1]))
            return _with_margin(
                float(weights[1]) / scale, NORMAL_POINT * error / scale, n, say("logistic regression, Wald")
            )
        if abs(float(weights[1])) > _FAR_SLOPE:
            return undefined
    return undefined


def _with_margin(value: float, margin: float, n: int, how: str) -> Estimate:
    return Estimate(value=value, low=value - margin, high=value + margin, n=n, how=how)


def _binned(probability: Floats, came: Floats, seed: int) -> dict[str, Estimate]:
    n = len(came)
    order = np.argsort(probability, kind="stable")
    probability, came = probability[order], came[order]

    def of_rows(rows: npt.NDArray[np.int64]) -> float | None:
        return _binned_error(probability[rows], came[rows]) if len(rows) >= _FEWEST_ROWS else None

    found = bootstrap_estimate(of_rows, n, n_resamples=_RESAMPLES, seed=seed)
    if found.value is None:
        return {"calibration_error": found, "calibration_error_by_chance": found}
    generator = np.random.default_rng([seed, 1])
    chance = [
        _binned_error(probability, (generator.random(n) < probability).astype(np.float64)) for _ in range(_RESAMPLES)
    ]
    low, high = np.quantile(chance, ENDS)
    by_chance = Estimate(
        value=float(np.mean(chance)),
        low=float(low),
        high=float(high),
        n=n,
        how=say("outcomes drawn from the predictions {n_draws:,} times", n_draws=_RESAMPLES),
    )
    # Resampled rows are never better calibrated than these: the percentile interval may miss the value itself.
    low_found = None if found.low is None else min(found.low, found.value)
    how = f"{found.how}; {say('{n_bins} bins of equally many rows', n_bins=min(N_BINS, n))}"
    high_found = None if found.high is None else max(found.high, found.value)
    error = Estimate(value=found.value, low=low_found, high=high_found, n=n, how=how)
    return {"calibration_error": error, "calibration_error_by_chance": by_chance}


def _binned_error(probability: Floats, came: Floats) -> float:
    """Mean absolute difference between share and mean probability of the bins, each row counting the same."""
    order = np.argsort(probability, kind="stable")
    starts = np.arange(min(N_BINS, len(order))) * len(order) // min(N_BINS, len(order))
    gaps = np.add.reduceat((came - probability)[order], starts)
    return float(np.abs(gaps).sum() / len(order))
