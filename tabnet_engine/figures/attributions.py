"""Signed attributions of many rows: a beeswarm, bars by class, one column's dependence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from tabnet_engine.explain.dependence import Dependence
from tabnet_engine.explain.shap_summary import ShapSummary
from tabnet_engine.explain.wording import amount, column_name
from tabnet_engine.figures.cells import scale_legend
from tabnet_engine.figures.theme import ACCENT, MISSING, NEUTRAL, bars_height, color, empty, escape, finish, labels

__all__ = ["VALUE_SCALE", "beeswarm", "class_bars", "dependence"]

Floats = npt.NDArray[np.floating]

_MAX_POINTS = 20_000  # what a browser draws without a wait; beyond, evenly spaced rows, stated
_SWARM_BINS = 60

# Low to high for values that have an order: apart in lightness too, and neither end is a sign.
VALUE_SCALE = ((0.0, "#0c98ae"), (0.5, "#9a8fb0"), (1.0, "#b3147c"))


def beeswarm(
    summary: ShapSummary, *, unit: str, texts: Mapping[str, Sequence[str]] | None = None, subtitle: str = ""
) -> go.Figure:
    """Every explained row's push, one line of points a column; colour is the value, low to high.

    Args:
        summary: the rows and columns, the column that moves the score most first.
        unit: what the score is.
        texts: the rows' cells as the user wrote them, by column, for the hover.
        subtitle: rows, background and evaluations.
    """
    title = "Every row's push, column by column"
    if not summary.features or not len(summary.rows):
        return empty("There is no explained row to show.", title=title)
    stride = -(-summary.values.size // _MAX_POINTS)
    taken = np.arange(0, len(summary.rows), stride)
    notes = [subtitle] if subtitle else []
    if stride > 1:
        notes.append(f"{len(taken):,} evenly spaced rows are drawn")
    if summary.n_columns_left_out:
        notes.append(f"{summary.n_columns_left_out} columns that move it less are not drawn")
    figure = go.Figure()
    for line in range(len(summary.features)):
        figure.add_traces(_swarm(summary, line, taken, texts or {}))
    names = labels(summary.features)
    height = bars_height(len(names), per_bar=34) + 40
    axis = f"push on the {unit}"
    finish(figure, title=title, subtitle="; ".join(notes), x=axis, height=height, legend=False)
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.4, -0.6])
    figure.update_yaxes(showgrid=False, zeroline=False)
    figure.update_xaxes(zerolinecolor=NEUTRAL, zerolinewidth=1.5)
    return _value_colors(figure)


def _value_colors(figure: go.Figure) -> go.Figure:
    """The scale of low to high values, and its legend between heading and chart."""
    figure.update_layout(coloraxis={"colorscale": VALUE_SCALE, "cmin": 0, "cmax": 1, "showscale": False})
    figure.update_layout(margin_t=figure.layout.margin.t + 18)
    ends = [(VALUE_SCALE[0][1], "low"), (VALUE_SCALE[1][1], ""), (VALUE_SCALE[2][1], "high value")]
    return scale_legend(figure, ends)


def _swarm(
    summary: ShapSummary, line: int, taken: npt.NDArray[np.int64], texts: Mapping[str, Sequence[str]]
) -> list[go.Scatter]:
    """The points of one column: those whose value has an order in its colour, the others grey behind them."""
    name = summary.features[line]
    cells = [f"{escape(name)} = {escape(text)}" for text in texts[name]] if name in texts else [""] * len(summary.rows)
    pushes, levels = summary.values[taken, line], summary.colours[taken, line]
    heights, ordered = line + _swarm_heights(pushes), np.isfinite(levels)
    # A cell without an order (a category, a missing value) is grey: a colour would claim low or high.
    looks = ((~ordered, {"color": NEUTRAL}), (ordered, {"color": levels[ordered], "coloraxis": "coloraxis"}))
    return [
        go.Scatter(
            x=pushes[members],
            y=heights[members],
            mode="markers",
            marker={"size": 5, "opacity": 0.85, **look},
            customdata=[f"row {summary.rows[row]:,}<br>{cells[row]}" for row in taken[members]],
            hovertemplate="%{customdata}<br>push %{x:+.3g}<extra></extra>",
            showlegend=False,
        )
        for members, look in looks
        if members.any()
    ]


def _swarm_heights(pushes: Floats) -> Floats:
    """Offsets in (-0.4, 0.4) so that points of like value lie beside each other, not on each other."""
    reach = float(np.ptp(pushes)) or 1.0
    bins = np.floor((pushes - pushes.min()) / reach * (_SWARM_BINS - 1)).astype(np.int64)
    counts = np.bincount(bins, minlength=_SWARM_BINS)
    order = np.argsort(bins, kind="stable")
    place = np.arange(len(pushes)) - np.repeat(np.cumsum(counts) - counts, counts)
    offsets = np.empty(len(pushes))
    # Points of a bin go to the middle, above, below, above ...: the width shows how many there are.
    side = np.where(place % 2, 1.0, -1.0)
    offsets[order] = side * ((place + 1) // 2) / max(int(counts.max()), 12) * 0.8
    return np.clip(offsets, -0.42, 0.42)


def class_bars(
    features: Sequence[str], values: Floats, outputs: Sequence[str], *, subtitle: str = "", max_features: int = 15
) -> go.Figure:
    """Mean absolute SHAP value of each column, split by class: bars stacked, classes in their own colours.

    Args:
        features: the F column names.
        values: (F, K) mean absolute attributions.
        outputs: the K classes.
        subtitle: rows, background and evaluations.
        max_features: columns shown, the largest; how many are left out is said in the axis name.
    """
    title = "How far each column moves each class"
    order = np.argsort(-values.sum(axis=1), kind="stable")[:max_features]
    if not len(order):
        return empty("There is no column to show.", title=title)
    figure = go.Figure()
    for index, (output, label) in enumerate(zip(outputs, labels(outputs, width=20), strict=True)):
        figure.add_bar(
            x=values[order, index],
            y=np.arange(len(order)),
            orientation="h",
            name=label,
            marker={"color": color(index)},
            customdata=[
                f"<b>{escape(features[place])}</b><br>moves {escape(output)} by {amount(float(values[place, index]))}"
                for place in order
            ],
            hovertemplate="%{customdata} on average<extra></extra>",
        )
    names = labels([features[index] for index in order])
    left_out = len(features) - len(order)
    axis = "mean |SHAP|, in logits" + (f" ({left_out} smaller columns not drawn)" if left_out else "")
    height = bars_height(len(names)) + 40
    finish(figure, title=title, subtitle=subtitle, x=axis, height=height)
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, autorange="reversed", showgrid=False, zeroline=False
    )
    return figure.update_layout(barmode="stack", legend={"y": -90 / height, "traceorder": "normal"})


def dependence(record: Dependence, *, unit: str, subtitle: str = "") -> go.Figure:
    """One column's value against its push; missing values stand apart on the left, never left out.

    Args:
        record: the points, and the column that colours them.
        unit: what the score is.
        subtitle: rows, background and evaluations.
    """
    title = f"How {column_name(record.feature)} moves the score"
    if not len(record.pushes):
        return empty("There is no explained row to show.", title=title)
    levels = np.full(len(record.pushes), np.nan) if record.levels is None else record.levels
    ordered, texts = np.isfinite(levels), _point_texts(record)
    plain = ACCENT if record.other is None else NEUTRAL
    figure = go.Figure()
    for members, look in (
        (~ordered, {"color": plain}),
        (ordered, {"color": levels[ordered], "coloraxis": "coloraxis"}),
    ):
        figure.add_scatter(
            x=record.axis.places[members],
            y=record.pushes[members],
            mode="markers",
            marker={"size": 7, "opacity": 0.8, **look},
            customdata=[text for text, member in zip(texts, members, strict=True) if member],
            hovertemplate="%{customdata}<br>push %{y:+.3g}<extra></extra>",
        )
    if record.other is not None:
        subtitle = f"{subtitle}; colour: {record.other}".lstrip("; ")
    push = f"push on the {unit}"
    finish(figure, title=title, subtitle=subtitle, x=record.feature, y=push, height=420, legend=False)
    figure.update_yaxes(zerolinecolor=NEUTRAL, zerolinewidth=1.5)
    figure.update_xaxes(zeroline=False)
    _value_ticks(figure, record)
    return _value_colors(figure) if ordered.any() else figure


def _value_ticks(figure: go.Figure, record: Dependence) -> None:
    axis = record.axis
    if axis.tick_places is not None:
        figure.update_xaxes(tickvals=axis.tick_places, ticktext=labels(axis.tick_texts, width=16))
    if axis.missing_place is not None:
        figure.add_vline(
            x=axis.missing_place,
            line={"color": MISSING, "width": 1, "dash": "dot"},
            annotation={"text": "missing", "font": {"size": 12}, "yanchor": "bottom"},
        )


def _point_texts(record: Dependence) -> list[str]:
    name = escape(record.feature)
    texts = [f"row {row:,}<br>{name} = {escape(text)}" for row, text in zip(record.rows, record.texts, strict=True)]
    if record.other is None:
        return texts
    other = escape(record.other)
    return [f"{text}<br>{other} = {escape(value)}" for text, value in zip(texts, record.other_texts, strict=True)]
