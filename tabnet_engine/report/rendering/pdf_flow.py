"""Setting pieces one below the other on pages, so that what belongs together stays together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tabnet_engine.report.rendering.pdf_pen import Pen

__all__ = ["Mark", "Piece", "Placed", "paged", "together"]


@dataclass(frozen=True)
class Mark:
    """An entry of the outline."""

    key: str
    title: str
    level: int


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What is never torn: a line, a row of a table, a chart.

    Attributes:
        height: in points.
        paint: draws it, given where its top is.
        before: room above it, unless it stands on top of a page.
        is_kept: stays on one page with the piece after it.
        heads: stand above it where it begins a page, as the names of the columns above the rows of a table.
        begins_page: always stands on a new page.
        mark: what the outline says of it.
    """

    height: float
    paint: Callable[[Pen, float], None]
    before: float = 0.0
    is_kept: bool = False
    heads: tuple[Piece, ...] = ()
    begins_page: bool = False
    mark: Mark | None = None


Placed = tuple[float, Piece]


def together(pieces: Sequence[Piece]) -> list[Piece]:
    """The same pieces, kept on one page as far as they fit one."""
    return [*(replace(piece, is_kept=True) for piece in pieces[:-1]), *pieces[-1:]]


def paged(pieces: Sequence[Piece], room: float) -> list[list[Placed]]:
    """Pages of pieces, each with its distance from the top.

    A chain of pieces that are kept together moves to the next page where it does not fit; one that fits no page is
    set from where it stands and torn between its pieces.
    """
    pages: list[list[Placed]] = [[]]
    y = 0.0
    for chain in _chains(pieces):
        heights = sum(piece.before + piece.height for piece in chain)
        first = chain[0]
        is_torn = _height(first.heads) + heights - first.before > room
        if pages[-1] and (first.begins_page or (y + heights > room and not is_torn)):
            pages.append([])
            y = 0.0
        for piece in chain:
            if pages[-1] and y + piece.before + piece.height > room:
                pages.append([])
                y = 0.0
            if not pages[-1]:
                for head in piece.heads:
                    pages[-1].append((y, head))
                    y += head.height
            y += piece.before if pages[-1] else 0.0
            pages[-1].append((y, piece))
            y += piece.height
    return pages


def _height(pieces: Sequence[Piece]) -> float:
    return sum(piece.height for piece in pieces)


def _chains(pieces: Sequence[Piece]) -> list[list[Piece]]:
    chains: list[list[Piece]] = [[]]
    for piece in pieces:
        chains[-1].append(piece)
        if not piece.is_kept:
            chains.append([])
    return [chain for chain in chains if chain]
