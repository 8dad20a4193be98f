"""Text as pieces: one for each line, tied so that no paragraph leaves a single line behind."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from tabnet_engine.report.rendering.fonts import ASCENT, Glyph
from tabnet_engine.report.rendering.lines import Line, broken, line_width
from tabnet_engine.report.rendering.pdf_flow import Piece
from tabnet_engine.report.rendering.pdf_pen import TEXT_INK, Pen
from tabnet_engine.report.rendering.pdf_tags import Element

__all__ = ["Cell", "Setter", "Style", "row_pieces"]

_ROW_LINES = 24  # a row of more lines is torn: it may be longer than a page


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a text is set; ``leading`` is from one line to the next, in sizes."""

    size: float
    leading: float = 1.45
    is_bold: bool = False
    color: str = TEXT_INK

    @property
    def step(self) -> float:
        """From one line to the next, in points."""
        return self.size * self.leading

    @property
    def baseline(self) -> float:
        """From the top of a line to its baseline, in points."""
        return (self.step - self.size) / 2 + ASCENT * self.size


@dataclass
class Setter:
    """Breaks texts into lines, and counts the characters that had to be written as their codes."""

    coded: Counter[str] = field(default_factory=Counter)

    def lines(self, text: str, room: float, style: Style) -> list[Line]:
        """The lines of a text."""
        lines = broken(text, room, style.size, is_bold=style.is_bold)
        self.count(itertools.chain.from_iterable(lines))
        return lines

    def count(self, text: Iterable[Glyph]) -> None:
        """Count what stands as a code in a text."""
        code = ""
        for glyph in text:
            if glyph.is_coded:
                code += glyph.char
                if glyph.char == "›":
                    self.coded[code] += 1
                    code = ""

    def pieces(
        self,
        text: str,
        style: Style,
        x: float,
        room: float,
        element: Element,
        *,
        before: float = 0.0,
        under: Callable[[Pen, float, float], None] | None = None,
    ) -> list[Piece]:
        """A paragraph.

        Args:
            text: its line breaks are kept.
            style: of its letters.
            x: where it begins.
            room: how wide it may be.
            element: what its lines are part of.
            before: room above it.
            under: draws what lies under each line, given its top and its height.
        """
        lines = self.lines(text, room, style)
        pieces = [_line_piece(line, style, x, element, under) for line in lines]
        pieces[0] = replace(pieces[0], before=before)
        # No single line is left at the foot of a page, nor carried over to the next.
        tied = {0, len(pieces) - 2} - {len(pieces) - 1, -1}
        return [replace(piece, is_kept=place in tied) for place, piece in enumerate(pieces)]


def _line_piece(
    line: Line, style: Style, x: float, element: Element, under: Callable[[Pen, float, float], None] | None
) -> Piece:
    def paint(pen: Pen, y: float) -> None:
        if under:
            under(pen, y, style.step)
        pen.line(x, y + style.baseline, line, style.size, color=style.color, element=element)

    return Piece(height=style.step, paint=paint)


@dataclass(frozen=True)
class Cell:
    """Lines of a row: where they begin, or where they end if they are set flush right."""

    x: float
    lines: Sequence[Line]
    style: Style
    element: Element | None
    end: float | None = None


def row_pieces(
    cells: Sequence[Cell], *, padding: float = 2.5, rule: Callable[[Pen, float], None] | None = None
) -> list[Piece]:
    """Cells side by side as one piece, or as several where they hold very many lines.

    Args:
        cells: from left to right.
        padding: above and below.
        rule: draws the line below, given its height on the page.
    """
    n_lines = max((len(cell.lines) for cell in cells), default=0)
    pieces = []
    for start in range(0, max(n_lines, 1), _ROW_LINES):
        part = [replace(cell, lines=cell.lines[start : start + _ROW_LINES]) for cell in cells]
        is_last = start + _ROW_LINES >= n_lines
        above, below = (padding if start == 0 else 0.0), (padding if is_last else 0.0)
        pieces.append(_row_piece(part, above, below, rule if is_last else None))
    return pieces


def _row_piece(cells: Sequence[Cell], above: float, below: float, rule: Callable[[Pen, float], None] | None) -> Piece:
    height = max((len(cell.lines) * cell.style.step for cell in cells), default=0.0)

    def paint(pen: Pen, y: float) -> None:
        for cell in cells:
            style = cell.style
            for place, line in enumerate(cell.lines):
                left = cell.x if cell.end is None else cell.end - line_width(line, style.size)
                base = y + above + place * style.step + style.baseline
                pen.line(left, base, line, style.size, color=style.color, element=cell.element)
        if rule:
            rule(pen, y + above + height + below)

    return Piece(height=above + height + below, paint=paint)
