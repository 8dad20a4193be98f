"""Loss functions of one's own, written for logits of every class as torch's are.

Shapes: B rows, K outputs, T targets, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.estimators.errors import ParameterError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Loss", "read_loss"]

Loss = Callable[["Tensor", "Tensor"], "Tensor"]


def read_loss(loss_fn: Loss | Sequence[Loss] | None, targets: TargetCodecs) -> Loss | None:
    """The caller's loss as training calls it.

    For a class target the caller gets logits (B, C) and codes (B,), so that ``torch.nn.functional.cross_entropy``
    fits; our single logit of two classes is given as the pair (0, logit), which has the same probabilities. For
    quantities the caller gets both as (B, T), in the targets' own units.

    Args:
        loss_fn: one function, or one for each target; with several class targets the losses are averaged.
        targets: what is predicted.

    Raises:
        ParameterError: not as many functions as targets, or something that cannot be called.
    """
    if loss_fn is None:
        return None
    given = list(loss_fn) if isinstance(loss_fn, Sequence) else [loss_fn]
    if not all(callable(function) for function in given):
        raise ParameterError("loss_fn must be a function of predictions and targets, or a list of them")
    codecs = targets.codecs
    quantities = all(codec.task is Task.REGRESSION for codec in codecs)
    if quantities and len(given) == 1:
        return given[0]
    if len(given) not in {1, len(codecs)}:
        raise ParameterError(f"loss_fn must be one function or {len(codecs)}, one for each target; got {len(given)}")
    functions = given * len(codecs) if len(given) == 1 else given

    def average(logits: Tensor, target: Tensor) -> Tensor:
        columns = target.unsqueeze(1) if target.ndim == 1 else target
        parts = zip(functions, codecs, targets.slices, range(len(codecs)), strict=True)
        losses = [
            function(*_as_torch_expects(codec, logits[:, place], columns[:, index]))
            for function, codec, place, index in parts
        ]
        return sum(losses[1:], start=losses[0]) / len(losses)

    return average


def _as_torch_expects(codec: TargetCodec, logits: Tensor, target: Tensor) -> tuple[Any, Any]:
    if codec.task is Task.REGRESSION:
        return logits, target.unsqueeze(1)
    import torch

    if codec.task is Task.BINARY:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    return logits, target.long()
