"""What a reconstruction rests on: what it loses without a column, who fills in whom, what the latents know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from tabnet_engine.explain.autoencoder.importance import ReconstructionImportance
from tabnet_engine.explain.autoencoder.information import LatentInformation
from tabnet_engine.explain.autoencoder.magnitudes import MagnitudeBaselines
from tabnet_engine.explain.autoencoder.shapley_results import ErrorShapley
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.figures.theme import (
    ACCENT,
    NEGATIVE,
    NEUTRAL,
    PALETTE,
    POSITIVE,
    SEQUENTIAL,
    bars_height,
    empty,
    escape,
    finish,
    format_number,
    labels,
)
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["crossing", "destruction_points", "error_bars", "latent_map", "row_error_bars", "weight_bars"]

_MOST_ROWS = 30
_MOST_LATENTS = 60
_BESIDE = 0.16

Floats = npt.NDArray[np.float64]


def destruction_points(importance: ReconstructionImportance) -> go.Figure:
    """How much the error grows when a column is destroyed: its own, and that of all other columns.

    Args:
        importance: what was measured; the columns that the others need most come first.
    """
    title = say("What the reconstruction loses without a column")
    order = importance.order[:_MOST_ROWS].tolist()
    if not order:
        return empty(say("There is nothing measured to show."), title=title)
    series = (
        (say("error of the other columns"), importance.cross, ACCENT, "circle", -_BESIDE),
        (say("its own error"), importance.own, PALETTE[5], "diamond", _BESIDE),
    )
    figure = go.Figure()
    figure.add_vline(x=0.0, line={"color": NEUTRAL, "width": 1.5, "dash": "dash"})
    for words, estimates, tone, symbol, beside in series:
        if not any(estimate.value for estimate in estimates):
            continue  # a hidden cell tells nothing of itself, so there is nothing to lose
        known = [(row, place) for row, place in enumerate(order) if estimates[place].value is not None]
        figure.add_scatter(
            x=[estimates[place].value for _, place in known],
            y=[row + beside for row, _ in known],
            mode="markers",
            name=words,
            marker={"color": tone, "size": 9, "symbol": symbol},
            error_x=_reach([estimates[place] for _, place in known], tone),
            customdata=[
                f"<b>{escape(importance.players[place])}</b><br>{escape(words)}: {escape(_interval(estimates[place]))}"
                for _, place in known
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    subtitle = say("over {n_rows:,} rows, points with 95 % intervals", n_rows=importance.n_rows)
    subtitle += _left_out(len(importance.players) - len(order))
    axis = say("growth of the error; 1 is that of the mean")
    finish(figure, title=title, subtitle=subtitle, x=axis, height=bars_height(len(order), per_bar=34) + 30)
    return _name_rows(figure, [importance.players[place] for place in order])


def _reach(estimates: Sequence[Estimate], tone: str) -> dict[str, object]:
    ends = [
        (0.0, 0.0)
        if one.value is None or one.low is None or one.high is None
        else (one.high - one.value, one.value - one.low)
        for one in estimates
    ]
    return {
        "type": "data",
        "symmetric": False,
        "array": [above for above, _ in ends],
        "arrayminus": [below for _, below in ends],
        "thickness": 1.5,
        "width": 4,
        "color": tone,
    }


def _interval(estimate: Estimate) -> str:
    value = format_number(estimate.value)
    if estimate.low is None or estimate.high is None:
        return say("{value}, without an interval", value=value)
    low, high = format_number(estimate.low), format_number(estimate.high)
    return say("{value} (95 % interval {low} to {high})", value=value, low=low, high=high)


def crossing(
    players: Sequence[str], columns: Sequence[str], values: Floats, errors: Floats, *, title: str, unit: str
) -> go.Figure:
    """A map of what each column (line) does to the reconstruction of each other (column).

    Args:
        players: the columns that are destroyed or known, P.
        columns: the reconstructed columns, M.
        values: (P, M).
        errors: standard errors (P, M), NaN where there is none.
        title: what is shown.
        unit: of the values.
    """
    if not values.size:
        return empty(say("There is nothing measured to show."), title=title)
    # Both axes keep the columns that matter most somewhere, in the order of the table.
    rows, across = _leading(values.max(axis=1)), _leading(values.max(axis=0))
    shown = np.maximum(values[np.ix_(rows, across)], 0.0)
    figure = go.Figure(
        go.Heatmap(
            z=shown,
            x=list(range(len(across))),
            y=list(range(len(rows))),
            zmin=0.0,
            zmax=max(float(shown.max()), 1e-9),
            colorscale=[list(stop) for stop in SEQUENTIAL],
            xgap=1,
            ygap=1,
            customdata=[
                [_cell(players[row], columns[place], values[row, place], errors[row, place]) for place in across]
                for row in rows
            ],
            hovertemplate="%{customdata}<extra></extra>",
            colorbar={"thickness": 12},
        )
    )
    left_out = _left_out(max(len(players) - len(rows), len(columns) - len(across)))
    height = bars_height(len(rows), per_bar=24) + 70
    finish(
        figure, title=title, subtitle=unit + left_out, x=say("column that is filled in"), height=height, legend=False
    )
    names = labels([columns[place] for place in across], 16)
    figure.update_xaxes(tickvals=list(range(len(across))), ticktext=names, tickangle=-45, showgrid=False)
    return _name_rows(figure, [players[row] for row in rows])


def _leading(sizes: Floats) -> list[int]:
    return sorted(np.argsort(-sizes, kind="stable")[:_MOST_ROWS].tolist())


def _cell(player: str, column: str, value: float, error: float) -> str:
    told = format_number(value) if np.isnan(error) else f"{format_number(value)} ± {format_number(error, 2)}"
    return f"<b>{escape(player)}</b> → {escape(column)}<br>{escape(told)}"


def error_bars(error: ErrorShapley) -> go.Figure:
    """What knowing each column does to a row's error on average: to its own part, and to that of the others.

    Args:
        error: Shapley values of the error of some rows; a bar to the left lowers the error.
    """
    title = say("What knowing a column does to the error")
    if not len(error.rows):
        return empty(say("There is nothing measured to show."), title=title)
    own, cross = error.own.mean(axis=0), error.cross.mean(axis=0)
    order = np.argsort(own + cross, kind="stable")[:_MOST_ROWS].tolist()
    figure = go.Figure()
    for words, values, tone, pattern in (
        (say("in the other columns"), cross, ACCENT, ""),
        (say("in its own column"), own, PALETTE[5], "/"),
    ):
        figure.add_bar(
            x=values[order],
            y=list(range(len(order))),
            orientation="h",
            name=words,
            marker={"color": tone, "pattern": {"shape": pattern}},
            customdata=[
                f"<b>{escape(error.players[place])}</b><br>{escape(words)}: {escape(_signed(values[place]))}"
                for place in order
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    subtitle = say("mean Shapley values over {n_rows:,} rows; left of 0 it helps", n_rows=len(error.rows))
    subtitle += _left_out(len(error.players) - len(order))
    axis = say("change of the squared error, in variances")
    finish(figure, title=title, subtitle=subtitle, x=axis, height=bars_height(len(order)) + 40)
    figure.update_layout(barmode="relative")
    return _name_rows(figure, [error.players[place] for place in order])


def row_error_bars(error: ErrorShapley, position: int) -> go.Figure:
    """One row: from its error when nothing of it is known to its error when everything is.

    Args:
        error: Shapley values of the error of some rows.
        position: the place of the row among them.
    """
    values = error.values[position]
    order = np.argsort(-np.abs(values), kind="stable")[:_MOST_ROWS].tolist()
    title = say("Error of row {row:,}, column by column", row=int(error.rows[position]))
    figure = go.Figure(
        go.Bar(
            x=values[order],
            y=list(range(len(order))),
            orientation="h",
            marker={
                "color": [NEGATIVE if values[place] > 0 else POSITIVE for place in order],
                "pattern": {"shape": ["/" if values[place] > 0 else "" for place in order]},
            },
            customdata=[
                f"<b>{escape(error.players[place])}</b><br>{escape(_signed(values[place]))}" for place in order
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    subtitle = say(
        "knowing nothing {base}, knowing everything {error}; left of 0 (plain) it helps, right (hatched) it misleads",
        base=format_number(float(error.base[position])),
        error=format_number(float(error.error[position])),
    )
    subtitle += _left_out(len(values) - len(order))
    axis = say("change of the squared error, in variances")
    finish(figure, title=title, subtitle=subtitle, x=axis, height=bars_height(len(order)) + 30, legend=False)
    return _name_rows(figure, [error.players[place] for place in order])


def latent_map(found: LatentInformation) -> go.Figure:
    """What each latent knows of each column, beyond chance; a dot where that is told apart from chance.

    Args:
        found: mutual information of columns and latents.
    """
    title = say("What the latents know of the columns")
    told, values = found.is_told_apart, found.beyond_chance
    if not values.size:
        return empty(say("There is nothing measured to show."), title=title)
    kept = np.flatnonzero(~found.dead)
    strongest = kept[np.argsort(-values[:, kept].max(axis=0), kind="stable")[:_MOST_LATENTS]]
    across: list[int] = np.sort(strongest).tolist()
    rows = _leading(values.max(axis=1))
    shown = values[np.ix_(rows, across)]
    names = [recalled(name) for name in found.latents]
    figure = go.Figure(
        go.Heatmap(
            z=shown,
            x=list(range(len(across))),
            y=list(range(len(rows))),
            zmin=0.0,
            zmax=max(float(shown.max(initial=0.0)), 1e-9),
            colorscale=[list(stop) for stop in SEQUENTIAL],
            customdata=[[_knows(found, names, row, place) for place in across] for row in rows],
            hovertemplate="%{customdata}<extra></extra>",
            colorbar={"title": {"text": escape(say("nats"))}, "thickness": 12},
        )
    )
    marked = np.argwhere(told[np.ix_(rows, across)])
    figure.add_scatter(
        x=marked[:, 1],
        y=marked[:, 0],
        mode="markers",
        marker={"size": 5, "color": NEGATIVE, "symbol": "circle"},
        hoverinfo="skip",
    )
    notes = [say("mutual information beyond chance, in nats; a dot: told apart from chance")]
    dead, hidden = int(found.dead.sum()), len(kept) - len(across)
    if dead:
        notes.append(say_plural("{count} latent is dead", "{count:,} latents are dead", dead))
    if hidden:
        notes.append(say_plural("{count} weaker latent is not drawn", "{count:,} weaker latents are not drawn", hidden))
    height = bars_height(len(rows), per_bar=24) + 60
    finish(figure, title=title, subtitle="; ".join(notes), x=say("latent"), height=height, legend=False)
    step = max(1, -(-len(across) // 8))
    ticks = list(range(0, len(across), step))
    figure.update_xaxes(tickvals=ticks, ticktext=[escape(names[across[tick]]) for tick in ticks], tickangle=-45)
    return _name_rows(figure.update_xaxes(showgrid=False), [found.features[row] for row in rows])


def _knows(found: LatentInformation, names: Sequence[str], row: int, latent: int) -> str:
    told = say(
        "{value} nats (95 % interval {low} to {high}); chance alone {null}",
        value=format_number(float(found.values[row, latent])),
        low=format_number(float(found.low[row, latent])),
        high=format_number(float(found.high[row, latent])),
        null=format_number(float(found.null[row, latent])),
    )
    return f"<b>{escape(found.features[row])}</b> · {escape(names[latent])}<br>{escape(told)}"


def weight_bars(baselines: MagnitudeBaselines) -> go.Figure:
    """Sizes of each column's first weights: a weak baseline.

    Args:
        baselines: what was measured; without a linear first layer there are no such weights.
    """
    title = say("Size of the first weights")
    if baselines.weights is None:
        return empty(say("The first layer is not linear, so it has no weights to compare."), title=title)
    sizes = np.asarray(baselines.weights)
    order = np.argsort(-sizes, kind="stable")[:_MOST_ROWS].tolist()
    figure = go.Figure(
        go.Bar(
            x=sizes[order],
            y=list(range(len(order))),
            orientation="h",
            marker={"color": NEUTRAL},
            customdata=[
                f"<b>{escape(baselines.features[place])}</b>: {format_number(sizes[place])}" for place in order
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    subtitle = say("a weak baseline: one layer alone") + _left_out(len(sizes) - len(order))
    height = bars_height(len(order))
    finish(figure, title=title, subtitle=subtitle, x=say("norm of the weights"), height=height, legend=False)
    return _name_rows(figure, [baselines.features[place] for place in order])


def _left_out(count: int) -> str:
    """What the subtitle adds where not all columns are drawn; nothing where they are."""
    if count <= 0:
        return ""
    return "; " + say_plural("{count} column is not drawn", "{count:,} columns are not drawn", count)


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")


def _name_rows(figure: go.Figure, names: Sequence[str]) -> go.Figure:
    return figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=labels(names),
        range=[len(names) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
