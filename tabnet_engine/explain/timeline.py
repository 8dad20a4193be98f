"""One row's way through the decision steps: what each read, what each added. numpy only.

Shapes: F raw features, S steps, K outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.explain.attribution import position_of
from tabnet_engine.explain.masks import MaskExplanation

__all__ = ["FeatureRead", "StepReading", "StepTimeline", "step_timeline"]


@dataclass(frozen=True)
class FeatureRead:
    """One column that a step read: its share of the step's mask, and the row's own value as text."""

    feature: str
    share: float
    value: str


@dataclass(frozen=True, kw_only=True, eq=False)
class StepReading:
    """One decision step of one row.

    ``step`` counts from 1. ``share`` is the step's part in the size of the decision.
    ``contributions`` (K) is what it added to each logit, exactly. ``features`` are the columns read most,
    the first one most; ``rest_share`` is what the mask gave to all others.
    """

    step: int
    share: float
    contributions: npt.NDArray[np.float64]
    features: tuple[FeatureRead, ...]
    rest_share: float


@dataclass(frozen=True, kw_only=True, eq=False)
class StepTimeline:
    """All steps of one row, from ``base`` (K) to ``logits`` (K)."""

    row: int
    outputs: tuple[str, ...]
    base: npt.NDArray[np.float64]
    logits: npt.NDArray[np.float64]
    steps: tuple[StepReading, ...]

    @property
    def cumulative(self) -> npt.NDArray[np.float64]:
        """Logits (S + 1, K) before the first step and after each one."""
        added = np.stack([self.base, *(step.contributions for step in self.steps)])
        return added.cumsum(axis=0)

    def table(self) -> pd.DataFrame:
        """One line for each step and column that it read; what the step added to each output stands in every line."""
        lines = [
            {
                "step": step.step,
                "share of the decision": step.share,
                "column": column.feature,
                "value": column.value,
                "read": column.share,
                **{
                    f"added to {name}": float(added)
                    for name, added in zip(self.outputs, step.contributions, strict=True)
                },
            }
            for step in self.steps
            for column in step.features
        ]
        return pd.DataFrame(lines)


def step_timeline(
    explanation: MaskExplanation, row: int, values: Mapping[str, str] | None = None, *, top: int = 3
) -> StepTimeline:
    """The timeline of the table's row number ``row``.

    Args:
        explanation: masks that include the row.
        row: its row number in the table.
        values: the row's cells as text, by column.
        top: the most columns to name in a step; a column with a mask of zero is never named.

    Raises:
        KeyError: the explanation does not include the row.
    """
    position = position_of(explanation.rows, row)
    if position is None:
        raise KeyError(f"row {row} is not among the {explanation.n_rows} explained rows")
    texts = values or {}
    shares = explanation.step_shares[:, position]
    steps = tuple(
        StepReading(
            step=step + 1,
            share=float(shares[step]),
            contributions=explanation.contributions[step, position].astype(np.float64),
            features=(read := _features_read(explanation, explanation.masks[step, position], texts, top)),
            rest_share=max(0.0, 1.0 - sum(feature.share for feature in read)),
        )
        for step in range(explanation.n_steps)
    )
    return StepTimeline(
        row=row,
        outputs=explanation.outputs,
        base=explanation.base,
        logits=explanation.logits[position],
        steps=steps,
    )


def _features_read(
    explanation: MaskExplanation, mask: npt.NDArray[np.float32], texts: Mapping[str, str], top: int
) -> tuple[FeatureRead, ...]:
    leading = [index for index in np.argsort(-mask, kind="stable")[:top].tolist() if mask[index] > 0]
    names = [explanation.features[index] for index in leading]
    return tuple(
        FeatureRead(name, float(mask[index]), texts.get(name, "")) for name, index in zip(names, leading, strict=True)
    )
