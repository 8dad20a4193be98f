"""Which targets two runs share, and the logits of both in one form. numpy only: pages import this.

Shapes: B rows, K outputs of a run, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import UserError
from tabnet_engine.explain.wording import joined
from tabnet_engine.texts.speaking import say
from tabnet_engine.training.probabilities import class_probabilities

if TYPE_CHECKING:
    from tabnet_engine.data.target_set import TargetCodecs
    from tabnet_engine.runs.run import Run

__all__ = ["SharedTarget", "require_trained", "shared_targets", "why_not_shared"]

Floats = npt.NDArray[np.float64]
_LEAST_SHARE = 1e-300  # the logarithm of a probability that underflowed


@dataclass(frozen=True, kw_only=True)
class SharedTarget:
    """A target that both runs predict, with the same classes in whatever order, or as a quantity.

    The common form of logits, on which both are compared, is that of ``task`` and ``classes``: one column of
    log-odds of the second class for two classes, one column a class for more, the prediction for a quantity.
    """

    name: str
    task: Task
    classes: tuple[str, ...]

    def common(self, targets: TargetCodecs, logits: Floats) -> Floats:
        """One run's logits (B, K) of all its targets, in the common form.

        Raises:
            SchemaError: the run does not have the target.
        """
        codec, place = targets.of(self.name)
        own = np.asarray(logits[:, place], dtype=np.float64)
        if codec.task is Task.REGRESSION:
            return own
        return self._of_classes(codec, own)

    def output(self, targets: TargetCodecs, label: str) -> tuple[int, int]:
        """Which of a run's outputs speaks for a class, and with which sign.

        A binary target with one logit speaks for its second class; its first class is the same with the other sign.

        Args:
            targets: those of the run.
            label: the class; ignored for a quantity.
        """
        codec, place = targets.of(self.name)
        if codec.task is Task.REGRESSION:
            return place.start, 1
        if len(codec.outputs) == 1:
            return place.start, 1 if codec.outputs[0] == label else -1
        return place.start + codec.classes.index(label), 1

    def _of_classes(self, codec: TargetCodec, logits: Floats) -> Floats:
        order = [codec.classes.index(name) for name in self.classes]
        if len(codec.outputs) == 1:
            return logits if order == [0, 1] else -logits
        chosen = logits[:, order]
        return chosen[:, 1:] - chosen[:, :1] if self.task is Task.BINARY else chosen

    def probabilities(self, common: Floats) -> Floats:
        """The probability (B, C) of every class from the common form."""
        return np.maximum(class_probabilities(self.task, common), _LEAST_SHARE)


def require_trained(run: Run) -> None:
    """Refuse a pretraining, which predicts nothing.

    Raises:
        UserError: the run is a pretraining.
    """
    if run.is_pretraining:
        raise UserError(
            f"the run {run.manifest.title!r} is a pretraining, which predicts nothing; compare runs that were trained"
        )


def shared_targets(first: TargetCodecs, second: TargetCodecs) -> tuple[SharedTarget, ...]:
    """The targets that both predict alike, in the order of the first."""
    return tuple(
        SharedTarget(name=codec.name, task=_task(codec), classes=codec.classes)
        for codec in first.codecs
        if codec.name in second.names and _alike(codec, second.of(codec.name)[0])
    )


def why_not_shared(first: TargetCodecs, second: TargetCodecs) -> tuple[str, ...]:
    """One sentence for each target of the first that cannot be compared with the second."""
    reasons = []
    for codec in first.codecs:
        if codec.name not in second.names:
            reasons.append(
                say("{target} is predicted by one of the runs only, so its scores cannot be set against each other.",
                    target=codec.name)
            )  # fmt: skip
        elif not _alike(codec, other := second.of(codec.name)[0]):
            reasons.append(_other_form(codec, other))
    return tuple(reasons)


def _task(codec: TargetCodec) -> Task:
    """The task of the common form: two classes are binary, with however many logits they were learned."""
    if codec.task is Task.REGRESSION:
        return Task.REGRESSION
    return Task.BINARY if len(codec.classes) == 2 else Task.MULTICLASS


def _alike(first: TargetCodec, second: TargetCodec) -> bool:
    return _task(first) is _task(second) and set(first.classes) == set(second.classes)


def _other_form(first: TargetCodec, second: TargetCodec) -> str:
    if Task.REGRESSION in (first.task, second.task):
        return say(
            "{target} is a quantity for one of the runs and a class for the other, so they cannot be compared.",
            target=first.name,
        )
    only = sorted(set(first.classes) ^ set(second.classes))
    return say(
        "The runs know different classes of {target} ({classes} in one of them only), so they cannot be compared.",
        target=first.name,
        classes=joined(only[:5]),
    )
