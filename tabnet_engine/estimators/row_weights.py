"""How often rows are drawn, and what they weigh in the loss: two different things, kept apart.

Shapes: B rows, T targets, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import _check_sample_weight

from tabnet_engine.data.schema import Task
from tabnet_engine.data.values import category_text
from tabnet_engine.data.wording import listed
from tabnet_engine.estimators.errors import InputError, ParameterError
from tabnet_engine.estimators.target_columns import ClassLabels, TargetColumns
from tabnet_engine.training.losses import balanced_weights

__all__ = ["loss_weights", "read_sample_weight", "sampling_weights"]


def sampling_weights(weights: Any, targets: TargetColumns, y: npt.NDArray[Any]) -> npt.NDArray[np.float64] | None:
    """How often each row is drawn (B), relative to others; None draws every row once an epoch.

    Args:
        weights: 0 for none, 1 for classes equally often, a mapping from class to weight, or a weight for each
            row. 1 and a mapping need a single class target.
        targets: what is predicted.
        y: the coded target of each row.

    Raises:
        ParameterError: something else, or a class that does not exist.
    """
    if weights is None or (isinstance(weights, int | np.integer) and weights == 0):
        return None
    if isinstance(weights, Mapping):
        return np.asarray(_of_classes(weights, _single_classes(targets, "weights"), "weights")[y])
    if np.ndim(weights) == 0:
        if weights != 1:
            raise ParameterError(f"weights must be 0, 1, a mapping from class to weight or an array, got {weights!r}")
        classes = _single_classes(targets, "weights=1")
        return np.asarray(balanced_weights(y, len(classes.values))[y])
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (len(y),):
        raise ParameterError(
            f"weights must hold one number for each of the {len(y)} rows, got the shape {values.shape}"
        )
    return values


def loss_weights(
    class_weight: Any, targets: TargetColumns, y: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.float64] | None, ...] | None:
    """The weight of each class in the loss: an array (C) or None for each target.

    Args:
        class_weight: None, "balanced", a mapping from class to weight (classes left out weigh 1), or with
            several targets a list of these.
        targets: what is predicted.
        y: the coded targets, (B,) or (B, T).

    Raises:
        ParameterError: something else, or a class that does not exist.
    """
    if class_weight is None:
        return None
    several = isinstance(class_weight, Sequence) and not isinstance(class_weight, str)
    wished = list(class_weight) if several else [class_weight] * len(targets.labels)
    if len(wished) != len(targets.labels):
        raise ParameterError(f"class_weight must hold one entry for each of {len(targets.labels)} targets")
    return tuple(
        None if labels is None else _class_weights(wish, labels, targets.codecs.column(y, place))
        for place, (wish, labels) in enumerate(zip(wished, targets.labels, strict=True))
    )


def _class_weights(wish: Any, labels: ClassLabels, codes: npt.NDArray[np.int64]) -> npt.NDArray[np.float64] | None:
    if wish is None:
        return None
    if isinstance(wish, Mapping):
        return _of_classes(wish, labels, "class_weight")
    if wish == "balanced":
        return balanced_weights(codes, len(labels.values))
    raise ParameterError(f"class_weight must be None, 'balanced' or a mapping from class to weight, got {wish!r}")


def _of_classes(weights: Mapping[Any, float], labels: ClassLabels, parameter: str) -> npt.NDArray[np.float64]:
    known = {value: code for code, value in enumerate(labels.values.tolist())}
    found = np.ones(len(known))
    for label, weight in weights.items():
        key = label.item() if isinstance(label, np.generic) else label
        if key not in known:
            raise ParameterError(
                f"{parameter} names the class {category_text(label)!r}, but the classes are {listed(labels.texts)}"
            )
        if not 0 <= weight < float("inf"):
            raise ParameterError(f"{parameter} of {category_text(label)!r} must be at least 0, got {weight}")
        found[known[key]] = weight
    return found


def _single_classes(targets: TargetColumns, what: str) -> ClassLabels:
    labels = targets.labels[0]
    if len(targets.labels) > 1 or labels is None or targets.codecs.codecs[0].task is Task.REGRESSION:
        raise ParameterError(f"{what} needs a single target of classes; give an array with one weight for each row")
    return labels


def read_sample_weight(weights: Any, rows: Any) -> npt.NDArray[np.float64] | None:
    """What each row weighs in the loss (B), or None.

    Raises:
        ValueError: a negative weight, or none above zero.
    """
    if weights is None:
        return None
    values = np.asarray(_check_sample_weight(weights, rows, dtype=np.float64))
    if (values < 0).any():
        row = int((values < 0).argmax())
        raise InputError(f"sample_weight must be at least 0, got {values[row]:g} in row {row}")
    return values
