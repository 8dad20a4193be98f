"""The charts of a report as Plotly figures, for readers whose browser runs scripts: the same records, drawn again."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from tabnet_engine.figures.cells import SHADES, cell_texts, opacity
from tabnet_engine.figures.plain import BarChart, HeatChart, Line, LineChart, PlainChart, WaterfallChart
from tabnet_engine.figures.plain_bars import LABEL_WIDTH, SYMBOLS, bar_figure, nothing, waterfall_figure
from tabnet_engine.figures.theme import (
    GRID,
    bars_height,
    color,
    escape,
    finish,
    format_number,
    labels,
    name_lines,
    tint,
)
from tabnet_engine.texts.speaking import say

__all__ = ["figure_of"]

_DASHES = ("solid", "dash", "dashdot", "longdash", "longdashdot")


def figure_of(chart: PlainChart) -> go.Figure:
    """Draw a chart of a report; one without anything to draw says so.

    Raises:
        TypeError: no chart that is known.
    """
    if isinstance(chart, BarChart):
        return bar_figure(chart)
    if isinstance(chart, WaterfallChart):
        return waterfall_figure(chart)
    if isinstance(chart, HeatChart):
        return _heat(chart)
    if isinstance(chart, LineChart):
        return _lines(chart)
    raise TypeError(f"no chart: {type(chart).__name__}")


# Shaded cells


def _heat(chart: HeatChart) -> go.Figure:
    if not chart.rows or not chart.columns:
        return nothing(chart.title)
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
    escaped = [[escape(text) for text in texts] for texts in chart.texts]
    figure.add_traces([_as_lists(texts) for texts in cell_texts(opacity(shown), escaped)])
    finish(figure, title=chart.title, subtitle=chart.unit, height=bars_height(len(chart.rows)), legend=False)
    name_lines(figure, labels(chart.rows, width=LABEL_WIDTH))
    columns = labels(chart.columns, width=18)
    return figure.update_xaxes(tickvals=list(range(len(columns))), ticktext=columns, showgrid=False, zeroline=False)


def _as_lists(texts: go.Scatter) -> go.Scatter:
    return texts.update(x=[int(place) for place in texts.x], y=[int(place) for place in texts.y], text=list(texts.text))


# Lines


def _lines(chart: LineChart) -> go.Figure:
    if not any(line.x for line in chart.lines):
        return nothing(chart.title)
    figure = go.Figure()
    names = labels([line.name for line in chart.lines], width=LABEL_WIDTH)
    for index, line in enumerate(chart.lines):
        if line.low and line.high:
            _band(figure, line, color(index))
        figure.add_scatter(
            x=list(line.x),
            y=list(line.y),
            name=names[index],
            mode="lines+markers",
            line={"color": color(index), "width": 2, "dash": _DASHES[index % len(_DASHES)]},
            marker={"symbol": SYMBOLS[index % len(SYMBOLS)], "size": 6},
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
