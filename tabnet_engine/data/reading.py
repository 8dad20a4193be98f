"""One file in, one frame out: which reader, then the typing of its columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from tabnet_engine.config import TableLimits
from tabnet_engine.data.columns import build_frame
from tabnet_engine.data.excel_tables import read_excel
from tabnet_engine.data.json_tables import read_json
from tabnet_engine.data.options import ReadOptions
from tabnet_engine.data.parquet_tables import read_parquet
from tabnet_engine.data.raw import RawTable
from tabnet_engine.data.source import Source, open_source
from tabnet_engine.data.text_tables import read_text
from tabnet_engine.errors import TableError

__all__ = ["DETECT", "LIMITS", "Table", "read_table"]

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


def read_table(
    path: Path,
    options: ReadOptions = DETECT,
    *,
    name: str | None = None,
    limits: TableLimits = LIMITS,
) -> Table:
    """Read a table from a file, in this process; nothing but this file is opened.

    A file from a stranger belongs in ``read_table_isolated``: the libraries underneath are native code, and what
    they do with a file made to harm them can end the process that they run in.

    Args:
        path: the file; its suffix is not believed.
        options: what to take for granted; the rest is detected.
        name: what to call the table, the file's name by default.
        limits: bounds on the table.

    Raises:
        TableError: the file is no table, is damaged, or is beyond the limits.
        StorageError: the system will not let us read the file.
    """
    shown = name or path.name
    try:
        source = open_source(path, shown, limits)
        raw = _READERS[_format(source, options)](source, options, limits)
        frame, notes = build_frame(raw)
    except (MemoryError, pa.ArrowMemoryError) as error:
        raise TableError(f"{shown} needs more memory than reading may take; use fewer rows or columns") from error
    return Table(frame, raw.options, notes, source.sha256, shown)


def _format(source: Source, options: ReadOptions) -> str:
    """The reader for a file; text may be read as CSV or JSON lines, whatever it looks like."""
    found = _FORMAT_OF[source.kind]
    wanted = options.format or found
    if wanted != found and (wanted not in {"csv", "jsonl"} or found not in {"csv", "jsonl"}):
        raise TableError(f"{source.name} is {_NAMES[found]}, not {_NAMES[wanted]}; leave the format to be detected")
    return wanted
