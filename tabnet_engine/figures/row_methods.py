"""One row by every method: a map of columns and methods, with shares, and arrows for the direction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from tabnet_engine.explain.row_methods import MethodReading, RowMethods
from tabnet_engine.explain.wording import percent, signed
from tabnet_engine.figures.cells import SHADES, cell_texts, opacity
from tabnet_engine.figures.theme import DIVERGING, empty, escape, finish, labels
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["method_map"]

Floats = npt.NDArray[np.float64]

_LINE_PIXELS = 30
_FULL = 0.6  # a share from which a push has the full colour
_VISIBLE = 0.005  # shares below half a per cent carry no number


def method_map(methods: RowMethods, *, max_features: int = 12) -> go.Figure:
    """Columns from top to bottom, methods from left to right: each cell the share of the method's sizes.

    The masks have the scale of all masks; of the other methods blue with an upward arrow pushes up, red with a
    downward arrow pushes down.

    Args:
        methods: the row by every method.
        max_features: columns shown, those with the largest mean share.
    """
    title = say("Every column by every method")
    kept = methods.order[:max_features]
    if not len(kept):
        return empty(say("There is no column to show."), title=title)
    shares = np.stack([reading.shares[kept] for reading in methods.readings], axis=1)
    directions = np.stack([_direction(reading)[kept] for reading in methods.readings], axis=1)
    is_mask = np.array([not reading.is_signed for reading in methods.readings])[None, :]
    figure = go.Figure()
    details = [[_detail(methods, reading, int(index)) for reading in methods.readings] for index in kept]
    _add_cells(figure, np.where(is_mask, shares, np.nan), details, colors=SHADES, low=0.0, high=1.0)
    pushes = np.where(is_mask, np.nan, np.clip(shares / _FULL, 0, 1) * directions)
    _add_cells(figure, pushes, details, colors=DIVERGING, low=-1.0, high=1.0)
    strength = np.where(is_mask, opacity(shares), np.clip(shares / _FULL, 0, 1))
    figure.add_traces(cell_texts(strength, _texts(shares, directions)))
    finish(figure, title=title, subtitle=_subtitle(methods, len(kept)), legend=False)
    names = labels([methods.features[index] for index in kept], width=24)
    figure.update_layout(height=figure.layout.margin.t + 110 + _LINE_PIXELS * len(names))
    ticks = [escape(reading.name) for reading in methods.readings]
    figure.update_xaxes(tickvals=list(range(len(ticks))), ticktext=ticks, showgrid=False, zeroline=False, tickangle=-40)
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, autorange="reversed")
    return figure.update_yaxes(showgrid=False, zeroline=False)


def _direction(reading: MethodReading) -> Floats:
    """1 for up, -1 for down, 0 for a method without direction and for no push at all."""
    return np.sign(reading.values) if reading.is_signed else np.zeros(len(reading.values))


def _add_cells(
    figure: go.Figure, grid: Floats, details: Sequence[Sequence[str]], *, colors: object, low: float, high: float
) -> None:
    figure.add_heatmap(
        z=grid,
        zmin=low,
        zmax=high,
        colorscale=colors,
        showscale=False,
        xgap=3,
        ygap=3,
        hoverongaps=False,
        customdata=details,
        hovertemplate="%{customdata}<extra></extra>",
    )


def _texts(shares: Floats, directions: Floats) -> list[list[str]]:
    arrows = {1: "▲ ", -1: "▼ ", 0: ""}
    return [
        [
            f"{arrows[int(way)]}{100 * share:.0f} %" if share >= _VISIBLE else ""
            for share, way in zip(*line, strict=True)
        ]
        for line in zip(shares, directions, strict=True)
    ]


def _detail(methods: RowMethods, reading: MethodReading, index: int) -> str:
    places = {
        "column": methods.features[index],
        "method": reading.name,
        "share": percent(float(reading.shares[index])),
        "rank": int(reading.ranks[index]),
        "n_columns": len(methods.features),
    }
    if not reading.is_signed:
        return escape(say("{column}: {share} of the {method}, rank {rank} of {n_columns}", **places))
    return escape(
        say(
            "{column}: {push} by {method}, {share} of all pushes, rank {rank} of {n_columns}",
            push=signed(float(reading.values[index])),
            **places,
        )
    )


def _subtitle(methods: RowMethods, n_kept: int) -> str:
    scale = say("Share of each method's sizes; ▲ pushes up, ▼ down")
    left_out = len(methods.features) - n_kept
    if not left_out:
        return scale
    rest = say_plural("{count} column is not drawn", "{count:,} columns are not drawn", left_out)
    return say("{scale}; {rest}", scale=scale, rest=rest)
