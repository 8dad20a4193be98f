"""What the steps of each way of reading read: one line a way, one panel a step."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from tabnet_engine.explain.archetypes import Archetypes
from tabnet_engine.figures.cells import SHADES, cell_texts, opacity
from tabnet_engine.figures.theme import escape, finish, labels, name_lines
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say

__all__ = ["archetype_map"]

_VISIBLE = 0.005  # shares below half a per cent carry no number
_MOST_COLUMNS = 20
_TEXTED_LINES = 24


def archetype_map(found: Archetypes) -> go.Figure:
    """Columns from top to bottom, ways of reading with their steps from left to right; cells are shares of a mask.

    Args:
        found: the archetypes of a run.
    """
    columns = _columns(found)
    places = {name: place for place, name in enumerate(columns)}
    n_steps = len(found.archetypes[0].path)
    grid = np.zeros((len(columns), len(found.archetypes) * n_steps))
    hover = np.full(grid.shape, "", dtype=object)
    for number, archetype in enumerate(found.archetypes):
        name = escape(recalled(archetype.name))
        for step in archetype.path:
            at = number * n_steps + step.step - 1
            hover[:, at] = [f"{name}<br>{say('step {step}', step=step.step)}<br>{escape(column)}" for column in columns]
            for column, share in step.columns:
                if column in places:
                    grid[places[column], at] = share
    figure = go.Figure(
        go.Heatmap(
            z=grid,
            zmin=0,
            zmax=1,
            colorscale=SHADES,
            showscale=False,
            xgap=2,
            ygap=2,
            customdata=hover,
            hovertemplate=f"%{{customdata}}: {say('{share} of the reading', share='%{z:.1%}')}<extra></extra>",
        )
    )
    texts = [[f"{100 * cell:.0f}" if cell >= _VISIBLE else "" for cell in line] for line in grid]
    if grid.shape[1] <= _TEXTED_LINES:
        figure.add_traces(cell_texts(opacity(grid), texts))
    title, subtitle = say("What each way of reading reads"), say("% of the mask of each step, mean of its rows")
    finish(figure, title=title, subtitle=subtitle, height=170 + 24 * len(columns), legend=False)
    _name_ways(figure, len(found.archetypes), n_steps)
    return name_lines(figure, labels(columns, width=22))


def _columns(found: Archetypes) -> list[str]:
    """The columns that any of them names, those read most first."""
    read: dict[str, float] = {}
    for archetype in found.archetypes:
        for step in archetype.path:
            for name, share in step.columns:
                read[name] = read.get(name, 0.0) + share * step.share * archetype.n_rows
    return sorted(read, key=lambda name: -read[name])[:_MOST_COLUMNS]


def _name_ways(figure: go.Figure, n_ways: int, n_steps: int) -> None:
    """Steps as ticks, the number of the way of reading above its steps, and a gap between two of them."""
    steps = [str(step + 1) for _ in range(n_ways) for step in range(n_steps)]
    figure.update_xaxes(
        tickvals=list(range(len(steps))),
        ticktext=steps,
        tickangle=0,
        showgrid=False,
        zeroline=False,
        title_text=say("step, in each way of reading"),
    )
    for way in range(n_ways):
        figure.add_annotation(
            text=f"<b>{way + 1}</b>",
            x=(way + 0.5) * n_steps - 0.5,
            y=1,
            xref="x",
            yref="paper",
            yanchor="bottom",
            showarrow=False,
            font={"size": 13},
        )
        if way:
            figure.add_vline(x=way * n_steps - 0.5, line={"width": 3, "color": "#7a8694"})
    figure.update_layout(margin_t=figure.layout.margin.t + 20)
