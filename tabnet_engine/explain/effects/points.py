"""The points of an effect curve in the user's words, with the rows behind each. numpy only: pages import this.

Shapes: G points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Kind
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = ["MISSING_LABEL", "THIN_ROWS", "GridPoints"]

THIN_ROWS = 10  # a point with fewer rows of its own is flagged
MISSING_LABEL = msg("missing")
_NAMED = 3  # points that a sentence names


@dataclass(frozen=True, kw_only=True, eq=False)
class GridPoints:
    """Values (G) of one column. ``places`` are numbers, days since 1970, or positions of categories; NaN: missing.

    ``counts`` (G) are the rows nearest to each point, the missing ones at the point "missing", which is the last.
    ``left_out`` names categories that are too rare to be drawn, ``n_elsewhere`` counts the rows that belong to no
    point: those of rare categories and of categories that training never saw.
    """

    feature: str
    kind: Kind
    labels: tuple[str, ...]
    places: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    has_missing: bool = False
    left_out: tuple[str, ...] = ()
    n_elsewhere: int = 0

    def __post_init__(self) -> None:
        shape = (len(self.labels),)
        if self.places.shape != shape or self.counts.shape != shape:
            raise ValueError(f"each of the {shape[0]} points must have one place and one count")
        if np.isnan(self.places).sum() != self.has_missing:
            raise ValueError("only the point of the missing cells has no place")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def thin(self) -> npt.NDArray[np.bool_]:
        """Points (G) with fewer than :data:`THIN_ROWS` rows of their own."""
        return np.asarray(self.counts < THIN_ROWS)

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """The share of the rows at each point (G); even where no row is at any."""
        total = self.counts.sum()
        return np.asarray(self.counts / total) if total else np.full(len(self), 1 / max(1, len(self)))

    @property
    def shown_labels(self) -> tuple[str, ...]:
        """The points (G) in the reader's language: the user's own values, and the missing cells."""
        return (*self.labels[:-1], say(MISSING_LABEL)) if self.has_missing else self.labels

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a reader must know of the points."""
        return tuple(filter(None, (self._thin_sentence, self._elsewhere_sentence)))

    @property
    def _thin_sentence(self) -> str:
        few = [label for label, thin in zip(self.shown_labels, self.thin, strict=True) if thin]
        if not few:
            return ""
        if len(few) > _NAMED:
            text = msg("{count:,} of {n_points:,} points rest on fewer than {least} rows.")
            return say(text, count=len(few), n_points=len(self), least=THIN_ROWS)
        return say_plural(
            "{count} of {n_points:,} points ({names}) rests on fewer than {least} rows.",
            "{count:,} of {n_points:,} points ({names}) rest on fewer than {least} rows.",
            len(few),
            n_points=len(self),
            names=", ".join(few),
            least=THIN_ROWS,
        )

    @property
    def _elsewhere_sentence(self) -> str:
        if not self.n_elsewhere:
            return ""
        if not self.left_out:
            return say("{n_rows:,} rows hold categories that have no point here.", n_rows=self.n_elsewhere)
        return say(
            "{n_rows:,} rows hold categories that have no point here, among them those of {n_rare:,} rare categories.",
            n_rows=self.n_elsewhere,
            n_rare=len(self.left_out),
        )

    def to_mapping(self) -> dict[str, Any]:
        """The points as plain JSON values."""
        return {
            "feature": self.feature,
            "kind": str(self.kind),
            "labels": list(self.labels),
            "places": [float(place) if np.isfinite(place) else None for place in self.places],
            "counts": self.counts.tolist(),
            "has_missing": self.has_missing,
            "left_out": list(self.left_out),
            "n_elsewhere": self.n_elsewhere,
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            feature=str(values["feature"]),
            kind=Kind(values["kind"]),
            labels=tuple(map(str, values["labels"])),
            places=np.asarray(values["places"], dtype=np.float64),
            counts=np.asarray(values["counts"], dtype=np.int64),
            has_missing=bool(values["has_missing"]),
            left_out=tuple(map(str, values["left_out"])),
            n_elsewhere=int(values["n_elsewhere"]),
        )
