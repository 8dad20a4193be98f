"""The score towards the favourable outcome: one number a row, whatever the target is. No torch: pages import this.

Shapes: B rows, P players, K outputs of all targets, C classes of the one that is decided on.

- two classes: the log-odds of the favourable one, whichever of the two it is;
- several classes: the log-odds of the favourable one against a rival, the likeliest other class of the row that is
  explained; before a row is named, against the mean of all others. A single logit would mean nothing there, since
  adding the same to all of them changes no probability;
- a quantity: itself, with the other sign where low is favourable.

The score is linear in the outputs, so that what explains the outputs explains it.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.groups.decision import Decision, likely_favourable
from tabnet_engine.explain.wording import class_name
from tabnet_engine.texts.speaking import say
from tabnet_engine.training.probabilities import class_probabilities, predicted_codes

__all__ = ["FavourableScore", "decision_for"]

Floats = npt.NDArray[np.float64]

_LEAST = float(np.finfo(np.float64).tiny)
_EVEN = 0.5


def decision_for(
    codec: TargetCodec, favourable: str, cutoff: float | None, *, is_high_favourable: bool
) -> tuple[Decision, bool]:
    """When a row is approved, and whether the favourable class was assumed by its name.

    Args:
        codec: of the target that is decided on.
        favourable: the class; empty where nobody chose one.
        cutoff: a probability or quantity; None for the target's own.
        is_high_favourable: of a quantity.

    Raises:
        ExplanationError: nothing says what is favourable, or what is said does not fit the target.
    """
    assumed = "" if favourable else likely_favourable(codec) or ""
    decision = Decision.of(
        codec, favourable=favourable or assumed or None, cutoff=cutoff, is_high_favourable=is_high_favourable
    )
    if decision is not None:
        return decision, bool(assumed)
    if codec.task is Task.REGRESSION:
        raise ExplanationError(
            f"{codec.name!r} is a quantity, so nobody is approved or declined by it; say from which value a row is "
            "approved (cutoff)"
        )
    raise ExplanationError(
        f"{codec.name!r} has {len(codec.classes)} classes; say which one is decided in a person's favour (favourable): "
        f"{', '.join(codec.classes)}"
    )


@dataclass(frozen=True, kw_only=True)
class FavourableScore:
    """How the score is made of the K outputs, and when it is enough.

    ``place`` are the outputs of the target, ``rival`` the class (of several) that the favourable one is compared
    with; empty where it is all others, or where there is no choice.
    """

    codec: TargetCodec
    decision: Decision
    place: slice
    outputs: tuple[str, ...]
    rival: str = ""

    @classmethod
    def of(cls, targets: TargetCodecs, target: str, decision: Decision) -> Self:
        """The score of one target; raises SchemaError where no target is called so."""
        codec, place = targets.of(target)
        return cls(codec=codec, decision=decision, place=place, outputs=targets.outputs)

    def of_row(self, logits: npt.ArrayLike) -> Self:
        """The score for a row with these logits (K): of several classes, against its likeliest other class."""
        if not self._is_several:
            return self
        own = np.array(logits, dtype=np.float64)[self.place]
        own[self._code] = -np.inf
        return dataclasses.replace(self, rival=self.codec.classes[int(own.argmax())])

    @property
    def unit(self) -> str:
        """What the score is measured in: "log-odds", "logit" of several classes without a rival, or the target."""
        if self.codec.task is Task.REGRESSION:
            return self.codec.name
        return "logit" if self._is_several and not self.rival else "log-odds"

    @property
    def output(self) -> str:
        """The output of the network that the score leans on most."""
        place: int = self.place.start + (0 if self._is_single else self._code)
        return self.outputs[place]

    @property
    def words(self) -> str:
        """What the score is, in English or the reader's language."""
        if self.codec.task is Task.REGRESSION:
            if self.decision.is_high_favourable:
                return say("the predicted {target}", target=self.codec.name)
            return say("the predicted {target} with the other sign, since low is favourable", target=self.codec.name)
        label = class_name(self.decision.favourable)
        if not self._is_several:
            return say("the log-odds of {class_name}", class_name=label)
        if self.rival:
            return say(
                "the log-odds of {class_name} against {rival}, the likeliest other class of this row",
                class_name=label,
                rival=class_name(self.rival),
            )
        return say("the logit of {class_name} above the mean of all other classes", class_name=label)

    @property
    def cutoff(self) -> float | None:
        """The score from which a row is approved; None for several classes, whose others count as well."""
        if self.codec.task is Task.REGRESSION:
            return self._sign * float(self.decision.cutoff or 0.0)
        return None if self._is_several else self.cutoff_log_odds

    @cached_property
    def weights(self) -> Floats:
        """What each output (K) adds to the score, by its unit."""
        weights = np.zeros(len(self.outputs))
        own = weights[self.place]
        if self._is_single:
            own[0] = self._sign
            return weights
        if self.rival:
            own[self.codec.classes.index(self.rival)] = -1.0
        else:
            own[:] = -1.0 / (len(self.codec.classes) - 1)
        own[self._code] = 1.0
        return weights

    def score(self, logits: npt.ArrayLike) -> Floats:
        """Scores (B,) of logits (B, K)."""
        return np.asarray(np.asarray(logits, dtype=np.float64) @ self.weights)

    def values(self, values: npt.ArrayLike) -> Floats:
        """What each player adds to the score (B, P), of what it adds to each output (B, P, K)."""
        return np.asarray(np.asarray(values, dtype=np.float64) @ self.weights)

    def errors(self, errors: npt.ArrayLike) -> Floats:
        """Standard errors (B, P) of such values, of those of the outputs (B, P, K).

        With several outputs it is the largest that their errors allow, since these are not independent.
        """
        return np.asarray(np.asarray(errors, dtype=np.float64) @ np.abs(self.weights))

    def attribution(self, found: Attribution) -> Attribution:
        """The same values, of the score alone (K = 1)."""
        error = None if found.standard_error is None else self.errors(found.standard_error)[..., None]
        values = self.values(found.values)[..., None]
        base, scores = self.score(found.base[None]), self.score(found.logits)[:, None]
        return dataclasses.replace(
            found,
            outputs=(self.output,),
            values=values,
            base=base,
            logits=scores,
            standard_error=error,
            additivity_error=float(np.abs(values.sum(axis=1) + base - scores).max()),
        )

    def selected(self, logits: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which rows (B) are approved, by their logits (B, K)."""
        return self.decision.selected(self.codec, self._own(logits))

    def margin(self, logits: npt.ArrayLike) -> Floats:
        """How far each row (B) is beyond the cutoff: at least 0 exactly where it is approved."""
        own = self._own(logits)
        if self.cutoff is not None:
            margin = self.score(logits) - self.cutoff
        else:
            favourable = own[:, self._code]
            others = np.delete(own, self._code, axis=1)
            if self.decision.cutoff is None:
                margin = favourable - others.max(axis=1)
            else:
                margin = favourable - np.logaddexp.reduce(others, axis=1) - self.cutoff_log_odds
        # At the cutoff itself the last digit decides, and in a tie the order of the classes.
        return np.where(self.selected(logits), np.maximum(margin, 0.0), np.minimum(margin, -_LEAST))

    def shares(self, logits: npt.ArrayLike) -> Floats | None:
        """The probability (B,) of the favourable class; None for a quantity."""
        if self.codec.task is Task.REGRESSION:
            return None
        return np.asarray(class_probabilities(self.codec.task, self._own(logits))[:, self._code])

    def predicted(self, logits: npt.ArrayLike) -> str:
        """What is given to a row with these logits (K), in the user's words: a class, or a quantity."""
        own = self._own(np.asarray(logits, dtype=np.float64)[None])
        if self.codec.task is Task.REGRESSION:
            return f"{float(own[0, 0]):,.6g}"
        code = int(predicted_codes(self.codec.task, own)[0])
        if not self._is_several:
            code = self._code if bool(self.decision.selected(self.codec, own)[0]) else 1 - self._code
        return self.codec.classes[code]

    def _own(self, logits: npt.ArrayLike) -> Floats:
        return np.asarray(logits, dtype=np.float64)[:, self.place]

    @property
    def _code(self) -> int:
        return self.codec.classes.index(self.decision.favourable)

    @property
    def _is_single(self) -> bool:
        """Whether one output says it all: of a binary target, or of a quantity."""
        return len(range(*self.place.indices(len(self.outputs)))) == 1

    @property
    def _is_several(self) -> bool:
        """Whether there are more than two classes, so that no one score has a cutoff."""
        return len(self.codec.classes) > 2

    @property
    def _sign(self) -> float:
        """Of a single output: 1 where more of it is favourable."""
        is_up = self.decision.is_high_favourable if self.codec.task is Task.REGRESSION else self._code == 1
        return 1.0 if is_up else -1.0

    @property
    def cutoff_log_odds(self) -> float:
        """The cutoff of a class as log-odds; that of a half where none is named."""
        share = _EVEN if self.decision.cutoff is None else self.decision.cutoff
        return math.log(share) - math.log1p(-share)
