"""Maps of rows by columns: what every step read, on one colour scale, in lines that a screen can show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from tabnet_engine.explain.mask_rows import MaskMap
from tabnet_engine.figures.cells import SHADES, shade_legend
from tabnet_engine.figures.theme import ACCENT, GRID, empty, escape, finish, labels
from tabnet_engine.texts.speaking import say

__all__ = ["map_title", "mask_maps"]

Floats = npt.NDArray[np.floating]

_SCORE_PIXELS, _SIDEWAYS_PIXELS = 110, 620
_GAP_PIXELS = 34  # between the panels: room for the name of the next one
_MOST_LINE_PIXELS, _LEAST_LINE_PIXELS = 18, 10
_NAMED_GROUP = 0.03  # a group of a smaller share of the lines has no room for its number
_NAME_LETTERS = 22  # that fit across all lines on a narrow screen
_TICKS = 5


def map_title() -> str:
    """What the map is called."""
    return say("What each step read, row by row")


def mask_maps(
    record: MaskMap,
    *,
    unit: str,
    steps: Sequence[int] | None = None,
    aggregate: bool = True,
    key_name: str = "",
    sideways: bool = False,
) -> go.Figure:
    """The score of every line of rows, and beside it what each step read, all on one colour scale.

    Rows stand in the order of the record, the same in every panel, so that one place is the same rows throughout.
    The points of the score can be selected.

    Args:
        record: masks in at most a few hundred lines.
        unit: what the score is.
        steps: the steps to draw, from 0; all when absent.
        aggregate: whether to draw the aggregated masks too.
        key_name: what the rows were ordered by, where the record knows that number.
        sideways: rows from top to bottom and the steps side by side, instead of rows from left to right and the
            steps one below the other.
    """
    if not record.n_lines:
        return empty(say("No row passes the filter."), title=map_title())
    shown = range(record.n_steps) if steps is None else steps
    panels = {say("Step {step}", step=step + 1): record.masks[step] for step in shown}
    if aggregate:
        panels[say("All steps together (aggregated mask)")] = record.aggregate
    curves: dict[str, Floats] = {escape(unit[:1].upper() + unit[1:]): record.score}
    if record.keys is not None and key_name:
        curves[escape(key_name)] = record.keys
    names = _line_names(record)
    figure = (
        _sideways_panels([*curves], [*panels])
        if sideways
        else _stacked_panels([*curves], [*panels], len(record.features))
    )
    for place, (title, values) in enumerate(curves.items(), start=1):
        row, col = (1, place) if sideways else (place, 1)
        figure.add_trace(_points(record, names, title, values, sideways=sideways), row=row, col=col)
    for place, (title, masks) in enumerate(panels.items(), start=len(curves) + 1):
        row, col = (1, place) if sideways else (place, 1)
        figure.add_trace(_heat(record, title, masks, names, sideways=sideways), row=row, col=col)
    return (_finish_sideways if sideways else _finish_stacked)(figure, record, len(curves))


def _line_names(record: MaskMap) -> npt.NDArray[np.object_]:
    """The name of each line; they are the places of the axis, so that no cell has to carry one."""
    return np.asarray([escape(text) for text in record.labels], dtype=object)


def _stacked_panels(curves: list[str], panels: list[str], n_features: int) -> go.Figure:
    heights = [_SCORE_PIXELS] * len(curves) + [_panel_pixels(n_features)] * len(panels)
    total = sum(heights) + _GAP_PIXELS * (len(heights) - 1)
    figure = make_subplots(
        rows=len(heights),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=_GAP_PIXELS / total if len(heights) > 1 else 0,
        row_heights=heights,
        subplot_titles=[*curves, *panels],
    )
    return finish(figure, title=map_title(), height=total + 130, legend=False)


def _sideways_panels(curves: list[str], panels: list[str]) -> go.Figure:
    widths = [0.5] * len(curves) + [1.0] * len(panels)
    figure = make_subplots(
        rows=1,
        cols=len(widths),
        shared_yaxes=True,
        horizontal_spacing=0.012,
        column_widths=widths,
        subplot_titles=[*curves, *panels],
    )
    return finish(figure, title=map_title(), height=_SIDEWAYS_PIXELS + 220, legend=False)


def _panel_pixels(n_features: int) -> int:
    line = np.clip(560 / max(n_features, 1), _LEAST_LINE_PIXELS, _MOST_LINE_PIXELS)
    return int(max(line * n_features, 60))


def _points(
    record: MaskMap, names: npt.NDArray[np.object_], title: str, values: Floats, *, sideways: bool
) -> go.Scatter:
    across, along = (values, names) if sideways else (names, values)
    hover = f"{title}: %{{{'x' if sideways else 'y'}:.3g}}"
    return go.Scatter(
        x=across,
        y=along,
        mode="markers",
        marker={"size": 5, "color": ACCENT},
        selected={"marker": {"size": 8}},
        unselected={"marker": {"opacity": 0.35}},
        customdata=_group_of_lines(record),
        hovertemplate=f"%{{{'y' if sideways else 'x'}}}<br>%{{customdata}}{hover}<extra></extra>",
    )


def _group_of_lines(record: MaskMap) -> npt.NDArray[np.object_]:
    """The name of each line's group, as the beginning of a hover text."""
    named = np.full(record.n_lines, "", dtype=object)
    for group in record.groups:
        if group.shown_name:
            named[group.first : group.last + 1] = f"{escape(group.shown_name)}<br>"
    return named


def _heat(record: MaskMap, name: str, masks: Floats, names: npt.NDArray[np.object_], *, sideways: bool) -> go.Heatmap:
    columns = np.asarray([escape(feature) for feature in record.features], dtype=object)
    what = say("{share} of the reading", share="%{z:.1%}")
    line, column = ("%{y}", "%{x}") if sideways else ("%{x}", "%{y}")
    return go.Heatmap(
        z=masks if sideways else masks.T,
        x=columns if sideways else names,
        y=names if sideways else columns,
        coloraxis="coloraxis",
        hovertemplate=f"{name}<br>{line}<br>{column}: {what}<extra></extra>",
    )


def _ticks(record: MaskMap) -> dict[str, object]:
    """A few places in the order along the axis of the lines."""
    lines = np.unique(np.linspace(0, record.n_lines - 1, min(_TICKS, record.n_lines)).round().astype(int))
    return {
        "type": "category",
        "tickvals": lines.tolist(),
        "ticktext": [f"{record.first[line] + 1:,}" for line in lines],
        "tickangle": 0,
    }


def _column_ticks(record: MaskMap) -> dict[str, object]:
    names = labels(record.features, width=22)
    return {"type": "category", "tickvals": list(range(len(names))), "ticktext": names, "fixedrange": True}


def _finish_stacked(figure: go.Figure, record: MaskMap, n_curves: int) -> go.Figure:
    figure.update_yaxes(showgrid=False, zeroline=False)
    for place, axis in enumerate(figure.select_yaxes()):
        axis.update(**_column_ticks(record), autorange="reversed") if place >= n_curves else axis.update(
            fixedrange=True, nticks=4
        )
    figure.update_xaxes(**_ticks(record), showgrid=False, zeroline=False, range=[-0.5, record.n_lines - 0.5])
    list(figure.select_xaxes())[-1].update(title_text=say("place in the order"))
    figure.update_annotations(x=0, xanchor="left", font={"size": 13})
    _mark_groups(figure, record)
    figure.update_layout(margin_t=figure.layout.margin.t + 22, dragmode="select", selectdirection="h")
    return _shaded(figure)


def _finish_sideways(figure: go.Figure, record: MaskMap, n_curves: int) -> go.Figure:
    figure.update_xaxes(showgrid=False, zeroline=False)
    for place, axis in enumerate(figure.select_xaxes()):
        axis.update(**_column_ticks(record), tickangle=-90) if place >= n_curves else axis.update(
            fixedrange=True, nticks=3
        )
    figure.update_yaxes(**_ticks(record), showgrid=False, zeroline=False, range=[record.n_lines - 0.5, -0.5])
    figure.update_yaxes(title_text=say("place in the order"), row=1, col=1)
    figure.update_annotations(font={"size": 13})
    _mark_groups(figure, record, sideways=True)
    figure.update_layout(margin_t=figure.layout.margin.t + 22, dragmode="select", selectdirection="v")
    return _shaded(figure)


def _shaded(figure: go.Figure) -> go.Figure:
    figure.update_layout(coloraxis={"colorscale": SHADES, "cmin": 0, "cmax": 1, "showscale": False})
    return shade_legend(figure, shift=22)


def _mark_groups(figure: go.Figure, record: MaskMap, *, sideways: bool = False) -> None:
    """A line between two groups through all panels, and the name of each, or its number where there is no room."""
    for number, group in enumerate(record.groups, start=1):
        name, width = group.shown_name, (group.last - group.first + 1) / record.n_lines
        if group.first:
            ends = {"y0": group.first - 0.5, "y1": group.first - 0.5, "x0": 0, "x1": 1}
            across = {"x0": group.first - 0.5, "x1": group.first - 0.5, "y0": 0, "y1": 1}
            frame = {"xref": "paper", "yref": "y"} if sideways else {"xref": "x", "yref": "paper"}
            figure.add_shape(
                type="line", line={"color": GRID, "width": 2, "dash": "dot"}, **frame, **(ends if sideways else across)
            )
        if not name or width < _NAMED_GROUP:
            continue
        middle = (group.first + group.last) / 2
        fits = len(name) <= _NAME_LETTERS * width and not sideways
        along = {"x": middle, "y": 1, "xref": "x", "yref": "y domain", "yanchor": "top"}
        beside = {"x": 1, "y": middle, "xref": "paper", "yref": "y", "xanchor": "left"}
        figure.add_annotation(
            text=f"<b>{escape(name) if fits else number}</b>",
            showarrow=False,
            font={"size": 12},
            hovertext=escape(name),
            **(beside if sideways else along),
        )
