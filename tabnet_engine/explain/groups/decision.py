"""What counts as being selected: a class and a cutoff, or a limit on a predicted quantity.

Shapes: B rows, K outputs of one target.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.texts.speaking import msg, say
from tabnet_engine.training.probabilities import class_probabilities, predicted_codes

__all__ = ["Decision", "likely_favourable"]

Booleans = npt.NDArray[np.bool_]

_AT_LEAST = msg("the prediction is at least {cutoff:,.12g}")
_AT_MOST = msg("the prediction is at most {cutoff:,.12g}")
_PROBABLE = msg("the probability of {class_name} is at least {cutoff:,.12g}")
# How classes are called that nobody wishes for.
_UNWANTED = re.compile(
    r"declin|reject|refus|den(y|ied)|default|bad|churn|fraud|fail|not? |ill|died|dead", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """When a row is selected, that is, decided in a person's favour.

    For classes: the probability of the class ``favourable`` is at least ``cutoff``; with several classes and no
    cutoff, ``favourable`` is the predicted class. For a quantity: it is at least ``cutoff``, or at most ``cutoff``
    where ``is_high_favourable`` is False.
    """

    favourable: str = ""
    cutoff: float | None = None
    is_high_favourable: bool = True

    @classmethod
    def of(
        cls,
        codec: TargetCodec,
        *,
        favourable: str | None = None,
        cutoff: float | None = None,
        is_high_favourable: bool = True,
    ) -> Decision | None:
        """The decision that a target allows; None where nothing says what is favourable.

        A binary target takes its positive class and the cutoff 0.5 unless told otherwise.

        Raises:
            ExplanationError: a class that the target does not have, or a cutoff that is no probability.
        """
        if codec.task is Task.REGRESSION:
            if favourable is not None:
                raise ExplanationError(
                    f"{codec.name!r} is a quantity and has no class {favourable!r}; give a cutoff in its own unit"
                )
            return None if cutoff is None else cls(cutoff=cutoff, is_high_favourable=is_high_favourable)
        wanted = favourable
        if wanted is None and codec.task is Task.BINARY:
            wanted = codec.classes[1]
        if wanted is None:
            if cutoff is not None:
                raise ExplanationError(f"say which class of {codec.name!r} is the favourable one for the cutoff")
            return None
        if wanted not in codec.classes:
            raise ExplanationError(
                f"{wanted!r} is no class of {codec.name!r}; its classes are {', '.join(codec.classes)}"
            )
        if cutoff is not None and not 0 < cutoff < 1:
            raise ExplanationError(f"the cutoff is a probability between 0 and 1, got {cutoff}")
        given = 0.5 if cutoff is None and codec.task is Task.BINARY else cutoff
        return cls(favourable=wanted, cutoff=given)

    @property
    def words(self) -> str:
        """When a row is selected, in plain words."""
        if not self.favourable:
            told = _AT_LEAST if self.is_high_favourable else _AT_MOST
            return say(told, cutoff=self.cutoff)
        if self.cutoff is None:
            return say("the predicted class is {class_name}", class_name=self.favourable)
        return say(_PROBABLE, class_name=self.favourable, cutoff=self.cutoff)

    def selected(self, codec: TargetCodec, logits: npt.NDArray[np.float64]) -> Booleans:
        """Which rows (B) are selected by their logits (B, K)."""
        if codec.task is Task.REGRESSION:
            return self._beyond(logits[:, 0])
        code = codec.classes.index(self.favourable)
        if self.cutoff is None:
            return np.asarray(predicted_codes(codec.task, logits) == code)
        return np.asarray(class_probabilities(codec.task, logits)[:, code] >= self.cutoff)

    def deserved(self, codec: TargetCodec, y: npt.NDArray[Any]) -> Booleans:
        """Which rows (B) really had the favourable outcome, by their targets (B)."""
        if codec.task is Task.REGRESSION:
            return self._beyond(y)
        return np.asarray(y == codec.classes.index(self.favourable))

    def _beyond(self, values: npt.NDArray[Any]) -> Booleans:
        if self.cutoff is None:
            raise ValueError("a decision about a quantity must have a cutoff")
        return np.asarray(values >= self.cutoff if self.is_high_favourable else values <= self.cutoff)


def likely_favourable(codec: TargetCodec) -> str | None:
    """Which of two classes is probably the one that people wish for, by its name; None of several, or a quantity.

    It is the positive class, unless that one is called like something that nobody wishes for and the other is not.
    """
    if codec.task is not Task.BINARY:
        return None
    first, second = codec.classes
    return first if _UNWANTED.match(second) and not _UNWANTED.match(first) else second
