"""Reading tables: the only door through which a user's file comes in.

Everything that is detected can be set by hand in :class:`ReadOptions`; everything that was detected, changed or
left out is a sentence in :attr:`Table.notes`.
"""

from __future__ import annotations

from pathlib import Path

from tabnet_engine.config import TableLimits
from tabnet_engine.data.reading.dispatch import DETECT, LIMITS, Table, read_source
from tabnet_engine.data.reading.excel_tables import names_of_sheets
from tabnet_engine.data.reading.isolation import read_table_isolated, sheet_names_isolated
from tabnet_engine.data.reading.options import DEFAULT_MISSING_TOKENS, ReadOptions
from tabnet_engine.data.reading.source import open_source

__all__ = [
    "DEFAULT_MISSING_TOKENS",
    "ReadOptions",
    "Table",
    "read_table",
    "read_table_isolated",
    "sheet_names",
]


def read_table(
    path: Path,
    options: ReadOptions = DETECT,
    *,
    name: str | None = None,
    limits: TableLimits = LIMITS,
) -> Table:
    """Read a table from a file; nothing but this file is opened.

    It is read in this process, except for old workbooks (.xls): a damaged one can keep their parser busy for ever.
    A file from a stranger belongs in :func:`read_table_isolated` whatever it is, because all parsers underneath
    are native code, and what they do with a file made to harm them can end the process that they run in.

    Args:
        path: the file; its suffix is not believed.
        options: what to take for granted; the rest is detected.
        name: what to call the table, the file's name by default.
        limits: bounds on the table.

    Raises:
        TableError: the file is no table, is damaged, or is beyond the limits.
        StorageError: the system will not let us read the file.
    """
    source = open_source(path, name or path.name, limits)
    if source.kind == "xls":
        return read_table_isolated(path, options, name=name, limits=limits)
    return read_source(source, options, limits)


def sheet_names(path: Path, *, limits: TableLimits = LIMITS) -> tuple[str, ...]:
    """The sheets of an Excel workbook; empty for any other kind of file.

    Raises:
        TableError: the file is no table, is damaged, or is beyond the limits.
        StorageError: the system will not let us read the file.
    """
    source = open_source(path, path.name, limits)
    if source.kind == "xls":
        return sheet_names_isolated(path, limits)
    return names_of_sheets(source, limits) if source.kind == "xlsx" else ()
