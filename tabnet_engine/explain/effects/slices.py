"""Importance by class and by slice, beside that of all rows, and where a slice differs from the rest.

Shapes: B rows, F columns (players, where columns were grouped).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.effects.band import Band
from tabnet_engine.explain.estimates import student_point
from tabnet_engine.explain.importance import (
    GlobalImportance,
    from_attribution,
    from_masks,
    mean_importance,
    row_importances,
)
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.wording import joined
from tabnet_engine.training.probabilities import predicted_codes

__all__ = ["SlicedImportance", "importance_by_slice", "outcome_slices", "predicted_slices"]

Floats = npt.NDArray[np.float64]
Slices = Mapping[str, npt.NDArray[np.int64]]

_NAMED = 3  # columns that a sentence names


def outcome_slices(targets: TargetCodecs, y: npt.NDArray[np.generic]) -> dict[str, npt.NDArray[np.int64]]:
    """The rows of each class that really came, for every target with classes; a class without rows is left out.

    Args:
        targets: all targets.
        y: (B,) of one target or (B, T) of several, as :meth:`TargetCodecs.encode` gives them.
    """
    return {
        f"{codec.name} = {name}": rows
        for place, codec in enumerate(targets.codecs)
        for code, name in enumerate(codec.classes)
        if len(rows := np.flatnonzero(targets.column(y, place) == code))
    }


def predicted_slices(targets: TargetCodecs, logits: Floats) -> dict[str, npt.NDArray[np.int64]]:
    """The rows of each predicted class, as :func:`outcome_slices`.

    Args:
        targets: all targets.
        logits: (B, K) of all targets.
    """
    return {
        f"{codec.name} predicted {name}": rows
        for codec, place in zip(targets.codecs, targets.slices, strict=True)
        if codec.task is not Task.REGRESSION
        for code, name in enumerate(codec.classes)
        if len(rows := np.flatnonzero(predicted_codes(codec.task, logits[:, place]) == code))
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class SlicedImportance:
    """The importance of all rows and of each slice, by the slice's name.

    ``differences`` hold, for each slice, its importance less that of all other rows (F) with 95 % intervals
    (Welch's); NaN intervals where either side has fewer than two rows.
    """

    whole: GlobalImportance
    parts: Mapping[str, GlobalImportance]
    differences: Mapping[str, Band]

    def __post_init__(self) -> None:
        if set(self.parts) != set(self.differences):
            raise ValueError("each slice must have an importance and a difference")
        if any(part.features != self.whole.features for part in self.parts.values()):
            raise ValueError("every slice must have the columns of the whole")

    def standing_out(self, name: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Columns that matter more, and columns that matter less, in a slice than in the other rows.

        Only those whose interval excludes zero, the clearest first. With many columns about one in twenty does so
        by chance.
        """
        band = self.differences[name]
        with np.errstate(invalid="ignore"):
            more, less = np.flatnonzero(band.low > 0), np.flatnonzero(band.high < 0)
        return more[np.argsort(-band.values[more])], less[np.argsort(band.values[less])]

    def sentence(self, name: str) -> str:
        """How a slice differs, in words."""
        part, features = self.parts[name], self.whole.features
        more, less = ([features[place] for place in places[:_NAMED]] for places in self.standing_out(name))
        found = ((more, "counts more", "count more"), (less, "counts less", "count less"))
        told = [f"{joined(names)} {one if len(names) == 1 else many}" for names, one, many in found if names]
        rows = "1 row" if part.n_rows == 1 else f"{part.n_rows:,} rows"
        if not told:
            return f"{name} ({rows}): no column is told apart from its importance in the other rows."
        return f"{name} ({rows}): compared with the other rows, {joined(told)}."

    def to_mapping(self) -> dict[str, Any]:
        """The importances as plain JSON values."""
        return {
            "whole": self.whole.to_mapping(),
            "parts": {name: part.to_mapping() for name, part in self.parts.items()},
            "differences": {name: band.to_mapping() for name, band in self.differences.items()},
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            whole=GlobalImportance.from_mapping(values["whole"]),
            parts={name: GlobalImportance.from_mapping(part) for name, part in values["parts"].items()},
            differences={name: Band.from_mapping(band) for name, band in values["differences"].items()},
        )


def importance_by_slice(
    source: MaskExplanation | Attribution, slices: Slices, targets: TargetCodecs | None = None
) -> SlicedImportance:
    """The importance of all explained rows, and of the rows of each slice by themselves.

    Args:
        source: masks, or signed values of all outputs or of one (:func:`~tabnet_engine.explain.by_output.one_output`).
        slices: positions among the explained rows (B) by the slice's name: classes, or what a filter chose.
        targets: which output belongs to which target, where signed values have several.

    Raises:
        ExplanationError: a slice that holds none of the explained rows.
    """
    per_row = row_importances(source, targets)
    counted = ~source.silent if isinstance(source, MaskExplanation) else np.ones(len(per_row), dtype=np.bool_)
    whole = from_masks(source) if isinstance(source, MaskExplanation) else from_attribution(source, targets)
    parts, differences = {}, {}
    for name, places in slices.items():
        inside = np.zeros(len(per_row), dtype=np.bool_)
        inside[np.asarray(places, dtype=np.int64)] = True
        inside &= counted
        if not inside.any():
            raise ExplanationError(f"the slice {name!r} holds none of the {len(per_row):,} explained rows; widen it")
        note = f"{whole.note} Here only the {int(inside.sum()):,} rows of {name!r}."
        parts[name] = mean_importance(whole.method, whole.features, per_row[inside], note)
        differences[name] = _difference(per_row[inside], per_row[counted & ~inside])
    return SlicedImportance(whole=whole, parts=parts, differences=differences)


def _difference(inside: Floats, outside: Floats) -> Band:
    """The mean of some rows less that of others, column by column, with Welch's interval."""
    n_columns = inside.shape[1]
    if not len(outside):
        return Band.around(np.full(n_columns, np.nan), np.full(n_columns, np.nan))
    mean = inside.mean(axis=0) - outside.mean(axis=0)
    if min(len(inside), len(outside)) < 2:
        return Band.around(mean, np.full(n_columns, np.nan))
    first, second = (rows.var(axis=0, ddof=1) / len(rows) for rows in (inside, outside))
    error, freedom = first + second, np.full(n_columns, np.inf)
    spread = np.square(first) / (len(inside) - 1) + np.square(second) / (len(outside) - 1)
    np.divide(np.square(error), spread, out=freedom, where=spread > 0)
    return Band.around(mean, np.asarray(student_point(freedom) * np.sqrt(error)))
