"""What one training can be given beyond its settings: functions, further tables, a checkpoint.

Settings that are plain values stand in :class:`~tabnet_engine.config.TrainingConfig`; what stands here is code or
data, which no run folder can keep.

Shape letters: B rows of a batch, N training rows, K outputs, T targets, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from tabnet_engine.errors import ConfigError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from tabnet_engine.training.augmentation import Augmentation
    from tabnet_engine.training.fit import LabelledTable

__all__ = ["FitOptions", "Metric"]


@dataclass(frozen=True)
class Metric:
    """A score of one's own, computed after every epoch on every table that is scored.

    With several targets it is computed for each that it fits: ``probabilities`` need classes.

    Attributes:
        name: under which it stands in the history; ``monitor`` may name it.
        function: takes ``y_true`` (B,), class codes or numbers in the target's units, and ``y_score``.
        greater_is_better: which way is better.
        needs: what ``y_score`` is: ``probabilities`` (B, C), ``prediction`` (B,) class codes or numbers, or
            ``logits`` (B, K) of the target.
    """

    name: str
    function: Callable[[npt.NDArray[Any], npt.NDArray[Any]], float]
    greater_is_better: bool = True
    needs: Literal["probabilities", "prediction", "logits"] = "probabilities"

    def __post_init__(self) -> None:
        if not self.name or self.name == "loss" or ": " in self.name:
            raise ConfigError(f"a metric must have a name, not 'loss' and without a colon and space; got {self.name!r}")
        if self.needs not in {"probabilities", "prediction", "logits"}:
            raise ConfigError(f"a metric needs probabilities, prediction or logits, got {self.needs!r}")


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """What :func:`~tabnet_engine.training.fit.fit` may be given; every field may be left out.

    Attributes:
        loss: replaces the task's loss: takes the logits (B, K) in the targets' own units and the target, and
            returns a scalar, or one value a row (B,), which sample and class weights can then weigh. The target is
            (B,) int64 class codes for one class target, else (B, T) float32 in the targets' own units.
        metrics: scores beside the built-in ones.
        monitor: which score chooses the best epoch, instead of ``TrainingConfig.monitor``: ``loss``, a built-in
            score or one of ``metrics``. With several targets ``<target>: <score>``, or the score alone, which then
            means its mean over the targets that have it.
        monitor_set: on which of ``evaluation`` it is read; the validation rows when absent.
        class_weights: one array (C,), or None, for each target; weighs the rows of each class in the loss.
        evaluation: further tables by name, scored after every epoch into ``EpochRecord.evaluation``.
        optimizer: builds a ``torch.optim`` optimizer on the parameters; replaces the settings ``optimizer``,
            ``learning_rate``, ``weight_decay`` and ``schedule``.
        scheduler: builds a scheduler on that optimizer; replaces the setting ``schedule``. It steps with and
            without rows to validate on.
        scheduler_per_batch: it steps after every batch instead of every epoch. ``ReduceLROnPlateau`` always steps
            once an epoch, since it reads the monitored score (the training loss when nothing is validated).
        augmentation: changes every training batch.
        sampling: (N,) weights by which rows are drawn with replacement, N of them an epoch.
        checkpoint: a folder to continue from after a crash, kept up to date at the ends of epochs.
        checkpoint_seconds: the least time between two checkpoints; 0 writes one after every epoch.
        resume: continue from what the folder holds, when it belongs to this very training; else start anew.
            An interrupted and resumed training equals an uninterrupted one bit for bit. Callbacks that keep a
            state of their own do not get it back.
    """

    loss: Callable[[Tensor, Tensor], Tensor] | None = None
    metrics: tuple[Metric, ...] = ()
    monitor: str | None = None
    monitor_set: str | None = None
    class_weights: tuple[npt.NDArray[np.float64] | None, ...] | None = None
    evaluation: Mapping[str, LabelledTable] = field(default_factory=dict)
    optimizer: Callable[[Iterable[torch.nn.Parameter]], torch.optim.Optimizer] | None = None
    scheduler: Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler] | None = None
    scheduler_per_batch: bool = False
    augmentation: Augmentation | None = None
    sampling: npt.NDArray[np.float64] | None = None
    checkpoint: Path | None = None
    checkpoint_seconds: float = 5.0
    resume: bool = False

    def __post_init__(self) -> None:
        names = [metric.name for metric in self.metrics]
        if len(set(names)) < len(names):
            raise ConfigError(f"every metric must have a name of its own, got {', '.join(names)}")
        if self.monitor_set is not None and self.monitor_set not in self.evaluation:
            known = ", ".join(self.evaluation) or "none"
            raise ConfigError(f"monitor_set must name one of the evaluation sets ({known}), got {self.monitor_set!r}")
        if self.resume and self.checkpoint is None:
            raise ConfigError("resume needs a checkpoint folder to continue from; set checkpoint")
