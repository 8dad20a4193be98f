"""The effect of one column on each output, as stored and drawn. numpy only: pages import this.

Shapes: B rows averaged over, G points, K outputs, I rows drawn one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.effects.band import Band
from tabnet_engine.explain.effects.points import GridPoints
from tabnet_engine.explain.wording import percent
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CURVE_NAMES", "OFF_DATA_SHARE", "CurveMethod", "EffectCurve", "RowCurves"]

CurveMethod = Literal["pdp", "ale"]
CURVE_NAMES: Mapping[CurveMethod, str] = {
    "pdp": msg("partial dependence"),
    "ale": msg("accumulated local effects"),
}

# What a curve is, by its method and whether it stands on probabilities.
_LEADS: Mapping[tuple[CurveMethod, bool], str] = {
    ("pdp", False): msg(
        "Partial dependence of '{feature}' on the score, as the deviation from its mean: "
        "{n_rows:,} rows ({which}); {how}."
    ),
    ("pdp", True): msg(
        "Partial dependence of '{feature}' on the probability, as the deviation from its mean: "
        "{n_rows:,} rows ({which}); {how}."
    ),
    ("ale", False): msg(
        "Accumulated local effects of '{feature}' on the score, as the deviation from its mean: "
        "{n_rows:,} rows ({which}); {how}."
    ),
    ("ale", True): msg(
        "Accumulated local effects of '{feature}' on the probability, as the deviation from its mean: "
        "{n_rows:,} rows ({which}); {how}."
    ),
}

_NAMED = 3  # points that a sentence names
OFF_DATA_SHARE = 0.25  # a point where more of the averaged combinations lie away from the data is flagged

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class RowCurves:
    """Individual conditional expectation: ``scores`` (I, G, K) of single ``rows`` (I) at each point.

    ``own`` (I) is the point nearest to the row's own cell, -1 where there is none.
    """

    rows: npt.NDArray[np.int64]
    scores: Floats
    own: npt.NDArray[np.int64]

    def to_mapping(self) -> dict[str, Any]:
        """The curves as plain JSON values."""
        return {"rows": self.rows.tolist(), "scores": self.scores.tolist(), "own": self.own.tolist()}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], n_points: int, n_outputs: int) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        rows = np.asarray(values["rows"], dtype=np.int64)
        scores = np.asarray(values["scores"], dtype=np.float64).reshape(len(rows), n_points, n_outputs)
        return cls(rows=rows, scores=scores, own=np.asarray(values["own"], dtype=np.int64))


@dataclass(frozen=True, kw_only=True, eq=False)
class EffectCurve:
    """How the score moves with one column.

    ``effect`` (G, K) is the deviation from the mean over the rows' own values, so that curves of both methods and of
    all columns share one zero; with its 95 % intervals point by point. ``level`` (K) is that mean, so that ``level``
    plus ``effect`` is the classic partial dependence. ``off_data`` (G) is the share of the averaged combinations that
    lie farther from every real row than real rows lie from each other; None for a method that stays on the data.
    ``judged_with`` are the columns that this was judged with. ``n_without_place`` rows have no place on the curve
    (missing and unseen cells, for accumulated local effects).
    """

    method: CurveMethod
    points: GridPoints
    outputs: tuple[str, ...]
    scale: str
    effect: Band
    level: Band
    n_rows: int
    selection: str
    seed: int
    run_id: str
    how: str
    off_data: Floats | None = None
    judged_with: tuple[str, ...] = ()
    row_curves: RowCurves | None = None
    n_without_place: int = 0
    note: str = ""

    def __post_init__(self) -> None:
        n_points, n_outputs = len(self.points), len(self.outputs)
        if self.effect.values.shape != (n_points, n_outputs) or self.level.values.shape != (n_outputs,):
            raise ValueError(f"an effect of {n_points} points and {n_outputs} outputs got {self.effect.values.shape}")
        if not np.isfinite(self.effect.values).all():
            raise ValueError("effects must be finite")
        if self.off_data is not None and self.off_data.shape != (n_points,):
            raise ValueError("each point must have its share of combinations off the data")
        if self.row_curves is not None and self.row_curves.scores.shape[1:] != (n_points, n_outputs):
            raise ValueError("the curve of a row must have a score for each point and output")

    @property
    def feature(self) -> str:
        """The column."""
        return self.points.feature

    @property
    def extrapolates(self) -> npt.NDArray[np.bool_]:
        """Points (G) where too many of the averaged combinations are not like any real row."""
        if self.off_data is None:
            return np.zeros(len(self.points), dtype=np.bool_)
        return np.asarray(self.off_data > OFF_DATA_SHARE)

    @property
    def spread(self) -> Floats:
        """How far the column moves each output (K): the standard deviation of the effect over the rows."""
        weights = self.points.weights[:, None]
        mean = (weights * self.effect.values).sum(axis=0)
        return np.asarray(np.sqrt((weights * np.square(self.effect.values - mean)).sum(axis=0)))

    def centred_row_curves(self, output: int) -> Floats | None:
        """The curves of single rows (I, G) of one output, each less its own mean over the column, as the effect is."""
        if self.row_curves is None:
            return None
        scores = self.row_curves.scores[:, :, output]
        return np.asarray(scores - scores @ self.points.weights[:, None])

    def table(self, output: str) -> pd.DataFrame:
        """One line for each point: the effect with its interval, the rows behind it, and what to be careful of."""
        import pandas as pd

        place = self.outputs.index(output)
        columns: dict[str, Any] = {
            self.feature: self.points.shown_labels,
            say("effect"): self.effect.values[:, place],
            say("from"): self.effect.low[:, place],
            say("to"): self.effect.high[:, place],
            say("rows"): self.points.counts,
            say("few rows"): self.points.thin,
        }
        if self.off_data is not None:
            columns[say("share of combinations away from the data")] = self.off_data
        return pd.DataFrame(columns)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What it is, how it was measured, and how far to trust it, for beside the figure."""
        told = [
            say(
                _LEADS[self.method, self.scale == "probability"],
                feature=self.feature,
                n_rows=self.n_rows,
                which=recalled(self.selection) or say("chosen by the caller"),
                how=recalled(self.how),
            ),
            *self.points.sentences,
        ]
        if self.n_without_place:
            text = msg("{n_rows:,} rows with a missing or unseen value have no place on this curve.")
            told.append(say(text, n_rows=self.n_without_place))
        if self.extrapolates.any():
            told.append(self._off_data_sentence)
        return (*told, recalled(self.note)) if self.note else tuple(told)

    @property
    def _off_data_sentence(self) -> str:
        few = [label for label, far in zip(self.points.shown_labels, self.extrapolates, strict=True) if far]
        worst = 0.0 if self.off_data is None else float(self.off_data.max())
        return say(
            "At {count:,} of {n_points:,} points ({names}) the model was asked about rows that do not occur: up to "
            "{worst} of the combinations lie away from the data, judged together with {companions}. Read these points "
            "with care, or look at the accumulated local effects.",
            count=len(few),
            n_points=len(self.points),
            names=", ".join(few) if len(few) <= _NAMED else f"{', '.join(few[:_NAMED])}, …",
            worst=percent(worst),
            companions=", ".join(self.judged_with),
        )

    def to_mapping(self) -> dict[str, Any]:
        """The curve as plain JSON values."""
        return {
            **{name: getattr(self, name) for name in _FACTS},
            "outputs": list(self.outputs),
            "points": self.points.to_mapping(),
            "effect": self.effect.to_mapping(),
            "level": self.level.to_mapping(),
            "off_data": None if self.off_data is None else self.off_data.tolist(),
            "judged_with": list(self.judged_with),
            "row_curves": None if self.row_curves is None else self.row_curves.to_mapping(),
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        points, outputs = GridPoints.from_mapping(values["points"]), tuple(values["outputs"])
        off_data, rows = values["off_data"], values["row_curves"]
        return cls(
            **{name: values[name] for name in _FACTS},
            outputs=outputs,
            points=points,
            effect=Band.from_mapping(values["effect"]),
            level=Band.from_mapping(values["level"]),
            off_data=None if off_data is None else np.asarray(off_data, dtype=np.float64),
            judged_with=tuple(values["judged_with"]),
            row_curves=None if rows is None else RowCurves.from_mapping(rows, len(points), len(outputs)),
        )


_FACTS = ("method", "scale", "n_rows", "selection", "seed", "run_id", "how", "n_without_place", "note")
