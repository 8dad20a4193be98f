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
from tabnet_engine.texts.speaking import msg, say

__all__ = ["DrawsCharts", "blocks_html", "callout_html", "facts_html", "table_html"]

# Numbers longer than this are something else, and may be broken into lines.
_LONGEST_NUMBER = 24
_TONES = {"block": msg("Blocked"), "warning": msg("Warning"), "note": msg("Note")}


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
    word = tag("strong", say(_TONES[tone]), class_="tone")
    return tag("div", word, tag("div", *content), class_=f"callout {tone}", role="note")


def table_html(table: Table, *, most_rows: int | None = None) -> Markup:
    """A table with its caption, which can be scrolled by the keyboard where it is wider than the screen."""
    shown = table.rows if most_rows is None else table.rows[:most_rows]
    numeric = frozenset(table.numeric)
    head = [
        tag("th", name, scope="col", class_=_number_class(name, place in numeric))
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
    scrolled = tag("div", tag("table", *content), class_="scroll", role="region", aria_label=label, tabindex=0)
    return joined([scrolled, *(tag("p", note, class_="note") for note in notes)])


def _row(row: Sequence[str], numeric: frozenset[int]) -> Markup:
    cells = []
    for place, text in enumerate(row):
        is_number = place in numeric
        if place == 0 and not is_number:
            cells.append(tag("th", text, scope="row"))
        else:
            cells.append(tag("td", text, class_=_number_class(text, is_number)))
    return tag("tr", *cells)


def _number_class(text: str, is_number: bool) -> str | None:  # noqa: FBT001 - two facts of one cell
    if not is_number:
        return None
    return "number" if len(text) <= _LONGEST_NUMBER else "number long"


def _signature(role: str) -> Markup:
    lines = [
        tag("div", tag("span", name), class_="line")
        for name in (say("Name in block letters"), say("Signature"), say("Date"))
    ]
    return tag("div", tag("p", role, class_="role"), *lines, class_="signature")
