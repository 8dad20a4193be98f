"""Signed values of many rows as a heat map: rows from top to bottom, columns side by side, the score beside them."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from tabnet_engine.explain.push_map import ORDERS, PushMap
from tabnet_engine.explain.wording import amount
from tabnet_engine.figures.cells import scale_legend
from tabnet_engine.figures.theme import DIVERGING, NEGATIVE, NEUTRAL, POSITIVE, empty, escape, finish, labels
from tabnet_engine.texts.speaking import say

__all__ = ["push_heat_map"]

_SATURATED = 0.99  # quantile of the sizes from which a cell has its full colour: one outlier does not pale the rest


def push_heat_map(pushes: PushMap, *, unit: str, subtitle: str = "") -> go.Figure:
    """Rows against columns: blue cells raise the score, orange ones lower it. The ``y`` of a cell is its line.

    Args:
        pushes: the arranged rows.
        unit: what the score is.
        subtitle: rows, background and evaluations.
    """
    title = say("Every row's pushes at once")
    if not pushes.features or not len(pushes.counts):
        return empty(say("There is no explained row to show."), title=title)
    notes = [subtitle] if subtitle else []
    notes.append(say("order: {order}", order=say(ORDERS[pushes.order])))
    if not pushes.is_exact:
        low, high = int(pushes.counts.min()), int(pushes.counts.max())
        notes.append(say("each line is the mean of {low:,} to {high:,} neighbouring rows", low=low, high=high))
    if pushes.n_columns_left_out:
        notes.append(say("the {n_columns:,} columns that move it most", n_columns=len(pushes.features)))
    sizes = np.abs(pushes.values)
    reach = float(np.quantile(sizes, _SATURATED)) or float(sizes.max()) or 1.0
    places = np.arange(len(pushes.counts))
    names = labels(pushes.features, width=18)
    push = say("push {push} on the {unit}", push="%{z:+.3g}", unit=escape(unit))
    figure = go.Figure()
    figure.add_heatmap(
        z=pushes.values.astype(np.float32),
        x=names,
        y=places,
        zmin=-reach,
        zmax=reach,
        colorscale=DIVERGING,
        showscale=False,
        customdata=np.repeat(_row_names(pushes)[:, None], len(pushes.features), axis=1),
        hovertemplate=f"%{{customdata}}<br>%{{x}}<br>{push}<extra></extra>",
    )
    # A heat map cannot be selected: a box that spans its width selects these unseen points, one a line.
    figure.add_scatter(
        x=[names[len(names) // 2]] * len(places),
        y=places,
        mode="markers",
        marker={"opacity": 0, "size": 8},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=pushes.scores,
        y=places,
        mode="lines",
        line={"color": NEUTRAL, "width": 1.5},
        xaxis="x2",
        customdata=_row_names(pushes),
        hovertemplate=f"%{{customdata}}<br>{say('score {score}', score='%{x:.3g}')}<extra></extra>",
    )
    y_name = say("rows") if pushes.is_exact else say("lines of several rows")
    finish(figure, title=title, subtitle="; ".join(notes), y=y_name, height=520, legend=False)
    figure.update_xaxes(showgrid=False, zeroline=False)
    figure.update_yaxes(range=[len(places) - 0.5, -0.5], showticklabels=False, ticks="", showgrid=False, zeroline=False)
    figure.update_layout(
        xaxis={"domain": [0, 0.84], "tickangle": -45, "type": "category"},
        xaxis2={
            "domain": [0.87, 1],
            "title_text": say("score"),
            "nticks": 4,
            "zeroline": False,
            "automargin": True,
            "tickangle": 0,
        },
        margin_t=figure.layout.margin.t + 18,
        dragmode="select",
        selectdirection="v",
    )
    ends = [
        (NEGATIVE, say("lowers the score")),
        (POSITIVE, say("raises it (full colour from {push} on)", push=amount(reach))),
    ]
    return scale_legend(figure, ends, symbol="■")


def _row_names(pushes: PushMap) -> np.ndarray:
    """What each line is called in the hover."""
    return np.array(
        [
            say("row {row}", row=f"{pushes.rows[start]:,}")
            if count == 1
            else say("mean of {n_rows} rows from row {row} on", n_rows=f"{count:,}", row=f"{pushes.rows[start]:,}")
            for start, count in zip(pushes.starts.tolist(), pushes.counts.tolist(), strict=True)
        ],
        dtype=object,
    )
