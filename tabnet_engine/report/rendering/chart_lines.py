"""Lines over a common axis, with their bands."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from tabnet_engine.figures.plain import Line, LineChart
from tabnet_engine.report.rendering import chart_parts as parts
from tabnet_engine.report.rendering.shapes import GREY, PALETTE, Area, Label, Point, Shape, Sketch, Stroke, marker

__all__ = ["lines_sketch"]

_DASHES = ((), (5.0, 2.0), (1.5, 1.5), (6.0, 2.0, 1.5, 2.0))
_MOST_MARKED = 40  # points: a line of more is drawn without markers
_SHAPE = 0.46  # height of the plot by its width


def lines_sketch(chart: LineChart, room: float, size: float) -> Sketch:
    """A line chart as shapes; a point that is no number breaks its line.

    Args:
        chart: what is drawn.
        room: the width.
        size: of the letters.
    """
    lines = [line for line in chart.lines if any(map(_is_drawn, line.x, line.y))]
    if not lines:
        return parts.bare(chart.title, room, size)
    shapes, y = parts.heading(chart.title, room, size)
    y_title, top = parts.paragraph(chart.y_title, 0.0, y, room, size * 0.9)
    top += 0.5 * size
    level, upright = _axes(chart, lines, room, size, top)
    shapes += [*y_title, *parts.vertical_marks(level, top, upright.start, size), *_side_marks(upright, level, size)]
    if chart.has_diagonal:
        shapes.append(_diagonal(level, upright))
    for place, line in enumerate(lines):
        shapes += _band(line, level, upright, PALETTE[place % len(PALETTE)])
    for place, line in enumerate(lines):
        shapes += _drawn(line, level, upright, size, place)
    x_title, y = parts.paragraph(
        chart.x_title, level.start, upright.start + 1.5 * size, level.end - level.start, 0.9 * size
    )
    key, y = _key(lines, y, room, size)
    return Sketch(width=room, height=y + 0.5 * size, title=chart.title, shapes=(*shapes, *x_title, *key))


def _is_drawn(x: float, y: float) -> bool:
    return math.isfinite(x) and math.isfinite(y)


def _axes(
    chart: LineChart, lines: Sequence[Line], room: float, size: float, top: float
) -> tuple[parts.Axis, parts.Axis]:
    """The level axis and the upright one, whose start lies at the bottom."""
    across = [value for line in lines for value in line.x]
    upward = [value for line in lines for value in (*line.y, *line.low, *line.high)]
    if chart.has_diagonal:
        across, upward = [*across, 0.0, 1.0], [*upward, 0.0, 1.0]
    bottom = top + min(_SHAPE * room, 30 * size)
    upright = parts.Axis.over(upward, bottom, top)
    left = parts.longest([text for _, text in upright.ticks(5)], 0.9 * size) * 1.08 + size
    return parts.Axis.over(across, left, room - 1.5 * size, pad=0.02), upright


def _side_marks(upright: parts.Axis, level: parts.Axis, size: float) -> Iterator[Shape]:
    for value, text in upright.ticks(5):
        y = upright.at(value)
        yield Stroke(points=((level.start, y), (level.end, y)), color=GREY, width=0.5, opacity=0.35)
        yield Label(x=level.start - 0.5 * size, y=y + 0.32 * size, text=text, size=0.9 * size, anchor="end")


def _diagonal(level: parts.Axis, upright: parts.Axis) -> Stroke:
    low, high = max(level.low, upright.low), min(level.high, upright.high)
    points = tuple((level.at(value), upright.at(value)) for value in (low, high))
    return Stroke(points=points, color=GREY, width=0.9, dash=(2, 2))


def _band(line: Line, level: parts.Axis, upright: parts.Axis, color: str) -> Iterator[Shape]:
    if len(line.low) != len(line.x) or len(line.high) != len(line.x):
        return
    known = [
        (level.at(x), upright.at(low), upright.at(high))
        for x, low, high in zip(line.x, line.low, line.high, strict=True)
        if _is_drawn(x, low) and math.isfinite(high)
    ]
    if len(known) == 1:
        x, low, high = known[0]
        yield Stroke(points=((x, low), (x, high)), color=color, width=1.0)
    elif known:
        upper, lower = [(x, high) for x, _, high in known], [(x, low) for x, low, _ in known]
        yield Area(points=(*upper, *reversed(lower)), fill=color, opacity=0.18)


def _drawn(line: Line, level: parts.Axis, upright: parts.Axis, size: float, place: int) -> Iterator[Shape]:
    color, dash = PALETTE[place % len(PALETTE)], _DASHES[place % len(_DASHES)]
    for run in _runs(line, level, upright):
        if len(run) > 1:
            yield Stroke(points=tuple(run), color=color, width=1.4, dash=dash)
        if len(line.x) <= _MOST_MARKED or len(run) == 1:
            yield from (marker(x, y, 0.26 * size, color=color, style=place) for x, y in run)


def _runs(line: Line, level: parts.Axis, upright: parts.Axis) -> list[list[Point]]:
    """The unbroken pieces of a line as places."""
    groups = itertools.groupby(zip(line.x, line.y, strict=True), key=lambda point: _is_drawn(*point))
    return [[(level.at(x), upright.at(y)) for x, y in points] for is_drawn, points in groups if is_drawn]


def _key(lines: Sequence[Line], y: float, room: float, size: float) -> tuple[list[Shape], float]:
    named = [(place, line.name) for place, line in enumerate(lines) if line.name.strip()]
    if not named:
        return [], y
    names = parts.Names.of([name for _, name in named], 0.45 * room, size)
    shapes: list[Shape] = []
    x, y = 0.0, y + 1.6 * size
    for place, name in named:
        wide = 4.4 * size + parts.longest([names.short[name]], size) * 1.08
        if x and x + wide > room:
            x, y = 0.0, y + 1.5 * size
        middle, color = y - 0.35 * size, PALETTE[place % len(PALETTE)]
        points = ((x, middle), (x + 2.6 * size, middle))
        shapes.append(Stroke(points=points, color=color, width=1.4, dash=_DASHES[place % len(_DASHES)]))
        shapes.append(marker(x + 1.3 * size, middle, 0.26 * size, color=color, style=place))
        shapes.append(names.label(name, x + 3.2 * size, y, size, anchor="start"))
        x += wide
    return shapes, y + 0.5 * size
