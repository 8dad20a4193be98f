"""Bars, points and waterfalls of a report as Plotly figures."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from tabnet_engine.figures.plain import Bar, BarChart, WaterfallChart
from tabnet_engine.figures.theme import (
    ACCENT,
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    bars_height,
    color,
    empty,
    escape,
    finish,
    format_number,
    labels,
    name_lines,
)
from tabnet_engine.texts.speaking import say

__all__ = ["LABEL_WIDTH", "SYMBOLS", "bar_figure", "nothing", "waterfall_figure"]

LABEL_WIDTH = 34  # characters of a name beside a chart
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")
_TONES = {"for": POSITIVE, "against": NEGATIVE, "neutral": ACCENT, "other": NEUTRAL}
# What speaks against is hatched too, so that it is told apart without colour.
_HATCHES = {"for": "", "against": "/", "neutral": "", "other": "."}
_SHARE = 0.72  # of a line's height that its bars take
_ROOM = 0.16  # of the axis, beside the outermost bars: for their numbers


def nothing(title: str) -> go.Figure:
    """A chart without anything to draw, which says so."""
    return empty(say("There is nothing to draw."), title=title)


# Bars and points


@dataclass(frozen=True)
class _Place:
    """Where a bar is drawn: its line from the top, and its series."""

    line: int
    series: int


@dataclass(frozen=True)
class _Series:
    """Bars of one kind, their heights, their escaped name; ``index`` tells series apart, None where there is one."""

    name: str
    index: int | None
    bars: list[Bar]
    y: list[float]


def _places(bars: Sequence[Bar]) -> tuple[list[str], list[str], list[_Place]]:
    """Bars of one label share a line where their series differ: names of the lines, of the series, and the places."""
    series = list(dict.fromkeys(bar.series for bar in bars))
    names: list[str] = []
    open_lines: dict[tuple[str, str], itertools.count[int]] = {}
    lines_of: dict[str, list[int]] = {}
    places = []
    for bar in bars:
        # The n-th bar of a label and a series stands on the n-th line of that label.
        nth = next(open_lines.setdefault((bar.label, bar.series), itertools.count()))
        own = lines_of.setdefault(bar.label, [])
        if nth == len(own):
            own.append(len(names))
            names.append(bar.label)
        places.append(_Place(own[nth], series.index(bar.series)))
    return names, series, places


def bar_figure(chart: BarChart) -> go.Figure:
    """Horizontal bars, or points with their intervals."""
    if not any(math.isfinite(bar.value) for bar in chart.bars):
        return nothing(chart.title)
    names, names_of_series, places = _places(chart.bars)
    figure = go.Figure()
    # Where no line holds two bars, the colours tell the series apart.
    n_slots = len(names_of_series) if len(names) < len(chart.bars) else 1
    height = _SHARE / n_slots
    for index, name in enumerate(labels(names_of_series, width=LABEL_WIDTH)):
        pairs = zip(chart.bars, places, strict=True)
        own = [(bar, place) for bar, place in pairs if place.series == index and math.isfinite(bar.value)]
        shift = (index - (n_slots - 1) / 2) * height if n_slots > 1 else 0.0
        series = _Series(
            name=name,
            index=index if len(names_of_series) > 1 else None,
            bars=[bar for bar, _ in own],
            y=[place.line + shift for _, place in own],
        )
        if chart.is_points:
            _points(figure, series)
        else:
            _solid_bars(figure, series, height)
    _mark(figure, chart.mark)
    pixels = bars_height(len(names), per_bar=26 + 8 * (n_slots - 1))
    finish(figure, title=chart.title, x=chart.unit, height=pixels, legend=len(names_of_series) > 1)
    name_lines(figure, labels(names, width=LABEL_WIDTH))
    figure.update_yaxes(autorange=None, range=[len(names) - 0.5, -0.5])
    # Below the axis and its name, however low the chart is.
    figure.update_layout(legend={"y": -64 / (pixels - 110)})
    if chart.is_points:
        return figure.update_xaxes(nticks=7, zeroline=False)
    ends = [0.0, *_ends(chart.bars), *([] if chart.mark is None else [chart.mark[1]])]
    return figure.update_xaxes(range=_span(ends), nticks=7, zerolinecolor=NEUTRAL)


def _solid_bars(figure: go.Figure, series: _Series, width: float) -> None:
    colors = [_color(bar, series.index) for bar in series.bars]
    _blocks(figure, series.bars, series.y, colors, width=width)
    if series.index is None:
        _numbers(figure, series.bars, [_outer(bar) for bar in series.bars], series.y)
    else:
        # The bars of a series may have several colours, so its entry in the legend stands apart.
        marker = {"color": color(series.index), "symbol": "square", "size": 11}
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name=series.name)


def _blocks(
    figure: go.Figure,
    bars: Sequence[Bar],
    y: Sequence[float],
    colors: Sequence[str],
    *,
    width: float,
    base: Sequence[float] | None = None,
) -> None:
    """Bars with their intervals: a trace for each look, for Plotly hatches only whole traces reliably."""
    looks = [(shade, _HATCHES[bar.tone]) for bar, shade in zip(bars, colors, strict=True)]
    for look in dict.fromkeys(looks):
        own = [place for place, other in enumerate(looks) if other == look]
        shade, hatch = look
        pattern = {"shape": hatch, "solidity": 0.2, "fgcolor": "#ffffff", "fillmode": "overlay"} if hatch else None
        drawn = [bars[place] for place in own]
        figure.add_bar(
            x=[bar.value for bar in drawn],
            y=[y[place] for place in own],
            base=None if base is None else [base[place] for place in own],
            orientation="h",
            width=width,
            marker={"color": shade, "pattern": pattern},
            error_x=_errors(drawn),
            customdata=[_detail(bar) for bar in drawn],
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
        )
    figure.update_layout(barmode="overlay")


def _points(figure: go.Figure, series: _Series) -> None:
    bars, index = series.bars, series.index
    figure.add_scatter(
        x=[bar.value for bar in bars],
        y=list(series.y),
        mode="markers",
        name=series.name,
        marker={
            "color": [_color(bar, index) for bar in bars],
            "size": 9,
            "symbol": SYMBOLS[(index or 0) % len(SYMBOLS)],
        },
        error_x=_errors(bars),
        customdata=[_detail(bar) for bar in bars],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _color(bar: Bar, index: int | None) -> str:
    if index is not None and bar.tone == "neutral":
        return color(index)
    return _TONES[bar.tone]


def _errors(bars: Sequence[Bar]) -> dict[str, object] | None:
    """Intervals around the values, as Plotly wants them: distances, not ends."""
    high = [_distance(bar.high, bar.value) for bar in bars]
    low = [_distance(bar.value, bar.low) for bar in bars]
    if not any(high) and not any(low):
        return None
    return {"type": "data", "symmetric": False, "array": high, "arrayminus": low, "color": NEUTRAL, "thickness": 1.5}


def _distance(upper: float | None, lower: float | None) -> float:
    if upper is None or lower is None or not math.isfinite(upper - lower):
        return 0.0
    return max(upper - lower, 0.0)


def _outer(bar: Bar) -> float:
    """Where the number of a bar stands: beyond its interval, on the side to which the bar points."""
    if bar.value < 0:
        return bar.value - _distance(bar.value, bar.low)
    return bar.value + _distance(bar.high, bar.value)


def _numbers(figure: go.Figure, bars: Sequence[Bar], x: Sequence[float], y: Sequence[float]) -> None:
    figure.add_scatter(
        x=list(x),
        y=list(y),
        mode="text",
        text=[f" {escape(_written(bar))} " for bar in bars],
        textposition=["middle left" if bar.value < 0 else "middle right" for bar in bars],
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )


def _written(bar: Bar) -> str:
    return bar.text or format_number(bar.value)


def _detail(bar: Bar) -> str:
    """What the hover says: the whole name, for the label may be short of it."""
    parts = [bar.label, bar.series, _written(bar)]
    if bar.low is not None and bar.high is not None:
        parts.append(say("interval: {low} to {high}", low=format_number(bar.low), high=format_number(bar.high)))
    return "<br>".join(escape(part) for part in parts if part)


def _ends(bars: Sequence[Bar]) -> list[float]:
    return [_outer(bar) for bar in bars if math.isfinite(bar.value)]


def _span(values: Sequence[float]) -> list[float]:
    """The ends of an axis, with room for numbers on the sides where there are any."""
    low, high = min(values), max(values)
    room = _ROOM * max(high - low, 1e-9)
    return [low - room if low < 0 else low, high + room if high > 0 else high]


def _mark(figure: go.Figure, mark: tuple[str, float] | None) -> None:
    """A named line across the chart, such as a cutoff."""
    if mark is None or not math.isfinite(mark[1]):
        return
    figure.add_vline(
        x=mark[1],
        line={"color": NEUTRAL, "width": 2, "dash": "dash"},
        annotation={
            "text": labels([mark[0]], width=LABEL_WIDTH)[0],
            "yref": "paper",
            "y": 1,
            "yanchor": "bottom",
            "font": {"size": 12},
        },
    )


# From a start to an end


def waterfall_figure(chart: WaterfallChart) -> go.Figure:
    """From a start to an end, each step from where the one before ended."""
    if not all(math.isfinite(bar.value) for bar in (chart.start, chart.end, *chart.steps)):
        return nothing(chart.title)
    ends = list(itertools.accumulate((step.value for step in chart.steps), initial=chart.start.value))
    places = list(range(1, len(chart.steps) + 1))
    figure = go.Figure()
    x = [value for end in ends for value in (end, end, None)]
    y = [place for line in range(len(ends)) for place in (line, line + 1, None)]
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": NEUTRAL, "width": 1}, hoverinfo="skip")
    colors = [_TONES[step.tone] for step in chart.steps]
    _blocks(figure, chart.steps, places, colors, width=0.62, base=ends[:-1])
    shifts = [_outer(step) - step.value for step in chart.steps]
    beyond = [end + shift for end, shift in zip(ends[1:], shifts, strict=True)]
    _numbers(figure, chart.steps, beyond, places)
    _diamonds(figure, (chart.start, chart.end), len(chart.steps))
    _mark(figure, chart.mark)
    bars = (chart.start, *chart.steps, chart.end)
    finish(figure, title=chart.title, x=chart.unit, height=bars_height(len(bars)), legend=False)
    name_lines(figure, labels([bar.label for bar in bars], width=LABEL_WIDTH))
    reached = [*ends, *beyond, chart.end.value, *([] if chart.mark is None else [chart.mark[1]])]
    room = 1.6 * _ROOM * max(max(reached) - min(reached), 1e-9)
    return figure.update_xaxes(range=[min(reached) - room, max(reached) + room], nticks=6, zeroline=False)


def _diamonds(figure: go.Figure, bars: tuple[Bar, Bar], n_steps: int) -> None:
    figure.add_scatter(
        x=[bar.value for bar in bars],
        y=[0, n_steps + 1],
        mode="markers+text",
        marker={"size": 11, "symbol": "diamond", "color": NEUTRAL},
        text=[f"  {escape(_written(bar))}" for bar in bars],
        textposition="middle right",
        cliponaxis=False,
        customdata=[_detail(bar) for bar in bars],
        hovertemplate="%{customdata}<extra></extra>",
    )
