"""The blocks of a document as pieces of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tabnet_engine.report.document import (
    Block,
    Bullets,
    Callout,
    ChartBlock,
    Facts,
    Paragraph,
    SignatureLines,
    Table,
)
from tabnet_engine.report.rendering.drawings import as_drawing, sketch_of
from tabnet_engine.report.rendering.fonts import glyphs
from tabnet_engine.report.rendering.pdf_flow import Piece, together
from tabnet_engine.report.rendering.pdf_pen import ACCENT, MUTED, RED, Pen, written
from tabnet_engine.report.rendering.pdf_tables import facts_pieces, table_pieces
from tabnet_engine.report.rendering.pdf_tags import Element
from tabnet_engine.report.rendering.pdf_text import Cell, Setter, Style, row_pieces
from tabnet_engine.report.rendering.shapes import Label, Sketch
from tabnet_engine.report.rendering.words import TONES, signature_words
from tabnet_engine.texts.speaking import say

__all__ = ["Blocks", "callout_pieces"]

_TONES = {"block": (RED, 0.09), "warning": ("#b26a00", 0.10), "note": (ACCENT, 0.07)}
_CHART_SIZE = 8.0
_INDENT = 16.0
_PAD = 5.0
_SHORT = 2  # lines


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """Sets blocks between two edges.

    Attributes:
        setter: breaks lines and counts codes.
        x: the left edge.
        room: the width.
        height: of a page: a taller chart is made smaller.
        size: of running text.
    """

    setter: Setter
    x: float
    room: float
    height: float
    size: float

    @property
    def body(self) -> Style:
        """Running text."""
        return Style(size=self.size)

    @property
    def small(self) -> Style:
        """Notes."""
        return Style(size=self.size - 1.5, color=MUTED)

    def pieces(self, blocks: Sequence[Block], parent: Element) -> list[Piece]:
        """All blocks, one after the other. A short note stays with what it is about."""
        pieces: list[Piece] = []
        for block in blocks:
            added = self._block(block, parent)
            if isinstance(block, Paragraph) and len(added) <= _SHORT:
                if pieces and block.is_note:
                    pieces[-1] = replace(pieces[-1], is_kept=True)
                if not pieces and len(blocks) > 1:
                    added[-1] = replace(added[-1], is_kept=True)  # not left alone under its heading
            pieces += added
        return pieces

    def _block(self, block: Block, parent: Element) -> list[Piece]:
        if isinstance(block, Paragraph):
            return self._paragraph(block, parent)
        if isinstance(block, Bullets):
            return self._bullets(block, parent)
        if isinstance(block, Facts | Table):
            return self._rows(block, parent)
        if isinstance(block, Callout):
            return callout_pieces(block.tone, (block.text,), self, parent)
        if isinstance(block, ChartBlock):
            return self._chart(block, parent)
        return self._signatures(block, parent)

    def _rows(self, block: Facts | Table, parent: Element) -> list[Piece]:
        if isinstance(block, Facts):
            return facts_pieces(block, self.setter, self.x, self.room, parent)
        return table_pieces(block, self.setter, self.x, self.room, parent)

    def _paragraph(self, block: Paragraph, parent: Element) -> list[Piece]:
        style = self.small if block.is_note else self.body
        if block.is_strong:
            style = replace(style, is_bold=True)
        return self.setter.pieces(block.text, style, self.x, self.room, parent.child("P"), before=6.0)

    def _bullets(self, block: Bullets, parent: Element) -> list[Piece]:
        element = parent.child("L")
        pieces: list[Piece] = []
        for number, item in enumerate(block.items, start=1):
            entry = element.child("LI")
            sign = f"{number}." if block.is_numbered else "•"
            label = self.setter.lines(sign, _INDENT, self.body)
            text = self.setter.lines(item, self.room - _INDENT, self.body)
            cells = [
                Cell(self.x + 2, label, self.body, entry.child("Lbl")),
                Cell(self.x + _INDENT, text, self.body, entry.child("LBody")),
            ]
            pieces += row_pieces(cells, padding=1.0)
        return [replace(pieces[0], before=4.0), *pieces[1:]] if pieces else []

    def _chart(self, block: ChartBlock, parent: Element) -> list[Piece]:
        sketch = sketch_of(block.chart, self.room, _CHART_SIZE)
        for shape in sketch.shapes:
            if isinstance(shape, Label):
                self.setter.count(glyphs(shape.text))
        scale = min(1.0, 0.85 * self.height / sketch.height)
        element = parent.child("Figure", alt=written(block.alt or block.chart.title))

        def paint(pen: Pen, y: float) -> None:
            pen.drawing(as_drawing(sketch), self.x, y, scale=scale, element=element)

        notes: list[Piece] = []
        for text in (*_in_full(sketch), *([block.note] if block.note else [])):
            notes += self.setter.pieces(text, self.small, self.x, self.room, parent.child("P"), before=2.0)
        chart = Piece(height=sketch.height * scale, paint=paint, before=10.0, is_kept=bool(notes))
        return [chart, *notes]

    def _signatures(self, block: SignatureLines, parent: Element) -> list[Piece]:
        pieces: list[Piece] = []
        style = self.small
        shares = (0.0, 0.36, 0.78)
        for role in block.roles:
            element = parent.child("P")
            pieces += together(
                [
                    *self.setter.pieces(role, self.body, self.x, self.room, element, before=12.0),
                    Piece(height=26.0, paint=self._signing),
                    *row_pieces(
                        [
                            Cell(
                                self.x + share * self.room,
                                self.setter.lines(word, 0.2 * self.room, style),
                                style,
                                element,
                            )
                            for word, share in zip(signature_words(), shares, strict=True)
                        ],
                        padding=1.0,
                    ),
                ]
            )
        return pieces

    def _signing(self, pen: Pen, y: float) -> None:
        for start, end in ((0.0, 0.33), (0.36, 0.75), (0.78, 1.0)):
            pen.rule(self.x + start * self.room, y + 25.0, (end - start) * self.room, color=MUTED)


def callout_pieces(tone: str, texts: Sequence[str], blocks: Blocks, parent: Element) -> list[Piece]:
    """Sentences in a box with a word that says how grave they are; the box goes on over the page."""
    color, opacity = _TONES[tone]
    x, room = blocks.x, blocks.room

    def under(pen: Pen, y: float, height: float) -> None:
        pen.box(x, y, room, height, color, opacity=opacity)
        pen.box(x, y, 3.0, height, color)

    pad = Piece(height=_PAD, paint=lambda pen, y: under(pen, y, _PAD), is_kept=True)
    inner = (x + 12.0, room - 22.0)
    element = parent.child("Sect")
    pieces = [replace(pad, before=8.0)]
    style = replace(blocks.body, is_bold=True, color=color)
    title = blocks.setter.pieces(say(TONES[tone]), style, *inner, element.child("P"), under=under)
    pieces += [replace(piece, is_kept=True) for piece in title]
    for text in texts:
        pieces += blocks.setter.pieces(text, blocks.body, *inner, element.child("P"), under=under)
    pieces[-1] = replace(pieces[-1], is_kept=True)
    return [*pieces, replace(pad, is_kept=False)]


def _in_full(sketch: Sketch) -> tuple[str, ...]:
    """The whole of the names that stand shortened in a chart."""
    pairs = [say("{short} is {name}", short=short, name=" ".join(full.split())) for short, full in sketch.shortened]
    return (say("Shortened in the chart: {names}", names="; ".join(pairs)),) if pairs else ()
