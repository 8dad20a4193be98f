"""The nearest real rows with another outcome, as they are shown and stored. No torch: pages import this."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from tabnet_engine.explain.counterfactual.distance import DISTANCE_WORDS
from tabnet_engine.explain.counterfactual.result import Change
from tabnet_engine.explain.counterfactual.wanted import WantedOutcome
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import msg, say

__all__ = ["Neighbour", "Neighbours", "Outcome"]

FORMAT_VERSION = 1
_NOT_ADVICE = msg(
    "These are real rows, not advice: the columns in which they differ need not be what made the difference."
)


class Outcome(StrEnum):
    """Whose outcome is compared: the model's, or the one that really came."""

    PREDICTED = "predicted"
    ACTUAL = "actual"


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """One real row: its number, its distance, where it differs, and its outcomes.

    ``differences`` go from the explained row's cell to this row's, the farthest first. ``actual`` is None where the
    table does not tell.
    """

    row: int
    distance: float
    differences: tuple[Change, ...]
    logits: tuple[float, ...]
    predicted: str
    actual: str | None

    def to_mapping(self) -> dict[str, Any]:
        """The neighbour as plain JSON values."""
        return {
            **{name: getattr(self, name) for name in ("row", "distance", "predicted", "actual")},
            "differences": [change.to_mapping() for change in self.differences],
            "logits": list(self.logits),
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            row=int(values["row"]),
            distance=float(values["distance"]),
            differences=tuple(map(Change.from_mapping, values["differences"])),
            logits=tuple(map(float, values["logits"])),
            predicted=str(values["predicted"]),
            actual=None if values["actual"] is None else str(values["actual"]),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Neighbours:
    """The nearest rows that have the wanted outcome, by the model or in fact, the nearest first.

    ``n_compared`` rows were looked at, ``n_with_outcome`` of them have it; ``n_known`` have an actual outcome.
    ``n_rows`` is how many they were drawn from, where they are not all.
    """

    row: int
    run_id: str
    wanted: WantedOutcome
    by: Outcome
    rows: tuple[Neighbour, ...]
    n_compared: int
    n_with_outcome: int
    n_known: int
    n_rows: int = 0

    @property
    def note(self) -> str:
        """How they were chosen, in a few sentences for beside the table."""
        counts = {"n": len(self.rows), "n_with_outcome": self.n_with_outcome, "n_compared": self.n_compared}
        if self.by is Outcome.PREDICTED:
            head = say(
                "The {n:,} nearest of {n_with_outcome:,} rows that the model gives {outcome}, among {n_compared:,} "
                "rows.",
                outcome=self.wanted.words,
                **counts,
            )
        else:
            head = say(
                "The {n:,} nearest of {n_with_outcome:,} rows that really came to {outcome}, among {n_compared:,} "
                "rows; the outcome of {n_known:,} is known.",
                outcome=self.wanted.words,
                n_known=self.n_known,
                **counts,
            )
        drawn = ""
        if self.n_rows > self.n_compared:
            drawn = say("These were drawn at random from {n_rows:,} rows.", n_rows=self.n_rows)
        parts = (head, drawn, say("Distance: {words}.", words=say(DISTANCE_WORDS)), say(_NOT_ADVICE))
        return one_text(part for part in parts if part)

    def to_mapping(self) -> dict[str, Any]:
        """The neighbours as plain JSON values."""
        names = ("row", "run_id", "n_compared", "n_with_outcome", "n_known", "n_rows")
        plain = {name: getattr(self, name) for name in names}
        return {
            "format_version": FORMAT_VERSION,
            **plain,
            "wanted": self.wanted.to_mapping(),
            "by": str(self.by),
            "rows": [item.to_mapping() for item in self.rows],
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote.

        Raises:
            ValueError: another format.
        """
        if values["format_version"] != FORMAT_VERSION:
            raise ValueError(f"neighbours of format {values['format_version']} cannot be read")
        own = {item.name for item in dataclasses.fields(cls)}
        changed = {
            "wanted": WantedOutcome.from_mapping(values["wanted"]),
            "by": Outcome(values["by"]),
            "rows": tuple(map(Neighbour.from_mapping, values["rows"])),
        }
        return cls(**{**{name: values[name] for name in own if name in values}, **changed})
