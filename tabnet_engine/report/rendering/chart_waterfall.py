"""From a start to an end value by steps: each bar begins where the one before ended."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from tabnet_engine.figures.plain import Bar, WaterfallChart
from tabnet_engine.report.rendering import chart_parts as parts
from tabnet_engine.report.rendering.chart_bars import Frame, interval, tone_look, toned, value_text
from tabnet_engine.report.rendering.shapes import INK, Label, Shape, Sketch, Stroke, marker

__all__ = ["waterfall_sketch"]


def waterfall_sketch(chart: WaterfallChart, room: float, size: float) -> Sketch:
    """A waterfall as shapes: diamonds for its two ends, whose axis need not begin at zero, bars for the steps.

    Args:
        chart: what is drawn; of more than forty steps the first forty.
        room: the width.
        size: of the letters.
    """
    steps = chart.steps[: parts.MOST_ROWS]
    bars = (chart.start, *steps, chart.end)
    frame = Frame.of([bar.label for bar in bars], [_signed(bar, steps) for bar in bars], room, size)
    shapes, y = parts.heading(chart.title, room, size)
    top = y + (1.4 * size if chart.mark else 0.0)
    bottom = top + frame.row * len(bars)
    levels = _levels(chart.start.value, steps)
    axis = parts.Axis.over(_reached(chart, steps, levels), frame.left, frame.right)
    shapes += parts.vertical_marks(axis, top, bottom, size)
    middles = [top + (place + 0.5) * frame.row for place in range(len(bars))]
    for bar, middle in zip(bars, middles, strict=True):
        shapes += _texts(bar, _signed(bar, steps), frame, middle, room)
    shapes += _end(chart.start, axis, middles[0], size)
    for place, step in enumerate(steps):
        shapes += _step(step, levels[place], axis, middles[place + 1], size)
    shapes += _end(chart.end, axis, middles[-1], size)
    shapes += _joined([axis.at(level) for level in levels], middles)
    if chart.mark:
        shapes += parts.cutoff(chart.mark, axis, top, bottom, size)
    unit, y = parts.paragraph(chart.unit, frame.left, bottom + 1.5 * size, room - frame.left, size * 0.9)
    more, y = parts.rest(len(chart.steps) - len(steps), 0.0, y, room, size)
    return Sketch(width=room, height=y + 0.5 * size, title=chart.title, shapes=(*shapes, *unit, *more))


def _levels(start: float, steps: tuple[Bar, ...]) -> list[float]:
    """The value before each step, and after the last; a step that is no number moves nothing."""
    moves = (step.value if math.isfinite(step.value) else 0.0 for step in steps)
    return list(itertools.accumulate(moves, initial=start if math.isfinite(start) else 0.0))


def _reached(chart: WaterfallChart, steps: tuple[Bar, ...], levels: list[float]) -> list[float]:
    ends = [level + side for step, level in zip(steps, levels, strict=False) for side in _sides(step)]
    marks = [chart.mark[1]] if chart.mark else []
    return [chart.start.value, chart.end.value, *levels, *ends, *marks]


def _sides(step: Bar) -> tuple[float, ...]:
    return () if step.low is None or step.high is None else (step.low, step.high)


def _signed(bar: Bar, steps: tuple[Bar, ...]) -> str:
    """The value as written, with a plus where a step raises."""
    text = value_text(bar)
    is_step = any(bar is step for step in steps)
    return f"+{text}" if is_step and not bar.text and bar.value > 0 else text


def _texts(bar: Bar, text: str, frame: Frame, middle: float, room: float) -> Iterator[Shape]:
    base = middle + 0.36 * frame.size
    yield frame.names.label(bar.label, frame.left - 0.7 * frame.size, base, frame.size)
    yield Label(
        x=frame.right + 0.7 * frame.size, y=base, text=parts.fitted(text, 0.25 * room, frame.size), size=frame.size
    )


def _end(bar: Bar, axis: parts.Axis, middle: float, size: float) -> Iterator[Shape]:
    if math.isfinite(bar.value):
        yield from interval(bar.low, bar.high, axis, middle, size, color=INK)
        yield marker(axis.at(bar.value), middle, 0.42 * size, color=tone_look(bar)[0], style=2)


def _step(step: Bar, before: float, axis: parts.Axis, middle: float, size: float) -> Iterator[Shape]:
    if not math.isfinite(step.value):
        return
    color, style = tone_look(step)
    yield from toned(axis.at(before), axis.at(before + step.value), middle, size, color=color, style=style)
    if step.low is not None and step.high is not None:
        yield from interval(before + step.low, before + step.high, axis, middle, size, color=INK)


def _joined(places: list[float], middles: list[float]) -> Iterator[Shape]:
    """Dotted lines from the end of each bar to the beginning of the next."""
    for x, (above, below) in zip(places, itertools.pairwise(middles), strict=True):
        yield Stroke(points=((x, above), (x, below)), color=INK, width=0.6, dash=(1, 1.5), opacity=0.7)
