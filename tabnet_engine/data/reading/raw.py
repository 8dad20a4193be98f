"""Columns as a reader found them, before tokens, numbers and dates are looked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from tabnet_engine.config import TableLimits
from tabnet_engine.data.reading.options import ReadOptions
from tabnet_engine.errors import TableError

__all__ = ["RawTable", "check_size"]


@dataclass
class RawTable:
    """What one reader hands on.

    Attributes:
        names: unique column names.
        columns: one Arrow array a column, all of one length; emptied as they are typed, to free memory.
        options: the options with everything that was detected filled in.
        notes: what the reader did.
        text: how far text cells may become something else: ``"values"`` numbers, dates and booleans (text files,
            Excel), ``"dates"`` dates only (JSON, which writes numbers without quotes), ``"kept"`` nothing (Parquet,
            which has types of its own).
        tokens: how often each missing token was met so far.
        first_line: the line of row 0, where every row is one line of a text file.
    """

    names: list[str]
    columns: list[pa.ChunkedArray]
    options: ReadOptions
    notes: list[str]
    text: Literal["values", "dates", "kept"] = "values"
    first_line: int | None = None
    tokens: Counter[str] = field(default_factory=Counter)


def check_size(n_rows: int, n_columns: int, name: str, limits: TableLimits) -> None:
    """Refuse a table beyond the limits before it is built.

    Raises:
        TableError: more rows, columns or cells than the limits allow.
    """
    if n_columns > limits.max_columns:
        raise TableError(f"{name} has {n_columns:,} columns, at most {limits.max_columns:,} are read; leave some out")
    if n_rows > limits.max_rows:
        raise TableError(f"{name} has {n_rows:,} rows, at most {limits.max_rows:,} are read; use a sample of the rows")
    if n_rows * n_columns > limits.max_cells:
        raise TableError(
            f"{name} has {n_rows:,} rows of {n_columns:,} columns, more than {limits.max_cells:,} cells; "
            "use fewer rows or columns"
        )
