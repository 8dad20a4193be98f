"""Columns of text: missing tokens out, then booleans, numbers, dates, or text after all, each step noted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tabnet_engine.data.reading.dates import read_dates
from tabnet_engine.data.reading.numbers import read_numbers
from tabnet_engine.data.reading.patterns import INFINITE, is_date, is_number
from tabnet_engine.data.reading.raw import RawTable
from tabnet_engine.data.wording import counted, listed, quoted

__all__ = ["ColumnContext", "as_series", "booleans", "finite", "read_text_column"]

_SAMPLE = 500
_FEW = 0.05
_BOOLEANS = pa.array(["true", "false"])


@dataclass
class ColumnContext:
    """What is told about all columns together while they are typed one by one."""

    raw: RawTable
    notes: list[str] = field(default_factory=list)

    def note(self, column: str, text: str) -> None:
        """Keep a sentence about one column."""
        self.notes.append(f"Column {quoted(column)}: {text}.")

    def place(self, row: int) -> str:
        """A row as users find it: by position, and by line where the file has one line a row."""
        line = self.raw.first_line
        return f"row {row}" if line is None else f"row {row} (line {line + row})"


def as_series(values: pa.Array) -> pd.Series:
    """A pandas column; missing values become NaN or NaT."""
    series: pd.Series = values.to_pandas()
    return series


def booleans(values: pa.Array) -> pd.Series:
    """``bool`` has no missing value: a column with one holds the texts "True" and "False"."""
    if values.null_count == 0:
        return as_series(values)
    return as_series(pc.if_else(values, "True", "False").cast(pa.large_string()))


def finite(name: str, values: pa.Array, context: ColumnContext) -> pd.Series:
    """Numbers, with infinities as missing: no network can read them."""
    if pa.types.is_floating(values.type):
        infinite = np.asarray(pc.fill_null(pc.is_inf(values), fill_value=False))
        if infinite.any():
            rows = np.flatnonzero(infinite)
            context.note(
                name,
                f"{counted(len(rows), 'value')} infinite or beyond the largest number (1.8e308), "
                f"first at {context.place(int(rows[0]))}; read as missing",
            )
            values = pc.if_else(pa.array(infinite), pa.scalar(None, pa.float64()), values)
    return as_series(values)


def read_text_column(name: str, column: pa.Array, context: ColumnContext) -> pd.Series:
    """Strip, take missing tokens out, and read what remains as what it looks like."""
    cells = pc.utf8_trim_whitespace(column)
    tokens = pa.array(context.raw.options.missing_tokens, cells.type)
    hit = pc.is_in(cells, value_set=tokens)
    if pc.any(hit).as_py():
        for count in pc.value_counts(cells.filter(hit)):
            context.raw.tokens[count["values"].as_py()] += count["counts"].as_py()
        cells = pc.if_else(hit, pa.scalar(None, cells.type), cells)
    valid = cells.drop_null() if cells.null_count else cells
    if len(valid) == 0:
        return pd.Series(np.full(len(cells), np.nan))
    typed = None if context.raw.text == "kept" else _typed(name, cells, valid, context)
    return as_series(cells) if typed is None else typed


def _typed(name: str, cells: pa.Array, valid: pa.Array, context: ColumnContext) -> pd.Series | None:
    """The column as booleans, numbers or dates; ``None`` when it is text."""
    rows = np.unique(np.linspace(0, len(valid) - 1, _SAMPLE).astype(np.int64))
    sample = valid.take(pa.array(rows)).to_pylist()
    if all(cell.lower() in {"true", "false"} for cell in sample):
        lower = pc.utf8_lower(cells)
        if pc.all(pc.is_in(pc.utf8_lower(valid), value_set=_BOOLEANS.cast(valid.type))).as_py():
            return booleans(pc.if_else(pc.is_null(lower), pa.scalar(None, pa.bool_()), pc.equal(lower, "true")))
        return None
    if context.raw.text == "values" and _share(sample, _is_numeric) >= 0.8:
        return _numbers(name, cells, valid, context)
    if _share(sample, is_date) >= 0.8:
        return _dates(name, cells, valid, sample, context)
    return None


def _is_numeric(cell: str) -> bool:
    return is_number(cell) or re.match(INFINITE, cell) is not None


def _share(sample: Sequence[str], test: Callable[[str], bool]) -> float:
    return sum(1 for cell in sample if test(cell)) / len(sample)


def _numbers(name: str, cells: pa.Array, valid: pa.Array, context: ColumnContext) -> pd.Series | None:
    found = read_numbers(valid, context.raw.options.decimal or ".")
    if found.values is None:
        if found.why is not None:
            context.note(name, f"read as text although it looks like numbers: {found.why}")
        else:
            _note_few_bad(name, cells, valid.filter(pa.array(found.bad)), "number", context)
        return None
    for text in found.notes:
        context.note(name, text)
    return finite(name, _spread(found.values, cells), context)


def _dates(
    name: str, cells: pa.Array, valid: pa.Array, sample: Sequence[str], context: ColumnContext
) -> pd.Series | None:
    found = read_dates(valid, sample)
    if found is None:
        return None
    if found.bad.any():
        _note_few_bad(name, cells, valid.filter(pa.array(found.bad)), "date", context)
        return None
    for text in found.notes:
        context.note(name, text)
    return as_series(_spread(pa.array(found.values), cells))


def _spread(values: pa.Array, cells: pa.Array) -> pa.Array:
    """Values of the cells that are there, put back among the missing ones."""
    if cells.null_count == 0:
        return values
    return pc.replace_with_mask(pa.nulls(len(cells), values.type), pc.is_valid(cells), values)


def _note_few_bad(name: str, cells: pa.Array, bad: pa.Array, what: str, context: ColumnContext) -> None:
    """A few odd cells must not turn a column of numbers into text behind the user's back."""
    n_cells = len(cells) - cells.null_count
    if len(bad) > _FEW * n_cells:
        return
    row = pc.index(cells, bad[0]).as_py()
    different = pc.unique(bad).to_pylist()
    n_bad = len(bad)
    fault = f"1 of {n_cells:,} cells is no {what}" if n_bad == 1 else f"{n_bad:,} of {n_cells:,} cells are no {what}s"
    remedy = f"; add {listed(different)} to the missing tokens to read it as {what}s" if len(different) <= 3 else ""
    first = f"first {quoted(bad[0].as_py())} at {context.place(row)}"
    context.note(name, f"{fault}, {first}; the column was read as text{remedy}")
