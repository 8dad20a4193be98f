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

__all__ = ["THIN_ROWS", "GridPoints"]

THIN_ROWS = 10  # a point with fewer rows of its own is flagged


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
    def sentences(self) -> tuple[str, ...]:
        """What a reader must know of the points."""
        told = []
        if self.thin.any():
            few = [label for label, thin in zip(self.labels, self.thin, strict=True) if thin]
            named = f" ({', '.join(few)})" if len(few) <= 3 else ""
            rest = "rests" if len(few) == 1 else "rest"
            told.append(f"{len(few)} of {len(self)} points{named} {rest} on fewer than {THIN_ROWS} rows.")
        if self.n_elsewhere:
            rare = f", among them those of {len(self.left_out)} rare categories" if self.left_out else ""
            told.append(f"{self.n_elsewhere:,} rows hold categories that have no point here{rare}.")
        return tuple(told)

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
