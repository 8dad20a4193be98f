"""Global importances: one bar per column, with its interval where the method has one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.explain.importance_comparison import ImportanceComparison, Scale
from tabnet_engine.explain.wording import amount, percent, signed
from tabnet_engine.figures.identity import ColorScheme
from tabnet_engine.figures.theme import (
    ACCENT,
    NEUTRAL,
    PALETTE,
    bars_height,
    empty,
    escape,
    finish,
    labels,
    name_lines,
    other_columns,
)
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = ["ATTENTION", "EFFECT", "METHOD_COLORS", "MOST_BARS", "importance_bars", "method_bars"]

Floats = npt.NDArray[np.floating]
Indices = npt.NDArray[np.integer]

# What was read is always drawn in the colour of the mask maps, size of effect in a colour that is no sign.
ATTENTION = ACCENT
EFFECT = PALETTE[5]
METHOD_COLORS = {"masks": ATTENTION, "shap": EFFECT, "gradients": PALETTE[2], "permutation": PALETTE[3]}
MOST_BARS = 20
_TITLES = {
    "masks": msg("What the masks read"),
    "shap": msg("What moves the score (SHAP)"),
    "permutation": msg("What the loss rests on (permutation)"),
}
CHOSEN = "▸"  # stands before the chosen column's name


def importance_bars(
    importance: GlobalImportance,
    *,
    title: str,
    x: str,
    subtitle: str = "",
    order: Sequence[int] | None = None,
    max_features: int = MOST_BARS,
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
        return empty(say("There is nothing measured to show."), title=title)
    ranked = np.asarray(order) if order is not None else importance.order
    scale = 100.0 if importance.method == "masks" else 1.0
    low, high = (None, None) if importance.interval is None else (scale * edge for edge in importance.interval)
    ranks = np.empty(len(importance.features), dtype=np.int64)
    ranks[importance.order] = np.arange(1, len(ranks) + 1)
    return _bars(
        importance.features,
        (scale * importance.values, low, high),
        ranks,
        ranked,
        written=lambda value: _amount(importance.method, value / scale),
        color=METHOD_COLORS.get(importance.method, EFFECT),
        texts={"title": title, "x": x, "subtitle": subtitle},
        max_features=max_features,
    )


def method_bars(
    comparison: ImportanceComparison,
    method: str,
    *,
    order: Indices,
    scale: Scale,
    colors: ColorScheme,
    chosen: str,
    x: str,
    subtitle: str = "",
) -> go.Figure:
    """One method of several that stand side by side: the same columns in the same lines, each in its own colour.

    Args:
        comparison: all methods.
        method: which one is drawn.
        order: positions of the columns from top to bottom.
        scale: per cent of the method's sum, or its own unit.
        colors: of the columns.
        chosen: the column that is marked.
        x: name and unit of the measure.
        subtitle: rows, background and evaluations it was measured on.
    """
    name = comparison.of(method).name
    title = say(_TITLES[method]) if method in _TITLES else name[:1].upper() + name[1:]
    if not comparison.features or not comparison.of(method).n_rows:
        return empty(say("There is nothing measured to show."), title=title)
    values, low, high = comparison.values(method, scale)
    has_interval = bool(np.isfinite(low).any())
    figure = _bars(
        comparison.features,
        (values, low if has_interval else None, high if has_interval else None),
        comparison.ranks[comparison.names.index(method)],
        np.asarray(order),
        written=_per_cent if scale == "share" else lambda value: _amount(method, value),
        color=[colors.feature(comparison.features[place]) for place in order[:MOST_BARS]],
        texts={"title": title, "x": x, "subtitle": subtitle},
        max_features=MOST_BARS,
    )
    return _mark(figure, comparison.features, order[:MOST_BARS], chosen)


def _bars(
    features: Sequence[str],
    measured: tuple[Floats, Floats | None, Floats | None],
    ranks: Indices,
    order: Indices,
    *,
    written: Callable[[float], str],
    color: str | list[str],
    texts: dict[str, str],
    max_features: int,
) -> go.Figure:
    values, low, high = measured
    kept, rest = order[:max_features], order[max_features:]
    details = []
    for place in kept:
        name, rank, value = escape(features[place]), f"{ranks[place]:,}", written(float(values[place]))
        if low is None or high is None:
            told = say("rank {rank}: {value}", rank=rank, value=value)
        else:
            ends = {"low": written(float(low[place])), "high": written(float(high[place]))}
            told = say("rank {rank}: {value} (95 % interval {low} to {high})", rank=rank, value=value, **ends)
        details.append(f"<b>{name}</b><br>{told}")
    figure = go.Figure(
        go.Bar(
            x=values[kept],
            y=np.arange(len(kept)),
            orientation="h",
            marker={"color": color},
            error_x=_error_bars(values, low, high, kept),
            customdata=details,
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    names = labels([features[place] for place in kept])
    if len(rest):
        names.append(other_columns(len(rest)))
        figure.add_trace(_rest_bar(float(values[rest].sum()), len(rest), len(kept), written))
    finish(figure, **texts, height=bars_height(len(names)), legend=False)
    name_lines(figure, names)
    return figure.update_xaxes(rangemode="tozero", nticks=6)


def _error_bars(values: Floats, low: Floats | None, high: Floats | None, kept: Indices) -> dict[str, Any] | None:
    if low is None or high is None:
        return None
    above, below = (high - values)[kept], (values - low)[kept]
    bars = {"type": "data", "array": np.maximum(above, 0), "arrayminus": np.maximum(below, 0)}
    return {**bars, "symmetric": False, "color": NEUTRAL, "thickness": 1.5, "width": 3}


def _rest_bar(total: float, n_columns: int, place: int, written: Callable[[float], str]) -> go.Bar:
    text = say_plural(
        "the other {count} column: {amount}", "the other {count} columns together: {amount}", n_columns,
        amount=written(total),
    )  # fmt: skip
    return go.Bar(
        x=[total], y=[place], orientation="h", marker={"color": NEUTRAL}, hovertemplate=f"{text}<extra></extra>"
    )


def _mark(figure: go.Figure, features: Sequence[str], kept: Indices, chosen: str) -> go.Figure:
    """Mark the chosen column by its name and by an edge around its bar."""
    names = [features[place] for place in kept]
    if chosen not in names:
        return figure
    at = names.index(chosen)
    texts = list(figure.layout.yaxis.ticktext)
    texts[at] = f"<b>{CHOSEN} {texts[at]}</b>"
    widths = [2.5 if place == at else 0.0 for place in range(len(names))]
    figure.data[0].marker.line = {"color": NEUTRAL, "width": widths}
    return figure.update_yaxes(ticktext=texts)


def _per_cent(value: float) -> str:
    return percent(value / 100) if value >= 0 else f"−{percent(-value / 100)}"


def _amount(method: str, value: float) -> str:
    if method == "masks":
        return percent(value)
    return signed(value) if value < 0 else amount(value)
