"""How far to trust an explanation, drawn: deletion and insertion curves beside random orders, weights made random."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from tabnet_engine.explain.importance import METHOD_NAMES
from tabnet_engine.explain.trust.faithfulness import Curve
from tabnet_engine.explain.wording import amount
from tabnet_engine.figures.importance import METHOD_COLORS
from tabnet_engine.figures.theme import NEUTRAL, PALETTE, empty, finish, tint
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say

__all__ = ["faithfulness_curves"]

# Title, horizontal axis and what is good.
_KINDS = {
    "deletion": (
        msg("Deletion: the leading columns are taken away first"),
        msg("columns replaced by background values, %"),
        msg("higher is better: the named columns matter"),
    ),
    "insertion": (
        msg("Insertion: the leading columns are given first"),
        msg("columns that are known, %"),
        msg("lower is better: the named columns suffice"),
    ),
}
_DASHES = ("solid", "dash", "dashdot", "longdash", "longdashdot")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")


def faithfulness_curves(curves: Sequence[Curve], *, kind: str, unit: str, subtitle: str = "") -> go.Figure:
    """How far the score moves as columns are replaced, or become known, in the order of each method.

    Args:
        curves: of one target, all methods and random orders (whose method is empty), of both kinds.
        kind: "deletion" or "insertion".
        unit: what the score is.
        subtitle: the rows.
    """
    title, axis, good = (say(text) for text in _KINDS[kind])
    chosen = [curve for curve in curves if curve.kind == kind]
    if not chosen:
        return empty(say("No curve was measured."), title=title)
    figure = go.Figure()
    methods = [curve for curve in chosen if curve.method]
    for curve in (curve for curve in chosen if not curve.method):
        _line(figure, curve, say("random orders"), NEUTRAL, "dot", "line-ew-open")
    for index, curve in enumerate(methods):
        line_color = METHOD_COLORS.get(curve.method, PALETTE[(index + 4) % len(PALETTE)])
        name = recalled(METHOD_NAMES.get(curve.method, curve.method))
        _line(figure, curve, name, line_color, _DASHES[index % len(_DASHES)], _SYMBOLS[index % len(_SYMBOLS)])
    y_name = say("distance from the row's score")
    notes = [*([subtitle] if subtitle else []), say("in the unit of the {unit}", unit=unit), good]
    finish(figure, title=title, subtitle="; ".join(notes), x=axis, y=y_name, height=400)
    figure.update_xaxes(range=[-2, 102])
    return figure.update_yaxes(rangemode="tozero").update_layout(legend={"y": -0.2})


def _line(figure: go.Figure, curve: Curve, name: str, line_color: str, dash: str, symbol: str) -> None:
    """One curve over its 95 % band."""
    x = [100 * share for share in curve.shares]
    y = [distance.value for distance in curve.distances]
    ends = [(distance.low, distance.high) for distance in curve.distances]
    if all(low is not None and high is not None for low, high in ends):
        figure.add_scatter(
            x=[*x, *reversed(x)],
            y=[*(high for _, high in ends), *(low for low, _ in reversed(ends))],
            fill="toself",
            fillcolor=tint(line_color, 0.14),
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            showlegend=False,
        )
    figure.add_scatter(
        x=x,
        y=y,
        name=name,
        mode="lines+markers",
        line={"color": line_color, "width": 2, "dash": dash},
        marker={"symbol": symbol, "size": 6, "color": line_color},
        customdata=[_hover(name, curve, place) for place in range(len(x))],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _hover(name: str, curve: Curve, place: int) -> str:
    distance = curve.distances[place]
    share = f"{100 * curve.shares[place]:.0f} %"
    if distance.value is None:
        return f"{name}<br>{share}"
    if distance.low is None or distance.high is None:
        moved = say("moved by {size}", size=amount(distance.value))
    else:
        moved = say(
            "moved by {size} (95 % interval {low} to {high})",
            size=amount(distance.value),
            low=amount(distance.low),
            high=amount(distance.high),
        )
    return f"{name}<br>{share}<br>{moved}"
