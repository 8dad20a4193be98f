"""Measured numbers and names as the cells and sentences of a report write them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from tabnet_engine.data.schema import KIND_NAMES, Column, Task
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.wording import amount, listed, signed
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import msg, say
from tabnet_engine.training.metrics import METRIC_NAMES

__all__ = [
    "MEASURE_NAMES",
    "cell",
    "estimate_text",
    "kind_text",
    "metric_text",
    "number",
    "points",
    "score",
    "share",
    "signed_text",
    "split_name",
    "task_text",
    "together",
]

_IN_UNITS = frozenset({"rmse", "mae", "mse"})  # in the target's unit or its square: digits as the size asks
_NONE = "–"

MEASURE_NAMES: Mapping[str, str] = {
    **METRIC_NAMES,
    "calibration_in_the_large": msg("outcome minus prediction"),
    "calibration_slope": msg("calibration slope"),
    "calibration_error": msg("calibration error"),
    "calibration_error_by_chance": msg("calibration error by chance alone"),
    "favourable_rate": msg("favourable outcomes"),
    "selection_rate": msg("selection rate"),
    "selection_ratio": msg("selection ratio"),
    "selection_difference": msg("selection difference"),
    "false_positive_rate": msg("false positive rate"),
    "false_negative_rate": msg("false negative rate"),
}

_TASKS: Mapping[Task, str] = {
    Task.BINARY: msg("binary classification"),
    Task.MULTICLASS: msg("classification with several classes"),
    Task.REGRESSION: msg("regression"),
    Task.MULTITASK: msg("several targets"),
}

_SPLITS: Mapping[str, str] = {
    "train": msg("training rows"),
    "validation": msg("validation rows"),
    "test": msg("test rows"),
}


def metric_text(name: str) -> str:
    """What a measure is called; with the class or target that it is about, where the name says one.

    >>> metric_text("auc"), metric_text("calibration_in_the_large: red")
    ('AUC', 'outcome minus prediction: red')
    """
    key, _, rest = name.partition(": ")
    if key in MEASURE_NAMES:
        known = say(MEASURE_NAMES[key])
        return say("{measure}: {of}", measure=known, of=rest) if rest else known
    target, _, key = name.rpartition(": ")
    return say("{measure}: {of}", measure=say(MEASURE_NAMES[key]), of=target) if key in MEASURE_NAMES else name


def task_text(task: Task) -> str:
    """What kind of prediction it is."""
    return say(_TASKS[task])


def kind_text(column: Column) -> str:
    """What the values of a column are."""
    return say(KIND_NAMES[column.kind])


def split_name(name: str) -> str:
    """What the rows of a split are called."""
    return say(_SPLITS[name]) if name in _SPLITS else name


def number(value: float | None) -> str:
    """A number with digits that fit it; a whole one without a fraction.

    >>> number(1200.0), number(-0.01234), number(None)
    ('1,200', '−0.012', '–')
    """
    if value is None or not math.isfinite(value):
        return _NONE
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    return signed(value) if value < 0 else amount(value)


def score(name: str, value: float) -> str:
    """A score by its name: in the target's unit with digits as its size asks, else with three decimals."""
    if name.rpartition(": ")[2] in _IN_UNITS or abs(value) >= 1000:
        return number(value)
    shown = f"{value:.3f}".replace("-", "−")
    return "0.000" if shown == "−0.000" else shown


def share(value: float) -> str:
    """A share with one decimal.

    >>> share(0.1234)
    '12.3 %'
    """
    shown = f"{100 * value:.1f} %".replace("-", "−")
    return "0.0 %" if shown == "−0.0 %" else shown


def signed_text(value: float) -> str:
    """A difference with its sign; nothing at all has none."""
    return signed(value) if value else "0"


def points(value: float) -> str:
    """A difference of two shares, with its sign, in percentage points.

    >>> points(-0.0596), points(0.0)
    ('−6.0 points', '0.0 points')
    """
    size = f"{100 * value:+.1f}".replace("-", "−")
    return say("{points} points", points="0.0" if size[1:] == "0.0" else size)


def estimate_text(estimate: Estimate | None, show: Callable[[float], str] = number) -> str:
    """A measured number with its 95 % interval where it has one."""
    if estimate is None or estimate.value is None:
        return _NONE
    if estimate.low is None or estimate.high is None:
        return show(estimate.value)
    return say(
        "{value} ({low} to {high})", value=show(estimate.value), low=show(estimate.low), high=show(estimate.high)
    )


def cell(values: Iterable[str], most: int = 8) -> str:
    """Names in one cell, the first ones and how many more."""
    names = list(values)
    shown = listed(names[:most])
    if len(names) <= most:
        return shown or _NONE
    return say("{names} and {n_more:,} more", names=shown, n_more=len(names) - most)


def together(*sentences: str) -> str:
    """Sentences one after the other, with a blank between them where their language has one.

    >>> together("One.", "Two."), together("一。", "二。")
    ('One. Two.', '一。二。')
    """
    return one_text(sentences)
