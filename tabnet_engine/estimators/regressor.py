"""One or several quantities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin
from sklearn.utils import Tags, check_array

from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.estimators.base import SupervisedEstimator
from tabnet_engine.runs.run import Run

__all__ = ["TabNetRegressor", "read_quantities"]


class TabNetRegressor(RegressorMixin, SupervisedEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """TabNet for one or several quantities; the parameters are those of :class:`TabNetParameters`.

    Targets are standardised inside, so that one learning rate serves every unit and no target drowns the others.

    Example:
        >>> import numpy as np
        >>> from tabnet_engine.estimators import TabNetRegressor
        >>> rows = np.linspace(-1, 1, 40)[:, None]
        >>> model = TabNetRegressor(n_d=4, n_steps=1, max_epochs=2).fit(rows, np.hstack([rows, -rows]))
        >>> model.predict(rows).shape
        (40, 2)
    """

    _flat: bool

    def predict(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803 - scikit-learn's name
        """The prediction of each row in the target's units: (B,) where ``fit`` was given (B,), else (B, T).

        Raises:
            ValueError: rows that do not fit.
        """
        logits = self._logits(X)
        return logits[:, 0] if self._flat else logits

    def _fit(self, X: Any, y: Any, request: Any) -> None:  # noqa: N803 - scikit-learn's name
        flat = np.asarray(y).ndim == 1
        super()._fit(X, y, request)
        self._flat = flat

    def state_to_save(self) -> dict[str, Any]:
        """What a run folder does not hold of itself, as plain values."""
        return {**super().state_to_save(), "flat": self._flat}

    def read_run(self, run: Run, state: dict[str, Any]) -> None:
        """Take over a run and what :meth:`state_to_save` gave."""
        super().read_run(run, state)
        self._flat = bool(state["flat"])

    def _read_y(self, y: Any) -> npt.NDArray[Any]:
        return read_quantities(y)

    def _tasks(self, values: npt.NDArray[Any], names: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002
        return ("regression",) * len(names)

    def _default_metric(self, codecs: TargetCodecs) -> str:  # noqa: ARG002 - the same for any number of targets
        return "mse"

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        return tags


def read_quantities(y: Any) -> npt.NDArray[np.float64]:
    """Numbers to predict (B, T).

    Raises:
        ValueError: missing or infinite numbers, or text.
    """
    checked = np.asarray(check_array(y, ensure_2d=False, dtype=np.float64, input_name="y"))
    return checked[:, None] if checked.ndim == 1 else checked
