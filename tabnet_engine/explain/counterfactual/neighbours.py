"""The nearest real rows with another outcome: nothing is invented, and nothing is promised about changes.

Shapes: B candidate rows, F raw features, K outputs. torch is imported only where a network really runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.data.values import as_text
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.counterfactual.distance import DISTANCE_WORDS
from tabnet_engine.explain.counterfactual.finding import changes_between
from tabnet_engine.explain.counterfactual.reference import Reference
from tabnet_engine.explain.counterfactual.result import Change
from tabnet_engine.explain.counterfactual.scoring import RowScorer
from tabnet_engine.explain.counterfactual.wanted import WantedOutcome

__all__ = ["Neighbour", "Neighbours", "Outcome", "nearest_rows"]

FORMAT_VERSION = 1

Floats = npt.NDArray[np.float64]


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
    """

    row: int
    run_id: str
    wanted: WantedOutcome
    by: Outcome
    rows: tuple[Neighbour, ...]
    n_compared: int
    n_with_outcome: int
    n_known: int

    @property
    def note(self) -> str:
        """How they were chosen, in one sentence for beside the table."""
        whose = "the model gives" if self.by is Outcome.PREDICTED else "really came to"
        known = "" if self.by is Outcome.PREDICTED else f"; the outcome of {self.n_known:,} is known"
        return (
            f"The {len(self.rows):,} nearest of {self.n_with_outcome:,} rows that {whose} {self.wanted.words}, among "
            f"{self.n_compared:,} rows{known}. Distance: {DISTANCE_WORDS}. These are real rows, not advice: the "
            "columns in which they differ need not be what made the difference."
        )

    def to_mapping(self) -> dict[str, Any]:
        """The neighbours as plain JSON values."""
        plain = {name: getattr(self, name) for name in ("row", "run_id", "n_compared", "n_with_outcome", "n_known")}
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
        return cls(**{**{name: values[name] for name in own}, **changed})


def nearest_rows(
    scorer: RowScorer,
    reference: Reference,
    row: pd.DataFrame,
    candidates: pd.DataFrame,
    wanted: WantedOutcome,
    *,
    by: Outcome = Outcome.PREDICTED,
    n: int = 3,
    row_number: int = 0,
) -> Neighbours:
    """The real rows nearest to one row that have the wanted outcome.

    Args:
        scorer: the model with its encoder.
        reference: gives the scale of the training rows.
        row: the raw cells, one line.
        candidates: raw rows (B) to choose from; their positions are their row numbers. An actual outcome is read
            from the target's column where there is one.
        wanted: the outcome.
        by: the model's outcome, or the one that really came.
        n: how many, at least 1.
        row_number: the row's number among the candidates: it is no neighbour of itself.

    Raises:
        ExplanationError: not exactly one line, no candidate, ``n`` below 1, actual outcomes that the table does not
            hold, or no row with that outcome.
        SchemaError: a column is absent, or a cell is not what its column's kind holds.
    """
    if len(row) != 1:
        raise ExplanationError(f"one row is explained at a time, got {len(row):,}")
    if n < 1 or len(candidates) == 0:
        what = "at least one neighbour must be asked for" if n < 1 else "there is no row to look for neighbours among"
        raise ExplanationError(f"{what}; give n of 1 or more and a table with rows")
    logits = scorer.logits(candidates)
    actual = _actual(scorer, candidates, wanted)
    known = np.isfinite(actual)
    if by is Outcome.ACTUAL and not known.any():
        raise ExplanationError(f"the table does not tell {wanted.target!r} of any row; ask for predicted outcomes")
    met = wanted.met_by(actual) if by is Outcome.ACTUAL else wanted.reached(logits)
    members = np.flatnonzero(met & (np.arange(len(candidates)) != row_number))
    if not len(members):
        raise ExplanationError(f"no row is {by} to have {wanted.words}; ask for another outcome or give more rows")
    space = reference.space.extended(row).extended(candidates)
    own, others = space.matrix(row)[0], space.matrix(candidates.iloc[members])
    scale = dataclasses.replace(reference.scale, space=space)
    apart = scale.by_column(scale.positions(own[None])[0], scale.positions(others))
    order = np.argsort(apart.sum(axis=1), kind="stable")[:n]
    texts = _actual_texts(candidates, wanted.target)
    found = tuple(
        Neighbour(
            row=int(members[index]),
            distance=float(apart[index].sum()),
            differences=changes_between(space, own, others[index], apart[index]),
            logits=tuple(logits[members[index]].tolist()),
            predicted=wanted.outcome_words(logits[members[index]]),
            actual=texts[int(members[index])],
        )
        for index in order.tolist()
    )
    return Neighbours(
        row=row_number,
        run_id=scorer.model.run_id,
        wanted=wanted,
        by=by,
        rows=found,
        n_compared=len(candidates),
        n_with_outcome=len(members),
        n_known=int(known.sum()),
    )


def _actual(scorer: RowScorer, candidates: pd.DataFrame, wanted: WantedOutcome) -> Floats:
    """What really came (B): class codes or numbers, NaN where the table does not tell."""
    codec: TargetCodec = scorer.targets.of(wanted.target)[0]
    actual = np.full(len(candidates), np.nan)
    if codec.name in candidates:
        known = np.flatnonzero(candidates[codec.name].notna().to_numpy())
        actual[known] = codec.encode(candidates, rows=known).astype(np.float64)
    return actual


def _actual_texts(candidates: pd.DataFrame, target: str) -> list[str | None]:
    if target not in candidates:
        return [None] * len(candidates)
    return [None if pd.isna(text) else str(text) for text in as_text(candidates[target])]
