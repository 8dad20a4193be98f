"""Shaded cells with their texts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from tabnet_engine.figures.plain import HeatChart
from tabnet_engine.report.rendering import chart_parts as parts
from tabnet_engine.report.rendering.fonts import width
from tabnet_engine.report.rendering.lines import broken
from tabnet_engine.report.rendering.shapes import ACCENT, GREY, Box, Label, Shape, Sketch
from tabnet_engine.texts.speaking import say_plural

__all__ = ["heat_sketch"]

# The deepest shade: the text on it keeps a contrast of 4.5 : 1, on white paper and on a dark page.
_DEEPEST = 0.75
_LEAST_CELL = 1.3  # sizes: the narrowest column that is drawn
_DEEPEST_HEADER = 3  # lines
_TALLEST_HEADER = 11.0  # sizes


def heat_sketch(chart: HeatChart, room: float, size: float) -> Sketch:
    """A heat chart as shapes.

    Args:
        chart: what is drawn: the first forty rows, and as many columns as there is room for.
        room: the width.
        size: of the letters.
    """
    if not chart.rows or not chart.columns:
        return parts.bare(chart.title, room, size)
    rows = chart.rows[: parts.MOST_ROWS]
    wide = min(parts.longest(rows, size) * 1.08, 0.35 * room)
    left = wide + size
    columns = chart.columns[: int((room - left) / (_LEAST_CELL * size))]
    cell = min((room - left) / len(columns), 14 * size)
    shapes, y = parts.heading(chart.title, room, size)
    header, top = _header(columns, left, y, cell, size)
    names = parts.Names.of(rows, wide, size)
    shapes += header
    for place, name in enumerate(rows):
        y = top + place * 1.9 * size
        shapes.append(names.label(name, left - 0.5 * size, y + 1.3 * size, size))
        shapes += _cells(chart, place, len(columns), left, y, cell, size)
    key, y = _key(chart.unit, left, top + len(rows) * 1.9 * size, room, size)
    more, y = _rest(len(chart.rows) - len(rows), len(chart.columns) - len(columns), y, room, size)
    return Sketch(width=room, height=y + 0.5 * size, title=chart.title, shapes=(*shapes, *key, *more))


def _header(columns: tuple[str, ...], left: float, y: float, cell: float, size: float) -> tuple[list[Shape], float]:
    """The names of the columns: level in a few lines where their words fit the cells, else upright."""
    room = (cell - 0.4 * size) / 1.08
    lines = [broken(" ".join(name.split()), room, size) for name in columns]
    deepest = max(map(len, lines))
    if deepest > _DEEPEST_HEADER or any(parts.longest(name.split(), size) > room for name in columns):
        return _upright(columns, left, y, cell, size)
    shapes: list[Shape] = []
    for place, name_lines in enumerate(lines):
        for row, line in enumerate(name_lines, start=deepest - len(name_lines)):
            text = "".join(glyph.char for glyph in line)
            x, base = left + (place + 0.5) * cell, y + (1.2 + 1.25 * row) * size
            shapes.append(Label(x=x, y=base, text=text, size=size, anchor="middle"))
    return shapes, y + (0.45 + 1.25 * deepest) * size


def _upright(columns: tuple[str, ...], left: float, y: float, cell: float, size: float) -> tuple[list[Shape], float]:
    longest = min(parts.longest(columns, size) * 1.08, _TALLEST_HEADER * size)
    names = parts.Names.of(columns, longest, size)
    labels = [
        names.label(name, left + (place + 0.5) * cell + 0.36 * size, y + longest, size, anchor="start")
        for place, name in enumerate(columns)
    ]
    return [replace(label, is_upright=True) for label in labels], y + longest + 0.5 * size


def _cells(
    chart: HeatChart, row: int, n_columns: int, left: float, y: float, cell: float, size: float
) -> Iterator[Shape]:
    for column in range(n_columns):
        value, text = chart.values[row][column], " ".join(chart.texts[row][column].split())
        shade = min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0
        x = left + column * cell
        box = Box(x=x + 0.5, y=y + 0.5, width=cell - 1, height=1.9 * size - 1, fill=ACCENT, opacity=_DEEPEST * shade)
        yield box
        small = min(size, 0.92 * size * (cell - 0.3 * size) / max(width(text, size), 1e-9))
        if text and small >= 0.6 * size:
            yield Label(x=x + cell / 2, y=y + 1.28 * size, text=text, size=small, anchor="middle")


def _key(unit: str, left: float, y: float, room: float, size: float) -> tuple[list[Shape], float]:
    """Five shades from the least to the greatest, and what a shade means."""
    shapes: list[Shape] = []
    y, wide = y + 0.8 * size, 1.5 * size
    for place in range(5):
        shade = _DEEPEST * place / 4
        shapes.append(
            Box(
                x=left + place * wide,
                y=y,
                width=wide,
                height=size,
                fill=ACCENT,
                opacity=shade,
                outline=GREY,
            )
        )
    text, below = parts.paragraph(unit, left + 8.5 * size, y - 0.25 * size, room - left - 8.5 * size, size * 0.9)
    return [*shapes, *text], max(below, y + 1.4 * size)


def _rest(n_rows: int, n_columns: int, y: float, room: float, size: float) -> tuple[list[Shape], float]:
    """What is not drawn for want of room, and the y below it."""
    texts = []
    if n_rows:
        texts.append(say_plural("{count:,} more row is not drawn.", "{count:,} more rows are not drawn.", n_rows))
    if n_columns:
        texts.append(
            say_plural("{count:,} more column is not drawn.", "{count:,} more columns are not drawn.", n_columns)
        )
    return parts.paragraph("\n".join(texts), 0.0, y, room, size * 0.9)
