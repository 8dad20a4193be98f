"""A document as PDF: the same document is the same bytes, with its fonts embedded, tagged, and without a clock."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tabnet_engine.report.document import Document, Facts, Section
from tabnet_engine.report.identity import content_hash
from tabnet_engine.report.rendering.fonts import face_names
from tabnet_engine.report.rendering.pdf_blocks import Blocks, callout_pieces
from tabnet_engine.report.rendering.pdf_flow import Mark, Piece, Placed, paged, together
from tabnet_engine.report.rendering.pdf_page import BOTTOM, SIDE, TOP, Surround
from tabnet_engine.report.rendering.pdf_pen import HEIGHT, MUTED, WIDTH, Pen, written
from tabnet_engine.report.rendering.pdf_tags import Structure
from tabnet_engine.report.rendering.pdf_text import Setter, Style
from tabnet_engine.report.rendering.words import front_lines, review_table
from tabnet_engine.texts.speaking import say, say_plural, speaking

__all__ = ["pdf_bytes"]

_LANGUAGES = {"en": "en-GB", "zh": "zh-Hans"}
_ROOM = HEIGHT - TOP - BOTTOM
_FEW = 3  # titled sections that need no contents
_SHOWN_CODES = 20

_TITLE = Style(size=19, leading=1.3, is_bold=True)
_LETTER_TITLE = Style(size=12.5, is_bold=True)
_SUBTITLE = Style(size=11, color=MUTED)
_HEADING = Style(size=13, is_bold=True)
_ENTRY = Style(size=9.5)


def pdf_bytes(document: Document) -> bytes:
    """Render a document as PDF, in its own language.

    Fonts are embedded and every page tells the state of the report. The time in the file is that of the report.

    Args:
        document: as stored, with the steps of its review.

    Returns:
        The file. The same document gives the same bytes, whatever the clock and the environment say.
    """
    with speaking(document.language):
        setting = _Setting.of(document)
        pages = paged(setting.all_pieces(), _ROOM)
        return _rendered(document, pages, setting.structure)


@dataclass(frozen=True)
class _Setting:
    """A document on its way to pieces."""

    document: Document
    structure: Structure
    blocks: Blocks

    @classmethod
    def of(cls, document: Document) -> _Setting:
        size = 10.5 if document.is_letter else 9.5
        blocks = Blocks(setter=Setter(), x=SIDE, room=WIDTH - 2 * SIDE, height=_ROOM, size=size)
        return cls(document, Structure(), blocks)

    def all_pieces(self) -> list[Piece]:
        root, document = self.structure.root, self.document
        if document.is_letter:
            letter = [*self._letter_title(), *self._lead(), *self._sections()]
            return [*letter, *self._codes(), *self._before_sending()]
        front = [*self._front(), *self._warnings(), *self.blocks.pieces(document.summary, root), *self._contents()]
        return [*front, *self._sections(), *self._review(), *self._codes()]

    def _text(self, text: str, style: Style, kind: str, *, before: float = 0.0) -> list[Piece]:
        element = self.structure.root.child(kind)
        return self.blocks.setter.pieces(text, style, SIDE, self.blocks.room, element, before=before)

    def _front(self) -> list[Piece]:
        document = self.document
        pieces = self._text(document.title, _TITLE, "H1")
        if document.subtitle:
            pieces += self._text(document.subtitle, _SUBTITLE, "P", before=2.0)
        return [*together(pieces), *self.blocks.pieces([Facts(lines=front_lines(document))], self.structure.root)]

    def _letter_title(self) -> list[Piece]:
        return self._text(self.document.title, _LETTER_TITLE, "H1") if self.document.title.strip() else []

    def _lead(self) -> list[Piece]:
        blocked = self._box("block", self.document.blocked)
        return [*blocked, *self.blocks.pieces(self.document.summary, self.structure.root)]

    def _warnings(self) -> list[Piece]:
        """Why the report must not be used, then what it lacks: before anything else is read."""
        lead = say("What the profile asks for and this report lacks:")
        unmet = [lead, *(f"• {sentence}" for sentence in self.document.unmet)] if self.document.unmet else []
        return [*self._box("block", self.document.blocked), *self._box("warning", unmet)]

    def _before_sending(self) -> list[Piece]:
        """What a letter lacks stands on a page of its own, which is not sent."""
        if not self.document.unmet:
            return []
        title = say("Not part of the letter: to be settled before it is sent")
        pieces = [*together(self._text(title, _HEADING, "H2")), *self._box("warning", self.document.unmet)]
        return [replace(pieces[0], begins_page=True), *pieces[1:]]

    def _box(self, tone: str, texts: Sequence[str]) -> list[Piece]:
        return callout_pieces(tone, texts, self.blocks, self.structure.root) if texts else []

    def _contents(self) -> list[Piece]:
        titled = [(_key(place), item) for place, item in enumerate(self.document.sections) if item.title]
        if len(titled) <= _FEW:
            return []
        pieces = self._titled(say("Contents"), Mark("contents", say("Contents"), 0))
        element = self.structure.root.child("TOC")
        for key, section in titled:
            pieces += self._entry(key, _section_title(section), element.child("TOCI"))
        return together(pieces)

    def _entry(self, key: str, title: str, element: Any) -> list[Piece]:
        room = self.blocks.room - 40.0
        line = self.blocks.setter.lines(title, room, _ENTRY)

        def paint(pen: Pen, y: float) -> None:
            for place, text in enumerate(line):
                pen.line(SIDE, y + place * _ENTRY.step + _ENTRY.baseline, text, _ENTRY.size, element=element)
            base = y + (len(line) - 1) * _ENTRY.step + _ENTRY.baseline
            pen.text(WIDTH - SIDE, base, str(pen.pages[key]), _ENTRY.size, side=1, color=MUTED)
            pen.link(key, SIDE, y, self.blocks.room, len(line) * _ENTRY.step)

        return [Piece(height=len(line) * _ENTRY.step, paint=paint)]

    def _sections(self) -> list[Piece]:
        pieces: list[Piece] = []
        for place, section in enumerate(self.document.sections):
            if section.title and not self.document.is_letter:
                title = _section_title(section)
                pieces += self._titled(title, Mark(_key(place), written(title), 0))
            elif section.title:
                pieces += together([*self._text(section.title, _LETTER_TITLE, "H2", before=10.0), _NOTHING])[:-1]
            pieces += self.blocks.pieces(section.blocks, self.structure.root)
        return pieces

    def _titled(self, title: str, mark: Mark) -> list[Piece]:
        pieces = self._text(title, _HEADING, "H2", before=20.0)
        kept = [replace(piece, is_kept=True) for piece in pieces]
        return [replace(kept[0], mark=mark), *kept[1:]]

    def _review(self) -> list[Piece]:
        if not self.document.review:
            return []
        table = review_table(self.document)
        title = self._titled(say("Review"), Mark("review", say("Review"), 0))
        return [*title, *self.blocks.pieces([table], self.structure.root)]

    def _codes(self) -> list[Piece]:
        """What was written as a code, and how often: nothing is left out quietly."""
        coded = self.blocks.setter.coded
        if not coded:
            return []
        shown = sorted(coded)[:_SHOWN_CODES]
        codes = " ".join(shown) if len(shown) == len(coded) else f"{' '.join(shown)} …"
        text = say_plural(
            "{count:,} character that the fonts of this file do not carry, or that cannot be seen, is written as its "
            "code: {codes}",
            "{count:,} characters that the fonts of this file do not carry, or that cannot be seen, are written as "
            "their codes: {codes}",
            sum(coded.values()),
            codes=codes,
        )
        return self._text(text, self.blocks.small, "P", before=14.0)


_NOTHING = Piece(height=0.0, paint=lambda pen, y: None)  # noqa: ARG005 (the parameters of every paint)


def _key(place: int) -> str:
    return f"section-{place + 1}"


def _section_title(section: Section) -> str:
    if not section.part:
        return section.title
    return say("Part {letter} · {title}", letter=section.part, title=section.title)


def _rendered(document: Document, pages: Sequence[Sequence[Placed]], structure: Structure) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    language = _LANGUAGES[document.language]
    canvas = Canvas(
        buffer,
        pagesize=(WIDTH, HEIGHT),
        invariant=1,
        pageCompression=1,
        lang=language,
        pdfVersion=(1, 7),
        initialFontName=face_names()[0],  # not a font of the reader's machine
    )
    _identify(canvas, document)
    _describe(canvas, document)
    pen = Pen(canvas, structure, _bookmarked(pages))
    surround = Surround.of(document)
    for number, placed in enumerate(pages, start=1):
        pen.begin_page()
        surround.draw(pen, number, len(pages))
        for y, piece in placed:
            if piece.mark:
                pen.bookmark(piece.mark.key, piece.mark.title, piece.mark.level, TOP + y)
            piece.paint(pen, TOP + y)
        canvas.showPage()
    structure.write(canvas)
    canvas.save()
    return buffer.getvalue()


def _bookmarked(pages: Sequence[Sequence[Placed]]) -> Mapping[str, int]:
    return {piece.mark.key: number for number, placed in enumerate(pages, start=1) for _, piece in placed if piece.mark}


def _identify(canvas: Any, document: Document) -> None:
    """The time and the id of the file are those of the report: ReportLab would take both from the environment."""
    file = canvas._doc  # noqa: SLF001 (there is no other way in)
    made = datetime.fromisoformat(document.identity.created).astimezone(UTC)
    stamp = file._timeStamp  # noqa: SLF001
    stamp.t, stamp.lt = made.timestamp(), made.timetuple()
    stamp.YMDhms = tuple(made.timetuple())[:6]
    stamp.dhh = stamp.dmm = 0
    file.signature = hashlib.md5(content_hash(document).encode(), usedforsecurity=False)


def _describe(canvas: Any, document: Document) -> None:
    """What a reader shows about the file."""
    identity = document.identity
    made_by = f"TabNet dashboard {identity.engine_version}"
    canvas.setTitle(written(document.title))
    canvas.setAuthor(made_by)
    canvas.setCreator(made_by)
    canvas.setSubject(written(f"{identity.case_id} {document.subtitle}"))
    canvas.setKeywords(written(f"{identity.case_id} {identity.run_id} {identity.profile} {identity.profile_version}"))
    canvas.setViewerPreference("DisplayDocTitle", "true")
    if not document.is_letter:
        canvas.showOutline()
