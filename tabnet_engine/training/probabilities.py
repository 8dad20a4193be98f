"""From logits to probabilities and labels, without torch so that pages may use it at once.

Shape letters: B rows, K outputs, C classes (two for the one logit of a binary task, else C = K).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task

__all__ = ["class_probabilities", "predicted_codes", "predicted_labels"]

Floats = npt.NDArray[np.float64]


def class_probabilities(task: Task, logits: npt.ArrayLike) -> Floats:
    """The probability of every class.

    Args:
        task: binary or multiclass.
        logits: (B, K); K = 1 for a binary task, the log-odds of the second class.

    Returns:
        (B, C), rows sum to one.

    Raises:
        ValueError: a regression has no classes.

    >>> class_probabilities(Task.BINARY, [[0.0]]).tolist()
    [[0.5, 0.5]]
    """
    values = np.asarray(logits, dtype=np.float64)
    if task is Task.REGRESSION:
        raise ValueError("a regression has no class probabilities")
    if task is Task.BINARY:
        values = np.hstack([np.zeros_like(values), values])
    if not len(values):
        return values
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)


def predicted_codes(task: Task, logits: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The position of the most probable class; a tie goes to the earlier class.

    Args:
        task: binary or multiclass.
        logits: (B, K).

    Returns:
        (B,)
    """
    values = np.asarray(logits, dtype=np.float64)
    if task is Task.BINARY:
        return (values[:, 0] > 0.0).astype(np.int64)
    return np.asarray(values.argmax(axis=1), dtype=np.int64)


def predicted_labels(task: Task, logits: npt.ArrayLike, classes: Sequence[str]) -> npt.NDArray[np.object_]:
    """The most probable class of each row, by name.

    Args:
        task: binary or multiclass.
        logits: (B, K).
        classes: the C class names.

    Returns:
        (B,)
    """
    return np.asarray(classes, dtype=object)[predicted_codes(task, logits)]
