"""Importances of some of the rows beside each other: classes, the rows that pass a filter, the values of a column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from tabnet_engine.explain.effects.slices import SlicedImportance
from tabnet_engine.explain.wording import amount, percent
from tabnet_engine.figures.theme import NEUTRAL, bars_height, empty, escape, finish, labels, other_columns
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["MOST_PARTS", "part_dots"]

MOST_PARTS = 6  # drawn in one chart: more cannot be told apart
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
_ROOM = 0.62  # of a line, shared by its parts


def part_dots(
    sliced: SlicedImportance,
    parts: Sequence[str],
    colors: Sequence[str],
    *,
    title: str,
    x: str,
    subtitle: str = "",
    max_features: int = 15,
) -> go.Figure:
    """One line for each column and in it one mark with its 95 % interval for each part; a bar for all rows.

    Args:
        sliced: importances of all rows and of the parts.
        parts: which parts are drawn, at most :data:`MOST_PARTS`.
        colors: one for each of them; marks differ in form too.
        title: what is compared.
        x: name and unit of the measure; masks are drawn in per cent.
        subtitle: rows it was measured on.
        max_features: columns drawn, the most important ones of all rows.
    """
    if not parts:
        return empty(say("There is no part to compare."), title=title)
    whole = sliced.whole
    kept = whole.order[:max_features]
    scale = 100.0 if whole.method == "masks" else 1.0
    lines = np.arange(len(kept), dtype=np.float64)
    figure = go.Figure()
    figure.add_bar(
        x=scale * whole.values[kept],
        y=lines,
        orientation="h",
        name=say("all rows"),
        marker={"color": NEUTRAL, "opacity": 0.28},
        customdata=[_text(sliced, "", place) for place in kept],
        hovertemplate="%{customdata}<extra></extra>",
    )
    offsets = np.linspace(-_ROOM / 2, _ROOM / 2, len(parts)) if len(parts) > 1 else np.zeros(1)
    legend = labels([_legend(sliced, name) for name in parts], width=40)
    for number, name in enumerate(parts):
        part = sliced.parts[name]
        interval = part.interval
        figure.add_scatter(
            x=scale * part.values[kept],
            y=lines + offsets[number],
            mode="markers",
            name=legend[number],
            marker={"color": colors[number], "size": 9, "symbol": _SYMBOLS[number % len(_SYMBOLS)]},
            error_x=None
            if interval is None
            else {
                "type": "data",
                "symmetric": False,
                "array": scale * (interval[1] - part.values)[kept],
                "arrayminus": scale * (part.values - interval[0])[kept],
                "color": colors[number],
                "thickness": 1.5,
                "width": 2,
            },
            customdata=[_text(sliced, name, place) for place in kept],
            hovertemplate="%{customdata}<extra></extra>",
        )
    names = labels([whole.features[place] for place in kept])
    left_out = len(whole.features) - len(kept)
    not_drawn = say("not drawn: {columns}", columns=other_columns(left_out)) if left_out else ""
    height = bars_height(len(names), per_bar=max(26, 12 * len(parts) + 8)) + 60
    finish(figure, title=title, subtitle=" · ".join(filter(None, (subtitle, not_drawn))), x=x, height=height)
    figure.update_yaxes(tickvals=lines, ticktext=names, autorange="reversed", showgrid=False, zeroline=False)
    figure.update_layout(legend={"y": -70 / height, "traceorder": "normal"}, bargap=0.12)
    return figure.update_xaxes(rangemode="tozero", nticks=6)


def _legend(sliced: SlicedImportance, name: str) -> str:
    return say_plural("{name} ({count} row)", "{name} ({count:,} rows)", sliced.parts[name].n_rows, name=name)


def _text(sliced: SlicedImportance, name: str, place: int) -> str:
    """One mark in words, for the hover."""
    part = sliced.parts[name] if name else sliced.whole
    show = percent if part.method == "masks" else amount
    value, feature = show(float(part.values[place])), escape(part.features[place])
    told = say_plural("{value} over {count} row", "{value} over {count:,} rows", part.n_rows, value=value)
    if part.interval is not None:
        low, high = (show(float(edge[place])) for edge in part.interval)
        told = say("{told}, 95 % interval {low} to {high}", told=told, low=low, high=high)
    return f"<b>{feature}</b><br>{escape(name) if name else say('all rows')}<br>{told}"
