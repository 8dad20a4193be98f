"""Pictures of a table before any model: distributions, missing shares, association with the target."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from tabnet_engine.data.schema import Kind
from tabnet_engine.figures.theme import (
    KIND_COLORS,
    MISSING,
    NEUTRAL,
    bars_height,
    color,
    empty,
    escape,
    finish,
    format_number,
    labels,
    name_lines,
)
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["associations", "class_balance", "distribution", "missing_shares", "value_counts"]


def distribution(
    name: str,
    edges: Sequence[float],
    counts: Sequence[int],
    *,
    kind: Kind = Kind.NUMBER,
    subtitle: str = "",
) -> go.Figure:
    """Histogram of a number or a date.

    Args:
        name: the user's column name.
        edges: increasing bin edges, one more than ``counts``; for a date, seconds since 1970 (UTC).
        counts: rows per bin.
        kind: ``Kind.DATETIME`` draws a time axis.
        subtitle: what the reader must know, such as the number of missing rows.
    """
    if not len(counts) or not sum(counts):
        return empty(say("This column has no values to draw."), title=name)
    bounds = np.asarray(edges, dtype=np.float64)
    middle, width = (bounds[:-1] + bounds[1:]) / 2, np.diff(bounds)
    dated = kind is Kind.DATETIME
    ranges = [
        say("{low} to {high}", low=_edge(low, dated=dated), high=_edge(high, dated=dated))
        for low, high in itertools.pairwise(bounds)
    ]
    figure = go.Figure(
        go.Bar(
            x=(middle * 1e9).astype("datetime64[ns]") if dated else middle,
            y=np.asarray(counts),
            width=width * 1000 if dated else width,
            marker={"color": KIND_COLORS[kind], "line": {"width": 0}},
            customdata=ranges,
            hovertemplate="%{customdata}<br>" + _rows_hover("y"),
        )
    )
    figure.update_layout(bargap=0.04)
    return finish(figure, title=name, subtitle=subtitle, x=name, y=say("rows"), height=300, legend=False)


def _rows_hover(axis: str) -> str:
    """How many rows a bar stands for; Plotly fills the number in."""
    return say("{number} rows", number=f"%{{{axis}:,}}") + "<extra></extra>"


def _edge(value: float, *, dated: bool) -> str:
    return str(np.datetime64(int(value), "s")).replace("T", " ") if dated else format_number(value, 4)


def value_counts(
    name: str,
    values: Sequence[str],
    counts: Sequence[int],
    *,
    kind: Kind = Kind.CATEGORY,
    n_other: int = 0,
    subtitle: str = "",
) -> go.Figure:
    """Bars of the most frequent values, largest on top; the rest is one grey bar, never left out.

    Args:
        name: the user's column name.
        values: the values shown.
        counts: rows of each.
        kind: gives the colour.
        n_other: rows whose value is not among ``values``.
        subtitle: what the reader must know, such as the number of missing rows.
    """
    if not len(counts):
        return empty(say("This column has no values to draw."), title=name)
    names, amounts = labels(values), [int(count) for count in counts]
    colors = [KIND_COLORS[kind]] * len(amounts)
    if n_other:
        names, amounts, colors = [*names, say("all other values")], [*amounts, n_other], [*colors, NEUTRAL]
    figure = go.Figure(
        go.Bar(
            x=amounts,
            y=list(range(len(amounts))),
            orientation="h",
            marker={"color": colors},
            customdata=names,
            hovertemplate="%{customdata}<br>" + _rows_hover("x"),
        )
    )
    name_lines(figure, names)
    return finish(
        figure, title=name, subtitle=subtitle, x=say("rows"), height=bars_height(len(names), least=200), legend=False
    )


def missing_shares(shares: Mapping[str, float], *, n_rows: int) -> go.Figure:
    """How much of each column is missing, columns without missing values left out and counted.

    Args:
        shares: column name to share of rows that are missing, 0 to 1.
        n_rows: rows of the table.
    """
    present = sorted(((share, name) for name, share in shares.items() if share > 0), reverse=True)
    if not present:
        return empty(say("No column has missing values."), title=say("Missing values"))
    n_complete = len(shares) - len(present)
    return _share_bars(
        [name for _, name in present],
        [share for share, _ in present],
        title=say("Missing values"),
        subtitle=say(
            "share of {n_rows:,} rows; {n_complete} of {n_columns} columns are complete",
            n_rows=n_rows,
            n_complete=n_complete,
            n_columns=len(shares),
        ),
        x=say("missing, % of rows"),
        bar_color=MISSING,
    )


def class_balance(classes: Sequence[str], counts: Sequence[int], *, target: str) -> go.Figure:
    """Share of each class of the target; classes keep their colour on every page.

    Args:
        classes: the target's classes.
        counts: rows of each.
        target: name of the target column.
    """
    total = sum(counts)
    if not total:
        return empty(say("The target has no values."), title=say("Classes"))
    return _share_bars(
        classes,
        [count / total for count in counts],
        title=say("Classes of {target}", target=target),
        subtitle=say("share of {total:,} rows with a target", total=total),
        x=say("% of rows"),
        bar_color=[color(index) for index in range(len(classes))],
    )


def _share_bars(
    names: Sequence[str],
    shares: Sequence[float],
    *,
    title: str,
    subtitle: str,
    x: str,
    bar_color: str | list[str],
) -> go.Figure:
    shown = labels(names)
    percents = [100 * share for share in shares]
    figure = go.Figure(
        go.Bar(
            x=percents,
            y=list(range(len(shown))),
            orientation="h",
            marker={"color": bar_color},
            text=[f"{percent:.3g} %" for percent in percents],
            textposition="outside",
            cliponaxis=False,
            customdata=[escape(name) for name in names],
            hovertemplate="%{customdata}<br>%{x:.3g} %<extra></extra>",
        )
    )
    name_lines(figure, shown)
    figure.update_xaxes(range=[0, 1.15 * max(percents)])
    return finish(figure, title=title, subtitle=subtitle, x=x, height=bars_height(len(shown), least=170), legend=False)


def associations(
    names: Sequence[str], values: Sequence[float], measures: Sequence[str], *, target: str, n_left_out: int = 0
) -> go.Figure:
    """Strength of each column's association with the target, strongest on top.

    The measures differ with the kinds of the two columns; each lies between 0 and 1 and the hover says
    which one it is. An association is not an effect, and is taken one column at a time.

    Args:
        names: columns.
        values: strength of each, 0 to 1.
        measures: name of the measure used for each.
        target: name of the target column.
        n_left_out: weaker columns that are not among ``names``; the figure says so.
    """
    if not len(names):
        return empty(say("No column can be compared with the target."), title=say("Association with the target"))
    order = np.argsort(-np.asarray(values, dtype=np.float64), kind="stable")
    shown = labels([names[index] for index in order])
    kinds = [escape(measures[index]) for index in order]
    figure = go.Figure()
    for position, measure in enumerate(dict.fromkeys(measures)):
        rows = [row for row, index in enumerate(order) if measures[index] == measure]
        figure.add_bar(
            x=[float(values[order[row]]) for row in rows],
            y=rows,
            name=escape(measure),
            orientation="h",
            width=0.75,
            marker={"color": color(position)},
            customdata=[f"{escape(names[order[row]])}<br>{kinds[row]}" for row in rows],
            hovertemplate="%{customdata}: %{x:.2f}<extra></extra>",
        )
    name_lines(figure, shown)
    subtitle = say("one column at a time; 0 none, 1 complete")
    if n_left_out:
        subtitle = say_plural(
            "one column at a time; 0 none, 1 complete; {count} weaker column is not shown",
            "one column at a time; 0 none, 1 complete; {count:,} weaker columns are not shown",
            n_left_out,
        )
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(range=[0, 1])
    height = bars_height(len(shown)) + 40
    finish(
        figure,
        title=say("Association with {target}", target=target),
        subtitle=subtitle,
        x=say("strength"),
        height=height,
    )
    return figure.update_layout(legend={"y": -90 / height})  # below the name of the axis, however few the bars
