"""Loss and score of a prediction as one number a row, whose mean is the loss or score of all rows.

The spread of these numbers over rows gives the error of their mean, also for scores that are no mean of rows: for
the area under the ROC curve they are DeLong's structural components (DeLong, DeLong & Clarke-Pearson 1988), for the
root of the mean squared error its first-order expansion (the delta method).

Shapes: B rows, K outputs of one target, C classes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.texts.speaking import msg

__all__ = [
    "LOSS_WORDS",
    "SCORES",
    "area_pseudo_values",
    "constant_loss",
    "log_losses",
    "row_losses",
    "score_pseudo_values",
]

Floats = npt.NDArray[np.float64]

LOSS_WORDS = {
    Task.BINARY: msg("log loss, in nats"),
    Task.MULTICLASS: msg("log loss, in nats"),
    Task.REGRESSION: msg("squared error, in units of the target's variance"),
}
# The first score that a training reports for each task, and whether more of it is better.
SCORES = {Task.BINARY: ("auc", True), Task.MULTICLASS: ("auc", True), Task.REGRESSION: ("rmse", False)}


def row_losses(codec: TargetCodec, y: npt.NDArray[np.generic], logits: Floats) -> Floats:
    """The loss of each row (B), as training lowers it: log loss, or squared error over the target's variance.

    Args:
        codec: the target.
        y: (B,) class codes, or numbers in the target's own unit.
        logits: (B, K) of this target.
    """
    if codec.task is Task.REGRESSION:
        return np.asarray(np.square((logits[:, 0] - y.astype(np.float64)) / codec.scale))
    return log_losses(codec.task, y.astype(np.int64), logits)


def log_losses(task: Task, codes: npt.NDArray[np.int64], logits: Floats) -> Floats:
    """Minus the log of the probability that each row's own class was given (B), from logits (B, K)."""
    if task is Task.BINARY:
        return np.asarray(np.logaddexp(0.0, np.where(codes == 1, -logits[:, 0], logits[:, 0])))
    return np.asarray(_log_sum(logits) - logits[np.arange(len(codes)), codes])


def constant_loss(codec: TargetCodec, y: npt.NDArray[np.generic]) -> float:
    """The loss of the best constant prediction for these rows: their entropy, or their variance; 0 if all are alike."""
    if codec.task is Task.REGRESSION:
        return float(np.var(y.astype(np.float64) / codec.scale))
    shares = np.bincount(y.astype(np.int64)) / len(y)
    present = shares[shares > 0]
    return float(-(present * np.log(present)).sum())


def score_pseudo_values(codec: TargetCodec, y: npt.NDArray[np.generic], logits: Floats) -> Floats | None:
    """Numbers (B) whose mean is the target's score of :data:`SCORES`; None where the rows do not define it."""
    if codec.task is Task.REGRESSION:
        return _rmse_parts(np.square(logits[:, 0] - y.astype(np.float64)))
    return area_pseudo_values(codec.task, y.astype(np.int64), logits)


def area_pseudo_values(task: Task, codes: npt.NDArray[np.int64], logits: Floats) -> Floats | None:
    """Numbers (B) whose mean is the area under the ROC curve, of several classes the mean of each against the others.

    None where the rows do not define it: they are all of one class.
    """
    if task is Task.BINARY:
        return _auc_parts(codes == 1, logits[:, 0])
    scores = logits - _log_sum(logits)[:, None]
    parts = [_auc_parts(codes == code, scores[:, code]) for code in np.unique(codes)]
    defined = [part for part in parts if part is not None]
    return np.mean(defined, axis=0) if defined else None


def _rmse_parts(squared: Floats) -> Floats:
    mean = float(squared.mean())
    if mean == 0.0:
        return np.zeros_like(squared)
    root = float(np.sqrt(mean))
    return root + (squared - mean) / (2.0 * root)


def _auc_parts(positive: npt.NDArray[np.bool_], score: Floats) -> Floats | None:
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return None
    above = np.empty(len(score))
    above[positive] = _share_below(score[positive], score[~positive])
    above[~positive] = 1.0 - _share_below(score[~positive], score[positive])
    area = float(above[positive].mean())
    weight = len(score) / np.where(positive, n_positive, n_negative)
    return np.asarray(area + weight * (above - area))


def _share_below(values: Floats, others: Floats) -> Floats:
    """The share of ``others`` below each value, ties half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right")
    return np.asarray(below / (2.0 * len(others)))


def _log_sum(logits: Floats) -> Floats:
    """Log sum exp of each row, without overflow."""
    top = logits.max(axis=1)
    return np.asarray(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)))
