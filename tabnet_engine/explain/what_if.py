"""One row with some cells changed: what the model answers, and what its steps read, before and after.

Both rows go through ONE forward, the one that predicts. Shapes: S steps, F raw features, K outputs. torch is imported
only where the network really runs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.encoding import EncodedTable, TableEncoder
from tabnet_engine.data.schema import CATEGORICAL, Column, Kind, Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.data.values import category_text
from tabnet_engine.errors import ExplanationError, SchemaError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.counterfactual.space import PlainValue, RowSpace, with_values
from tabnet_engine.explain.masks import MaskExplanation, explain_masks
from tabnet_engine.explain.subject import ChosenRows, Subject
from tabnet_engine.explain.training_values import TrainingValues, moment_number
from tabnet_engine.explain.wording import amount, class_name, column_name, probability, signed
from tabnet_engine.texts.speaking import say
from tabnet_engine.training.probabilities import class_probabilities, predicted_codes

__all__ = [
    "Moved",
    "MovedNumber",
    "WhatIf",
    "WhatIfAnswer",
    "changes_from_text",
    "changes_text",
    "leading_columns",
    "outside_sentences",
    "shown_text",
]

Floats = npt.NDArray[np.float64]
_LONGEST_TEXT = 8_000  # characters of changes in an address


@dataclass(frozen=True, kw_only=True, eq=False)
class WhatIfAnswer:
    """What the model says of a row as it is and with ``changes``, cell by column; one explained row each."""

    row: int
    own: Mapping[str, PlainValue]
    changes: Mapping[str, PlainValue]
    before: MaskExplanation
    after: MaskExplanation

    def moved(self, codec: TargetCodec, place: slice, output: int) -> Moved:
        """How the answer to one target moved.

        Args:
            codec: the target.
            place: which of the K logits are its own.
            output: the one of the K that is looked at.
        """
        before, after = self.before.logits[0], self.after.logits[0]
        if codec.task is Task.REGRESSION:
            return Moved(codec.name, float(before[output]), float(after[output]))
        logits = np.stack([before[place], after[place]])
        codes = predicted_codes(codec.task, logits)
        shares = class_probabilities(codec.task, logits)
        looked_at = 1 if codec.task is Task.BINARY else output - place.start
        return Moved(
            codec.name,
            float(before[output]),
            float(after[output]),
            classes=(codec.classes[int(codes[0])], codec.classes[int(codes[1])]),
            shares=(float(shares[0, looked_at]), float(shares[1, looked_at])),
            looked_at=codec.classes[looked_at],
        )

    def read_table(self, output: int) -> pd.DataFrame:
        """Every step and column (S F lines): what was read, and what the step added to an output's score."""
        n_steps, n_features = self.before.n_steps, len(self.before.features)
        added = [np.repeat(item.contributions[:, 0, output], n_features) for item in (self.before, self.after)]
        return pd.DataFrame(
            {
                "step": np.repeat(np.arange(1, n_steps + 1), n_features),
                "column": list(self.before.features) * n_steps,
                "read_now": self.before.masks[:, 0].ravel(),
                "read_changed": self.after.masks[:, 0].ravel(),
                "step_added_now": added[0],
                "step_added_changed": added[1],
            }
        )

    def probabilities(self, codec: TargetCodec, place: slice) -> tuple[Floats, Floats]:
        """Each class's probability before and after; of a target with classes."""
        logits = np.stack([self.before.logits[0, place], self.after.logits[0, place]])
        shares = class_probabilities(codec.task, logits)
        return shares[0], shares[1]


@dataclass(frozen=True)
class MovedNumber:
    """A named value, in words: what it is now with the changes, what it was, and which way it went."""

    name: str
    after: str
    change: str
    arrow: Literal["up", "down", "off"]


@dataclass(frozen=True)
class Moved:
    """One target's answer before and after.

    The score of one output; for classes also the class given, and the probability of the class ``looked_at``.
    """

    target: str
    score_before: float
    score_after: float
    classes: tuple[str, str] | None = None
    shares: tuple[float, float] | None = None
    looked_at: str = ""

    @property
    def numbers(self) -> tuple[MovedNumber, ...]:
        """The answer as a few named values, each with what it was."""
        arrow = _arrow(self.score_after - self.score_before)
        if self.classes is None or self.shares is None:
            change = say("was {value}", value=_number(self.score_before)) if arrow != "off" else ""
            return (
                MovedNumber(
                    say("Predicted {target}", target=column_name(self.target)), _number(self.score_after), change, arrow
                ),
            )
        shares = tuple(probability(share) for share in self.shares)
        moved = arrow != "off"
        return (
            MovedNumber(
                say("Predicted {target}", target=column_name(self.target)),
                self.classes[1],
                say("was {value}", value=self.classes[0]) if self.flips else "",
                "off",
            ),
            MovedNumber(
                say("Probability of {name}", name=class_name(self.looked_at)),
                shares[1],
                say("was {value}", value=shares[0]) if moved else "",
                _arrow(self.shares[1] - self.shares[0]),
            ),
            MovedNumber(
                say("Score"),
                signed(self.score_after),
                say("was {value}", value=signed(self.score_before)) if moved else "",
                arrow,
            ),
        )

    @property
    def flips(self) -> bool:
        """Whether another class is given; never of a number."""
        return self.classes is not None and self.classes[0] != self.classes[1]

    @property
    def sentence(self) -> str:
        """The move in words."""
        if self.classes is None or self.shares is None:
            if self.score_before == self.score_after:
                return say("The predicted {target} stays as it is.", target=column_name(self.target))
            return say(
                "The predicted {target} moves by {change}, from {before} to {after}.",
                target=column_name(self.target),
                change=signed(self.score_after - self.score_before),
                before=_number(self.score_before),
                after=_number(self.score_after),
            )
        words = {
            "before": class_name(self.classes[0]),
            "after": class_name(self.classes[1]),
            "looked_at": class_name(self.looked_at),
            "share_before": probability(self.shares[0]),
            "share_after": probability(self.shares[1]),
        }
        if self.flips:
            return say(
                "The decision changes from {before} to {after}; the probability of {looked_at} goes from "
                "{share_before} to {share_after}.",
                **words,
            )
        if words["share_before"] == words["share_after"]:
            return say("The decision stays {after}; the probability of {looked_at} stays {share_after}.", **words)
        return say(
            "The decision stays {after}; the probability of {looked_at} goes from {share_before} to {share_after}.",
            **words,
        )


@dataclass(frozen=True, eq=False)
class WhatIf:
    """One row of a table and the network to ask about it; the row's own cells are encoded once."""

    subject: Subject
    encoder: TableEncoder
    cells: pd.DataFrame
    row: int
    own: Mapping[str, PlainValue]
    encoded: EncodedTable

    @classmethod
    def of(cls, subject: Subject, encoder: TableEncoder, cells: pd.DataFrame, row: int) -> Self:
        """Prepare a row.

        Args:
            subject: the network.
            encoder: its encoder.
            cells: the raw cells, one line.
            row: its number in the table.

        Raises:
            ExplanationError: not exactly one line.
            SchemaError: a column is absent, or a cell is not what its column's kind holds.
        """
        if len(cells) != 1:
            raise ExplanationError(f"one row is changed at a time, got {len(cells):,}")
        space = RowSpace.of(encoder.schema).extended(cells)
        values = space.matrix(cells)[0]
        own = {name: space.plain(place, float(values[place])) for place, name in enumerate(space.names)}
        return cls(subject, encoder, cells, row, own, encoder.transform(cells))

    def answer(self, changes: Mapping[str, PlainValue]) -> WhatIfAnswer:
        """Ask about the row with some cells replaced; those that equal the row's own are no change.

        Args:
            changes: plain values by column: numbers, category texts, truth values, dates as ISO text; None leaves
                the cell empty.

        Raises:
            ExplanationError: the model does not read such a column.
            SchemaError: a value is not what its column's kind holds.
        """
        unknown = [name for name in changes if name not in self.own]
        if unknown:
            raise ExplanationError(f"the model does not read column {unknown[0]!r}, so changing it changes nothing")
        real = {name: value for name, value in changes.items() if not _same(value, self.own[name])}
        after = self.encoder.transform(with_values(self.cells, real)) if real else self.encoded
        both = EncodedTable(
            np.concatenate([self.encoded.numeric, after.numeric]),
            np.concatenate([self.encoded.categorical, after.categorical]),
        )
        rows = np.array([self.row, self.row], dtype=np.int64)
        found = explain_masks(self.subject, ChosenRows(both, rows, "as it is, changed"))
        return WhatIfAnswer(row=self.row, own=self.own, changes=real, before=found.take([0]), after=found.take([1]))


def leading_columns(masks: MaskExplanation, attribution: Attribution | None, output: int) -> list[str]:
    """All columns, those first that matter most to one explained row.

    Args:
        masks: the row's; what was read decides where there are no signed values.
        attribution: the row's signed values; those of the largest size come first, unless they are of whole groups.
        output: the one of the K that is looked at.
    """
    if attribution is None or set(attribution.features) != set(masks.features):
        return [masks.features[place] for place in np.argsort(-masks.aggregate[0], kind="stable")]
    sizes = np.abs(attribution.values[0, :, output])
    return [attribution.features[place] for place in np.argsort(-sizes, kind="stable")]


def shown_text(value: PlainValue) -> str:
    """A cell as a reader knows it."""
    return say("missing") if value is None else category_text(value)


def outside_sentences(changes: Mapping[str, PlainValue], values: Sequence[TrainingValues]) -> tuple[str, ...]:
    """What is said of changes that no training row holds."""
    told = [item.outside(changes[item.column.name]) for item in values if item.column.name in changes]
    return tuple(text for text in told if text)


def changes_text(changes: Mapping[str, PlainValue]) -> str:
    """Changes as one short text, to be kept in an address; empty where nothing is changed."""
    return json.dumps(dict(changes), ensure_ascii=False, separators=(",", ":")) if changes else ""


def changes_from_text(text: str, columns: Sequence[Column]) -> tuple[dict[str, PlainValue], tuple[str, ...]]:
    """Read what :func:`changes_text` wrote, and whatever else an address may hold.

    Args:
        text: anything.
        columns: those that the model reads.

    Returns:
        The changes that can be made, and a sentence for each part that cannot.
    """
    if not text:
        return {}, ()
    unreadable = say("The changes in the address cannot be read, so none is made.")
    if len(text) > _LONGEST_TEXT:
        return {}, (unreadable,)
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return {}, (unreadable,)
    if not isinstance(found, dict):
        return {}, (unreadable,)
    known = {column.name: column for column in columns}
    changes: dict[str, PlainValue] = {}
    told = []
    for name, value in found.items():
        if name not in known:
            told.append(say("The model does not read {column}, so its change in the address is left out.", column=name))
        elif not _fits(value, known[name]):
            told.append(say("{column} cannot hold what the address says, so it stays as it is.", column=name))
        else:
            changes[name] = value
    return changes, tuple(told)


def _fits(value: Any, column: Column) -> bool:
    """Whether a value of an address can be a cell of the column."""
    if value is None:
        return True
    if column.kind is Kind.NUMBER:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and _is_finite(value)
    if column.kind in CATEGORICAL:
        # Other categories would be read as unseen; the row's own, which may be one, is no change.
        return isinstance(value, (str, bool)) and category_text(value) in column.categories
    if not isinstance(value, str):
        return False
    try:
        return math.isfinite(moment_number(value))
    except SchemaError:
        return False


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def _same(value: PlainValue, own: PlainValue) -> bool:
    if value is None or own is None:
        return value is own
    return value == own or category_text(value) == category_text(own)


def _arrow(change: float) -> Literal["up", "down", "off"]:
    if change == 0:
        return "off"
    return "up" if change > 0 else "down"


def _number(value: float) -> str:
    return f"−{amount(value)}" if value < 0 else amount(value)
