"""Several targets at once: of classes alone, or of classes and quantities together.

Shapes: B rows, T targets, C classes of one target.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils import Tags, check_array

from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.tasks import set_target
from tabnet_engine.estimators.base import SupervisedEstimator
from tabnet_engine.estimators.errors import InputError, ParameterError
from tabnet_engine.estimators.parameters import TabNetParameters
from tabnet_engine.estimators.target_columns import TargetColumns, finite_numbers
from tabnet_engine.training.probabilities import class_probabilities

__all__ = ["TabNetMixedEstimator", "TabNetMultiTaskClassifier"]

TASKS = ("auto", "classification", "regression")


class _SeveralTargets(SupervisedEstimator):
    """What both have in common: predictions come as a list with one entry for each target."""

    classes_: list[npt.NDArray[Any] | None]

    def predict(self, X: Any) -> list[npt.NDArray[Any]]:  # noqa: N803 - scikit-learn's name
        """For each target the most probable class or the predicted number of each row (B).

        Raises:
            ValueError: rows that do not fit.
        """
        logits = self._logits(X)
        return [
            logits[:, place.start] if labels is None else labels.values[shares.argmax(axis=1)]
            for place, labels, shares in self._by_target(logits)
        ]

    def predict_proba(self, X: Any) -> list[Any]:  # noqa: N803 - scikit-learn's name
        """For each target the probability of each of its classes (B, C); None for a quantity.

        Raises:
            ValueError: rows that do not fit.
        """
        return [None if labels is None else shares for _, labels, shares in self._by_target(self._logits(X))]

    @property
    def target_names_(self) -> tuple[str, ...]:
        """The targets (T): as the columns of ``y`` were called, else "target 0" and so on."""
        self._require_fit("target_names_")
        return self._targets.codecs.names

    @property
    def target_mapper(self) -> list[dict[Any, int]]:
        """For each target the code of each class; empty for a quantity."""
        self._require_fit("target_mapper")
        return [
            {} if classes is None else {label: code for code, label in enumerate(classes.tolist())}
            for classes in self.classes_
        ]

    @property
    def preds_mapper(self) -> list[dict[str, Any]]:
        """For each target the class of each code, as text; empty for a quantity."""
        return [{str(code): label for label, code in mapper.items()} for mapper in self.target_mapper]

    def _by_target(self, logits: npt.NDArray[np.float64]) -> list[tuple[slice, Any, Any]]:
        """Where each target's logits lie, its labels, and its probabilities (B, C)."""
        found = []
        for codec, place, labels in zip(
            self._targets.codecs.codecs, self._targets.codecs.slices, self._targets.labels, strict=True
        ):
            quantity = codec.task is Task.REGRESSION
            shares = None if quantity else np.asarray(class_probabilities(codec.task, logits[:, place]))
            found.append((place, labels, shares))
        return found

    def _learned_targets(self, targets: TargetColumns) -> None:
        self.classes_ = [None if labels is None else labels.values for labels in targets.labels]

    def _read_y(self, y: Any) -> npt.NDArray[Any]:
        if isinstance(y, pd.DataFrame):
            if y.isna().to_numpy().any():
                raise InputError("Input y contains NaN; fill the missing targets in or leave their rows out")
            return y.astype(object).to_numpy()
        return np.asarray(check_array(y, dtype=None, input_name="y"))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        return tags


class TabNetMultiTaskClassifier(_SeveralTargets):
    """TabNet for several targets of classes; the parameters are those of :class:`TabNetParameters`.

    Attributes:
        classes_: the classes of each target.

    Example:
        >>> import numpy as np
        >>> from tabnet_engine.estimators import TabNetMultiTaskClassifier
        >>> rows = np.linspace(-1, 1, 40)[:, None]
        >>> model = TabNetMultiTaskClassifier(n_d=4, n_steps=1, max_epochs=2)
        >>> model = model.fit(rows, np.hstack([rows > 0, rows > 0.5]))
        >>> [shares.shape for shares in model.predict_proba(rows)]
        [(40, 2), (40, 2)]
    """

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:  # noqa: N803 - scikit-learn's name
        """The mean accuracy over targets and rows.

        Raises:
            ValueError: rows or targets that do not fit.
        """
        right = [self._read_y(y)[:, index] == column for index, column in enumerate(self.predict(X))]
        return float(np.average(np.mean(right, axis=0), weights=sample_weight))

    def _tasks(self, values: npt.NDArray[Any], names: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002
        return ("classification",) * len(names)

    def _default_metric(self, codecs: TargetCodecs) -> str:  # noqa: ARG002 - the same for any targets
        return "logloss"


def _signature_with(name: str, default: Any) -> inspect.Signature:
    """The signature of the shared constructor with one parameter more, after ``self``."""
    shared = inspect.signature(TabNetParameters.__init__)
    self_, *others = shared.parameters.values()
    further = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
    return shared.replace(parameters=[self_, *(other.replace(kind=other.KEYWORD_ONLY) for other in others), further])


class TabNetMixedEstimator(_SeveralTargets):
    """TabNet for targets of classes and quantities together; every loss is on a scale of its own spread.

    Args:
        tasks: "classification", "regression" or "auto" for each target, as a list or by the target's name; "auto"
            reads text, truth values and few whole numbers as classes, other numbers as quantities.
        parameters: all others are those of :class:`TabNetParameters`; ``task_weights`` weighs the targets.

    Attributes:
        classes_: the classes of each target, None for a quantity.
        tasks_: what each target was read as.

    Example:
        >>> import numpy as np
        >>> from tabnet_engine.estimators import TabNetMixedEstimator
        >>> rows = np.linspace(-1, 1, 40)[:, None]
        >>> model = TabNetMixedEstimator(n_d=4, n_steps=1, max_epochs=2, task_weights=[1, 2])
        >>> model.fit(rows, np.hstack([rows > 0, rows])).tasks_
        ('classification', 'regression')
    """

    tasks_: tuple[str, ...]

    def __init__(self, tasks: str | Sequence[str] | Mapping[str, str] = "auto", **parameters: Any) -> None:
        super().__init__(**parameters)
        self.tasks = tasks

    # scikit-learn reads the parameters from the signature, and refuses one that is open.
    __init__.__signature__ = _signature_with("tasks", "auto")  # type: ignore[attr-defined]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:  # noqa: N803 - scikit-learn's name
        """The mean over targets of their accuracy, or for a quantity of R squared.

        Raises:
            ValueError: rows or targets that do not fit.
        """
        from sklearn.metrics import r2_score

        values, scores = self._read_y(y), []
        for index, (task, predicted) in enumerate(zip(self.tasks_, self.predict(X), strict=True)):
            if task == "regression":
                actual = finite_numbers(values[:, index], self.target_names_[index])
                scores.append(r2_score(actual, predicted, sample_weight=sample_weight))
            else:
                right = values[:, index] == predicted
                scores.append(np.average(right, weights=sample_weight))
        return float(np.mean(scores))

    def _learned_targets(self, targets: TargetColumns) -> None:
        super()._learned_targets(targets)
        self.tasks_ = tuple("regression" if labels is None else "classification" for labels in targets.labels)

    def _tasks(self, values: npt.NDArray[Any], names: Sequence[str]) -> tuple[str, ...]:
        if isinstance(self.tasks, Mapping):
            unknown = sorted(set(self.tasks) - set(names))
            if unknown:
                raise ParameterError(f"tasks names {unknown[0]!r}, but the targets are {', '.join(names)}")
            wished = [self.tasks.get(name, "auto") for name in names]
        else:
            wished = [self.tasks] * len(names) if isinstance(self.tasks, str) else list(self.tasks)
        if len(wished) != len(names) or not set(wished) <= set(TASKS):
            raise ParameterError(f"tasks must be one of {', '.join(TASKS)}, or one for each of {len(names)} targets")
        return tuple(
            _found_task(values[:, index], name) if task == "auto" else task
            for index, (name, task) in enumerate(zip(names, wished, strict=True))
        )

    def _default_metric(self, codecs: TargetCodecs) -> str:  # noqa: ARG002 - the same for any targets
        return "loss"


def _found_task(values: npt.NDArray[Any], name: str) -> str:
    """By the same rule as for the columns of a table."""
    series = pd.Series(values.tolist()).infer_objects()
    kind = Kind.NUMBER if pd.api.types.is_numeric_dtype(series.dtype) else Kind.CATEGORY
    column = FeatureSchema(columns=(Column(name=name, kind=kind),))
    found = set_target(column, pd.DataFrame({name: series}), name).task
    return "regression" if found is Task.REGRESSION else "classification"
