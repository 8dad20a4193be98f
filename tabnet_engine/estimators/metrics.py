"""Scores of one's own in the way that pytorch-tabnet's scripts write them, and the names of the built-in ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.estimators.errors import ParameterError
from tabnet_engine.training import options
from tabnet_engine.training.metrics import METRICS

__all__ = ["ChosenMetrics", "Metric", "choose_metrics"]

# Ours by the name that scripts use.
_OTHER_NAMES = {"logloss": "log_loss"}


class Metric:
    """A score of one's own: subclass it, name it in ``_name``, say in ``_maximize`` which way is better.

    ``__call__`` takes ``y_true`` and ``y_score``: for classes their codes (B,) in the order of ``classes_`` and the
    probabilities (B, C), for a quantity the numbers (B, 1) and the predictions (B, 1).

    >>> class Bias(Metric):
    ...     def __init__(self):
    ...         self._name = "bias"
    ...         self._maximize = False
    ...
    ...     def __call__(self, y_true, y_score):
    ...         return abs(float((y_score - y_true).mean()))
    """

    _name: str = ""
    _maximize: bool = True

    def __call__(self, y_true: npt.NDArray[Any], y_score: npt.NDArray[Any]) -> float:
        """The score of some rows."""
        raise NotImplementedError(f"{type(self).__name__} must say how it scores, in __call__")


class ChosenMetrics:
    """What ``eval_metric`` asked for.

    Attributes:
        names: of the scores as the caller writes them, in order; the last one chooses the best epoch.
        keys: the engine's names of the same.
        custom: the caller's own, as the engine takes them.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.keys: list[str] = []
        self.custom: list[options.Metric] = []

    def add(self, name: str, key: str) -> None:
        """One more score."""
        self.names.append(name)
        self.keys.append(key)


def choose_metrics(eval_metric: Any, targets: TargetCodecs, default: str) -> ChosenMetrics:
    """Read ``eval_metric``.

    Args:
        eval_metric: None, or a list of names, of :class:`Metric` classes or objects, of engine metrics, or of
            functions of ``y_true`` and ``y_score`` (greater is then taken to be better).
        targets: decide which names there are.
        default: the score to use for None.

    Raises:
        ParameterError: a name that no target has, or something that is no metric.
    """
    chosen = ChosenMetrics()
    wished = [default] if eval_metric is None else eval_metric
    if isinstance(wished, str) or not isinstance(wished, Sequence):
        wished = [wished]
    for item in wished or [default]:
        if isinstance(item, str):
            chosen.add(item, _known(item, targets))
        else:
            metric = _custom(item, targets)
            chosen.custom.append(metric)
            chosen.add(metric.name, metric.name)
    return chosen


def _known(name: str, targets: TargetCodecs) -> str:
    key = _OTHER_NAMES.get(name, name)
    shown = {"log_loss": "logloss"}
    known = dict.fromkeys(score for codec in targets.codecs for score in METRICS[codec.task])
    if key not in {*known, "loss"}:
        names = ", ".join(["loss", *(shown.get(score, score) for score in known)])
        raise ParameterError(f"eval_metric has no score {name!r} here; there are {names}, or give a Metric of your own")
    return key


def _custom(item: Any, targets: TargetCodecs) -> options.Metric:
    if isinstance(item, options.Metric):
        return item
    scorer = item() if inspect.isclass(item) and issubclass(item, Metric) else item
    if not callable(scorer):
        raise ParameterError(f"eval_metric must hold names of scores or Metric classes, got {item!r}")
    name = str(getattr(scorer, "_name", "") or getattr(scorer, "__name__", type(scorer).__name__))
    quantities = all(codec.task is Task.REGRESSION for codec in targets.codecs)
    return options.Metric(
        name=name,
        function=_in_columns(scorer) if quantities else scorer,
        greater_is_better=bool(getattr(scorer, "_maximize", True)),
        needs="prediction" if quantities else "probabilities",
    )


def _in_columns(scorer: Callable[[Any, Any], float]) -> Callable[[npt.NDArray[Any], npt.NDArray[Any]], float]:
    """Predictions of a quantity reach the caller as the column (B, 1) that ``predict`` gives."""
    return lambda y_true, y_score: scorer(np.asarray(y_true)[:, None], np.asarray(y_score)[:, None])
