"""The charts of a report as Plotly figures, for readers whose browser runs scripts: the same records, drawn again."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from tabnet_engine.figures.cells import SHADES, cell_texts, opacity
from tabnet_engine.figures.plain import Bar, BarChart, HeatChart, Line, LineChart, PlainChart, WaterfallChart
from tabnet_engine.figures.theme import (
    ACCENT,
    GRID,
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
    tint,
)
from tabnet_engine.texts.speaking import say

__all__ = ["figure_of"]

_TONES = {"for": POSITIVE, "against": NEGATIVE, "neutral": ACCENT, "other": NEUTRAL}
# What speaks against is hatched too, so that it is told apart without colour.
_HATCHES = {"for": "", "against": "/", "neutral": "", "other": "."}
_DASHES = ("solid", "dash", "dashdot", "longdash", "longdashdot")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")
_SHARE = 0.72  # of a line's height that its bars take
_LABEL_WIDTH = 34
_ROOM = 0.16  # of the axis, beside the outermost bars: for their numbers


def figure_of(chart: PlainChart) -> go.Figure:
    """Draw a chart of a report; one without anything to draw says so.

    Raises:
        TypeError: no chart that is known.
    """
    if isinstance(chart, BarChart):
        return _bar_chart(chart)
    if isinstance(chart, WaterfallChart):
        return _waterfall(chart)
    if isinstance(chart, HeatChart):
        return _heat(chart)
    if isinstance(chart, LineChart):
        return _lines(chart)
    raise TypeError(f"no chart: {type(chart).__name__}")


def _nothing(title: str) -> go.Figure:
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


def _bar_chart(chart: BarChart) -> go.Figure:
    if not any(math.isfinite(bar.value) for bar in chart.bars):
        return _nothing(chart.title)
    names, names_of_series, places = _places(chart.bars)
    figure = go.Figure()
    # Where no line holds two bars, the colours tell the series apart.
    n_slots = len(names_of_series) if len(names) < len(chart.bars) else 1
    height = _SHARE / n_slots
    for index, name in enumerate(labels(names_of_series, width=_LABEL_WIDTH)):
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
    name_lines(figure, labels(names, width=_LABEL_WIDTH))
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
            "symbol": _SYMBOLS[(index or 0) % len(_SYMBOLS)],
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
            "text": labels([mark[0]], width=_LABEL_WIDTH)[0],
            "yref": "paper",
            "y": 1,
            "yanchor": "bottom",
            "font": {"size": 12},
        },
    )


# From a start to an end


def _waterfall(chart: WaterfallChart) -> go.Figure:
    if not all(math.isfinite(bar.value) for bar in (chart.start, chart.end, *chart.steps)):
        return _nothing(chart.title)
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
    name_lines(figure, labels([bar.label for bar in bars], width=_LABEL_WIDTH))
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


# Shaded cells


def _heat(chart: HeatChart) -> go.Figure:
    if not chart.rows or not chart.columns:
        return _nothing(chart.title)
    grid = np.asarray(chart.values, dtype=float).reshape(len(chart.rows), len(chart.columns))
    shown = np.clip(np.nan_to_num(grid, nan=0.0), 0.0, 1.0)
    details = [
        ["<br>".join(map(escape, (row, column, text))) for column, text in zip(chart.columns, texts, strict=True)]
        for row, texts in zip(chart.rows, chart.texts, strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            # Lists, for Plotly packs arrays in a form that a reader of the file cannot read.
            z=shown.tolist(),
            zmin=0.0,
            zmax=1.0,
            colorscale=SHADES,
            showscale=False,
            xgap=2,
            ygap=2,
            customdata=details,
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    figure.add_traces([_as_lists(texts) for texts in cell_texts(opacity(shown), chart.texts)])
    finish(figure, title=chart.title, subtitle=chart.unit, height=bars_height(len(chart.rows)), legend=False)
    name_lines(figure, labels(chart.rows, width=_LABEL_WIDTH))
    columns = labels(chart.columns, width=18)
    return figure.update_xaxes(tickvals=list(range(len(columns))), ticktext=columns, showgrid=False, zeroline=False)


def _as_lists(texts: go.Scatter) -> go.Scatter:
    return texts.update(x=[int(place) for place in texts.x], y=[int(place) for place in texts.y], text=list(texts.text))


# Lines


def _lines(chart: LineChart) -> go.Figure:
    if not any(line.x for line in chart.lines):
        return _nothing(chart.title)
    figure = go.Figure()
    names = labels([line.name for line in chart.lines], width=_LABEL_WIDTH)
    for index, line in enumerate(chart.lines):
        if line.low and line.high:
            _band(figure, line, color(index))
        figure.add_scatter(
            x=list(line.x),
            y=list(line.y),
            name=names[index],
            mode="lines+markers",
            line={"color": color(index), "width": 2, "dash": _DASHES[index % len(_DASHES)]},
            marker={"symbol": _SYMBOLS[index % len(_SYMBOLS)], "size": 6},
            customdata=[_point_detail(line, place) for place in range(len(line.x))],
            hovertemplate="%{customdata}<extra></extra>",
        )
    if chart.has_diagonal:
        _diagonal(figure, chart)
    return finish(figure, title=chart.title, x=chart.x_title, y=chart.y_title, height=400, legend=len(chart.lines) > 1)


def _band(figure: go.Figure, line: Line, line_color: str) -> None:
    figure.add_scatter(
        x=[*line.x, *reversed(line.x)],
        y=[*line.high, *reversed(line.low)],
        fill="toself",
        fillcolor=tint(line_color, 0.16),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )


def _diagonal(figure: go.Figure, chart: LineChart) -> None:
    values = [value for line in chart.lines for value in (*line.x, *line.y) if math.isfinite(value)]
    ends = [min(values), max(values)]
    figure.add_scatter(
        x=ends,
        y=ends,
        mode="lines",
        line={"color": GRID, "width": 2, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )


def _point_detail(line: Line, place: int) -> str:
    parts = [line.name, f"{format_number(line.x[place])}: {format_number(line.y[place])}"]
    if line.low and line.high:
        low, high = format_number(line.low[place]), format_number(line.high[place])
        parts.append(say("interval: {low} to {high}", low=low, high=high))
    return "<br>".join(map(escape, parts))
