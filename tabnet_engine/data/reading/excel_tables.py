"""Excel workbooks (.xlsx, .xls): sizes checked inside the archive before a cell is parsed."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import python_calamine as calamine

from tabnet_engine.config import TableLimits
from tabnet_engine.data.reading.headers import has_header, unique_names
from tabnet_engine.data.reading.options import ReadOptions
from tabnet_engine.data.reading.python_values import as_column, as_text
from tabnet_engine.data.reading.raw import RawTable, check_size
from tabnet_engine.data.reading.source import DAMAGE, Source
from tabnet_engine.data.wording import counted, listed, quoted
from tabnet_engine.errors import TableError

__all__ = ["names_of_sheets", "read_excel"]

_CHUNK = 1 << 22
# The parser holds the whole rectangle between the first and the last cell, about this much for each.
_BYTES_PER_CELL = 100
# The "r" of a cell ("XFD1048576") or of a row ("1048576").
_PLACE = re.compile(rb"""\sr\s{0,9}=\s{0,9}["']([A-Za-z]{0,3})([0-9]{1,7})["']""")
_HEADER_ROWS = 200


def read_excel(source: Source, options: ReadOptions, limits: TableLimits) -> RawTable:
    """Read one sheet.

    Args:
        source: the file.
        options: its sheet, header and missing tokens matter here.
        limits: bounds on the table and on what the archive unpacks to.

    Raises:
        TableError: damaged, protected, too large, no such sheet, or a sheet without rows.
    """
    with _workbook(source, limits) as workbook:
        sheet, rows = _sheet(workbook, options.sheet, source.name)
        others = [name for name in workbook.sheet_names if name != sheet]
    check_size(len(rows), len(rows[0]), source.name, limits)
    notes = list(source.notes)
    if others:
        notes.append(f"Sheet {quoted(sheet)} was read; the workbook also has {listed(others)}.")
    resolved = options.replace(format="excel", sheet=sheet, encoding=None, delimiter=None, quote=None, decimal=".")
    return _raw_table(rows, source.name, resolved, notes)


def names_of_sheets(source: Source, limits: TableLimits) -> tuple[str, ...]:
    """The worksheets of a workbook, in its order.

    Raises:
        TableError: damaged, protected or too large.
    """
    with _workbook(source, limits) as workbook:
        return tuple(workbook.sheet_names)


def _workbook(source: Source, limits: TableLimits) -> calamine.CalamineWorkbook:
    if source.kind == "xlsx":
        _check_archive(source, limits)
    with _parser_errors(source.name):
        return calamine.CalamineWorkbook.from_filelike(io.BytesIO(source.data))


@contextmanager
def _parser_errors(name: str) -> Iterator[None]:
    """Whatever the parser makes of a hostile file is one sentence; its panics are no ``Exception``."""
    try:
        yield
    except calamine.PasswordError as error:
        raise TableError(f"{name} is protected by a password; save it without one and try again") from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise _damaged(name, error) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(name, error) from error


def _damaged(name: str, error: BaseException) -> TableError:
    detail = " ".join(str(error).split())[:200]
    return TableError(f"{name} is a damaged or incomplete workbook ({detail}); open it in Excel and save it again")


def _check_archive(source: Source, limits: TableLimits) -> None:
    """Unpack every part once without keeping it: sizes in an archive's directory can lie."""
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            promised = sum(info.file_size for info in archive.infolist())
            _check_unpacked(promised, source.name, limits)
            for info in archive.infolist():
                extent = _Extent()
                with archive.open(info) as part:
                    while chunk := part.read(_CHUNK):
                        total += len(chunk)
                        _check_unpacked(total, source.name, limits)
                        if info.filename.startswith("xl/worksheets/"):
                            extent.see(chunk)
                _check_extent(extent, source.name, limits)
    except DAMAGE as error:
        raise _damaged(source.name, error) from error


def _check_unpacked(n_bytes: int, name: str, limits: TableLimits) -> None:
    if n_bytes > limits.max_file_bytes:
        raise TableError(f"{name} unpacks to more than {limits.max_file_bytes:,} bytes, the most that is read")


def _check_extent(extent: _Extent, name: str, limits: TableLimits) -> None:
    if extent.n_cells * _BYTES_PER_CELL > limits.max_parse_bytes:
        raise TableError(
            f"a sheet of {name} reaches to row {extent.rows:,} and column {extent.columns:,}, too far to be read; "
            "delete the cells outside the table"
        )


class _Extent:
    """The largest row and column that the cells of one sheet name, found chunk by chunk."""

    def __init__(self) -> None:
        self.rows = 0
        self.columns = 0
        self._tail = b""

    @property
    def n_cells(self) -> int:
        return self.rows * self.columns

    def see(self, chunk: bytes) -> None:
        """Take in the next part of the sheet; a cell may lie across two parts."""
        text = self._tail + chunk
        places = _PLACE.findall(text)
        if places:
            self.columns = max(self.columns, *map(_column_number, {letters for letters, _ in places}))
            self.rows = max(self.rows, *(int(row) for row in {row for _, row in places}))
        self._tail = text[-100:]


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _sheet(workbook: calamine.CalamineWorkbook, wanted: str | None, name: str) -> tuple[str, list[list[Any]]]:
    """The chosen sheet, or the first visible one with cells."""
    names = workbook.sheet_names
    if wanted is not None and wanted not in names:
        raise TableError(f"{name} has no sheet {quoted(wanted)}; its sheets are {listed(names)}")
    hidden = {sheet.name for sheet in workbook.sheets_metadata if sheet.visible != calamine.SheetVisibleEnum.Visible}
    visible_first = sorted(names, key=lambda sheet: sheet in hidden)
    for candidate in [wanted] if wanted is not None else visible_first:
        with _parser_errors(name):
            rows = workbook.get_sheet_by_name(candidate).to_python(skip_empty_area=True)
        if any(cell != "" for row in rows for cell in row):
            return candidate, rows
    where = f"sheet {quoted(wanted)} of {name}" if wanted is not None else name
    raise TableError(f"{where} holds no cells; choose a sheet or file that holds a table")


def _raw_table(rows: list[list[Any]], name: str, options: ReadOptions, notes: list[str]) -> RawTable:
    first = _first_row(rows)
    if first:
        shown = quoted(" ".join(as_text(cell) for cell in rows[0] if cell != ""))
        notes.append(f"{counted(first, 'row')} above the table skipped: {shown}.")
    width = len(rows[0])
    below = rows[first:]
    rows = [row for row in below if any(cell != "" for cell in row)]
    if len(rows) < len(below):
        notes.append(f"{counted(len(below) - len(rows), 'empty row')} left out.")
    texts = [[as_text(cell).strip() for cell in row] for row in rows[: _HEADER_ROWS + 1]]
    header: list[str] | None = None
    if options.header == "first" or (
        options.header == "auto" and has_header(texts[0], texts[1:], options.missing_tokens)
    ):
        header, rows = texts[0], rows[1:]
    elif options.header == "auto":
        notes.append("The first row looks like a row, not like names, so the columns are called by position.")
    if not rows:
        raise TableError(f"{name} has a header and no rows; add rows, or say that it has no header")
    names, naming = unique_names(header or [str(i) for i in range(width)])
    tokens: Counter[str] = Counter()
    columns = [_column([row[i] for row in rows], options.missing_tokens, tokens) for i in range(width)]
    resolved = options.replace(header="none" if header is None else "first")
    return RawTable(names, columns, resolved, [*notes, *naming], tokens=tokens)


def _column(cells: list[Any], missing: tuple[str, ...], tokens: Counter[str]) -> pa.ChunkedArray:
    n_empty = cells.count("")
    if n_empty:
        tokens[""] += n_empty
    return as_column([_value(cell) for cell in cells], missing, tokens)


def _first_row(rows: list[list[Any]]) -> int:
    """Titles above a table fill a cell or two; the table begins where half the width is filled."""
    width = len(rows[0])
    for index, row in enumerate(rows[:50]):
        if 2 * sum(cell != "" for cell in row) >= width:
            return index
    return 0


def _value(cell: Any) -> Any:
    """Excel stores whole numbers as floats and leaves empty cells as empty texts."""
    if cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return int(cell)
    return cell
