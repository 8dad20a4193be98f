"""What outcome is asked for, and whether a row's logits reach it: the one place that decides this.

Shapes: B rows, K outputs of all targets together. No torch: pages import this.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.data.values import category_text
from tabnet_engine.data.wording import listed, quoted
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.wording import amount, percent, probability
from tabnet_engine.texts.speaking import say
from tabnet_engine.training.probabilities import class_probabilities

__all__ = ["WantedOutcome", "typed_range", "wanted_class", "wanted_other_class", "wanted_range"]

_MOST_DECIMALS = 6
EVEN = 0.5  # the cutoff of a binary target unless the user names another

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class WantedOutcome:
    """A class to reach, a class to leave, or a range of a number; complete in itself, so that it can be stored.

    ``start`` and ``stop`` say which of the K logits belong to the target. ``code`` is the class to reach,
    ``other_than`` the class to leave (one of the two, for classes); ``low`` and ``high`` bound a regression, either
    may be open. A binary row is of the second class where that class's probability exceeds ``cutoff``; of several
    classes the most probable one is predicted.

    Raises:
        ValueError: parts that do not fit each other.
    """

    target: str
    task: Task
    classes: tuple[str, ...] = ()
    start: int = 0
    stop: int = 1
    code: int | None = None
    other_than: int | None = None
    cutoff: float = EVEN
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if self.task is Task.REGRESSION:
            if self.low is None and self.high is None:
                raise ValueError("a range must be bounded on one side at least")
        elif (self.code is None) == (self.other_than is None):
            raise ValueError("either the class to reach or the class to leave must be given")
        elif not 0 <= self._class < len(self.classes):
            raise ValueError(f"there is no class {self._class} among {len(self.classes)}")
        if not 0 < self.cutoff < 1:
            raise ValueError(f"the cutoff must lie between 0 and 1, got {self.cutoff}")

    @property
    def _class(self) -> int:
        """The class that is named, to reach or to leave."""
        return self.code if self.code is not None else int(self.other_than or 0)

    @property
    def threshold(self) -> float:
        """The cutoff of a binary target as a logit; 0 for a half."""
        return math.log(self.cutoff / (1 - self.cutoff))

    def predicted(self, logits: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """The class code (B) that each row of logits (B, K) is given."""
        values = self._own(logits)
        if self.task is Task.BINARY:
            return (values[:, 0] > self.threshold).astype(np.int64)
        return np.asarray(values.argmax(axis=1), dtype=np.int64)

    def reached(self, logits: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which rows (B) of logits (B, K) have the wanted outcome."""
        if self.task is Task.REGRESSION:
            return np.asarray(self.shortfall(logits) <= 0)
        predicted = self.predicted(logits)
        return np.asarray(predicted == self._class if self.code is not None else predicted != self._class)

    def shortfall(self, logits: npt.ArrayLike) -> Floats:
        """How far each row (B) is from the wanted outcome: on logits, or in the target's unit; 0 or less inside."""
        values = self._own(logits)
        if self.task is Task.REGRESSION:
            below = (-math.inf if self.low is None else self.low) - values[:, 0]
            above = values[:, 0] - (math.inf if self.high is None else self.high)
            return np.maximum(below, above)
        if self.task is Task.BINARY:
            beyond = values[:, 0] - self.threshold
            return -beyond if self._wants_second else beyond
        own = values[:, self._class]
        best_other = np.delete(values, self._class, axis=1).max(axis=1)
        return np.asarray(best_other - own if self.code is not None else own - best_other, dtype=np.float64)

    def met_by(self, values: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which actual outcomes (B) are the wanted one: class codes, or numbers; NaN where missing."""
        actual = np.asarray(values, dtype=np.float64)
        if self.task is Task.REGRESSION:
            low, high = -math.inf if self.low is None else self.low, math.inf if self.high is None else self.high
            return np.asarray((actual >= low) & (actual <= high))
        if self.code is not None:
            return np.asarray(actual == self.code)
        return np.asarray(np.isfinite(actual) & (actual != self.other_than))

    @property
    def words(self) -> str:
        """The wanted outcome in the user's words."""
        if self.task is Task.REGRESSION:
            return self._range_words
        name = self.classes[self._class]
        if self.task is not Task.BINARY:
            if self.code is not None:
                return f"{self.target} = {name}"
            return say("{target} other than {name}", target=self.target, name=name)
        places = {"target": self.target, "positive": self.classes[1], "cutoff": percent(self.cutoff)}
        if self._wants_second:
            return say("{target} = {name} (probability of {positive} over {cutoff})", name=self.classes[1], **places)
        return say("{target} = {name} (probability of {positive} at most {cutoff})", name=self.classes[0], **places)

    @property
    def _range_words(self) -> str:
        if self.low is None:
            return say("{target} at most {high}", target=self.target, high=category_text(self.high))
        if self.high is None:
            return say("{target} at least {low}", target=self.target, low=category_text(self.low))
        return say(
            "{target} from {low} to {high}",
            target=self.target,
            low=category_text(self.low),
            high=category_text(self.high),
        )

    def outcome_words(self, logits: npt.ArrayLike) -> str:
        """What one row's logits (K) predict, in the user's words."""
        row = np.asarray(logits, dtype=np.float64)[None]
        if self.task is Task.REGRESSION:
            value = float(self._own(row)[0, 0])
            return f"{self.target} {self._number_words(value)}"
        code = int(self.predicted(row)[0])
        share = float(class_probabilities(self.task, self._own(row))[0, code])
        return f"{self.classes[code]} ({probability(share)})"

    def _number_words(self, value: float) -> str:
        """A prediction with the digits that fit it, and with more where it would seem beyond a bound that it keeps."""
        sides = self._sides(value)
        texts = (amount(value), *(f"{abs(value):,.{decimals}f}" for decimals in range(1, _MOST_DECIMALS + 1)))
        sign = "−" if value < 0 else ""
        fitting = (text for text in texts if self._sides(math.copysign(_read(text), value)) == sides)
        return sign + next(fitting, repr(abs(value)))

    def _sides(self, value: float) -> tuple[bool, bool]:
        """Whether a number keeps the lower and the upper bound."""
        return self.low is None or value >= self.low, self.high is None or value <= self.high

    def to_mapping(self) -> dict[str, Any]:
        """The outcome as plain JSON values."""
        return {**dataclasses.asdict(self), "task": str(self.task), "classes": list(self.classes)}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(**{**values, "task": Task(values["task"]), "classes": tuple(values["classes"])})

    @property
    def _wants_second(self) -> bool:
        """Of two classes: whether the second, the positive one, is wanted."""
        return (self._class == 1) == (self.code is not None)

    def _own(self, logits: npt.ArrayLike) -> Floats:
        return np.asarray(logits, dtype=np.float64)[:, self.start : self.stop]


def wanted_class(targets: TargetCodecs, name: str, *, target: str | None = None, cutoff: float = EVEN) -> WantedOutcome:
    """The class ``name`` of a target.

    Args:
        targets: those of the model.
        name: the class to reach.
        target: which of several targets; not needed for one.
        cutoff: the probability of a binary target's second class above which a row is given that class.

    Raises:
        ExplanationError: no such class, a regression, no target named among several, or an impossible cutoff.
        SchemaError: no such target.
    """
    codec, place = _chosen(targets, target)
    if codec.task is Task.REGRESSION:
        raise ExplanationError(f"the target {codec.name!r} is a number without classes; ask for a range of it")
    if name not in codec.classes:
        raise ExplanationError(f"{quoted(name)} is no class of {codec.name!r}; its classes are {listed(codec.classes)}")
    return _of_class(codec, place, cutoff, code=codec.classes.index(name))


def wanted_other_class(
    targets: TargetCodecs, logits: npt.ArrayLike, *, target: str | None = None, cutoff: float = EVEN
) -> WantedOutcome:
    """Any class but the one that a row's logits (K) predict now; raises as :func:`wanted_class` does."""
    codec, place = _chosen(targets, target)
    if codec.task is Task.REGRESSION:
        raise ExplanationError(f"the target {codec.name!r} is a number without classes; ask for a range of it")
    present = int(_of_class(codec, place, cutoff, code=0).predicted(np.asarray(logits)[None])[0])
    return _of_class(codec, place, cutoff, other_than=present)


def wanted_range(
    targets: TargetCodecs, *, low: float | None = None, high: float | None = None, target: str | None = None
) -> WantedOutcome:
    """A range of a number, in the target's own unit, its bounds included; either bound may be left open.

    Raises:
        ExplanationError: no bound, bounds that leave nothing, or a target with classes.
        SchemaError: no such target.
    """
    codec, place = _chosen(targets, target)
    if codec.task is not Task.REGRESSION:
        raise ExplanationError(f"the target {codec.name!r} has classes, not a range; ask for one of them")
    if low is None and high is None:
        raise ExplanationError(f"name the lowest or the highest wanted value of {codec.name!r}, or both")
    if any(bound is not None and not math.isfinite(bound) for bound in (low, high)):
        raise ExplanationError(f"the wanted range of {codec.name!r} must be finite; leave an open side out")
    if low is not None and high is not None and low > high:
        raise ExplanationError(f"the wanted range of {codec.name!r} ends at {high:g} below its start at {low:g}")
    return WantedOutcome(target=codec.name, task=codec.task, start=place.start, stop=place.stop, low=low, high=high)


def typed_range(targets: TargetCodecs, low: str, high: str, *, target: str | None = None) -> WantedOutcome | None:
    """A range as a person types it, either bound left empty where it is open; None where both are.

    Raises:
        ExplanationError: a text that is no number, bounds that leave nothing, or a target with classes.
    """
    if not low.strip() and not high.strip():
        return None
    return wanted_range(targets, low=_typed(low), high=_typed(high), target=target)


def _typed(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        return _read(text.strip())
    except ValueError:
        raise ExplanationError(f"the bound {quoted(text.strip())} of the wanted range is no number") from None


def _read(text: str) -> float:
    return float(text.replace(",", ""))


def _of_class(codec: TargetCodec, place: slice, cutoff: float, **which: int) -> WantedOutcome:
    if not 0 < cutoff < 1:
        raise ExplanationError(f"the cutoff must lie between 0 and 1, got {cutoff:g}")
    if codec.task is not Task.BINARY and cutoff != EVEN:
        raise ExplanationError(
            f"a cutoff belongs to a target with two classes; {codec.name!r} has {len(codec.classes)}, of which the "
            "most probable is predicted"
        )
    return WantedOutcome(
        target=codec.name,
        task=codec.task,
        classes=codec.classes,
        start=place.start,
        stop=place.stop,
        cutoff=cutoff,
        **which,
    )


def _chosen(targets: TargetCodecs, target: str | None) -> tuple[TargetCodec, slice]:
    if target is None:
        if len(targets.codecs) > 1:
            raise ExplanationError(f"the model has several targets; choose one of {', '.join(targets.names)}")
        return targets.codecs[0], targets.slices[0]
    return targets.of(target)
