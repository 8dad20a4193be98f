"""What a caller hands to ``fit`` beside the training rows, in one piece."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.estimators.errors import ParameterError
from tabnet_engine.estimators.parameters import FitSettings
from tabnet_engine.training.callbacks import Callback
from tabnet_engine.training.pretrain import PretrainedModel

__all__ = ["FitRequest", "either"]


@dataclass(frozen=True, kw_only=True)
class FitRequest:
    """Everything that ``fit`` was given beside the training rows."""

    sample_weight: Any
    eval_set: Sequence[Any]
    eval_name: Sequence[str] | None
    eval_metric: Any
    loss_fn: Any
    weights: Any
    settings: FitSettings
    callbacks: Iterable[Callback]
    from_unsupervised: Any
    warm_start: bool
    augmentations: Any
    compute_importance: bool
    checkpoint: Path | None
    checkpoint_seconds: float
    resume: bool

    def of_rows(self, kept: npt.NDArray[np.bool_]) -> Self:
        """The same for some of the training rows (B); a weight for each row goes with its row."""
        if np.ndim(self.weights) != 1 or len(self.weights) != len(kept):
            return self
        return dataclasses.replace(self, weights=np.asarray(self.weights)[kept])

    def pretrained_model(self) -> PretrainedModel:
        """What the caller handed in to start from.

        Raises:
            ParameterError: it is no fitted :class:`TabNetPretrainer`.
        """
        read = getattr(self.from_unsupervised, "pretrained_model", None)
        if read is None:
            raise ParameterError("from_unsupervised must be a fitted TabNetPretrainer")
        model: PretrainedModel = read()
        return model


def either(first: Any, second: Any, name: str, other: str) -> Any:
    """The one of two spellings of an argument that was used.

    Raises:
        ParameterError: both were.
    """
    if first is not None and second is not None:
        raise ParameterError(f"{name} and {other} are the same thing; give one of them")
    return second if first is None else first
