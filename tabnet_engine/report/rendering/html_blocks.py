"""The blocks of a document as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

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
from tabnet_engine.report.rendering.html_markup import Markup, joined, tag
from tabnet_engine.report.rendering.words import TONES, signature_words
from tabnet_engine.texts.speaking import say

__all__ = ["DrawsCharts", "blocks_html", "callout_html", "facts_html", "table_html"]

# Words and numbers of a table longer than this may be broken into lines anywhere.
_LONGEST_WORD = 24
_SHORT_WORD = 12  # stays whole, such as a date, which else breaks at its hyphens
_LONGEST_LINE = 32  # of a cell that needs no room to be set in lines
_MANY_COLUMNS = 8  # more than fit a printed page by their words alone


class DrawsCharts(Protocol):
    """What draws a chart into the page."""

    def __call__(self, block: ChartBlock) -> Markup:
        """The chart as HTML."""


def blocks_html(blocks: Sequence[Block], draw: DrawsCharts, *, most_rows: int | None = None) -> Markup:
    """Blocks one after the other.

    Args:
        blocks: of a section.
        draw: draws its charts.
        most_rows: rows of a table that are shown; all when None.
    """
    return joined(_block_html(block, draw, most_rows) for block in blocks)


def _block_html(block: Block, draw: DrawsCharts, most_rows: int | None) -> Markup:
    match block:
        case Paragraph():
            names = (("note", block.is_note), ("strong", block.is_strong))
            shown = tag("p", block.text, class_=" ".join(name for name, is_so in names if is_so) or None)
        case Bullets():
            shown = tag("ol" if block.is_numbered else "ul", *(tag("li", item) for item in block.items))
        case Facts():
            shown = facts_html(block.lines)
        case Table():
            shown = table_html(block, most_rows=most_rows)
        case Callout():
            shown = callout_html(block.tone, block.text)
        case ChartBlock():
            shown = draw(block)
        case SignatureLines():
            shown = tag("div", *map(_signature, block.roles), class_="signatures")
    return shown


def facts_html(lines: Sequence[tuple[str, str]], names: str = "facts") -> Markup:
    """Names and values, one line each."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in lines), class_=names)


def callout_html(tone: str, *content: str) -> Markup:
    """A box whose tone is said in a word too, not by its colour alone."""
    word = tag("strong", say(TONES[tone]), class_="tone")
    return tag("div", word, tag("div", *content), class_=f"callout {tone}", role="note")


def table_html(table: Table, *, most_rows: int | None = None) -> Markup:
    """A table with its caption, which can be scrolled by the keyboard where it is wider than the screen."""
    shown = table.rows if most_rows is None else table.rows[:most_rows]
    numeric = frozenset(table.numeric)
    head = [
        tag("th", name, scope="col", class_=_cell_class(name, is_number=place in numeric))
        for place, name in enumerate(table.columns)
    ]
    body = [_row(row, numeric) for row in shown]
    if not shown:
        body = [tag("tr", tag("td", say("No rows"), colspan=len(table.columns) or None))]
    content = [tag("caption", table.caption)] if table.caption else []
    content += [tag("thead", tag("tr", *head)), tag("tbody", *body)]
    notes = [table.note] if table.note else []
    if len(shown) < len(table.rows):
        notes.append(
            say(
                "The first {n_shown:,} of {n_rows:,} rows, so that this file stays small; the PDF and the stored "
                "document hold all of them.",
                n_shown=len(shown),
                n_rows=len(table.rows),
            )
        )
    label = table.caption or say("Table")
    names = "many" if len(table.columns) > _MANY_COLUMNS else None
    scrolled = tag(
        "div", tag("table", *content, class_=names), class_="scroll", role="region", aria_label=label, tabindex=0
    )
    return joined([scrolled, *(tag("p", note, class_="note") for note in notes)])


def _row(row: Sequence[str], numeric: frozenset[int]) -> Markup:
    cells = []
    for place, text in enumerate(row):
        is_number = place in numeric
        # The first column says what a row is about, unless it is a mere number.
        is_heading = place == 0 and not is_number
        named = {"scope": "row"} if is_heading else {}
        cells.append(tag("th" if is_heading else "td", text, class_=_cell_class(text, is_number=is_number), **named))
    return tag("tr", *cells)


def _cell_class(text: str, *, is_number: bool) -> str | None:
    longest = max(map(len, text.split()), default=0) if not is_number else len(text)
    names = (
        ("number", is_number),
        ("word", longest == len(text) <= _SHORT_WORD and text.isascii()),
        ("long", longest > _LONGEST_WORD),
        ("wide", len(text) > _LONGEST_LINE),
    )
    return " ".join(name for name, is_so in names if is_so) or None


def _signature(role: str) -> Markup:
    lines = [tag("div", tag("span", name), class_="line") for name in signature_words()]
    return tag("div", tag("p", role, class_="role"), *lines, class_="signature")
