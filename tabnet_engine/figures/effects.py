"""How the score moves with one column: effect curves, the columns it acts together with, and the surface of a pair."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from tabnet_engine.data.schema import CATEGORICAL, Kind
from tabnet_engine.explain.effects.curve import EffectCurve
from tabnet_engine.explain.effects.interaction_result import EffectSurface, Interactions
from tabnet_engine.explain.effects.points import THIN_ROWS, GridPoints
from tabnet_engine.explain.wording import percent, signed
from tabnet_engine.figures.theme import (
    DIVERGING,
    GRID,
    NEGATIVE,
    NEUTRAL,
    bars_height,
    empty,
    escape,
    finish,
    labels,
    name_lines,
    tint,
)
from tabnet_engine.texts.speaking import msg, say

__all__ = ["SurfacePart", "effect_curve", "interaction_bars", "surface_map"]

SurfacePart = Literal["joint", "interaction"]
Floats = npt.NDArray[np.float64]

_TITLES = {"pdp": msg("Partial dependence on {column}"), "ale": msg("Accumulated local effects of {column}")}
_MISSING_GAP = 0.1  # of the axis, between the highest value and the missing cells
_COUNTS = (0.0, 0.16)  # of the height: the rows behind each point
_CURVE = (0.26, 1.0)
_AXIS_WIDTH = 24  # characters of an axis name that fit beside the curve


def effect_curve(
    curve: EffectCurve,
    output: str,
    *,
    color: str,
    y: str,
    row_curves: bool = True,
    chosen: int | None = None,
    beside: Sequence[EffectCurve] = (),
) -> go.Figure:
    """The effect of a column with its 95 % interval, the curves of single rows behind it, the rows at each point below.

    Points with few rows are hollow; points where rows like these do not occur are crossed out.

    Args:
        curve: what was measured.
        output: which output of the run.
        color: of the column.
        y: name and unit of the score.
        row_curves: whether the curves of single rows are drawn too.
        chosen: the point that is marked.
        beside: curves that stand beside this one, on the same scale.
    """
    place, points = curve.outputs.index(output), curve.points
    x, missing_at = _places(points)
    details = [_point_text(curve, place, point) for point in range(len(points))]
    figure = go.Figure()
    if row_curves:
        _add_row_curves(figure, curve, place, x)
    line = np.flatnonzero(np.isfinite(points.places)) if points.kind not in CATEGORICAL else np.zeros(0, dtype=np.int64)
    _add_band(figure, curve, place, x, line, color)
    _add_points(figure, curve, place, x, details, color=color)
    if chosen is not None:
        figure.add_vline(x=x[chosen], line={"color": NEUTRAL, "dash": "dash", "width": 2})
    figure.add_bar(
        x=x,
        y=points.counts,
        yaxis="y2",
        marker={"color": tint("#7a8694", 0.55)},
        customdata=details,
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )
    title = say(_TITLES[curve.method], column=curve.feature)
    finish(figure, title=title, subtitle=_rows_text(curve), height=430)
    figure.update_layout(
        xaxis={"anchor": "y2", "title": {"text": escape(curve.feature)}},
        yaxis={
            "domain": _CURVE,
            "title": {"text": "<br>".join(map(escape, textwrap.wrap(y, _AXIS_WIDTH)))},
            "zeroline": True,
            "range": _reach((curve, *beside), place, with_rows=row_curves),
        },
        yaxis2={"domain": _COUNTS, "title": {"text": say("rows")}, "nticks": 3, "gridcolor": GRID, "automargin": True},
        legend={"y": -0.24},
        hovermode="closest",
    )
    return _name_values(figure, points, x, missing_at)


def _reach(curves: Sequence[EffectCurve], place: int, *, with_rows: bool) -> list[float]:
    """Both ends of an axis that holds all curves, their intervals, and single rows where they are drawn."""
    held = [np.nan_to_num(array[:, place]) for curve in curves for array in (curve.effect.low, curve.effect.high)]
    held += [curve.effect.values[:, place] for curve in curves]
    if with_rows:
        rows = [curve.centred_row_curves(place) for curve in curves if curve.points.kind not in CATEGORICAL]
        held += [lines.ravel() for lines in rows if lines is not None]
    low, high = (float(end(np.concatenate(held))) for end in (np.min, np.max))
    room = 0.06 * ((high - low) or 1.0)
    return [low - room, high + room]


def _places(points: GridPoints) -> tuple[Any, Any]:
    """Where the points stand on the axis, and where missing cells do: numbers, days, or the places of categories."""
    places = points.places.copy()
    known = places[np.isfinite(places)]
    if points.kind in CATEGORICAL:
        places = np.arange(float(len(points)))
        return places, None
    missing_at = None
    if points.has_missing:
        spread = float(known.max() - known.min()) if len(known) else 1.0
        missing_at = (float(known.max()) if len(known) else 0.0) + _MISSING_GAP * (spread or 1.0)
        places[-1] = missing_at
    if points.kind is Kind.DATETIME:
        days = np.datetime64(0, "s") + (places * 86_400).astype(np.int64)
        return days.astype(str), None if missing_at is None else str(days[-1])
    return places, missing_at


def _name_values(figure: go.Figure, points: GridPoints, x: Any, missing_at: Any) -> go.Figure:
    if points.kind in CATEGORICAL:
        return figure.update_xaxes(tickvals=x, ticktext=labels(points.shown_labels, width=18))
    if missing_at is not None:
        figure.add_annotation(
            x=missing_at,
            y=_COUNTS[1],
            yref="paper",
            text=escape(points.shown_labels[-1]),
            showarrow=False,
            yanchor="bottom",
        )
    return figure


def _add_row_curves(figure: go.Figure, curve: EffectCurve, place: int, x: Any) -> None:
    """All single rows in one trace, each line broken off before the next."""
    lines = curve.centred_row_curves(place)
    if lines is None or not len(lines) or curve.points.kind in CATEGORICAL:
        return
    known = np.flatnonzero(np.isfinite(curve.points.places))
    gap = np.full((len(lines), 1), np.nan)
    across = np.tile(np.array([*np.asarray(x)[known], None], dtype=object), len(lines))
    figure.add_scatter(
        x=across,
        y=np.hstack([lines[:, known], gap]).ravel(),
        mode="lines",
        line={"color": tint("#7a8694", 0.32), "width": 1},
        name=say("{n_rows:,} single rows", n_rows=len(lines)),
        hoverinfo="skip",
    )


def _add_band(figure: go.Figure, curve: EffectCurve, place: int, x: Any, line: Any, color: str) -> None:
    if not len(line):
        return
    low, high = curve.effect.low[line, place], curve.effect.high[line, place]
    along = np.asarray(x)[line]
    if np.isfinite(low).all() and np.isfinite(high).all():
        figure.add_scatter(
            x=np.concatenate([along, along[::-1]]),
            y=np.concatenate([high, low[::-1]]),
            fill="toself",
            fillcolor=tint(color, 0.2),
            line={"width": 0},
            mode="lines",
            name=say("95 % interval"),
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=along,
        y=curve.effect.values[line, place],
        mode="lines",
        line={"color": color, "width": 2.5},
        hoverinfo="skip",
        showlegend=False,
    )


def _add_points(figure: go.Figure, curve: EffectCurve, place: int, x: Any, details: list[str], *, color: str) -> None:
    """The points, told apart by their form: enough rows, few rows, rows that do not occur."""
    far, thin = curve.extrapolates, curve.points.thin & ~curve.extrapolates
    groups = (
        (~far & ~thin, "circle", say("mean effect"), color),
        (thin, "circle-open", say("fewer than {least} rows", least=THIN_ROWS), color),
        (far, "x", say("such rows do not occur"), NEGATIVE),
    )
    values, low, high = (array[:, place] for array in (curve.effect.values, curve.effect.low, curve.effect.high))
    alone = ~np.isfinite(curve.points.places) | np.full(len(x), curve.points.kind in CATEGORICAL)
    for members, symbol, name, shade in groups:
        where = np.flatnonzero(members)
        if not len(where):
            continue
        figure.add_scatter(
            x=np.asarray(x)[where],
            y=values[where],
            mode="markers",
            marker={"color": shade, "size": 9, "symbol": symbol, "line": {"width": 2, "color": shade}},
            # Points on a line have the band; the others their own interval.
            error_y={
                "type": "data",
                "symmetric": False,
                "array": np.where(alone, high - values, np.nan)[where],
                "arrayminus": np.where(alone, values - low, np.nan)[where],
                "color": shade,
                "thickness": 1.5,
                "width": 4,
            },
            name=name,
            customdata=[details[point] for point in where],
            hovertemplate="%{customdata}<extra></extra>",
        )


def _point_text(curve: EffectCurve, place: int, point: int) -> str:
    told = [
        f"<b>{escape(curve.feature)}: {escape(curve.points.shown_labels[point])}</b>",
        say(
            "{effect} against the mean, 95 % interval {low} to {high}",
            effect=signed(float(curve.effect.values[point, place])),
            low=_or_unknown(curve.effect.low[point, place]),
            high=_or_unknown(curve.effect.high[point, place]),
        ),
        say("rows at this point: {n_rows:,}", n_rows=int(curve.points.counts[point])),
    ]
    if curve.off_data is not None and curve.extrapolates[point]:
        share = percent(float(curve.off_data[point]))
        told.append(say("{share} of the combinations lie away from the data", share=share))
    return "<br>".join(told)


def _or_unknown(value: float) -> str:
    return signed(float(value)) if np.isfinite(value) else say("not known")


def _rows_text(curve: EffectCurve) -> str:
    return say("mean over {n_rows:,} rows; bars below: rows at each point", n_rows=curve.n_rows)


def interaction_bars(interactions: Interactions, output: str, column: str, *, color: str, x: str) -> go.Figure:
    """How much one column acts together with each of the others, with 95 % intervals; the strongest on top.

    Args:
        interactions: pairs that were measured.
        output: which output of the run.
        column: the column whose pairs are drawn.
        color: of the column.
        x: name and unit of the score.
    """
    title = say("What {column} acts together with", column=column)
    ranked = [pair for pair in interactions.ranked(output) if column in interactions.pairs[pair]]
    if not ranked:
        return empty(say("No pair with this column was measured."), title=title)
    place = interactions.outputs.index(output)
    size, low, high = (
        array[ranked, place] for array in (interactions.size.values, interactions.size.low, interactions.size.high)
    )
    others = [_other(interactions.pairs[pair], column) for pair in ranked]
    figure = go.Figure(
        go.Bar(
            x=size,
            y=np.arange(len(ranked)),
            orientation="h",
            marker={"color": color},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": high - size,
                "arrayminus": size - low,
                "color": NEUTRAL,
                "thickness": 1.5,
                "width": 3,
            },
            customdata=[escape(interactions.sentence(int(pair), output)) for pair in ranked],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    subtitle = say("standard deviation of what the pair does beyond the sum of both, over {n:,} rows",
                   n=len(interactions.rows))  # fmt: skip
    finish(figure, title=title, subtitle=subtitle, x=x, height=bars_height(len(ranked)), legend=False)
    name_lines(figure, labels(others))
    return figure.update_xaxes(rangemode="tozero", nticks=6)


def _other(pair: tuple[str, str], column: str) -> str:
    return pair[1] if pair[0] == column else pair[0]


def surface_map(surface: EffectSurface, output: str, *, part: SurfacePart, unit: str) -> go.Figure:
    """Every pair of values as a cell: the joint effect, or what of it is more than the sum of both.

    Blue is above the mean and orange below; cells with few rows of their own carry a dot, those without any a cross.

    Args:
        surface: what was measured.
        output: which output of the run.
        part: the joint effect, or the interaction alone.
        unit: of the score, for the colour bar.
    """
    place = surface.outputs.index(output)
    band = surface.joint if part == "joint" else surface.interaction
    values = band.values[:, :, place].T
    reach = float(np.abs(surface.joint.values[:, :, place]).max()) or 1.0
    marks = np.where(surface.counts.T == 0, "×", np.where(surface.thin.T, "·", ""))
    title = say("Both together") if part == "joint" else say("More than the sum of both")
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=np.arange(len(surface.first)),
            y=np.arange(len(surface.second)),
            zmin=-reach,
            zmax=reach,
            colorscale=[list(stop) for stop in DIVERGING],
            colorbar={"title": {"text": escape(unit), "side": "right"}, "thickness": 12},
            text=marks,
            texttemplate="%{text}",
            textfont={"color": NEUTRAL},
            customdata=_cell_texts(surface, values),
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    subtitle = say("× no row of its own, · fewer than {least} rows; read these cells with care", least=THIN_ROWS)
    finish(figure, title=title, subtitle=subtitle, x=surface.first.feature, y=surface.second.feature, legend=False,
           height=max(320, 150 + 24 * len(surface.second)))  # fmt: skip
    figure.update_xaxes(tickvals=np.arange(len(surface.first)), ticktext=labels(surface.first.shown_labels, width=14))
    figure.update_yaxes(tickvals=np.arange(len(surface.second)), ticktext=labels(surface.second.shown_labels, width=14))
    return figure.update_xaxes(showgrid=False).update_yaxes(showgrid=False)


def _cell_texts(surface: EffectSurface, values: Floats) -> list[list[str]]:
    return [
        [
            say(
                "{first} = {a}, {second} = {b}: {effect} against the mean; rows of its own: {n_rows:,}",
                first=escape(surface.first.feature),
                second=escape(surface.second.feature),
                a=escape(surface.first.shown_labels[g]),
                b=escape(surface.second.shown_labels[h]),
                effect=signed(float(values[h, g])),
                n_rows=int(surface.counts[g, h]),
            )
            for g in range(len(surface.first))
        ]
        for h in range(len(surface.second))
    ]
