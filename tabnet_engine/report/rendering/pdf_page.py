"""What stands on every page around its text: title and case above, state, number and hash below, a mark if blocked."""

from __future__ import annotations

from dataclasses import dataclass

from tabnet_engine.report.document import Document
from tabnet_engine.report.identity import content_hash
from tabnet_engine.report.rendering.chart_parts import fitted
from tabnet_engine.report.rendering.fonts import width
from tabnet_engine.report.rendering.pdf_pen import HEIGHT, MUTED, RED, WIDTH, Pen
from tabnet_engine.report.rendering.words import status_words
from tabnet_engine.texts.speaking import say

__all__ = ["BOTTOM", "SIDE", "TOP", "Surround"]

TOP, BOTTOM, SIDE = 62.0, 58.0, 56.0  # margins
_SMALL = 7.5
_MARK = 92.0
_HASH_DIGITS = 16


@dataclass(frozen=True)
class Surround:
    """The same around every page of a document."""

    title: str
    case: str
    status: str
    content: str
    is_blocked: bool
    is_letter: bool

    @classmethod
    def of(cls, document: Document) -> Surround:
        """What a document has around its pages."""
        return cls(
            document.title,
            document.identity.case_id,
            status_words(document),
            content_hash(document),
            document.is_blocked,
            document.is_letter,
        )

    def draw(self, pen: Pen, page: int, n_pages: int) -> None:
        """Draw it, before the text of the page.

        Args:
            pen: what draws.
            page: its number, from 1.
            n_pages: of all.
        """
        if self.is_blocked:
            self._mark(pen)
        if page > 1 and not self.is_letter:
            self._header(pen)
        self._footer(pen, page, n_pages)

    def _mark(self, pen: Pen) -> None:
        canvas, word = pen.canvas, say("BLOCKED")
        size = min(_MARK, 500.0 / max(width(word, 1.0, is_bold=True), 1.0))
        with pen.marked(None):
            canvas.saveState()
            canvas.translate(WIDTH / 2, HEIGHT / 2)
            canvas.rotate(45)
        half = width(word, size, is_bold=True) / 2
        pen.text(-half, HEIGHT + size / 3, word, size, is_bold=True, color=RED, opacity=0.1)
        with pen.marked(None):
            canvas.restoreState()
        pen.box(0, 0, WIDTH, 18.0, RED)
        pen.text(SIDE, 12.5, self.status, 9.0, is_bold=True, color="#ffffff")

    def _header(self, pen: Pen) -> None:
        room = WIDTH - 2 * SIDE - width(self.case, _SMALL) - 20
        pen.text(SIDE, 40.0, fitted(self.title, room, _SMALL), _SMALL, color=MUTED)
        pen.text(WIDTH - SIDE, 40.0, self.case, _SMALL, color=MUTED, side=1)
        pen.rule(SIDE, 46.0, WIDTH - 2 * SIDE)

    def _footer(self, pen: Pen, page: int, n_pages: int) -> None:
        room = WIDTH - 2 * SIDE
        pen.rule(SIDE, HEIGHT - 44.0, room)
        number = say("Page {page} of {pages}", page=page, pages=n_pages)
        status = fitted(self.status, room - width(number, _SMALL) - 20, _SMALL, is_bold=True)
        pen.text(SIDE, HEIGHT - 33.0, status, _SMALL, is_bold=True, color=RED if self.is_blocked else MUTED)
        pen.text(WIDTH - SIDE, HEIGHT - 33.0, number, _SMALL, color=MUTED, side=1)
        told = say("{case} · content SHA-256 {hash}…", case=self.case, hash=self.content[:_HASH_DIGITS])
        pen.text(SIDE, HEIGHT - 23.0, fitted(told, room, 6.5), 6.5, color=MUTED)
