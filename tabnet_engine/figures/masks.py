"""What the decision steps read over many rows, on average and by step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from tabnet_engine.explain.mask_summaries import MaskSummary
from tabnet_engine.explain.wording import percent
from tabnet_engine.figures.cells import SHADES, cell_texts, opacity
from tabnet_engine.figures.theme import color, empty, escape, finish, labels, name_lines, other_columns
from tabnet_engine.texts.speaking import say

__all__ = ["no_row", "reading_counts", "step_feature_map", "step_shares"]

Floats = npt.NDArray[np.floating]

_TEXTED_CELLS = 300  # above this many cells the numbers would not be readable
_VISIBLE = 0.005  # shares below half a per cent carry no number


def no_row(title: str) -> go.Figure:
    """The figure of a filter that nothing passes."""
    return empty(say("No row passes the filter."), title=title)


def step_feature_map(summary: MaskSummary, *, max_features: int = 25) -> go.Figure:
    """The mean mask of each step: columns from top to bottom, steps from left to right.

    Args:
        summary: averages over rows.
        max_features: columns shown, the most read; what the others got is one line.
    """
    title = say("What each step reads on average")
    if not summary.n_rows:
        return no_row(title)
    kept, rest = summary.order[:max_features], summary.order[max_features:]
    grid = np.column_stack([summary.mean_masks[:, kept].T, summary.mean_aggregate[kept]])
    features = [summary.features[index] for index in kept]
    if len(rest):
        others = [*summary.mean_masks[:, rest].sum(axis=1), summary.mean_aggregate[rest].sum()]
        grid = np.vstack([grid, others])
        features.append(other_columns(len(rest)))
    steps = [*_step_names(summary), say("all")]
    top = max(float(grid[: len(kept)].max()), 1e-9)
    figure = go.Figure(
        go.Heatmap(
            z=grid,
            zmin=0.0,
            zmax=top,
            colorscale=SHADES,
            showscale=False,
            xgap=3,
            ygap=3,
            customdata=[[f"{escape(name)}<br>{step}" for step in steps] for name in features],
            hovertemplate=f"%{{customdata}}: {say('{share} of the reading', share='%{z:.1%}')}<extra></extra>",
        )
    )
    if grid.size <= _TEXTED_CELLS:
        texts = [[f"{100 * cell:.0f}" if cell >= _VISIBLE else "" for cell in line] for line in grid]
        figure.add_traces(cell_texts(opacity(grid / top), texts))
    height = 130 + 26 * len(features)
    subtitle = say("% of the mask, mean of {n_rows:,} rows", n_rows=summary.n_rows)
    finish(figure, title=title, subtitle=subtitle, height=height, legend=False)
    figure.update_xaxes(tickvals=list(range(len(steps))), ticktext=steps, showgrid=False, zeroline=False)
    return name_lines(figure, labels(features, width=22))


def step_shares(summary: MaskSummary) -> go.Figure:
    """How much of the decision each step makes on average; steps keep their colours.

    Args:
        summary: averages over rows.
    """
    title = say("How much each step weighs")
    if not summary.n_rows:
        return no_row(title)
    shares = summary.mean_step_shares
    texts = [percent(float(share)) for share in shares]
    hover = [say("step {step}: {share} of the decision", step=step, share=text) for step, text in enumerate(texts, 1)]
    figure = _step_bars(summary, 100 * shares, texts, hover)
    subtitle = say("share of the decision, mean of {n_rows:,} rows", n_rows=summary.n_rows - summary.n_silent)
    x = say("% of the decision")
    finish(figure, title=title, subtitle=subtitle, x=x, height=_bars_height(summary), legend=False)
    return _name_steps(figure, summary)


def reading_counts(summary: MaskSummary) -> go.Figure:
    """How many columns each step reads in a row, on average: few is a sharp mask, many a diffuse one.

    Args:
        summary: averages over rows.
    """
    title = say("How many columns each step reads")
    if not summary.n_rows:
        return no_row(title)
    texts = [f"{count:.1f}" for count in summary.columns_read]
    n_features = len(summary.features)
    hover = [
        say("step {step}: {count} of {n_features:,} columns in a row", step=step, count=text, n_features=n_features)
        for step, text in enumerate(texts, 1)
    ]
    figure = _step_bars(summary, summary.columns_read, texts, hover)
    subtitle = say("columns with a mask above zero, mean of {n_rows:,} rows", n_rows=summary.n_rows)
    finish(figure, title=title, subtitle=subtitle, x=say("columns"), height=_bars_height(summary), legend=False)
    figure.update_xaxes(range=[0, len(summary.features)])
    return _name_steps(figure, summary)


def _bars_height(summary: MaskSummary) -> int:
    return 130 + 30 * summary.n_steps


def _step_names(summary: MaskSummary) -> list[str]:
    return [say("step {step}", step=step + 1) for step in range(summary.n_steps)]


def _step_bars(summary: MaskSummary, values: Floats, texts: list[str], hover: list[str]) -> go.Figure:
    return go.Figure(
        go.Bar(
            x=values,
            y=list(range(summary.n_steps)),
            orientation="h",
            width=0.62,
            marker={"color": [color(step) for step in range(summary.n_steps)]},
            text=texts,
            textposition="auto",
            textangle=0,
            constraintext="none",
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
        )
    )


def _name_steps(figure: go.Figure, summary: MaskSummary) -> go.Figure:
    return name_lines(figure, _step_names(summary))
