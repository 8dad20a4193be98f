"""How the columns push the rows of each group: all of them as a map, one of them with its intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.groups.audit import GroupAudit
from tabnet_engine.explain.groups.spread import FEWEST_EXPLAINED, AttributionSpread
from tabnet_engine.figures.group_rows import MOST_GROUPS, group_name, known, name_rows, reach, rows_height, short_label
from tabnet_engine.figures.theme import ACCENT, DIVERGING, NEUTRAL, PALETTE, empty, escape, finish, labels
from tabnet_engine.texts.speaking import say

__all__ = ["attribution_map", "column_by_group"]

_MOST_COLUMNS = 20
_MOST_WRITTEN = 6  # columns whose cells have room for their number on a narrow screen


def attribution_map(spread: AttributionSpread, audit: GroupAudit, output: int, columns: Sequence[int]) -> go.Figure:
    """Mean signed value of each column in each group: which way it pushes the group's rows, and how far.

    Args:
        spread: means by group.
        audit: whose groups they are.
        output: which of the spread's outputs.
        columns: which of its columns, from left to right.
    """
    title = say("Mean push of each column by group")
    drawn = [place for place, n_rows in enumerate(spread.n_rows) if n_rows][:MOST_GROUPS]
    if not drawn or not len(columns):
        return empty(say("No row of these groups has SHAP values."), title=title)
    chosen = list(columns[:_MOST_COLUMNS])
    values = spread.mean[np.ix_(drawn, chosen, [output])][:, :, 0]
    # A group of a few rows must not wash out the colours of all others.
    solid = [row for row, place in enumerate(drawn) if place in spread.solid]
    limit = float(np.nanmax(np.abs(values[solid] if solid else values), initial=0.0)) or 1.0
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=list(range(len(chosen))),
            y=list(range(len(drawn))),
            zmin=-limit,
            zmax=limit,
            colorscale=[list(stop) for stop in DIVERGING],
            xgap=2,
            ygap=2,
            text=[[_signed(value) for value in line] for line in values],
            texttemplate="%{text}" if len(chosen) <= _MOST_WRITTEN else "",
            customdata=_map_hover(spread, audit, output, drawn, chosen),
            hovertemplate="%{customdata}<extra></extra>",
            colorbar={"title": {"text": escape(say("mean SHAP"))}, "thickness": 12},
        )
    )
    subtitle = say("mean SHAP value of {output}; above 0 it pushes up", output=spread.outputs[output])
    if len(solid) < len(drawn):
        rest = say("colours fit groups with at least {least} explained rows", least=FEWEST_EXPLAINED)
        subtitle = f"{subtitle}; {rest}"
    finish(figure, title=title, subtitle=subtitle, height=rows_height(len(drawn)) + 60, legend=False)
    names = labels([spread.features[place] for place in chosen], 18)
    figure.update_xaxes(tickvals=list(range(len(chosen))), ticktext=names, tickangle=-40, showgrid=False)
    rows = [
        say(
            "{group} ({n_rows:,})",
            group=short_label(group_name(audit, spread.groups[place])),
            n_rows=spread.n_rows[place],
        )
        for place in drawn
    ]
    return name_rows(figure, rows)


def _signed(value: float) -> str:
    return "" if np.isnan(value) else f"{value:+.2g}".replace("-", "−")


def _map_hover(
    spread: AttributionSpread, audit: GroupAudit, output: int, groups: Sequence[int], columns: Sequence[int]
) -> list[list[str]]:
    return [
        [
            f"<b>{escape(group_name(audit, spread.groups[group]))}</b> · {escape(spread.features[column])}<br>"
            + escape(
                _push_words(spread.mean_estimate(spread.groups[group], spread.features[column], spread.outputs[output]))
            )
            for column in columns
        ]
        for group in groups
    ]


def _push_words(estimate: Estimate) -> str:
    if estimate.value is None:
        return say("no explained row")
    if estimate.low is None or estimate.high is None:
        return say("{value}, without an interval", value=_signed(estimate.value))
    return say(
        "{value} (95 % interval {low} to {high})",
        value=_signed(estimate.value),
        low=_signed(estimate.low),
        high=_signed(estimate.high),
    )


def column_by_group(spread: AttributionSpread, audit: GroupAudit, output: int, column: int) -> go.Figure:
    """One column's mean value with sign, and its mean size, in each group, both with 95 % intervals.

    Args:
        spread: means by group.
        audit: whose groups they are.
        output: which of the spread's outputs.
        column: which of its columns.
    """
    feature, name = spread.features[column], spread.outputs[output]
    title = say("{column} by group", column=feature)
    drawn = [group for group, n_rows in zip(spread.groups, spread.n_rows, strict=True) if n_rows][:MOST_GROUPS]
    if not drawn:
        return empty(say("No row of these groups has SHAP values."), title=title)
    figure = go.Figure()
    series = (
        (say("mean, with its sign"), [spread.mean_estimate(group, feature, name) for group in drawn], ACCENT, "circle"),
        (say("mean size"), [spread.size_estimate(group, feature, name) for group in drawn], PALETTE[5], "diamond"),
    )
    for number, (words, estimates, tone, symbol) in enumerate(series):
        figure.add_scatter(
            x=[known(estimate.value) for estimate in estimates],
            y=[place + 0.18 * (2 * number - 1) for place in range(len(drawn))],
            mode="markers",
            name=words,
            marker={"color": tone, "size": 9, "symbol": symbol},
            error_x={**reach(estimates, 1.0), "color": tone},
            customdata=[
                f"<b>{escape(group_name(audit, group))}</b><br>{escape(words)}: {escape(_push_words(estimate))}"
                for group, estimate in zip(drawn, estimates, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    figure.add_vline(x=0.0, line={"color": NEUTRAL, "width": 1.5, "dash": "dash"})
    axis = say("SHAP value of {output}", output=name)
    finish(figure, title=title, subtitle=say("points with 95 % intervals"), x=axis, height=rows_height(len(drawn)) + 40)
    return name_rows(figure, [short_label(group_name(audit, group)) for group in drawn])
