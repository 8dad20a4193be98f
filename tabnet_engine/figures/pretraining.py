"""Pictures of a pretraining: how well each column is filled in, and what it was worth to a training."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from tabnet_engine.figures.theme import (
    ACCENT,
    NEGATIVE,
    NEUTRAL,
    bars_height,
    empty,
    escape,
    finish,
    format_number,
    labels,
    name_lines,
)
from tabnet_engine.figures.training import metric_label
from tabnet_engine.texts.speaking import msg, say, say_plural
from tabnet_engine.training.pretraining_worth import BudgetSummary, PretrainingWorth
from tabnet_engine.training.reconstruction import ColumnReconstruction, Reconstruction

__all__ = ["gain_by_budget", "reconstruction_bars", "score_by_budget"]

_INTERVAL = 1.96  # a 95 % normal interval around an error
_BESIDE = 0.09  # how far the two trainings of a budget stand apart, in budgets
_SERIES = (
    (msg("without pretraining"), NEUTRAL, "square", -_BESIDE),
    (msg("with pretraining"), ACCENT, "circle", _BESIDE),
)
_HIGHER = msg("on {n_test:,} test rows; mean and standard deviation over {seeds}; higher is better")
_LOWER = msg("on {n_test:,} test rows; mean and standard deviation over {seeds}; lower is better")
_HELPS_ABOVE = msg("paired by seed, with minus without; above 0 it helped; 95\u00a0% intervals over {seeds}")
_HELPS_BELOW = msg("paired by seed, with minus without; below 0 it helped; 95\u00a0% intervals over {seeds}")


def reconstruction_bars(reconstruction: Reconstruction, *, max_columns: int = 30) -> go.Figure:
    """Each column's error on its hidden cells, the best filled in on top; at 1 it is no better than the mean.

    Args:
        reconstruction: what was measured; columns without an error are not drawn.
        max_columns: columns shown; the subtitle counts those that are left out.
    """
    title = say("How well hidden cells are filled in")
    measured = sorted(reconstruction.measured, key=lambda column: column.error or 0.0)
    if not measured:
        return empty(say("No column has an error to show."), title=title)
    kept = measured[:max_columns]
    figure = go.Figure(_error_bars(kept))
    figure.add_vline(x=1.0, line={"color": NEUTRAL, "width": 1.5, "dash": "dash"})
    left_out = len(measured) - len(kept)
    notes = [
        say("{n_rows:,} rows that were not learned from, bars with 95\u00a0% intervals", n_rows=reconstruction.n_rows)
    ]
    if left_out:
        notes.append(
            say_plural(
                "{count} column with a larger error is not drawn",
                "{count:,} columns with larger errors are not drawn",
                left_out,
            )
        )
    subtitle = "; ".join(notes)
    axis = say("error; 0 is exact, dashed: the mean")
    finish(figure, title=title, subtitle=subtitle, x=axis, height=bars_height(len(kept)), legend=False)
    name_lines(figure, labels([column.name for column in kept]))
    return figure.update_xaxes(rangemode="tozero", nticks=6)


def _error_bars(columns: Sequence[ColumnReconstruction]) -> go.Bar:
    errors = [column.error or 0.0 for column in columns]
    return go.Bar(
        x=errors,
        y=list(range(len(columns))),
        orientation="h",
        marker={"color": [ACCENT if error < 1 else NEGATIVE for error in errors]},
        error_x={
            "type": "data",
            "array": [_INTERVAL * (column.standard_error or 0.0) for column in columns],
            "thickness": 1.2,
            "width": 3,
            "color": NEUTRAL,
        },
        customdata=[
            f"<b>{escape(column.name)}</b><br>"
            + escape(say("error {error} of that of the mean", error=format_number(error)))
            + f"<br>{escape(say_plural('{count} hidden cell', '{count:,} hidden cells', column.n_masked))}"
            for column, error in zip(columns, errors, strict=True)
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )


def score_by_budget(worth: PretrainingWorth) -> go.Figure:
    """The test score with and without the pretraining by the number of labelled rows; every seed is a point.

    Args:
        worth: what was measured.
    """
    name = metric_label(worth.metric)
    title = say("{metric} by labelled rows", metric=f"{name[:1].upper()}{name[1:]}")
    if not worth.records:
        return empty(say("Nothing was measured yet."), title=title)
    summary = worth.summary()
    figure = go.Figure()
    for (label, series_color, symbol, beside), first in zip(_SERIES, (False, True), strict=True):
        _seed_points(figure, worth, series_color, beside, pretrained=first)
        figure.add_scatter(
            x=[place + beside for place in range(len(summary))],
            y=[item.with_mean if first else item.without_mean for item in summary],
            error_y=_spread([item.with_deviation if first else item.without_deviation for item in summary]),
            name=say(label),
            mode="lines+markers",
            line={"color": series_color, "width": 2, "dash": "solid" if first else "dot"},
            marker={"size": 9, "symbol": symbol},
            customdata=[_mean_text(item, pretrained=first) for item in summary],
            hovertemplate="%{customdata}<extra></extra>",
        )
    told = _HIGHER if worth.greater_is_better else _LOWER
    subtitle = say(told, n_test=worth.n_test, seeds=_seeds(worth))
    finish(figure, title=title, subtitle=subtitle, x=say("labelled rows"), y=name, height=380)
    return _budget_axis(figure, summary)


def _seed_points(
    figure: go.Figure, worth: PretrainingWorth, series_color: str, beside: float, *, pretrained: bool
) -> None:
    places = {budget: place for place, budget in enumerate(worth.budgets)}
    figure.add_scatter(
        x=[places[record.budget] + 2 * beside for record in worth.records],
        y=[record.with_pretraining if pretrained else record.without for record in worth.records],
        mode="markers",
        marker={"color": series_color, "size": 5, "opacity": 0.55},
        showlegend=False,
        customdata=_pairs(worth),
        hovertemplate="%{customdata}: %{y:.4g}<extra></extra>",
    )


def _pairs(worth: PretrainingWorth) -> list[str]:
    """Which pair of trainings each point is one of."""
    told = msg("{budget:,} rows, seed {seed}")
    return [escape(say(told, budget=record.budget, seed=record.seed)) for record in worth.records]


def _mean_text(item: BudgetSummary, *, pretrained: bool) -> str:
    mean, spread = (item.with_mean, item.with_deviation) if pretrained else (item.without_mean, item.without_deviation)
    around = "" if spread is None else f" ± {format_number(spread, 2)}"
    told = msg("{budget:,} rows with pretraining") if pretrained else msg("{budget:,} rows without pretraining")
    return f"{escape(say(told, budget=item.budget))}<br>{format_number(mean, 4)}{around}"


def _spread(deviations: Sequence[float | None]) -> dict[str, object]:
    return {"type": "data", "array": [value or 0.0 for value in deviations], "thickness": 1.2, "width": 4}


def gain_by_budget(worth: PretrainingWorth) -> go.Figure:
    """The paired difference, with minus without, by the number of labelled rows, with its 95 % interval.

    Args:
        worth: what was measured.
    """
    title = say("What pretraining changed")
    if not worth.records:
        return empty(say("Nothing was measured yet."), title=title)
    summary = worth.summary()
    places = {item.budget: place for place, item in enumerate(summary)}
    colors = [_gain_color(item.difference, better=worth.greater_is_better) for item in summary]
    figure = go.Figure()
    figure.add_hline(y=0.0, line={"color": NEUTRAL, "width": 1.5, "dash": "dash"})
    figure.add_scatter(
        x=[places[record.budget] + 2 * _BESIDE for record in worth.records],
        y=[record.difference for record in worth.records],
        mode="markers",
        marker={"color": NEUTRAL, "size": 5, "opacity": 0.6},
        customdata=_pairs(worth),
        hovertemplate="%{customdata}: %{y:+.3g}<extra></extra>",
    )
    figure.add_scatter(
        x=list(range(len(summary))),
        y=[item.difference for item in summary],
        error_y=_interval(summary),
        mode="markers",
        marker={"size": 10, "color": colors},
        customdata=[_gain_text(item) for item in summary],
        hovertemplate="%{customdata}<extra></extra>",
    )
    subtitle = say(_HELPS_ABOVE if worth.greater_is_better else _HELPS_BELOW, seeds=_seeds(worth))
    axis = say("difference in {metric}", metric=metric_label(worth.metric))
    finish(figure, title=title, subtitle=subtitle, x=say("labelled rows"), y=axis, height=380, legend=False)
    return _budget_axis(figure, summary)


def _gain_color(gain: float, *, better: bool) -> str:
    return NEUTRAL if gain == 0 else ACCENT if (gain > 0) == better else NEGATIVE


def _interval(summary: Sequence[BudgetSummary]) -> dict[str, object]:
    reach = [0.0 if item.difference_high is None else item.difference_high - item.difference for item in summary]
    return {"type": "data", "array": reach, "thickness": 1.5, "width": 6, "color": NEUTRAL}


def _gain_text(item: BudgetSummary) -> str:
    if item.difference_low is None or item.difference_high is None:
        return escape(say("{budget:,} rows: {gain:+.3g} (one seed)", budget=item.budget, gain=item.difference))
    gain = say("{budget:,} rows: {gain:+.3g}", budget=item.budget, gain=item.difference)
    ends = say("95 % interval {low:+.3g} to {high:+.3g}", low=item.difference_low, high=item.difference_high)
    return f"{escape(gain)}<br>{escape(ends)}"


def _seeds(worth: PretrainingWorth) -> str:
    count = len(worth.seeds)
    return say_plural("one seed", "{count} seeds", count)


def _budget_axis(figure: go.Figure, summary: Sequence[BudgetSummary]) -> go.Figure:
    """One place for each budget, few rows to many: budgets grow by factors, not by steps."""
    return figure.update_xaxes(
        tickvals=list(range(len(summary))),
        ticktext=[f"{item.budget:,}" for item in summary],
        range=[-0.5, max(len(summary), 2) - 0.5],
        zeroline=False,
        showgrid=False,
    )
