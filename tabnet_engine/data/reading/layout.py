"""Where a text table begins: lines to skip, the header, the names, the first row."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tabnet_engine.data.reading.headers import has_header
from tabnet_engine.data.reading.patterns import is_number
from tabnet_engine.data.reading.sniffing import Record, width_of
from tabnet_engine.data.wording import counted, quoted
from tabnet_engine.errors import TableError

__all__ = ["Layout", "byte_offset", "find_layout"]

_MAX_SKIPPED = 100
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class Layout:
    """The shape of a text table. ``first_line`` (from 1) is where its rows begin."""

    width: int
    header: tuple[str, ...] | None
    first_line: int
    notes: tuple[str, ...] = ()


def find_layout(records: Sequence[Record], header: str, missing: Collection[str], name: str) -> Layout:
    """Skip what stands above the table and tell a header from a row.

    Args:
        records: the first records of the file.
        header: ``"first"``, ``"none"`` or ``"auto"``.
        missing: cells that mean "no value".
        name: what to call the file in an error.

    Raises:
        TableError: no records, a header without rows, or a header of another length than the rows.
    """
    if not records:
        raise TableError(f"{name} holds no rows, only empty lines; choose a file that holds a table")
    width = width_of(records)
    first = next(i for i, record in enumerate(records) if len(record.cells) == width)
    notes: list[str] = []
    names: tuple[str, ...] | None = None
    if first:
        names, note = _lines_above(records[: first + 50], first, width, header, name)
        notes.append(note)
    if names is None:
        rows = [record.cells for record in records[first + 1 :] if len(record.cells) == width]
        if header == "first" or (header == "auto" and has_header(records[first].cells, rows, missing)):
            names = records[first].cells
            first += 1
        elif header == "auto":
            notes.append("The first line looks like a row, not like names, so the columns are called by position.")
    if first >= len(records):
        raise TableError(f"{name} has a header and no rows; add rows, or say that it has no header")
    return Layout(width, names, records[first].line, tuple(notes))


def _lines_above(
    records: Sequence[Record], first: int, width: int, header: str, name: str
) -> tuple[tuple[str, ...] | None, str]:
    """Names that are one short, or a note on lines that are no part of the table."""
    above, below = records[:first], [r.cells for r in records[first:] if len(r.cells) == width]
    last = above[-1]
    if header != "none" and len(last.cells) == width - 1 and width > 2 and not any(map(is_number, last.cells)):
        if all(not row[-1] for row in below):
            return (*last.cells, ""), "Every row ends with one delimiter more than the header has."
        if len({row[0] for row in below}) == len(below) > 1:
            return ("row", *last.cells), 'The header has one name less than the rows have cells; the first is "row".'
    strange = next((record for record in above if len(record.cells) > max(1, width // 2)), None)
    if strange is None and first > _MAX_SKIPPED:
        strange = last
    if strange is not None:
        n_cells = counted(len(strange.cells), "cell")
        raise TableError(
            f"line {strange.line} of {name} has {n_cells} where the rows below it have {width}; "
            "mend that line, or choose another delimiter"
        )
    shown = quoted(" ".join(above[0].cells))
    n_more = first - 1
    if n_more:
        return None, f"{counted(first, 'line')} above the table skipped: {shown} and {n_more} more."
    return None, f"{counted(first, 'line')} above the table skipped: {shown}."


def byte_offset(data: bytes, line: int) -> int:
    """Position of the first byte of ``line`` (from 1)."""
    offset = 0
    ends = _LINE_END.finditer(data)
    for _ in range(line - 1):
        offset = next(ends).end()
    return offset
