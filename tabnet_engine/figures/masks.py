"""What the decision steps read over many rows: maps of rows by columns, and averages by step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from tabnet_engine.explain.mask_summaries import MaskMap, MaskSummary
from tabnet_engine.explain.wording import percent
from tabnet_engine.figures.cells import SHADES, cell_texts, opacity, shade_legend
from tabnet_engine.figures.theme import ACCENT, color, empty, escape, finish, labels, other_columns

__all__ = ["mask_maps", "reading_counts", "step_feature_map", "step_shares"]

Floats = npt.NDArray[np.floating]

_SCORE_PIXELS = 110
_GAP_PIXELS = 34  # between the panels: room for the name of the next one
_MOST_LINE_PIXELS, _LEAST_LINE_PIXELS = 18, 10
_TEXTED_CELLS = 300  # above this many cells the numbers would not be readable
_VISIBLE = 0.005  # shares below half a per cent carry no number


def mask_maps(record: MaskMap, *, unit: str, aggregate: bool = True) -> go.Figure:
    """The score of every line of rows on top, and below it what each step read, all on one colour scale.

    Rows run from left to right in the order of the record, the same in every panel, so that one place
    is the same rows throughout; the points of the score can be selected.

    Args:
        record: masks in at most a few hundred lines.
        unit: what the score is.
        aggregate: whether to draw the aggregated masks below the steps.
    """
    title = "What each step read, row by row"
    if not record.n_lines:
        return empty("No row passes the filter.", title=title)
    panels = {f"Step {step + 1}": masks for step, masks in enumerate(record.masks)}
    if aggregate:
        panels["All steps together (aggregated mask)"] = record.aggregate
    pixels = _panel_pixels(len(record.features))
    heights = [_SCORE_PIXELS, *[pixels] * len(panels)]
    total = sum(heights) + _GAP_PIXELS * len(panels)
    figure = make_subplots(
        rows=len(heights),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=_GAP_PIXELS / total,
        row_heights=heights,
        subplot_titles=[escape(unit[:1].upper() + unit[1:]), *panels],
    )
    figure.add_trace(_score_points(record), row=1, col=1)
    for place, (name, masks) in enumerate(panels.items(), start=2):
        figure.add_trace(_map(record, name, masks), row=place, col=1)
    return _finish_maps(figure, record, title=title, height=total + 130)


def _panel_pixels(n_features: int) -> int:
    line = np.clip(560 / max(n_features, 1), _LEAST_LINE_PIXELS, _MOST_LINE_PIXELS)
    return int(max(line * n_features, 60))


def _finish_maps(figure: go.Figure, record: MaskMap, *, title: str, height: int) -> go.Figure:
    finish(figure, title=title, height=height, legend=False)
    names = labels(record.features, width=22)
    figure.update_yaxes(showgrid=False, zeroline=False)
    for axis in list(figure.select_yaxes())[1:]:
        axis.update(tickvals=list(range(len(names))), ticktext=names, autorange="reversed", fixedrange=True)
    figure.update_xaxes(showgrid=False, zeroline=False, range=[-0.5, record.n_lines - 0.5])
    figure.update_xaxes(title_text="lines, in the order chosen", row=len(figure.layout.annotations), col=1)
    figure.update_annotations(x=0, xanchor="left", font={"size": 13})
    figure.update_layout(coloraxis={"colorscale": SHADES, "cmin": 0, "cmax": 1, "showscale": False})
    # The score is the one panel whose points can be selected: a drag there marks rows.
    figure.update_layout(margin_t=figure.layout.margin.t + 22, dragmode="select", selectdirection="h")
    figure.update_yaxes(fixedrange=True, row=1, col=1)
    return shade_legend(figure, shift=22)


def _score_points(record: MaskMap) -> go.Scatter:
    return go.Scatter(
        x=np.arange(record.n_lines),
        y=record.score,
        mode="markers",
        marker={"size": 5, "color": ACCENT},
        selected={"marker": {"size": 8}},
        unselected={"marker": {"opacity": 0.35}},
        customdata=[escape(text) for text in record.labels],
        hovertemplate="%{customdata}<br>score %{y:.3g}<extra></extra>",
    )


def _map(record: MaskMap, name: str, masks: Floats) -> go.Heatmap:
    columns = np.asarray([escape(feature) for feature in record.features], dtype=object)
    lines = np.asarray([escape(text) for text in record.labels], dtype=object)
    return go.Heatmap(
        z=masks.T,
        x=np.arange(record.n_lines),
        y=np.arange(len(columns)),
        coloraxis="coloraxis",
        text=np.broadcast_to(columns[:, None], masks.T.shape),
        customdata=np.broadcast_to(lines[None, :], masks.T.shape),
        hovertemplate=f"{name}<br>%{{customdata}}<br>%{{text}}: %{{z:.1%}} of the reading<extra></extra>",
    )


def step_feature_map(summary: MaskSummary, *, max_features: int = 25) -> go.Figure:
    """The mean mask of each step: columns from top to bottom, steps from left to right.

    Args:
        summary: averages over rows.
        max_features: columns shown, the most read; what the others got is one line.
    """
    title = "What each step reads on average"
    if not summary.n_rows:
        return empty("No row passes the filter.", title=title)
    kept, rest = summary.order[:max_features], summary.order[max_features:]
    grid = np.column_stack([summary.mean_masks[:, kept].T, summary.mean_aggregate[kept]])
    features = [summary.features[index] for index in kept]
    if len(rest):
        others = [*summary.mean_masks[:, rest].sum(axis=1), summary.mean_aggregate[rest].sum()]
        grid = np.vstack([grid, others])
        features.append(other_columns(len(rest)))
    steps = [*(f"step {step + 1}" for step in range(summary.n_steps)), "all"]
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
            hovertemplate="%{customdata}: %{z:.1%} of the reading<extra></extra>",
        )
    )
    if grid.size <= _TEXTED_CELLS:
        texts = [[f"{100 * cell:.0f}" if cell >= _VISIBLE else "" for cell in line] for line in grid]
        figure.add_traces(cell_texts(opacity(grid / top), texts))
    height = 130 + 26 * len(features)
    finish(figure, title=title, subtitle=f"% of the mask, mean of {summary.n_rows:,} rows", height=height, legend=False)
    figure.update_xaxes(tickvals=list(range(len(steps))), ticktext=steps, showgrid=False, zeroline=False)
    return figure.update_yaxes(
        tickvals=list(range(len(features))),
        ticktext=labels(features, width=22),
        autorange="reversed",
        showgrid=False,
        zeroline=False,
    )


def step_shares(summary: MaskSummary) -> go.Figure:
    """How much of the decision each step makes on average; steps keep their colours.

    Args:
        summary: averages over rows.
    """
    title = "How much each step weighs"
    if not summary.n_rows:
        return empty("No row passes the filter.", title=title)
    shares = summary.mean_step_shares
    figure = _step_bars(summary, 100 * shares, [percent(float(share)) for share in shares], "of the decision")
    subtitle = f"share of the decision, mean of {summary.n_rows - summary.n_silent:,} rows"
    finish(figure, title=title, subtitle=subtitle, x="% of the decision", height=_bars_height(summary), legend=False)
    return _name_steps(figure, summary)


def reading_counts(summary: MaskSummary) -> go.Figure:
    """How many columns each step reads in a row, on average: few is a sharp mask, many a diffuse one.

    Args:
        summary: averages over rows.
    """
    title = "How many columns each step reads"
    if not summary.n_rows:
        return empty("No row passes the filter.", title=title)
    texts = [f"{count:.1f}" for count in summary.columns_read]
    figure = _step_bars(summary, summary.columns_read, texts, f"of {len(summary.features)} columns in a row")
    subtitle = f"columns with a mask above zero, mean of {summary.n_rows:,} rows"
    finish(figure, title=title, subtitle=subtitle, x="columns", height=_bars_height(summary), legend=False)
    figure.update_xaxes(range=[0, len(summary.features)])
    return _name_steps(figure, summary)


def _bars_height(summary: MaskSummary) -> int:
    return 130 + 30 * summary.n_steps


def _step_bars(summary: MaskSummary, values: Floats, texts: list[str], what: str) -> go.Figure:
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
            customdata=[f"step {step + 1}: {text} {what}" for step, text in enumerate(texts)],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )


def _name_steps(figure: go.Figure, summary: MaskSummary) -> go.Figure:
    names = [f"step {step + 1}" for step in range(summary.n_steps)]
    return figure.update_yaxes(
        tickvals=list(range(summary.n_steps)), ticktext=names, autorange="reversed", showgrid=False, zeroline=False
    )
