"""What training lowers: the loss of every target on the network's output.

Shape letters: B rows, S steps, T targets, K outputs of all targets, C classes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ConfigError

if TYPE_CHECKING:
    from tabnet_engine.model.tabnet import TabNetOutput

__all__ = ["TaskLoss", "as_targets", "balanced_weights"]

ClassWeights = npt.NDArray[np.float64]

# Below every sum of weights that is not zero: rows without any weight have the loss 0, not 0 / 0.
_NO_WEIGHT = 1e-30


def as_targets(targets: TargetCodecs | TargetCodec) -> TargetCodecs:
    """One target is a set of one."""
    return TargetCodecs((targets,)) if isinstance(targets, TargetCodec) else targets


def balanced_weights(y: npt.NDArray[np.int64], n_classes: int) -> ClassWeights:
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


@dataclasses.dataclass(frozen=True)
class _Head:
    """The loss of one target on its own outputs, which the caller cuts out of all."""

    codec: TargetCodec
    outputs: slice
    share: float
    class_weights: Tensor | None

    def __call__(self, raw: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        if self.class_weights is not None:
            of_class = self.class_weights[target.long()]
            weight = of_class if weight is None else weight * of_class
        reduction = "mean" if weight is None else "none"
        losses = self._losses(raw, target, reduction)
        return losses if weight is None else _weighted_mean(losses, weight)

    def _losses(self, raw: Tensor, target: Tensor, reduction: str) -> Tensor:
        if self.codec.task is Task.REGRESSION:
            return functional.mse_loss(raw[:, 0] / self.codec.scale, target.to(raw.dtype), reduction=reduction)
        if self.codec.task is Task.BINARY:
            return functional.binary_cross_entropy_with_logits(raw[:, 0], target.to(raw.dtype), reduction=reduction)
        return functional.cross_entropy(raw, target.long(), reduction=reduction)


class TaskLoss:
    """The mean loss of some rows: log loss for classes, squared error for a regression.

    The squared error is in units of the target's standard deviation, so that one learning rate serves every
    target and no target of a mixed set drowns the others. Several targets add up, each times its weight; the
    weights are scaled to the sum T, so that only their ratios matter. Sample and class weights enter as
    sum(w * loss) / sum(w).

    Args:
        targets: tasks, classes, means and scales.
        class_weights: (C,) or None for each target.
        task_weights: one for each target; all 1 when empty.
        custom: takes logits (B, K) and the target, see :class:`~tabnet_engine.training.options.FitOptions`.

    Raises:
        ConfigError: weights that do not fit the targets.
    """

    def __init__(
        self,
        targets: TargetCodecs | TargetCodec,
        class_weights: Sequence[ClassWeights | None] | None = None,
        task_weights: Sequence[float] = (),
        custom: Callable[[Tensor, Tensor], Tensor] | None = None,
    ) -> None:
        self.targets = as_targets(targets)
        self.custom = custom
        parts = zip(
            self.targets.codecs,
            self.targets.slices,
            _shares(task_weights, self.targets),
            _class_tensors(class_weights, self.targets),
            strict=True,
        )
        self.heads = tuple(_Head(*part) for part in parts)
        self.offset = torch.as_tensor(self.targets.output_offset, dtype=torch.float64)
        self.adds_up = any(codec.task is Task.REGRESSION for codec in self.targets.codecs)
        if custom is not None and len(self.heads) > 1 and any(head.class_weights is not None for head in self.heads):
            raise ConfigError("a custom loss on several targets cannot use class_weights; weigh the classes inside it")

    def to(self, device: torch.device) -> TaskLoss:
        """The same loss with its weights on a device."""
        self.offset = self.offset.to(device)
        self.heads = tuple(
            head if head.class_weights is None
            else dataclasses.replace(head, class_weights=head.class_weights.to(device))
            for head in self.heads
        )  # fmt: skip
        return self

    def target(self, y: npt.NDArray[Any]) -> Tensor:
        """The target as the loss reads it.

        Args:
            y: (B,) of one target or (B, T) of several, as the codecs encode it.

        Returns:
            (B,) int64 codes or float32 standardised numbers; (B, T) float32 of several. A custom loss gets numbers
            in their own units, and (B, 1) for a single regression.
        """
        columns = [self._column(y, place) for place in range(len(self.heads))]
        if len(columns) == 1 and (self.custom is None or not self.adds_up):
            return columns[0]
        return torch.stack([column.to(torch.float32) for column in columns], dim=1)

    def _column(self, y: npt.NDArray[Any], place: int) -> Tensor:
        codec, values = self.targets.codecs[place], self.targets.column(np.asarray(y), place)
        if codec.task is not Task.REGRESSION:
            return torch.as_tensor(values, dtype=torch.int64)
        standardised = values if self.custom is not None else (values - codec.mean) / codec.scale
        return torch.as_tensor(standardised, dtype=torch.float32)

    def read(self, output: TabNetOutput) -> Tensor:
        """What the loss needs of a forward (B, K): the logits without their offset.

        The steps add up to the logit less its offset. Without the offset no digits are lost when a target is far
        from zero beside its spread (a year, an account number).
        """
        return output.step_contributions.sum(dim=0) if self.adds_up else output.logits

    def __call__(self, output: TabNetOutput, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """The mean loss of a batch, a scalar; arguments as :meth:`of` after :meth:`read`."""
        return self.of(self.read(output), target, weight)

    def of(self, raw: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """The mean loss.

        Args:
            raw: (B, K) from :meth:`read`.
            target: from :meth:`target`.
            weight: (B,) sample weights.

        Returns:
            A scalar.

        Raises:
            ConfigError: a custom loss returned something else than a scalar or a value for each row.
        """
        if self.custom is not None:
            return self._custom(raw, target, weight)
        if len(self.heads) == 1:
            return self.heads[0](raw, target, weight)
        losses = [
            head(raw[:, head.outputs], target[:, place], weight) * head.share for place, head in enumerate(self.heads)
        ]
        return torch.stack(losses).sum()

    def _custom(self, raw: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        if self.custom is None:
            raise ValueError("there is no custom loss")
        losses = self.custom(raw + self.offset.to(raw.dtype) if self.adds_up else raw, target)
        class_weights = self.heads[0].class_weights
        if class_weights is not None:
            of_class = class_weights[target]
            weight = of_class if weight is None else weight * of_class
        if losses.shape == target.shape[:1]:
            return losses.mean() if weight is None else _weighted_mean(losses, weight)
        if losses.ndim != 0:
            raise ConfigError(
                f"the custom loss must return a scalar or one value for each of the {len(target)} rows, "
                f"got the shape {tuple(losses.shape)}"
            )
        if weight is not None:
            raise ConfigError(
                "sample and class weights need the loss of each row, but the custom loss returned one value for all; "
                "return a tensor (B,) from it"
            )
        return losses


def _weighted_mean(losses: Tensor, weight: Tensor) -> Tensor:
    weight = weight.to(losses.dtype)
    return (losses * weight).sum() / weight.sum().clamp(min=_NO_WEIGHT)


def _shares(task_weights: Sequence[float], targets: TargetCodecs) -> tuple[float, ...]:
    n_targets = len(targets.codecs)
    if not task_weights:
        return (1.0,) * n_targets
    if len(task_weights) != n_targets:
        raise ConfigError(
            f"task_weights must give one weight for each of the {n_targets} targets ({', '.join(targets.names)}), "
            f"got {len(task_weights)}"
        )
    total = sum(task_weights)
    if total <= 0.0:
        raise ConfigError("at least one of task_weights must be above 0")
    return tuple(weight * n_targets / total for weight in task_weights)


def _class_tensors(
    class_weights: Sequence[ClassWeights | None] | None, targets: TargetCodecs
) -> tuple[Tensor | None, ...]:
    n_targets = len(targets.codecs)
    if class_weights is None:
        return (None,) * n_targets
    if len(class_weights) != n_targets:
        raise ConfigError(f"class_weights must give one array for each of the {n_targets} targets, or None")
    return tuple(map(_class_tensor, class_weights, targets.codecs))


def _class_tensor(weights: ClassWeights | None, codec: TargetCodec) -> Tensor | None:
    if weights is None:
        return None
    if codec.task is Task.REGRESSION:
        raise ConfigError(f"{codec.name!r} has no classes to weigh; give None for it")
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (len(codec.classes),):
        raise ConfigError(
            f"class_weights of {codec.name!r} must be one number for each of its {len(codec.classes)} classes, "
            f"got the shape {values.shape}"
        )
    if not np.isfinite(values).all() or (values < 0.0).any():
        raise ConfigError(f"class_weights of {codec.name!r} must be finite and at least 0, got {values.tolist()}")
    return torch.as_tensor(values, dtype=torch.float32)
