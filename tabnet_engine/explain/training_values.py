"""What the training rows showed of each column: what a control for one of its cells can offer, and what lies beyond.

Shapes: M training rows, F raw features. No torch: pages import this.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tabnet_engine.data.schema import CATEGORICAL, Column, FeatureSchema, Kind
from tabnet_engine.data.values import as_numbers, as_timestamps, category_text, factorise, value_order
from tabnet_engine.explain.counterfactual.grid import Observed
from tabnet_engine.explain.counterfactual.space import PlainValue
from tabnet_engine.texts.speaking import say

__all__ = ["TrainingValues", "moment_number", "training_values"]

_DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingValues:
    """One column as M training rows show it.

    ``low`` and ``high`` bound its numbers, or its dates in microseconds since 1970 (UTC); both None where it has
    neither. ``middle`` is a usual one of them. ``step`` is the resolution that its values are written in, with
    ``decimals`` decimals. ``choices`` are its categories with how many training rows hold each, the most frequent
    first. ``n_missing`` cells of ``n_rows`` are empty.
    """

    column: Column
    low: float | None = None
    high: float | None = None
    middle: float | None = None
    step: float = 1.0
    decimals: int = 0
    choices: tuple[tuple[str, int], ...] = ()
    n_missing: int = 0
    n_rows: int = 0

    @property
    def whole_days(self) -> bool:
        """Whether its dates have no time of the day."""
        return self.column.kind is Kind.DATETIME and self.step % _DAY == 0 and (self.low or 0) % _DAY == 0

    @property
    def range_words(self) -> str:
        """The range of the training rows in words; empty for categories and where no row has a value."""
        if self.low is None or self.high is None:
            return ""
        low, high = self.text(self.low), self.text(self.high)
        if self.column.unit and self.column.kind is Kind.NUMBER:
            return say("Training rows hold {low} to {high} {unit}.", low=low, high=high, unit=self.column.unit)
        return say("Training rows hold {low} to {high}.", low=low, high=high)

    def text(self, number: float) -> str:
        """One of its numbers, or of its moments, as a reader knows it."""
        if self.column.kind is Kind.DATETIME:
            return category_text(pd.Timestamp(int(number), unit="us").to_pydatetime())
        return category_text(float(number))

    def outside(self, value: PlainValue) -> str:
        """A sentence where no training row holds anything like the value; empty where it is nothing unusual."""
        name = self.column.name
        if value is None:
            if self.n_missing:
                return ""
            return say("No training row lacks {column}: what the model makes of it was never learned.", column=name)
        if self.column.kind in CATEGORICAL:
            text = category_text(value)
            if any(text == known for known, count in self.choices if count):
                return ""
            return say("No training row holds {value} in {column}.", value=text, column=name)
        number = moment_number(value) if self.column.kind is Kind.DATETIME else float(value)
        if self.low is None or self.high is None or self.low <= number <= self.high:
            return ""
        return say(
            "{value} in {column} lies outside what the training rows hold, {low} to {high}: the model was never "
            "taught there.",
            value=self.text(number) if math.isfinite(number) else str(value),
            column=name,
            low=self.text(self.low),
            high=self.text(self.high),
        )


def moment_number(value: PlainValue) -> float:
    """A date as ISO text in microseconds since 1970 (UTC).

    Raises:
        SchemaError: it is no date.
    """
    return float(as_timestamps(pd.Series([str(value)]))[0].astype("int64"))


def training_values(
    schema: FeatureSchema, training: pd.DataFrame, observed: Sequence[Observed]
) -> tuple[TrainingValues, ...]:
    """Measure every column (F) that the model reads.

    Args:
        schema: the run's, with the categories that training saw.
        training: raw cells of all training rows (M): ranges and counts are theirs, none is drawn.
        observed: the resolution of each column (F), from some of them.

    Raises:
        SchemaError: a column is absent, or a cell is not what its column's kind holds.
    """
    return tuple(_measured(column, training[column.name], seen) for column, seen in zip(
        schema.features, observed, strict=True
    ))  # fmt: skip


def _measured(column: Column, cells: pd.Series, seen: Observed) -> TrainingValues:
    n_rows, n_missing = len(cells), int(cells.isna().sum())
    if column.kind in CATEGORICAL:
        return TrainingValues(column=column, choices=_counted(column, cells), n_missing=n_missing, n_rows=n_rows)
    if column.kind is Kind.DATETIME:
        moments = as_timestamps(cells)
        values = moments[~np.isnat(moments)].astype(np.int64).astype(np.float64)
    else:
        values = as_numbers(cells)
        values = values[np.isfinite(values)]
    if not len(values):
        return TrainingValues(column=column, n_missing=n_missing, n_rows=n_rows)
    middle = seen.usual[len(seen.usual) // 2] if len(seen.usual) else values[0]
    return TrainingValues(
        column=column,
        low=float(values.min()),
        high=float(values.max()),
        middle=float(middle),
        step=seen.grid.step,
        decimals=seen.grid.decimals,
        n_missing=n_missing,
        n_rows=n_rows,
    )


def _counted(column: Column, cells: pd.Series) -> tuple[tuple[str, int], ...]:
    codes, texts = factorise(cells)
    counts = np.bincount(codes[codes >= 0], minlength=len(texts)).tolist()
    totals = dict.fromkeys(column.categories, 0)
    for text, count in zip(texts, counts, strict=True):
        if text in totals:
            totals[text] += count
    if column.kind is Kind.BOOLEAN:
        return tuple(totals.items())
    return tuple(sorted(totals.items(), key=lambda item: (-item[1], value_order(item[0]))))
