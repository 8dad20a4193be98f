"""The effects of a run's leading columns in one result: curves of both kinds, interactions, the strongest pair.

Shapes: F raw features; see the parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.effects.accumulated import accumulated_effects
from tabnet_engine.explain.effects.curve import CURVE_NAMES, CurveMethod, EffectCurve
from tabnet_engine.explain.effects.interaction_result import EffectSurface, Interactions
from tabnet_engine.explain.effects.interactions import effect_surface, pairwise_interactions
from tabnet_engine.explain.effects.partial import partial_dependence
from tabnet_engine.explain.effects.source import EffectSource
from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.explain.subject import Steering

__all__ = ["EffectOverview", "leading_columns", "leading_effects"]

DEFAULT_COLUMNS = 6

_PHASES = (0.0, 0.45, 0.95, 1.0)  # how far the work is after the curves, the interactions, the surface
_STEPS = 1_000


@dataclass(frozen=True, kw_only=True, eq=False)
class EffectOverview:
    """Effects of some leading ``columns``, the most important first.

    ``curves`` hold the partial dependence and the accumulated local effects of each column; ``not_drawn`` tells why
    where one of them, or the interactions, could not be computed. ``interactions`` and the ``surface`` of the
    strongest pair need two columns.
    ``chosen_by`` says what put the columns in their order.
    """

    columns: tuple[str, ...]
    chosen_by: str
    curves: tuple[EffectCurve, ...]
    not_drawn: Mapping[str, str]
    interactions: Interactions | None
    surface: EffectSurface | None

    def curve(self, feature: str, method: CurveMethod) -> EffectCurve | None:
        """One curve; None where it could not be drawn, see :attr:`not_drawn`."""
        found = (curve for curve in self.curves if (curve.feature, curve.method) == (feature, method))
        return next(found, None)

    def why_not(self, feature: str, method: CurveMethod) -> str:
        """Why a curve could not be drawn; empty where there is no such reason."""
        return self.not_drawn.get(_key(feature, method), "")

    def to_mapping(self) -> dict[str, Any]:
        """The overview as plain JSON values."""
        return {
            "columns": list(self.columns),
            "chosen_by": self.chosen_by,
            "curves": [curve.to_mapping() for curve in self.curves],
            "not_drawn": dict(self.not_drawn),
            "interactions": None if self.interactions is None else self.interactions.to_mapping(),
            "surface": None if self.surface is None else self.surface.to_mapping(),
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        interactions, surface = values["interactions"], values["surface"]
        return cls(
            columns=tuple(values["columns"]),
            chosen_by=str(values["chosen_by"]),
            curves=tuple(EffectCurve.from_mapping(item) for item in values["curves"]),
            not_drawn={str(name): str(reason) for name, reason in values["not_drawn"].items()},
            interactions=None if interactions is None else Interactions.from_mapping(interactions),
            surface=None if surface is None else EffectSurface.from_mapping(surface),
        )


def leading_columns(
    importance: GlobalImportance, features: Sequence[str], n_columns: int = DEFAULT_COLUMNS
) -> tuple[str, ...]:
    """The most important columns that the model reads; groups of columns, which have no values, are passed over."""
    ranked = [importance.features[place] for place in importance.order]
    return tuple(name for name in ranked if name in set(features))[:n_columns]


def leading_effects(
    source: EffectSource,
    columns: Sequence[str],
    *,
    chosen_by: str = "the user",
    seed: int = 0,
    steering: Steering | None = None,
) -> EffectOverview:
    """Curves of every column, the interactions of all pairs, and the surface of the strongest pair.

    Args:
        source: the model and the rows.
        columns: the columns, the most important first.
        chosen_by: what put them in that order, for the reader.
        seed: of all draws.
        steering: told thousandths of the work.

    Raises:
        ExplanationError: no column, or one that the model does not read.
        JobCancelledError: the steering asked to stop.
    """
    if not columns:
        raise ExplanationError("effects need at least one column; name one that this run reads")
    for column in columns:
        source.position(column)
    phases = [_part(steering or Steering(), start, stop) for start, stop in pairwise(_PHASES)]
    curves, not_drawn = _curves(source, columns, seed, phases[0])
    interactions, surface = None, None
    if len(columns) > 1:
        try:
            interactions = pairwise_interactions(source, columns, seed=seed, steering=phases[1])
            phases[2].step(0, 1)
            surface = effect_surface(source, interactions.pairs[interactions.ranked()[0]], seed=seed)
        except ExplanationError as reason:  # a few rows have curves, but no interactions
            not_drawn["interactions"] = str(reason)
    phases[2].step(1, 1)
    return EffectOverview(
        columns=tuple(columns),
        chosen_by=chosen_by,
        curves=tuple(curves),
        not_drawn=not_drawn,
        interactions=interactions,
        surface=surface,
    )


def _curves(
    source: EffectSource, columns: Sequence[str], seed: int, steering: Steering
) -> tuple[list[EffectCurve], dict[str, str]]:
    """Both curves of each column, and the reasons where there is none: a column may hold one value only."""
    curves, not_drawn = [], {}
    for done, column in enumerate(columns):
        steering.step(done, len(columns))
        for method in CURVE_NAMES:
            try:
                draw = partial_dependence if method == "pdp" else accumulated_effects
                curves.append(draw(source, column, seed=seed))
            except ExplanationError as reason:
                not_drawn[_key(column, method)] = str(reason)
    return curves, not_drawn


def _key(feature: str, method: CurveMethod) -> str:
    """Under which name a reason is stored; no text for readers."""
    return f"{CURVE_NAMES[method]} of {feature!r}"


def _part(steering: Steering, start: float, stop: float) -> Steering:
    """The steering of one phase, as thousandths of the whole."""

    def progress(done: int, total: int) -> None:
        steering.progress(round(_STEPS * (start + (stop - start) * done / max(1, total))), _STEPS)

    return Steering(progress=progress, should_cancel=steering.should_cancel)
