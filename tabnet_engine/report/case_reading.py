"""A decision case read back from the evidence, so that its report can be written again. No torch."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from tabnet_engine.explain.counterfactual.result import CounterfactualResult
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.groups.decision import Decision
from tabnet_engine.explain.reasons.records import (
    CellReceived,
    Contribution,
    DecisionCase,
    JointMove,
    Kept,
    MethodRanks,
    Protection,
    Reason,
    ReferencePopulation,
    Score,
)
from tabnet_engine.explain.timeline import FeatureRead, StepReading, StepTimeline

__all__ = ["case_of_mapping"]

_PLAIN = ("run_id", "row", "target", "favourable_is_assumed", "no_reason", "output", "evaluation", "agreement")
_T = TypeVar("_T")


def case_of_mapping(values: Mapping[str, Any]) -> DecisionCase:
    """Read what :meth:`DecisionCase.to_mapping` wrote.

    Raises:
        KeyError, TypeError, ValueError: a part is missing or is not what a case holds.
    """
    stored = values["counterfactual"]
    return DecisionCase(
        **{name: values[name] for name in (*_PLAIN, "why_no_counterfactual")},
        decision=_read(Decision, values["decision"]),
        score=_read(Score, values["score"]),
        reference=_read(ReferencePopulation, values["reference"]),
        cells=_all(CellReceived, values["cells"]),
        contributions=_all(Contribution, values["contributions"]),
        reasons=_all(Reason, values["reasons"]),
        methods=_all(MethodRanks, values["methods"]),
        left_out=tuple(values["left_out"]),
        joint=None if values["joint"] is None else _read(JointMove, values["joint"]),
        protection=_read(Protection, values["protection"]),
        features=tuple(values["features"]),
        weights=tuple(values["weights"]),
        outcome_kept=None if values["outcome_kept"] is None else _read(Kept, values["outcome_kept"]),
        timeline=_timeline(values["timeline"], int(values["row"])),
        counterfactual=None if stored is None else CounterfactualResult.from_mapping(stored),
        calibration={name: Estimate.from_mapping(item) for name, item in values["calibration"].items()},
        settings=dict(values["settings"]),
        notes=tuple(values["notes"]),
    )


def _timeline(values: Mapping[str, Any], row: int) -> StepTimeline:
    steps = [
        StepReading(
            step=item["step"],
            share=item["share"],
            contributions=np.asarray(item["contributions"], dtype=np.float64),
            features=_all(FeatureRead, item["features"]),
            rest_share=item["rest_share"],
        )
        for item in values["steps"]
    ]
    return StepTimeline(
        row=row,
        outputs=tuple(values["outputs"]),
        base=np.asarray(values["base"], dtype=np.float64),
        logits=np.asarray(values["logits"], dtype=np.float64),
        steps=tuple(steps),
    )


def _all(kind: type[_T], values: list[Mapping[str, Any]]) -> tuple[_T, ...]:
    return tuple(_read(kind, item) for item in values)


def _read(kind: type[_T], values: Mapping[str, Any]) -> _T:
    """A record from what ``dataclasses.asdict`` made of it, by the types of its fields."""
    hints = typing.get_type_hints(kind)
    return kind(**{name: _value(hints[name], value) for name, value in values.items()})


def _value(hint: Any, value: Any) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _value(next(one for one in inner if one is not type(None)), value)
    if dataclasses.is_dataclass(hint):
        return _read(typing.cast("type[Any]", hint), value)
    if origin is tuple:
        return tuple(_value(inner[0], item) for item in value)
    return value
