"""Bars and points with their intervals, drawn level, the first on top."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tabnet_engine.figures.plain import Bar, BarChart
from tabnet_engine.report.rendering import chart_parts as parts
from tabnet_engine.report.rendering.fonts import width
from tabnet_engine.report.rendering.shapes import (
    ACCENT,
    AGAINST,
    GREY,
    INK,
    PALETTE,
    Box,
    Label,
    Shape,
    Sketch,
    Stroke,
    hatched,
    marker,
)

__all__ = ["bars_sketch", "bounds", "interval", "tone_look", "toned", "value_text"]

_TONES = {"for": (ACCENT, 0), "against": (AGAINST, 1), "neutral": (GREY, 0), "other": (GREY, 4)}


@dataclass(frozen=True)
class Frame:
    """Where the names, the plot and the values of a level chart stand."""

    names: parts.Names
    left: float
    right: float
    size: float
    row: float

    @classmethod
    def of(cls, names: Sequence[str], texts: Sequence[str], room: float, size: float, *, row: float = 1.9) -> Frame:
        """A frame that gives the names at most two fifths and the values at most a quarter of the room."""
        wide = min(parts.longest(names, size) * 1.08, 0.4 * room)
        value = min(parts.longest(texts, size) * 1.08, 0.25 * room)
        return cls(parts.Names.of(names, wide, size), wide + size, room - value - size, size, row * size)


def bars_sketch(chart: BarChart, room: float, size: float) -> Sketch:
    """A bar chart, or one of points, as shapes.

    Args:
        chart: what is drawn; of more than forty bars the first forty.
        room: the width.
        size: of the letters.
    """
    if not chart.bars:
        return parts.bare(chart.title, room, size)
    bars = chart.bars[: parts.MOST_ROWS]
    frame = Frame.of([bar.label for bar in bars], [value_text(bar) for bar in bars], room, size)
    shapes, y = parts.heading(chart.title, room, size)
    key, y = _key(_series(bars), y, room, size, is_points=chart.is_points)
    top = y + (1.4 * size if chart.mark else 0.0)
    bottom = top + frame.row * len(bars)
    values = [*bounds(bars), *([chart.mark[1]] if chart.mark else [])]
    axis = parts.Axis.over(values, frame.left, frame.right, with_zero=not chart.is_points)
    shapes += [*key, *parts.vertical_marks(axis, top, bottom, size)]
    for place, bar in enumerate(bars):
        is_first = place == 0 or bars[place - 1].label != bar.label
        shapes += _row(bar, axis, frame, top + (place + 0.5) * frame.row, chart, is_named=is_first)
    if chart.mark:
        shapes += parts.cutoff(chart.mark, axis, top, bottom, size)
    unit, y = parts.paragraph(chart.unit, frame.left, bottom + 1.5 * size, room - frame.left, size * 0.9)
    more, y = parts.rest(len(chart.bars) - len(bars), 0.0, y, room, size)
    return Sketch(width=room, height=y + 0.5 * size, title=chart.title, shapes=(*shapes, *unit, *more))


def _row(
    bar: Bar, axis: parts.Axis, frame: Frame, middle: float, chart: BarChart, *, is_named: bool
) -> Iterator[Shape]:
    base, size = middle + 0.36 * frame.size, frame.size
    if is_named:
        yield frame.names.label(bar.label, frame.left - 0.7 * size, base, size)
    yield Label(
        x=frame.right + 0.7 * size,
        y=base,
        text=parts.fitted(value_text(bar), 0.25 * axis.end, size),
        size=size,
    )
    if not math.isfinite(bar.value):
        return
    color, style = _look(bar, chart.bars)
    if chart.is_points:
        yield from interval(bar.low, bar.high, axis, middle, size, color=color)
        yield marker(axis.at(bar.value), middle, 0.36 * size, color=color, style=style)
        return
    yield from toned(axis.at(0.0), axis.at(bar.value), middle, size, color=color, style=style)
    yield from interval(bar.low, bar.high, axis, middle, size, color=INK)


def _look(bar: Bar, bars: Sequence[Bar]) -> tuple[str, int]:
    """Colour and hatch, or colour and form: by series where there are several, else by tone if any has one."""
    series = _series(bars)
    if len(series) < 2:
        return tone_look(bar) if any(one.tone != "neutral" for one in bars) else (ACCENT, 0)
    place = series.index(bar.series)
    return PALETTE[place % len(PALETTE)], place % 5


def _series(bars: Sequence[Bar]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(bar.series for bar in bars))


def _key(series: Sequence[str], y: float, room: float, size: float, *, is_points: bool) -> tuple[list[Shape], float]:
    """What the colours stand for, one after the other in as many lines as it takes."""
    if len(series) < 2:
        return [], y
    shapes: list[Shape] = []
    x, y = 0.0, y + 1.2 * size
    names = parts.Names.of(series, 0.45 * room, size)
    for place, name in enumerate(series):
        label = names.label(name, x + 1.6 * size, y, size, anchor="start")
        wide = 2.8 * size + width(label.text, size) * 1.08
        if x and x + wide > room:
            x, y = 0.0, y + 1.5 * size
            label = names.label(name, x + 1.6 * size, y, size, anchor="start")
        color = PALETTE[place % len(PALETTE)]
        middle = y - 0.35 * size
        if is_points:
            shapes.append(marker(x + 0.7 * size, middle, 0.36 * size, color=color, style=place))
        else:
            shapes += toned(x + 0.2 * size, x + 1.3 * size, middle, size, color=color, style=place % 5)
        shapes.append(label)
        x += wide
    return shapes, y + 0.8 * size


def tone_look(bar: Bar) -> tuple[str, int]:
    """The colour and the hatch of what speaks for or against."""
    return _TONES[bar.tone]


def toned(start: float, end: float, middle: float, size: float, *, color: str, style: int) -> tuple[Shape, ...]:
    """A level bar between two places, hatched by its style; a hair wide where it would be nothing."""
    left, wide = min(start, end), max(abs(end - start), 0.6)
    box = Box(x=left, y=middle - 0.55 * size, width=wide, height=1.1 * size, fill=color)
    return hatched(box, step=0.55 * size, style=style)


def interval(
    low: float | None, high: float | None, axis: parts.Axis, middle: float, size: float, *, color: str
) -> Iterator[Shape]:
    """A line between the ends of an interval, with feet."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return
    left, right, foot = axis.at(low), axis.at(high), 0.25 * size
    yield Stroke(points=((left, middle), (right, middle)), color=color, width=1.0)
    for x in (left, right):
        yield Stroke(points=((x, middle - foot), (x, middle + foot)), color=color, width=1.0)


def bounds(bars: Sequence[Bar]) -> list[float]:
    """The values of bars and the ends of their intervals."""
    return [value for bar in bars for value in (bar.value, bar.low, bar.high) if value is not None]


def value_text(bar: Bar) -> str:
    """How the value of a bar is written."""
    return " ".join((bar.text or parts.number(bar.value)).split())
