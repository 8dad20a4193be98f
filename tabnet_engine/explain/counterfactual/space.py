"""Rows as plain numbers for searching, and back to the raw cells that the encoder reads.

Shapes: B rows, F raw features. A number stands for itself, a date for its microseconds since 1970, a category for its
place in the column's list, NaN for a missing cell. No torch: pages import this.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.schema import CATEGORICAL, Column, FeatureSchema, Kind
from tabnet_engine.data.values import as_numbers, as_timestamps, category_text, factorise
from tabnet_engine.errors import ExplanationError, SchemaError
from tabnet_engine.texts.speaking import msg

__all__ = ["MISSING_TEXT", "PlainValue", "RowSpace", "with_values"]

MISSING_TEXT = msg("missing")
_TRUTH = {"True": True, "False": False}

Floats = npt.NDArray[np.float64]
PlainValue = float | int | str | bool | None


@dataclass(frozen=True, eq=False)
class RowSpace:
    """The columns that the model reads (F), with every category that some row holds.

    ``texts`` lists the categories of each column: those of training first, in the schema's order, then others that
    were met; empty for numbers and dates.
    """

    columns: tuple[Column, ...]
    texts: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, schema: FeatureSchema) -> Self:
        """The space of a fitted schema."""
        return cls(schema.features, tuple(column.categories for column in schema.features))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns (F)."""
        return tuple(column.name for column in self.columns)

    @property
    def is_category(self) -> npt.NDArray[np.bool_]:
        """Which columns (F) hold categories or truth values."""
        return np.array([column.kind in CATEGORICAL for column in self.columns], dtype=bool)

    def extended(self, frame: pd.DataFrame) -> Self:
        """The space with the categories of further rows; the places of those already known stay.

        Raises:
            SchemaError: the table lacks a column that the model reads, or has it twice.
        """
        found = (
            (*known, *dict.fromkeys(text for text in factorise(_series(frame, column))[1] if text not in set(known)))
            if column.kind in CATEGORICAL
            else ()
            for column, known in zip(self.columns, self.texts, strict=True)
        )
        return type(self)(self.columns, tuple(found))

    def matrix(self, frame: pd.DataFrame) -> Floats:
        """The cells (B, F) as numbers; the space must hold their categories, see :meth:`extended`.

        Raises:
            SchemaError: a column is absent, or a cell is not what its column's kind holds.
        """
        matrix = np.empty((len(frame), len(self.columns)))
        for place, column in enumerate(self.columns):
            matrix[:, place] = self._numbers(_series(frame, column), place)
        return matrix

    def _numbers(self, series: pd.Series[Any], place: int) -> Floats:
        column = self.columns[place]
        if column.kind is Kind.NUMBER:
            return as_numbers(series)
        if column.kind is Kind.DATETIME:
            moments = as_timestamps(series)
            return np.where(np.isnat(moments), np.nan, moments.astype(np.int64).astype(np.float64))
        codes, texts = factorise(series)
        known = {text: index for index, text in enumerate(self.texts[place])}
        return np.array([*(known[text] for text in texts), np.nan], dtype=np.float64)[codes]

    def frame(self, matrix: Floats, places: Iterable[int] | None = None) -> pd.DataFrame:
        """Raw cells of rows (B, F) as an encoder reads them, of all columns or of those at some places."""
        wanted = range(len(self.columns)) if places is None else places
        return pd.DataFrame({self.columns[at].name: self._cells(matrix[:, at], at) for at in wanted})

    def _cells(self, values: Floats, place: int) -> Any:
        column = self.columns[place]
        if column.kind is Kind.NUMBER:
            return values
        missing = np.isnan(values)
        whole = np.where(missing, 0, values).astype(np.int64)
        if column.kind is Kind.DATETIME:
            return np.where(missing, np.datetime64("NaT", "us"), whole.astype("datetime64[us]"))
        codes: npt.NDArray[np.int64] = np.where(missing, -1, whole)
        return pd.Categorical.from_codes(codes, categories=pd.Index(self.texts[place], dtype="str"))

    def plain(self, place: int, value: float) -> PlainValue:
        """One cell as a plain JSON value: whole numbers whole, truth values true or false, dates as ISO text."""
        column = self.columns[place]
        if math.isnan(value):
            return None
        if column.kind in CATEGORICAL:
            text = self.texts[place][int(value)]
            return _TRUTH.get(text, text) if column.kind is Kind.BOOLEAN else text
        if column.kind is Kind.DATETIME:
            return category_text(pd.Timestamp(int(value), unit="us").to_pydatetime())
        if not math.isfinite(value):
            return category_text(value)
        return int(value) if column.integer and value.is_integer() else float(value)


def with_values(row: pd.DataFrame, values: dict[str, PlainValue]) -> pd.DataFrame:
    """The raw row (one line) with some cells replaced by plain values, ready to be scored or kept.

    Raises:
        ExplanationError: not exactly one line.
    """
    if len(row) != 1:
        raise ExplanationError(f"one row is changed at a time, got {len(row):,}")
    changed = row.copy()
    for name, value in values.items():
        changed[name] = pd.Series([_as_stored(row[name].dtype, value)], index=row.index)
    return changed


def _as_stored(dtype: Any, value: PlainValue) -> Any:
    """A plain value as a cell of the user's own column holds it."""
    if pd.api.types.is_datetime64_any_dtype(dtype):
        if not isinstance(value, str):
            return pd.NaT
        zone = getattr(dtype, "tz", None)
        return pd.Timestamp(value) if zone is None else pd.Timestamp(value, tz="UTC").tz_convert(zone)
    is_number = pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)
    if is_number and value is None:
        return math.nan
    if is_number and isinstance(value, str):  # a category or truth value that the table writes as a number
        number = float(value)
        return int(number) if number.is_integer() else number
    return value


def _series(frame: pd.DataFrame, column: Column) -> pd.Series[Any]:
    found = [place for place, name in enumerate(frame.columns) if name == column.name]
    if not found:
        raise SchemaError(f"the table has no column {column.name!r}, which the model reads")
    if len(found) > 1:
        raise SchemaError(f"the table has several columns {column.name!r}, which the model reads")
    return frame.iloc[:, found[0]]
