"""Reason codes as CSV that a spreadsheet opens as data, and the way back: what was written is read as it was.

A cell that a spreadsheet could take for a formula gets a leading ``'`` (see ``data.export``); so does a cell that
already looks like such a cell, so that taking one away always gives the text back.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from tabnet_engine.data.export import safe_cell
from tabnet_engine.errors import ReportError

__all__ = ["csv_of_records", "records_of_csv"]

MAX_BYTES = 5_000_000
_DELIMITERS = ",;\t"


def csv_of_records(fields: Sequence[str], records: Sequence[Mapping[str, str]]) -> bytes:
    """The records as UTF-8 CSV with a byte-order mark; every cell is data to a spreadsheet."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(fields)
    writer.writerows([_guarded(record[name]) for name in fields] for record in records)
    return file.getvalue().encode("utf-8-sig", errors="replace")


def records_of_csv(
    content: bytes | str, fields: Sequence[str], needed: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of a CSV file, each with the number of the line it starts on; fields that are not there are empty.

    Raises:
        ReportError: not UTF-8, too long, a header without a needed field, with one twice or with an unknown one, or
            a line with another number of cells.
    """
    text = _text(content)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        header = [name.strip() for name in next(lines, [])]
        _check_header(header, fields, needed)
        start = lines.line_num + 1
        for cells in lines:
            if any(cells):
                yield start, _record(cells, header, fields, start)
            start = lines.line_num + 1
    except csv.Error as error:
        raise ReportError(
            f"the reason codes cannot be read near line {lines.line_num}: {error}; check the quotation marks there"
        ) from error


def _text(content: bytes | str) -> str:
    if len(content) > MAX_BYTES:
        raise ReportError(f"the file of reason codes is longer than {MAX_BYTES // 1_000_000} MB; give a shorter one")
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReportError(
            f"the reason codes are not UTF-8 text (byte {error.start + 1}); save the table as “CSV UTF-8” and try again"
        ) from error


def _delimiter(text: str) -> str:
    """The sign between the cells of the header; spreadsheets of some countries write semicolons."""
    header = text.split("\n", 1)[0]
    return max(_DELIMITERS, key=header.count)


def _check_header(header: Sequence[str], fields: Sequence[str], needed: Sequence[str]) -> None:
    expected = ", ".join(fields)
    for name in needed:
        if name not in header:
            raise ReportError(f"the header of the reason codes has no {name!r}; the first line must be {expected}")
    for name in header:
        if name not in fields:
            raise ReportError(f"the header of the reason codes has the unknown field {name!r}; it must be {expected}")
        if header.count(name) > 1:
            raise ReportError(f"the header of the reason codes has {name!r} twice; it must be {expected}")


def _record(cells: Sequence[str], header: Sequence[str], fields: Sequence[str], line: int) -> dict[str, str]:
    if len(cells) != len(header):
        raise ReportError(
            f"line {line} of the reason codes has {len(cells)} cells and the header {len(header)}; put a text that "
            "holds the separating sign in double quotation marks"
        )
    given = {name: _bare(cell) for name, cell in zip(header, cells, strict=True)}
    return {name: given.get(name, "") for name in fields}


def _guarded(text: str) -> str:
    return "'" + text if _is_guarded(text) else text


def _bare(text: str) -> str:
    return text[1:] if text.startswith("'") and _is_guarded(text[1:]) else text


def _is_guarded(text: str) -> bool:
    """Whether the text is written with a ``'`` before it."""
    bare = text.lstrip("'")
    return safe_cell(bare) != bare
