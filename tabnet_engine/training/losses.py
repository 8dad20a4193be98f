"""What training lowers: the loss of each task on the network's output.

Shape letters: B rows, S steps, K outputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec

if TYPE_CHECKING:
    from tabnet_engine.model.tabnet import TabNetOutput

__all__ = ["TaskLoss", "balanced_weights"]


def balanced_weights(y: npt.NDArray[np.int64], n_classes: int) -> npt.NDArray[np.float64]:
    """Weights that give every class present the same say: n / (classes present * rows of the class).

    Args:
        y: (B,) class codes.
        n_classes: the length of the result.

    Returns:
        (n_classes,), of mean one over the rows; 0 for a class without rows.
    """
    counts = np.bincount(y, minlength=n_classes).astype(np.float64)
    present = counts > 0
    weights = np.zeros(n_classes)
    weights[present] = len(y) / (present.sum() * counts[present])
    return weights


class TaskLoss:
    """The mean loss of a batch: log loss for classes, squared error for a regression.

    The squared error is in units of the target's standard deviation, so that one learning rate serves
    every target.

    Args:
        codec: the target's task, classes, mean and scale.
        class_weights: (C,) one weight a class; None weighs every row the same.
    """

    def __init__(self, codec: TargetCodec, class_weights: npt.NDArray[np.float64] | None = None) -> None:
        self.codec = codec
        self.weights = None if class_weights is None else torch.as_tensor(class_weights, dtype=torch.float32)

    def to(self, device: torch.device) -> TaskLoss:
        """The same loss with its weights on a device."""
        self.weights = None if self.weights is None else self.weights.to(device)
        return self

    def target(self, y: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> Tensor:
        """The target as the loss reads it: (B,) codes, or standardised numbers."""
        if self.codec.task is Task.REGRESSION:
            return torch.as_tensor(
                (np.asarray(y, np.float64) - self.codec.mean) / self.codec.scale, dtype=torch.float32
            )
        return torch.as_tensor(np.asarray(y), dtype=torch.int64)

    def __call__(self, output: TabNetOutput, target: Tensor) -> Tensor:
        """The mean loss.

        Args:
            output: of the network; step_contributions (S, B, K).
            target: (B,) from :meth:`target`.

        Returns:
            A scalar.
        """
        if self.codec.task is Task.REGRESSION:
            # The steps add up to the logit less its offset. Without the offset no digits are lost
            # when a target is far from zero beside its spread (a year, an account number).
            standardised = output.step_contributions.sum(dim=0)[:, 0] / self.codec.scale
            return functional.mse_loss(standardised, target)
        weights = None if self.weights is None else self.weights[target]
        if self.codec.task is Task.BINARY:
            return functional.binary_cross_entropy_with_logits(
                output.logits[:, 0], target.to(output.logits.dtype), weight=weights
            )
        losses = functional.cross_entropy(output.logits, target, reduction="none")
        return losses.mean() if weights is None else (losses * weights).mean()
