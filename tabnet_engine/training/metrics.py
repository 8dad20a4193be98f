"""Scores of a prediction, per task, in plain numpy; what cannot be computed is ``None``, never NaN.

Shape letters: B rows, K outputs, C classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.texts.speaking import msg
from tabnet_engine.training.options import Metric
from tabnet_engine.training.probabilities import class_probabilities, predicted_codes

__all__ = [
    "LOWER_IS_BETTER",
    "METRICS",
    "METRIC_NAMES",
    "Scores",
    "area_under_curve",
    "evaluate",
    "evaluate_targets",
    "fits",
]

Scores = dict[str, float | None]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

CLASSIFICATION = ("auc", "accuracy", "balanced_accuracy", "log_loss")
METRICS: dict[Task, tuple[str, ...]] = {
    Task.BINARY: CLASSIFICATION,
    Task.MULTICLASS: CLASSIFICATION,
    Task.REGRESSION: ("rmse", "mae", "r2", "mse", "rmsle"),
}
METRIC_NAMES: Mapping[str, str] = {
    "auc": msg("AUC"),
    "accuracy": msg("accuracy"),
    "balanced_accuracy": msg("balanced accuracy"),
    "log_loss": msg("log loss"),
    "rmse": msg("RMSE"),
    "mae": msg("MAE"),
    "r2": msg("R²"),
    "mse": msg("MSE"),
    "rmsle": msg("RMSLE"),
    "reconstruction_error": msg("reconstruction error"),
}
LOWER_IS_BETTER = frozenset({"loss", "log_loss", "rmse", "mae", "mse", "rmsle"})


def evaluate(task: Task, y: npt.ArrayLike, logits: npt.ArrayLike, classes: Sequence[str]) -> Scores:
    """Score the logits of one table.

    Args:
        task: what is predicted.
        y: (B,) class codes, or numbers in the target's units.
        logits: (B, K) as the network gives them.
        classes: the class names; empty for a regression.

    Returns:
        For classes ``auc`` (with more than two classes the mean over the classes present of one against the
        rest), ``accuracy``, ``balanced_accuracy`` (mean recall of the classes present) and ``log_loss``; for
        a regression ``rmse``, ``mae``, ``r2``, ``mse`` and ``rmsle`` (of log(1 + y), a prediction below zero
        counted as zero). A score that the rows do not define is ``None``.

    Raises:
        ValueError: shapes that do not belong together.
    """
    values = np.asarray(logits, dtype=np.float64)
    expected = 1 if task in {Task.BINARY, Task.REGRESSION} else len(classes)
    if values.ndim != 2 or values.shape != (len(np.asarray(y)), expected):
        raise ValueError(f"logits must be ({len(np.asarray(y))}, {expected}), got {values.shape}")
    if not len(values):
        return dict.fromkeys(METRICS[task])
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is not finite, hence None
        if task is Task.REGRESSION:
            scores = _regression_scores(np.asarray(y, dtype=np.float64), values[:, 0])
        else:
            scores = _class_scores(task, np.asarray(y, dtype=np.int64), values)
    return {name: _json_safe(score) for name, score in scores.items()}


def evaluate_targets(
    targets: TargetCodecs, y: npt.NDArray[Any], logits: npt.NDArray[np.float64], metrics: Iterable[Metric] = ()
) -> Scores:
    """Score every target of a model.

    Args:
        targets: its T targets.
        y: (B,) of one target, (B, T) of several, as :meth:`TargetCodecs.encode` gives them.
        logits: (B, K) of all targets.
        metrics: scores beside those of :func:`evaluate`; the same name replaces a built-in one.

    Returns:
        For one target its scores by name, for several ``<target>: <score>``.

    Raises:
        ValueError: shapes that do not belong together.
    """
    scores: Scores = {}
    values = np.asarray(logits, dtype=np.float64)
    for place, (codec, outputs) in enumerate(zip(targets.codecs, targets.slices, strict=True)):
        column, own = targets.column(np.asarray(y), place), values[:, outputs]
        found = evaluate(codec.task, column, own, codec.classes)
        found |= {metric.name: _own_score(metric, codec.task, column, own) for metric in metrics if fits(metric, codec)}
        prefix = f"{codec.name}: " if len(targets.codecs) > 1 else ""
        scores |= {prefix + name: score for name, score in found.items()}
    return scores


def fits(metric: Metric, codec: TargetCodec) -> bool:
    """Whether the metric can be computed for a target: probabilities need classes."""
    return metric.needs != "probabilities" or codec.task is not Task.REGRESSION


def area_under_curve(positive: npt.NDArray[np.bool_], score: Floats) -> float | None:
    """Area under the ROC curve: the share of (positive, negative) pairs in the right order, ties half.

    Args:
        positive: (B,) whether the row is positive.
        score: (B,)

    Returns:
        None when all rows are of one kind.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return None
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = float(mean_rank[inverse][positive].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


def _class_scores(task: Task, y: Codes, logits: Floats) -> Scores:
    predicted = predicted_codes(task, logits)
    right = predicted == y
    recalls = [float(right[y == code].mean()) for code in np.unique(y)]
    return {
        "auc": _class_auc(task, y, logits),
        "accuracy": float(right.mean()),
        "balanced_accuracy": sum(recalls) / len(recalls),
        "log_loss": _log_loss(task, y, logits),
    }


def _class_auc(task: Task, y: Codes, logits: Floats) -> float | None:
    if task is Task.BINARY:
        return area_under_curve(y == 1, logits[:, 0])
    log_shares = logits - _log_sum(logits)[:, None]
    areas = [area_under_curve(y == code, log_shares[:, code]) for code in np.unique(y)]
    defined = [area for area in areas if area is not None]
    return sum(defined) / len(defined) if defined else None


def _log_loss(task: Task, y: Codes, logits: Floats) -> float:
    if task is Task.BINARY:
        return float(np.logaddexp(0.0, np.where(y == 1, -logits[:, 0], logits[:, 0])).mean())
    return float((_log_sum(logits) - logits[np.arange(len(y)), y]).mean())


def _log_sum(logits: Floats) -> Floats:
    """Log sum exp of each row, without overflow."""
    top = logits.max(axis=1)
    return np.asarray(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)), dtype=np.float64)


def _regression_scores(y: Floats, predicted: Floats) -> Scores:
    error = predicted - y
    squared = float(np.square(error).sum())
    spread = float(np.square(y - y.mean()).sum())
    return {
        "rmse": math.sqrt(squared / len(y)),
        "mae": float(np.abs(error).mean()),
        "r2": 1.0 - squared / spread if spread > 0.0 else None,
        "mse": squared / len(y),
        "rmsle": _log_error(y, predicted),
    }


def _log_error(y: Floats, predicted: Floats) -> float | None:
    """Root mean squared error of log(1 + y); a target below zero does not define it."""
    if (y < 0.0).any():
        return None
    return math.sqrt(float(np.square(np.log1p(np.maximum(predicted, 0.0)) - np.log1p(y)).mean()))


def _own_score(metric: Metric, task: Task, y: npt.NDArray[Any], logits: Floats) -> float | None:
    if not len(y):
        return None
    if metric.needs == "probabilities":
        given: npt.NDArray[Any] = class_probabilities(task, logits)
    elif metric.needs == "logits":
        given = logits
    else:
        given = logits[:, 0] if task is Task.REGRESSION else predicted_codes(task, logits)
    return _json_safe(float(metric.function(y, given)))


def _json_safe(score: float | None) -> float | None:
    return score if score is not None and math.isfinite(score) else None
