"""Which groups differ from all other rows by more than chance, over every group and measure at once.

Shapes: B rows, G groups, K outputs of one target.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.explain.estimates import Estimate, student_point
from tabnet_engine.explain.groups.audit import GroupDifference
from tabnet_engine.explain.groups.performance import row_losses
from tabnet_engine.explain.row_parts import RowParts
from tabnet_engine.texts.speaking import say
from tabnet_engine.training.probabilities import class_probabilities

__all__ = ["group_differences"]

_FEWEST_ROWS = 10  # of fewer rows no mean is near enough to normal to be told apart

Floats = npt.NDArray[np.float64]


def group_differences(
    codec: TargetCodec,
    y: npt.NDArray[Any],
    logits: Floats,
    parts: RowParts,
    selected: npt.NDArray[np.bool_] | None = None,
) -> tuple[GroupDifference, ...]:
    """Each group's mean calibration residual, loss and selection against all other rows, the surest first.

    The standard error is the larger of Welch's and that of equal variances, so that a group whose few rows happen to
    be alike is not taken for a sure one.

    Args:
        codec: the target.
        y: (B,) targets, -1 or NaN where the outcome is missing.
        logits: (B, K).
        parts: the group of each row.
        selected: (B,) whether each row is selected; None leaves selection out.
    """
    known = np.isfinite(y) if codec.task is Task.REGRESSION else y >= 0
    compared: list[tuple[str, str, Estimate, float]] = []
    for measure, values, defined in _row_values(codec, y, logits, known, selected):
        for part, name in enumerate(parts.names):
            inside = defined & (parts.codes == part)
            outside = defined & (parts.codes != part)
            if inside.sum() >= _FEWEST_ROWS and outside.sum() >= _FEWEST_ROWS:
                compared.append((name, measure, *_compare(values[inside], values[outside])))
    adjusted = _holm([p for *_, p in compared])
    found = [
        GroupDifference(group=name, measure=measure, difference=difference, p_adjusted=p)
        for (name, measure, difference, _), p in zip(compared, adjusted, strict=True)
    ]
    return tuple(sorted(found, key=lambda item: item.p_adjusted))


def _row_values(
    codec: TargetCodec,
    y: npt.NDArray[Any],
    logits: Floats,
    known: npt.NDArray[np.bool_],
    selected: npt.NDArray[np.bool_] | None,
) -> list[tuple[str, Floats, npt.NDArray[np.bool_]]]:
    """A number for each row (B) of each measure, and the rows that have one."""
    everywhere = np.ones(len(known), dtype=bool)
    loss = np.zeros(len(known))
    loss[known] = row_losses(codec.task, y[known], logits[known])
    found = [("loss", loss, known)]
    if codec.task is Task.REGRESSION:
        found.append(("calibration_in_the_large", np.where(known, y - logits[:, 0], 0.0), known))
    else:
        shares = class_probabilities(codec.task, logits)
        for code, name in enumerate(codec.classes):
            if codec.task is Task.BINARY and code == 0:
                continue
            measure = "calibration_in_the_large" + (f": {name}" if codec.task is Task.MULTICLASS else "")
            found.append((measure, (y == code) - shares[:, code], known))
    if selected is not None:
        found.append(("selection_rate", selected.astype(np.float64), everywhere))
    return found


def _compare(own: Floats, other: Floats) -> tuple[Estimate, float]:
    """Difference of two means with its interval, and the probability of one as large by chance."""
    from scipy.special import stdtr

    n, m = len(own), len(other)
    value = float(own.mean() - other.mean())
    variances = own.var(ddof=1), other.var(ddof=1)
    pooled = ((n - 1) * variances[0] + (m - 1) * variances[1]) / (n + m - 2)
    error = math.sqrt(max(variances[0] / n + variances[1] / m, pooled * (1 / n + 1 / m)))
    freedom = min(n, m) - 1  # the careful choice: that of the smaller side
    if error == 0:
        return Estimate(value=value, n=n, how=say("no variation, no interval")), 1.0
    margin = float(student_point(freedom)) * error
    p = 2 * float(stdtr(freedom, -abs(value) / error))
    estimate = Estimate(
        value=value, low=value - margin, high=value + margin, n=n, how=say("difference of means, Student's t")
    )
    return estimate, p


def _holm(p_values: list[float]) -> list[float]:
    """Step-down adjustment: none of the differences called sure is there by chance, in 95 of 100 audits."""
    order = np.argsort(p_values, kind="stable")
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for place, index in enumerate(order.tolist()):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = largest
    return adjusted
