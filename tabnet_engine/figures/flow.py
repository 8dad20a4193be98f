"""What is read after what: the reading of every step as bands that flow to the next."""

from __future__ import annotations

import plotly.graph_objects as go

from tabnet_engine.explain.mask_flow import ReadingFlow
from tabnet_engine.explain.wording import percent
from tabnet_engine.figures.identity import ColorScheme
from tabnet_engine.figures.theme import NEUTRAL, empty, finish, labels, other_columns, tint
from tabnet_engine.texts.speaking import say

__all__ = ["reading_flow_figure"]

_LEAST_BAND = 0.004  # of the reading: thinner bands could not be seen
_LEAST_NODE = 0.002
_FEWEST_PIXELS, _NODE_PIXELS = 380, 44


def reading_flow_figure(flow: ReadingFlow, scheme: ColorScheme) -> go.Figure:
    """Steps from left to right, the columns they read from top to bottom, and bands between a step and the next.

    A column keeps the colour that it has on every page; a band has the colour of the column that it leaves.

    Args:
        flow: the columns read most, the others as one.
        scheme: the colours of the run's columns.
    """
    title = say("What is read first, and what then")
    if not flow.n_rows:
        return empty(say("No row passes the filter."), title=title)
    if flow.n_steps < 2:
        return empty(say("This model has one decision step: there is no next one."), title=title)
    names = [*labels(flow.columns, width=18), *([other_columns(flow.n_other)] if flow.n_other else [])]
    colors = [*(scheme.feature(column) for column in flow.columns), *([NEUTRAL] if flow.n_other else [])]
    nodes = [
        (step, place)
        for step in range(flow.n_steps)
        for place in range(len(names))
        if flow.shares[step, place] >= _LEAST_NODE
    ]
    numbers = {node: number for number, node in enumerate(nodes)}
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            node=_nodes(flow, nodes, names, colors),
            link=_bands(flow, numbers, names, colors),
            textfont={"size": 12},
        )
    )
    subtitle = say("share of each step's reading, mean of {n_rows:,} rows", n_rows=flow.n_rows)
    height = max(_FEWEST_PIXELS, 120 + _NODE_PIXELS * len(names))
    finish(figure, title=title, subtitle=subtitle, height=height, legend=False)
    return _name_steps(figure, flow)


def _nodes(flow: ReadingFlow, nodes: list[tuple[int, int]], names: list[str], colors: list[str]) -> dict[str, object]:
    shares = [float(flow.shares[node]) for node in nodes]
    last = flow.n_steps - 1
    hover = [
        say(
            "step {step} reads {column}: {share} of its reading",
            step=step + 1,
            column=names[place],
            share=percent(share),
        )
        for (step, place), share in zip(nodes, shares, strict=True)
    ]
    return {
        "label": [names[place] for _, place in nodes],
        "color": [colors[place] for _, place in nodes],
        "x": [min(max(step / last, 0.001), 0.999) for step, _ in nodes],
        "y": _heights(nodes, shares),
        "customdata": hover,
        "hovertemplate": "%{customdata}<extra></extra>",
        "pad": 10,
        "thickness": 16,
        "line": {"width": 0},
    }


def _heights(nodes: list[tuple[int, int]], shares: list[float]) -> list[float]:
    """Where the middle of each node stands, in the order of the columns, the same in every step."""
    above: dict[int, float] = {}
    places = []
    for (step, _), share in zip(nodes, shares, strict=True):
        start = above.get(step, 0.0)
        places.append(min(max(start + share / 2, 0.001), 0.999))
        above[step] = start + share
    return places


def _bands(
    flow: ReadingFlow, numbers: dict[tuple[int, int], int], names: list[str], colors: list[str]
) -> dict[str, object]:
    source, target, value, hover, band_colors = [], [], [], [], []
    for step, link in enumerate(flow.links):
        for before in range(len(names)):
            for after in range(len(names)):
                share = float(link[before, after])
                if share < _LEAST_BAND or (step, before) not in numbers or (step + 1, after) not in numbers:
                    continue
                source.append(numbers[step, before])
                target.append(numbers[step + 1, after])
                value.append(share)
                band_colors.append(tint(colors[before], 0.3))
                hover.append(
                    say(
                        "{column} in step {step}, then {next_column}: {share} of the reading",
                        column=names[before],
                        step=step + 1,
                        next_column=names[after],
                        share=percent(share),
                    )
                )
    return {
        "source": source,
        "target": target,
        "value": value,
        "color": band_colors,
        "customdata": hover,
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _name_steps(figure: go.Figure, flow: ReadingFlow) -> go.Figure:
    last = flow.n_steps - 1
    for step in range(flow.n_steps):
        anchor = "left" if step == 0 else "right" if step == last else "center"
        text = say("Step {step}", step=step + 1)
        figure.add_annotation(
            text=f"<b>{text}</b>",
            x=step / last,
            y=1,
            xref="paper",
            yref="paper",
            xanchor=anchor,
            yanchor="bottom",
            yshift=4,
            showarrow=False,
            font={"size": 13},
        )
    margin = figure.layout.margin
    return figure.update_layout(margin_t=margin.t + 22, margin_b=16)
