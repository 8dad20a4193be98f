"""Augmentation under the names that pytorch-tabnet's scripts use, truly convex."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from tabnet_engine.estimators.errors import as_value_errors
from tabnet_engine.training.augmentation import ConvexMixing
from tabnet_engine.training.loop import TensorTable

__all__ = ["ClassificationSMOTE", "ConvexMixing", "RegressionSMOTE"]


@dataclass(frozen=True)
class _Smote:
    """Mixes rows of a batch; see :class:`ConvexMixing`, which does it.

    Attributes:
        device_name: accepted for older scripts and not needed: batches are mixed where they lie.
        p: with which probability a row is mixed.
        alpha: first shape of the Beta distribution of the own share.
        beta: second shape.
        seed: accepted for older scripts and not needed: the estimator's ``seed`` decides everything.

    Raises:
        ParameterError: a value outside its range.
    """

    device_name: str = "auto"
    p: float = 0.8
    alpha: float = 0.5
    beta: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        self.mixing()

    def mixing(self) -> ConvexMixing:
        """The engine's augmentation."""
        with as_value_errors():
            return ConvexMixing(alpha=self.alpha, probability=self.p, beta=self.beta)

    def __call__(self, batch: TensorTable, class_targets: tuple[bool, ...], generator: torch.Generator) -> TensorTable:
        """Mix a batch."""
        return self.mixing()(batch, class_targets, generator)


class ClassificationSMOTE(_Smote):
    """Rows are mixed with rows of the same class only, so every label stays exact."""


class RegressionSMOTE(_Smote):
    """The target is mixed in the same share as the row, so both stay on the line between two real rows."""
