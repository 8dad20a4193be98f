"""Where attention and effect agree: what the masks read against how far each column moved the score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from tabnet_engine.figures.importance import ATTENTION, EFFECT
from tabnet_engine.figures.theme import GRID, NEUTRAL, bars_height, empty, escape, finish, labels

__all__ = ["agreement_histogram", "attention_effect_pairs", "attention_effect_scatter", "rank_slope"]

Floats = npt.NDArray[np.floating]

_LABELLED = 10  # names drawn beside their points; the others are in the hover
_CLOSE = 2  # ranks apart that still count as the same place


def attention_effect_scatter(
    features: Sequence[str], attention: Floats, effect: Floats, rank_difference: Floats, *, x: str, y: str, subtitle: str
) -> go.Figure:
    """Each column's share of attention against its mean absolute SHAP value.

    Args:
        features: the F column names.
        attention: (F,) shares of attention, 0 to 1.
        effect: (F,) mean absolute SHAP values.
        rank_difference: (F,) rank by SHAP minus rank by attention: above zero is read more than it moves.
        x: name and unit of the attention axis.
        y: name and unit of the effect axis.
        subtitle: rows the two were measured on.
    """
    title = "What is read against what moves the score"
    if not len(features):
        return empty("There is no column to compare.", title=title)
    shares = 100 * np.asarray(attention, dtype=np.float64)
    names = labels(features, width=18)
    named = _most_telling(shares, np.asarray(effect, dtype=np.float64))
    figure = go.Figure()
    for group, group_color, symbol, keep in _groups(np.asarray(rank_difference)):
        where = np.flatnonzero(keep)
        figure.add_scatter(
            x=shares[where],
            y=np.asarray(effect)[where],
            name=group,
            mode="markers+text",
            marker={"color": group_color, "size": 11, "symbol": symbol, "line": {"color": GRID, "width": 1}},
            text=[names[index] if index in named else "" for index in where],
            textposition=["middle left" if shares[index] > 0.6 * shares.max() else "middle right" for index in where],
            textfont={"size": 12},
            cliponaxis=False,
            customdata=[escape(features[index]) for index in where],
            hovertemplate="<b>%{customdata}</b><br>%{x:.3g} % of attention<br>moves the score by %{y:.3g} on average"
            "<extra></extra>",
        )
    figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(rangemode="tozero")
    finish(figure, title=title, subtitle=subtitle, x=x, y=y, height=460)
    return figure.update_layout(legend={"y": -0.16})


def _groups(difference: Floats) -> tuple[tuple[str, str, str, npt.NDArray[np.bool_]], ...]:
    """Name, colour, symbol (so that colour is never alone) and members of each group."""
    return (
        ("read more than it moves", ATTENTION, "triangle-right", difference > _CLOSE),
        ("moves more than it is read", EFFECT, "triangle-up", difference < -_CLOSE),
        (f"ranks within {_CLOSE} of each other", NEUTRAL, "circle", np.abs(difference) <= _CLOSE),
    )


def _most_telling(shares: Floats, effect: Floats) -> set[int]:
    """The columns worth a name on the chart: the largest on either axis."""
    reach = np.maximum(shares / max(float(shares.max()), 1e-12), effect / max(float(effect.max()), 1e-12))
    return {int(index) for index in np.argsort(-reach, kind="stable")[:_LABELLED]}


def rank_slope(
    features: Sequence[str], left: Floats, right: Floats, *, names: tuple[str, str], subtitle: str, max_features: int = 15
) -> go.Figure:
    """Each column's rank by one method, joined to its rank by the other: steep lines are disagreements.

    Args:
        features: the F column names.
        left: (F,) ranks by the first method, 1 is the most important.
        right: (F,) ranks by the second.
        names: what the two methods are called.
        subtitle: rank correlation and number of columns.
        max_features: columns shown, those in the first places of either method.
    """
    title = "Ranks side by side"
    best = np.minimum(left, right)
    kept = np.argsort(best, kind="stable")[:max_features]
    if not len(kept):
        return empty("There is no column to compare.", title=title)
    shown = dict(zip(kept.tolist(), labels([features[index] for index in kept], width=20), strict=True))
    figure = go.Figure()
    for index, label in shown.items():
        line_color = next(item[1] for item in _groups(np.asarray([right[index] - left[index]])) if item[3][0])
        figure.add_scatter(
            x=[0, 1],
            y=[left[index], right[index]],
            mode="lines+markers+text",
            line={"color": line_color, "width": 2},
            marker={"size": 7, "color": line_color},
            text=[f"{label}  {left[index]:g}", f"{right[index]:g}  {label}"],
            textposition=["middle left", "middle right"],
            textfont={"size": 12},
            cliponaxis=False,
            customdata=[f"<b>{escape(features[index])}</b><br>rank {left[index]:g} by {escape(names[0])}, "
                        f"rank {right[index]:g} by {escape(names[1])}"] * 2,
            hovertemplate="%{customdata}<extra></extra>",
        )
    figure.update_xaxes(
        range=[-0.75, 1.75], tickvals=[0, 1], ticktext=[escape(name) for name in names], showgrid=False, zeroline=False
    )
    figure.update_xaxes(side="top", fixedrange=True)
    figure.update_yaxes(autorange="reversed", visible=False, fixedrange=True)
    return finish(figure, title=title, subtitle=subtitle, height=bars_height(len(shown), per_bar=24), legend=False)


def agreement_histogram(values: Floats, *, subtitle: str, n_bins: int = 20) -> go.Figure:
    """How well attention and effect agree row by row.

    Args:
        values: (B,) rank correlation of each row, -1 to 1; NaN where it does not exist.
        subtitle: rows it was measured on.
        n_bins: bars over the whole range.
    """
    title = "Agreement row by row"
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return empty("No row has an agreement to show.", title=title)
    counts, edges = np.histogram(known, bins=n_bins, range=(-1.0, 1.0))
    figure = go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=np.diff(edges),
            marker={"color": NEUTRAL},
            customdata=[f"{low:+.1f} to {high:+.1f}" for low, high in zip(edges[:-1], edges[1:], strict=True)],
            hovertemplate="agreement %{customdata}<br>%{y:,} rows<extra></extra>",
        )
    )
    figure.update_layout(bargap=0.04)
    median = float(np.median(known))
    figure.add_vline(
        x=median,
        line={"color": ATTENTION, "width": 2, "dash": "dash"},
        annotation={"text": f"median {median:+.2f}", "font": {"size": 12}, "yanchor": "bottom"},
    )
    figure.update_xaxes(range=[-1, 1])
    return finish(
        figure,
        title=title,
        subtitle=subtitle,
        x="rank correlation of masks and |SHAP| within a row",
        y="rows",
        height=320,
        legend=False,
    )


def attention_effect_pairs(
    features: Sequence[str], attention: Floats, effect: Floats, *, subtitle: str, max_features: int = 12
) -> go.Figure:
    """One row's columns as a butterfly: share of attention to the left, share of the SHAP pushes to the right.

    Args:
        features: the F column names.
        attention: (F,) shares of attention, summing to one (or all zero).
        effect: (F,) shares of the summed absolute SHAP values.
        subtitle: what the agreement is.
        max_features: columns shown, the largest on either side.
    """
    title = "Read, and moved by"
    kept = np.argsort(-np.maximum(attention, effect), kind="stable")[:max_features]
    if not len(kept):
        return empty("There is no column to compare.", title=title)
    figure = go.Figure()
    sides = (("share of attention", ATTENTION, -1.0, attention), ("share of |SHAP|", EFFECT, 1.0, effect))
    for name, side_color, sign, values in sides:
        percents = 100 * np.asarray(values, dtype=np.float64)[kept]
        figure.add_bar(
            x=sign * percents,
            y=np.arange(len(kept)),
            orientation="h",
            name=name,
            marker={"color": side_color},
            customdata=[f"{escape(features[index])}<br>{percent:.3g} %" for index, percent in zip(kept, percents, strict=True)],
            hovertemplate=f"{name} of %{{customdata}}<extra></extra>",
        )
    reach = 100 * float(max(np.max(attention), np.max(effect), 0.01)) * 1.05
    ticks = [tick for tick in (20, 40, 60, 80, 100) if tick <= reach] or [round(reach)]
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(
        range=[-reach, reach],
        tickvals=[-tick for tick in reversed(ticks)] + [0, *ticks],
        ticktext=[f"{tick} %" for tick in reversed(ticks)] + ["0", *(f"{tick} %" for tick in ticks)],
    )
    names = labels([features[index] for index in kept])
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, autorange="reversed", showgrid=False)
    height = bars_height(len(kept)) + 40
    finish(figure, title=title, subtitle=subtitle, x="← share of attention · share of |SHAP| →", height=height)
    return figure.update_layout(legend={"y": -90 / height})
