"""Global importances: one bar per column, with its interval where the method has one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.explain.wording import amount, percent, signed
from tabnet_engine.figures.theme import (
    ACCENT,
    NEUTRAL,
    PALETTE,
    bars_height,
    empty,
    escape,
    finish,
    labels,
    other_columns,
)

__all__ = ["ATTENTION", "EFFECT", "METHOD_COLORS", "importance_bars"]

Floats = npt.NDArray[np.floating]
Indices = npt.NDArray[np.integer]

# What was read is always drawn in the colour of the mask maps, size of effect in a colour that is no sign.
ATTENTION = ACCENT
EFFECT = PALETTE[5]
METHOD_COLORS = {"masks": ATTENTION, "shap": EFFECT, "gradients": PALETTE[2], "permutation": PALETTE[3]}


def importance_bars(
    importance: GlobalImportance,
    *,
    title: str,
    x: str,
    subtitle: str = "",
    order: Sequence[int] | None = None,
    max_features: int = 20,
) -> go.Figure:
    """Bars of a global importance with 95 % intervals, largest on top unless ``order`` says otherwise.

    Args:
        importance: what was measured; masks are drawn as shares in per cent.
        title: what was measured.
        x: name and unit of the measure.
        subtitle: rows, background and evaluations it was measured on.
        order: indices of the columns from top to bottom, to keep two methods line by line.
        max_features: columns shown one by one; the rest is one grey bar, their sum.
    """
    if not importance.features or not importance.n_rows:
        return empty("There is nothing measured to show.", title=title)
    ranked = np.asarray(order) if order is not None else importance.order
    kept, rest = ranked[:max_features], ranked[max_features:]
    scale = 100.0 if importance.method == "masks" else 1.0
    figure = go.Figure(_bars(importance, kept, scale))
    names = labels([importance.features[index] for index in kept])
    if len(rest):
        names.append(other_columns(len(rest)))
        figure.add_trace(_rest_bar(importance, rest, len(kept), scale))
    finish(figure, title=title, subtitle=subtitle, x=x, height=bars_height(len(names)), legend=False)
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, autorange="reversed", showgrid=False, zeroline=False
    )
    return figure.update_xaxes(rangemode="tozero", nticks=6)


def _bars(importance: GlobalImportance, kept: Indices, scale: float) -> go.Bar:
    return go.Bar(
        x=scale * importance.values[kept],
        y=np.arange(len(kept)),
        orientation="h",
        marker={"color": METHOD_COLORS.get(importance.method, EFFECT)},
        error_x=_error_bars(importance, kept, scale),
        customdata=_details(importance, kept),
        hovertemplate="%{customdata}<extra></extra>",
    )


def _error_bars(importance: GlobalImportance, kept: Indices, scale: float) -> dict[str, Any] | None:
    interval = importance.interval
    if interval is None:
        return None
    low, high = (scale * (edge - importance.values)[kept] for edge in interval)
    bars = {"type": "data", "array": np.maximum(high, 0), "arrayminus": np.maximum(-low, 0)}
    return {**bars, "symmetric": False, "color": NEUTRAL, "thickness": 1.5, "width": 3}


def _details(importance: GlobalImportance, kept: Indices) -> list[str]:
    ranks = {int(index): rank for rank, index in enumerate(importance.order, start=1)}
    interval = importance.interval
    details = []
    for index in kept:
        text = _amount(importance.method, float(importance.values[index]))
        if interval is not None:
            low, high = (_amount(importance.method, float(edge[index])) for edge in interval)
            text += f" (95 % interval {low} to {high})"
        details.append(f"<b>{escape(importance.features[index])}</b><br>rank {ranks[int(index)]}: {text}")
    return details


def _rest_bar(importance: GlobalImportance, rest: Indices, place: int, scale: float) -> go.Bar:
    total = float(importance.values[rest].sum())
    text = f"the other {len(rest)} columns together: {_amount(importance.method, total)}"
    return go.Bar(
        x=[scale * total], y=[place], orientation="h", marker={"color": NEUTRAL}, hovertemplate=f"{text}<extra></extra>"
    )


def _amount(method: str, value: float) -> str:
    if method == "masks":
        return percent(value)
    return signed(value) if value < 0 else amount(value)
