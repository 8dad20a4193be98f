"""Drawing on the pages of a PDF: text in its fonts, rules and boxes, each marked with what it is part of."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tabnet_engine.report.rendering.drawings import TEXT_INK
from tabnet_engine.report.rendering.fonts import glyphs
from tabnet_engine.report.rendering.lines import Line, line_width
from tabnet_engine.report.rendering.pdf_tags import Element, Structure

__all__ = ["ACCENT", "FAINT", "HEIGHT", "MUTED", "RED", "TEXT_INK", "WIDTH", "Pen", "written"]

WIDTH, HEIGHT = 595.28, 841.89  # A4, in points
ACCENT, MUTED, FAINT, RED = "#1c6fc4", "#52606d", "#c3ccd5", "#b3261e"


def written(text: str) -> str:
    """A text of one line as it is set, with the codes of characters that no font carries."""
    return "".join(glyph.char for glyph in glyphs(" ".join(text.split())))


class Pen:
    """Draws on one page after the other. Places are points from the left and from the top.

    Args:
        canvas: of ReportLab.
        structure: of the tags.
        pages: on which page (from 1) each bookmark stands.
    """

    def __init__(self, canvas: Any, structure: Structure, pages: Mapping[str, int]) -> None:
        self.canvas = canvas
        self.pages = pages
        self._structure = structure

    def begin_page(self) -> None:
        """What follows stands on a new page."""
        self._structure.begin_page()

    @contextmanager
    def marked(self, element: Element | None) -> Iterator[None]:
        """What is drawn inside is content of an element, or decoration that nobody needs to hear."""
        opening = "/Artifact BMC"
        if element is not None:
            opening = f"/{element.kind} <</MCID {self._structure.mark(element)}>> BDC"
        code = self.canvas._code  # noqa: SLF001 (ReportLab has no call for marked content)
        code.append(opening)
        yield
        code.append("EMC")

    def line(
        self,
        x: float,
        baseline: float,
        line: Line,
        size: float,
        *,
        color: str = TEXT_INK,
        opacity: float = 1.0,
        element: Element | None = None,
    ) -> None:
        """One line of text in as many fonts as it takes."""
        if not line:
            return
        with self.marked(element):
            text = self.canvas.beginText(x, HEIGHT - baseline)
            text.setFillColor(_color(color, opacity))
            for font, run in itertools.groupby(line, key=lambda glyph: glyph.font):
                text.setFont(font, size)
                text.textOut("".join(glyph.char for glyph in run))
            self.canvas.drawText(text)

    def text(
        self,
        x: float,
        baseline: float,
        text: str,
        size: float,
        *,
        is_bold: bool = False,
        color: str = TEXT_INK,
        opacity: float = 1.0,
        side: int = 0,
    ) -> None:
        """A decoration of one line; ``side`` 1 ends it at x, 0 begins it there."""
        line = glyphs(" ".join(text.split()), is_bold=is_bold)
        self.line(x - side * line_width(line, size), baseline, line, size, color=color, opacity=opacity)

    def box(self, x: float, y: float, width: float, height: float, color: str, *, opacity: float = 1.0) -> None:
        """A filled rectangle, as decoration."""
        with self.marked(None):
            self.canvas.saveState()
            self.canvas.setFillColor(_color(color, opacity))
            self.canvas.rect(x, HEIGHT - y - height, width, height, stroke=0, fill=1)
            self.canvas.restoreState()

    def rule(self, x: float, y: float, width: float, *, color: str = FAINT, weight: float = 0.5) -> None:
        """A level line, as decoration."""
        self.box(x, y - weight / 2, width, weight, color)

    def drawing(self, drawing: Any, x: float, y: float, *, scale: float = 1.0, element: Element) -> None:
        """A vector drawing whose top left corner is at a place."""
        from reportlab.graphics import renderPDF

        with self.marked(element):
            self.canvas.saveState()
            self.canvas.translate(x, HEIGHT - y - drawing.height * scale)
            self.canvas.scale(scale, scale)
            renderPDF.draw(drawing, self.canvas, 0, 0)
            self.canvas.restoreState()

    def bookmark(self, key: str, title: str, level: int, y: float) -> None:
        """A place that the outline of the document and its contents lead to."""
        self.canvas.bookmarkPage(key, fit="XYZ", left=0, top=HEIGHT - y + 6, zoom=0)
        self.canvas.addOutlineEntry(title, key, level)

    def link(self, key: str, x: float, y: float, width: float, height: float) -> None:
        """An area that leads to a bookmark."""
        self.canvas.linkRect("", key, (x, HEIGHT - y - height, x + width, HEIGHT - y), relative=0, thickness=0)


@functools.cache
def _color(name: str, opacity: float) -> Any:
    from reportlab.lib.colors import Color, HexColor

    solid = HexColor(name)
    return Color(solid.red, solid.green, solid.blue, alpha=opacity)
