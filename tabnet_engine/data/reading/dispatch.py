"""The bytes of one file in, one table out: which reader, then the typing of its columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from tabnet_engine.config import TableLimits
from tabnet_engine.data.reading.columns import build_frame
from tabnet_engine.data.reading.excel_tables import read_excel
from tabnet_engine.data.reading.json_tables import read_json
from tabnet_engine.data.reading.options import ReadOptions
from tabnet_engine.data.reading.parquet_tables import read_parquet
from tabnet_engine.data.reading.raw import RawTable
from tabnet_engine.data.reading.source import Source
from tabnet_engine.data.reading.text_tables import read_text
from tabnet_engine.errors import TableError

__all__ = ["DETECT", "LIMITS", "Table", "read_source"]

Reader = Callable[[Source, ReadOptions, TableLimits], RawTable]

DETECT = ReadOptions()
LIMITS = TableLimits()

_FORMAT_OF = {
    "parquet": "parquet",
    "xlsx": "excel",
    "xls": "excel",
    "json_lines": "jsonl",
    "json": "jsonl",
    "text": "csv",
}
_READERS: dict[str, Reader] = {"csv": read_text, "parquet": read_parquet, "excel": read_excel, "jsonl": read_json}
_NAMES = {"csv": "delimited text", "parquet": "Parquet", "excel": "an Excel workbook", "jsonl": "JSON lines"}


@dataclass(frozen=True)
class Table:
    """A table as read.

    Attributes:
        frame: B rows under a ``RangeIndex``, unique text names, and only ``int64``, ``float64``, ``bool``,
            ``datetime64[us]`` and ``str`` columns; missing values are NaN or NaT.
        options: what was used, with everything that was detected; reading again with them gives the same table.
        notes: one sentence for each thing that was detected, changed or left out.
        sha256: of the file as received, before it was unpacked.
        name: what the table is called.
    """

    frame: pd.DataFrame
    options: ReadOptions
    notes: tuple[str, ...]
    sha256: str
    name: str


def read_source(source: Source, options: ReadOptions, limits: TableLimits) -> Table:
    """Read a table from bytes, in this process.

    Args:
        source: the bytes, unpacked.
        options: what to take for granted; the rest is detected.
        limits: bounds on the table.

    Raises:
        TableError: the bytes are no table, are damaged, or are beyond the limits.
    """
    try:
        raw = _READERS[_format(source, options)](source, options, limits)
        frame, notes = build_frame(raw)
    except (MemoryError, pa.ArrowMemoryError) as error:
        raise TableError(f"{source.name} needs more memory than reading may take; use fewer rows or columns") from error
    if options.column_names is not None:
        naming = _rename(frame, options.column_names)
        return Table(
            frame, raw.options.replace(column_names=options.column_names), (*notes, naming), source.sha256, source.name
        )
    return Table(frame, raw.options, notes, source.sha256, source.name)


def _rename(frame: pd.DataFrame, names: tuple[str, ...]) -> str:
    """Give the columns of ``frame`` the names in order, and say so.

    A table with fewer columns takes the first names: rows to predict often come without the last column,
    the target.

    Raises:
        TableError: more columns than names.
    """
    n_columns = frame.shape[1]
    if n_columns > len(names):
        raise TableError(f"the table has {n_columns:,} columns and {len(names):,} names were given; name every column")
    frame.columns = pd.Index(names[:n_columns])
    used = "were named by hand" if n_columns == len(names) else f"took the first {n_columns:,} of {len(names):,} names"
    return f"The columns {used}."


def _format(source: Source, options: ReadOptions) -> str:
    """The reader for a file; text may be read as CSV or JSON lines, whatever it looks like."""
    found = _FORMAT_OF[source.kind]
    wanted = options.format or found
    if wanted != found and (wanted not in {"csv", "jsonl"} or found not in {"csv", "jsonl"}):
        raise TableError(f"{source.name} is {_NAMES[found]}, not {_NAMES[wanted]}; leave the format to be detected")
    return wanted
