"""Signed attributions of many rows: a beeswarm, bars by class, one column's dependence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from tabnet_engine.explain.dependence import Dependence, Trend, ValueAxis
from tabnet_engine.explain.shap_summary import ShapSummary
from tabnet_engine.explain.wording import amount, column_name, percent, signed
from tabnet_engine.figures.cells import scale_legend
from tabnet_engine.figures.importance import EFFECT
from tabnet_engine.figures.theme import (
    ACCENT,
    MISSING,
    NEUTRAL,
    bars_height,
    color,
    empty,
    escape,
    finish,
    labels,
    name_lines,
)
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["VALUE_SCALE", "beeswarm", "class_bars", "dependence", "mean_bars"]

Floats = npt.NDArray[np.floating]

_MAX_POINTS = 10_000  # what a browser draws without a wait; beyond, evenly spaced rows, stated
_SWARM_BINS = 60
_INTERVAL = 1.96  # a 95 % normal interval around a mean

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
    title = say("Every row's push, column by column")
    if not summary.features or not len(summary.rows):
        return empty(say("There is no explained row to show."), title=title)
    stride = -(-summary.values.size // _MAX_POINTS)
    taken = np.arange(0, len(summary.rows), stride)
    notes = [subtitle] if subtitle else []
    if stride > 1:
        notes.append(say("{n_rows:,} evenly spaced rows are drawn", n_rows=len(taken)))
    if summary.n_columns_left_out:
        notes.append(_left_out(summary.n_columns_left_out))
    figure = go.Figure()
    for line in range(len(summary.features)):
        figure.add_traces(_swarm(summary, line, taken, texts or {}))
    names = labels(summary.features)
    height = bars_height(len(names), per_bar=34) + 40
    axis = say("push on the {unit}", unit=unit)
    finish(figure, title=title, subtitle="; ".join(notes), x=axis, height=height, legend=False)
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.4, -0.6])
    figure.update_yaxes(showgrid=False, zeroline=False)
    figure.update_xaxes(zerolinecolor=NEUTRAL, zerolinewidth=1.5)
    figure.update_layout(dragmode="select")
    return _value_colors(figure)


def _left_out(count: int) -> str:
    return say_plural(
        "{count} column that moves it less is not drawn", "{count:,} columns that move it less are not drawn", count
    )


def _hover(push: str) -> str:
    """Row, cells and push of a point whose ``customdata`` are the row's number and its cells in words."""
    row, push = say("row {row}", row="%{customdata[0]:,}"), say("push {push}", push=push)
    return f"{row}<br>%{{customdata[1]}}<br>{push}<extra></extra>"


def _value_colors(figure: go.Figure) -> go.Figure:
    """The scale of low to high values, and its legend between heading and chart."""
    figure.update_layout(coloraxis={"colorscale": VALUE_SCALE, "cmin": 0, "cmax": 1, "showscale": False})
    figure.update_layout(margin_t=figure.layout.margin.t + 18)
    ends = [(VALUE_SCALE[0][1], say("low")), (VALUE_SCALE[1][1], ""), (VALUE_SCALE[2][1], say("high value"))]
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
            customdata=[[int(summary.rows[row]), cells[row]] for row in taken[members]],
            hovertemplate=_hover("%{x:+.3g}"),
            name=escape(name),
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


def mean_bars(summary: ShapSummary, *, unit: str, subtitle: str = "") -> go.Figure:
    """How far each column moves the score on average, up or down alike, with 95 % intervals over rows.

    Args:
        summary: the rows and columns, the column that moves the score most first.
        unit: what the score is.
        subtitle: rows, background and evaluations.
    """
    title = say("How far each column moves the score")
    if not summary.features or not len(summary.rows):
        return empty(say("There is no explained row to show."), title=title)
    notes = [subtitle] if subtitle else []
    if summary.n_columns_left_out:
        notes.append(_left_out(summary.n_columns_left_out))
    sizes, error = summary.mean_absolute, summary.standard_error
    reach = None if error is None else _INTERVAL * error
    names = labels(summary.features)
    figure = go.Figure(
        go.Bar(
            x=sizes,
            y=np.arange(len(names)),
            orientation="h",
            marker={"color": EFFECT},
            error_x=None if reach is None else {"array": reach, "color": NEUTRAL, "thickness": 1.5, "width": 0},
            customdata=[_bar_text(summary, place, reach) for place in range(len(names))],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    axis = say("mean |push| on the {unit}, with 95 % intervals over rows", unit=unit)
    finish(figure, title=title, subtitle="; ".join(notes), x=axis, height=bars_height(len(names)), legend=False)
    return name_lines(figure, names)


def _bar_text(summary: ShapSummary, place: int, reach: Floats | None) -> str:
    pushes = summary.values[:, place]
    size = amount(float(summary.mean_absolute[place]))
    moves = (
        say("moves it by {size} on average", size=size)
        if reach is None
        else say("moves it by {size} ± {reach} on average", size=size, reach=amount(float(reach[place])))
    )
    up = say("up in {share} of the rows", share=percent(float((pushes > 0).mean())))
    down = say("down in {share} of the rows", share=percent(float((pushes < 0).mean())))
    return "<br>".join([f"<b>{escape(summary.features[place])}</b>", moves, up, down])


def class_bars(
    features: Sequence[str],
    values: Floats,
    outputs: Sequence[str],
    *,
    subtitle: str = "",
    max_features: int = 15,
    colors: Sequence[str] = (),
) -> go.Figure:
    """Mean absolute SHAP value of each column, split by class: bars stacked, classes in their own colours.

    Args:
        features: the F column names.
        values: (F, K) mean absolute attributions.
        outputs: the K classes.
        subtitle: rows, background and evaluations.
        max_features: columns shown, the largest; how many are left out is said in the axis name.
        colors: of the classes, as they have it on every page.
    """
    title = say("How far each column moves each class")
    order = np.argsort(-values.sum(axis=1), kind="stable")[:max_features]
    if not len(order):
        return empty(say("There is no column to show."), title=title)
    figure = go.Figure()
    for index, (output, label) in enumerate(zip(outputs, labels(outputs, width=20), strict=True)):
        figure.add_bar(
            x=values[order, index],
            y=np.arange(len(order)),
            orientation="h",
            name=label,
            marker={"color": colors[index] if colors else color(index)},
            customdata=[_class_text(features[place], output, float(values[place, index])) for place in order],
            hovertemplate="%{customdata}<extra></extra>",
        )
    names = labels([features[index] for index in order])
    left_out = len(features) - len(order)
    axis = (
        say_plural(
            "mean |SHAP|, in logits ({count} smaller column not drawn)",
            "mean |SHAP|, in logits ({count} smaller columns not drawn)",
            left_out,
        )
        if left_out
        else say("mean |SHAP|, in logits")
    )
    height = bars_height(len(names)) + 40
    finish(figure, title=title, subtitle=subtitle, x=axis, height=height)
    name_lines(figure, names)
    return figure.update_layout(barmode="stack", legend={"y": -90 / height, "traceorder": "normal"})


def _class_text(feature: str, output: str, size: float) -> str:
    moves = say("moves {output} by {size} on average", output=escape(output), size=amount(size))
    return f"<b>{escape(feature)}</b><br>{moves}"


def dependence(record: Dependence, *, unit: str, subtitle: str = "", mean: Trend | None = None) -> go.Figure:
    """One column's value against its push; missing values stand apart on the left, never left out.

    Args:
        record: the points, and the column that colours them.
        unit: what the score is.
        subtitle: rows, background and evaluations.
        mean: the mean push along the axis with its intervals, to be drawn behind the points.
    """
    title = say("How {column} moves the score", column=column_name(record.feature))
    if not len(record.pushes):
        return empty(say("There is no explained row to show."), title=title)
    stride = -(-len(record.pushes) // _MAX_POINTS)
    taken = np.arange(0, len(record.pushes), stride)
    levels = np.full(len(record.pushes), np.nan) if record.levels is None else record.levels
    plain = ACCENT if record.other is None else NEUTRAL
    figure = go.Figure()
    if mean is not None:
        _mean_line(figure, mean, record.axis)
    ordered = np.isfinite(levels)
    for members, look in (
        (taken[~ordered[taken]], {"color": plain}),
        (taken[ordered[taken]], {"color": levels[taken[ordered[taken]]], "coloraxis": "coloraxis"}),
    ):
        figure.add_scatter(
            x=record.axis.places[members],
            y=record.pushes[members],
            mode="markers",
            marker={"size": 7, "opacity": 0.8, **look},
            customdata=[[int(record.rows[row]), _point_text(record, row)] for row in members.tolist()],
            hovertemplate=_hover("%{y:+.3g}"),
        )
    notes = [subtitle] if subtitle else []
    if stride > 1:
        notes.append(say("{n_rows:,} evenly spaced rows are drawn", n_rows=len(taken)))
    if record.other is not None:
        notes.append(say("colour: {column}", column=record.other))
    push = say("push on the {unit}", unit=unit)
    finish(figure, title=title, subtitle="; ".join(notes), x=record.feature, y=push, height=420, legend=False)
    figure.update_yaxes(zerolinecolor=NEUTRAL, zerolinewidth=1.5)
    figure.update_xaxes(zeroline=False)
    figure.update_layout(dragmode="select")
    _value_ticks(figure, record)
    return _value_colors(figure) if ordered.any() else figure


def _mean_line(figure: go.Figure, mean: Trend, axis: ValueAxis) -> None:
    """The mean of each group with its interval: joined where the axis has an order, missing cells apart."""
    order = np.argsort(mean.places, kind="stable")
    apart = order[mean.places[order] == axis.missing_place] if axis.missing_place is not None else order[:0]
    for places, joined in ((np.setdiff1d(order, apart, assume_unique=True), not axis.is_categorical), (apart, False)):
        low, high, value = mean.push.low[places], mean.push.high[places], mean.push.values[places]
        figure.add_scatter(
            x=mean.places[places],
            y=value,
            mode="lines+markers" if joined else "markers",
            marker={"symbol": "diamond-open", "size": 11, "color": NEUTRAL},
            line={"color": NEUTRAL, "width": 2, "dash": "dash"},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": np.nan_to_num(high - value),
                "arrayminus": np.nan_to_num(value - low),
                "color": NEUTRAL,
                "thickness": 1.5,
                "width": 3,
            },
            text=[
                f"{say('missing') if place in apart else escape(mean.texts[place])}<br>{_group_text(mean, int(place))}"
                for place in places
            ],
            hovertemplate="%{text}<extra></extra>",
        )


def _group_text(mean: Trend, place: int) -> str:
    size = signed(float(mean.push.values[place]))
    return say_plural(
        "mean push {size}, of {count} row", "mean push {size}, of {count:,} rows", int(mean.counts[place]), size=size
    )


def _value_ticks(figure: go.Figure, record: Dependence) -> None:
    axis = record.axis
    if axis.tick_places is not None:
        figure.update_xaxes(tickvals=axis.tick_places, ticktext=labels(axis.tick_texts, width=16))
    if axis.missing_place is not None:
        figure.add_vline(
            x=axis.missing_place,
            line={"color": MISSING, "width": 1, "dash": "dot"},
            annotation={"text": say("missing"), "font": {"size": 12}, "yanchor": "bottom"},
        )


def _point_text(record: Dependence, row: int) -> str:
    text = f"{escape(record.feature)} = {escape(record.texts[row])}"
    if record.other is None:
        return text
    return f"{text}<br>{escape(record.other)} = {escape(record.other_texts[row])}"
