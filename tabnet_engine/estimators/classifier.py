"""One target of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.estimators.base import SupervisedEstimator
from tabnet_engine.estimators.errors import InputError
from tabnet_engine.estimators.target_columns import ClassLabels, TargetColumns
from tabnet_engine.training.probabilities import class_probabilities

__all__ = ["TabNetClassifier", "read_labels"]


class TabNetClassifier(ClassifierMixin, SupervisedEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """TabNet for one target of two or more classes; the parameters are those of :class:`TabNetParameters`.

    Attributes:
        classes_: the classes in the type that ``fit`` was given (C), sorted.

    Example:
        >>> import numpy as np
        >>> from tabnet_engine.estimators import TabNetClassifier
        >>> rows = np.linspace(-1, 1, 40)[:, None]
        >>> model = TabNetClassifier(n_d=4, n_steps=1, max_epochs=2).fit(rows, rows[:, 0] > 0)
        >>> model.predict_proba(rows).shape
        (40, 2)
    """

    classes_: npt.NDArray[Any]

    def predict(self, X: Any) -> npt.NDArray[Any]:  # noqa: N803 - scikit-learn's name
        """The most probable class of each row (B), in the type that ``fit`` was given.

        Raises:
            ValueError: rows that do not fit.
        """
        shares = self.predict_proba(X)
        labels: npt.NDArray[Any] = self.classes_[shares.argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803 - scikit-learn's name
        """The probability of each class in the order of ``classes_`` (B, C).

        Raises:
            ValueError: rows that do not fit.
        """
        logits = self._logits(X)
        return np.asarray(class_probabilities(self._targets.codecs.only.task, logits))

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803 - scikit-learn's name
        """The log-odds of the second of two classes (B), else the logit of every class (B, C).

        Raises:
            ValueError: rows that do not fit.
        """
        logits = self._logits(X)
        if len(self.classes_) > 2:
            return logits
        return logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]

    @property
    def target_mapper(self) -> dict[Any, int]:
        """The code of each class."""
        self._require_fit("target_mapper")
        return {label: code for code, label in enumerate(self.classes_.tolist())}

    @property
    def preds_mapper(self) -> dict[str, Any]:
        """The class of each code, as text."""
        self._require_fit("preds_mapper")
        return {str(code): label for code, label in enumerate(self.classes_.tolist())}

    def _read_y(self, y: Any) -> npt.NDArray[Any]:
        return read_labels(y)[:, None]

    def _tasks(self, values: npt.NDArray[Any], names: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002
        return ("classification",)

    def _default_metric(self, codecs: TargetCodecs) -> str:
        return "auc" if len(codecs.only.classes) == 2 else "accuracy"

    def _learned_targets(self, targets: TargetColumns) -> None:
        labels = targets.labels[0]
        if not isinstance(labels, ClassLabels):
            raise TypeError("a classifier learned a target without classes")
        self.classes_ = labels.values


def read_labels(y: Any) -> npt.NDArray[Any]:
    """The labels of one target (B).

    Raises:
        ValueError: missing or infinite labels, more than one column, or quantities.
    """
    column = column_or_1d(y, warn=True)
    missing = pd.isna(column)
    if missing.any():
        raise InputError(
            f"Input y contains NaN: row {int(missing.argmax())} has no label; fill it in or remove the row"
        )
    checked = check_array(column, ensure_2d=False, dtype=None, input_name="y")
    if checked.dtype == object and len({isinstance(label, str) for label in checked.tolist()}) > 1:
        raise InputError("the labels mix numbers and text; give them one type")
    check_classification_targets(checked)
    return np.asarray(checked)
