"""Tables as pieces: one for each row, the names of the columns above them on every page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tabnet_engine.report.document import Facts, Table
from tabnet_engine.report.rendering.fonts import width
from tabnet_engine.report.rendering.pdf_flow import Piece
from tabnet_engine.report.rendering.pdf_pen import ACCENT, FAINT, MUTED, Pen
from tabnet_engine.report.rendering.pdf_tags import Element
from tabnet_engine.report.rendering.pdf_text import Cell, Setter, Style, row_pieces

__all__ = ["column_widths", "facts_pieces", "table_pieces"]

CAPTION = Style(size=8.5, is_bold=True)
HEAD = Style(size=8, is_bold=True, leading=1.35)
BODY = Style(size=8, leading=1.35)
NOTE = Style(size=7.5, leading=1.35, color=MUTED)
NAME = Style(size=9, color=MUTED)
VALUE = Style(size=9)

_GAP = 8.0  # between columns
_LEAST = 30.0  # points: a column narrower than this is not read; a wider table is set in several
_WHOLE = 6  # a table of so few rows is not torn
_MEASURED = 400  # rows by which the widths of columns are found
_WIDEST_WORD = 110.0  # points that a word may claim for its column


def facts_pieces(facts: Facts, setter: Setter, x: float, room: float, parent: Element) -> list[Piece]:
    """Names and values in two columns."""
    table = parent.child("Table")
    names = [width(" ".join(name.split()), NAME.size) for name, _ in facts.lines]
    wide = min(max(names, default=0.0) + 1.0, 0.36 * room)
    pieces: list[Piece] = []
    for name, value in facts.lines:
        row = table.child("TR")
        left = Cell(x, setter.lines(name, wide, NAME), NAME, row.child("TH", scope="Row"))
        right_x, right = x + wide + 2 * _GAP, room - wide - 2 * _GAP
        cells = [left, Cell(right_x, setter.lines(value, right, VALUE), VALUE, row.child("TD"))]
        pieces += row_pieces(cells, padding=1.0)
    return _spaced(pieces, 4.0)


def table_pieces(table: Table, setter: Setter, x: float, room: float, parent: Element) -> list[Piece]:
    """A table; one of more columns than a page is wide as several, each with the first column again."""
    if not table.columns:
        return []
    pieces: list[Piece] = []
    for part in _parts(table, int((room + _GAP) / (_LEAST + _GAP))):
        pieces += _one(part, setter, x, room, parent)
    if table.note:
        note = setter.pieces(table.note, NOTE, x, room, parent.child("P"), before=2.0)
        pieces = [*pieces[:-1], replace(pieces[-1], is_kept=True), *note]
    return pieces


def _parts(table: Table, most: int) -> Iterator[Table]:
    n_columns = len(table.columns)
    if n_columns <= most:
        yield table
        return
    for start in range(1, n_columns, most - 1):
        chosen = [0, *range(start, min(start + most - 1, n_columns))]
        yield Table(
            caption=table.caption if start == 1 else "",
            columns=tuple(table.columns[place] for place in chosen),
            rows=tuple(tuple(row[place] for place in chosen) for row in table.rows),
            numeric=tuple(new for new, place in enumerate(chosen) if place in table.numeric),
        )


def _one(table: Table, setter: Setter, x: float, room: float, parent: Element) -> list[Piece]:
    root = parent.child("Table")
    pieces: list[Piece] = []
    if table.caption:
        caption = setter.pieces(table.caption, CAPTION, x, room, root.child("Caption"), before=8.0)
        pieces += [replace(piece, is_kept=True) for piece in caption]
    widths = column_widths(table, room)
    lefts = [x + sum(widths[:place]) + _GAP * place for place in range(len(widths))]
    spans = list(zip(lefts, widths, strict=True))
    head = root.child("TR")
    heading = _row(table.columns, spans, table.numeric, setter, HEAD, head, is_head=True)
    again = _row(table.columns, spans, table.numeric, Setter(), HEAD, None, is_head=True)
    pieces += [replace(piece, is_kept=True) for piece in heading]
    n_rows = len(table.rows)
    for number, row in enumerate(table.rows):
        parts = _row(row, spans, table.numeric, setter, BODY, root.child("TR"))
        # The names of the columns bring the first two rows with them; the last row is never alone.
        is_kept = number < n_rows - 1 and (number in {0, n_rows - 2} or n_rows <= _WHOLE)
        pieces += [
            replace(piece, heads=tuple(again), is_kept=is_kept and place == len(parts) - 1)
            for place, piece in enumerate(parts)
        ]
    if not n_rows:
        pieces[-1] = replace(pieces[-1], is_kept=False)
    return _spaced(pieces, 6.0)


def _row(
    texts: Sequence[str],
    spans: Sequence[tuple[float, float]],
    numeric: Sequence[int],
    setter: Setter,
    style: Style,
    row: Element | None,
    *,
    is_head: bool = False,
) -> list[Piece]:
    cells = []
    for place, (text, (left, wide)) in enumerate(zip(texts, spans, strict=True)):
        element = row.child("TH", scope="Column") if row and is_head else row.child("TD") if row else None
        end = left + wide if place in numeric else None
        cells.append(Cell(left, setter.lines(text, wide, style), style, element, end))
    first, last = spans[0][0], spans[-1][0] + spans[-1][1]

    def rule(pen: Pen, y: float) -> None:
        pen.rule(first, y, last - first, color=ACCENT if is_head else FAINT, weight=0.9 if is_head else 0.4)

    return row_pieces(cells, rule=rule)


def column_widths(table: Table, room: float) -> list[float]:
    """A width for each column: what its texts take if all fit, else its longest word and a share of the rest.

    Args:
        table: its first rows are measured.
        room: for all columns and the gaps between them.
    """
    room -= _GAP * (len(table.columns) - 1)
    rows = table.rows[:_MEASURED]
    natural, least = [], []
    for place, name in enumerate(table.columns):
        texts = [(name, HEAD), *((row[place], BODY) for row in rows)]
        natural.append(max(_widest(text.splitlines(), style) for text, style in texts) + 1.0)
        words = max(_widest(text.split(), style) for text, style in texts) + 1.0
        least.append(min(words, natural[-1], _WIDEST_WORD))
    if sum(natural) <= room:
        # What is left is shared out, so that all tables of a page end at the same edge.
        return [wide + (room - sum(natural)) * wide / sum(natural) for wide in natural]
    if sum(least) > room:
        return [wide * room / sum(least) for wide in least]
    wishes = [max(wide - low, 0.0) ** 0.7 for wide, low in zip(natural, least, strict=True)]
    return [low + (room - sum(least)) * wish / sum(wishes) for low, wish in zip(least, wishes, strict=True)]


def _widest(texts: Sequence[str], style: Style) -> float:
    return max((width(text, style.size, is_bold=style.is_bold) for text in texts), default=0.0)


def _spaced(pieces: list[Piece], before: float) -> list[Piece]:
    return [replace(pieces[0], before=before), *pieces[1:]] if pieces else pieces
