"""Where attention and effect agree: what the masks read against how far each column moved the score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from tabnet_engine.explain.agreement import RankAgreement, RowAgreement
from tabnet_engine.explain.wording import percent
from tabnet_engine.figures.importance import ATTENTION, EFFECT
from tabnet_engine.figures.theme import GRID, NEUTRAL, bars_height, empty, escape, finish, labels

__all__ = ["agreement_histogram", "attention_effect_pairs", "attention_effect_scatter", "rank_slope"]

Floats = npt.NDArray[np.floating]

_LABELLED = 12  # names drawn beside their points at most; every name is in the hover
_CLOSE = 2  # ranks apart that still count as the same place
# Name, colour and symbol (so that colour never stands alone) of columns that are read more, less, alike.
_GROUPS = {
    1: ("read more than it moves", ATTENTION, "triangle-right"),
    -1: ("moves more than it is read", EFFECT, "triangle-up"),
    0: (f"ranks at most {_CLOSE} apart", NEUTRAL, "circle"),
}


def attention_effect_scatter(agreement: RankAgreement, *, subtitle: str = "") -> go.Figure:
    """Each column's share of the masks against its share of the mean |SHAP|; on the line they are equal.

    Args:
        agreement: masks first, SHAP second.
        subtitle: rows the two were measured on.
    """
    title = "What is read against what moves the score"
    if not agreement.features:
        return empty("There is no column to compare.", title=title)
    x, y = 100 * agreement.first_share, 100 * agreement.second_share
    reach = 1.12 * max(float(x.max()), float(y.max()), 1.0)
    names = _spaced_names(labels(agreement.features, width=18), x / reach, y / reach)
    groups = _group(agreement.rank_difference)
    figure = go.Figure()
    figure.add_scatter(
        x=[0, reach],
        y=[0, reach],
        mode="lines",
        line={"color": GRID, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    for sign, (name, group_color, symbol) in _GROUPS.items():
        where = np.flatnonzero(groups == sign)
        figure.add_scatter(
            x=x[where],
            y=y[where],
            name=name,
            mode="markers+text",
            marker={"color": group_color, "size": 11, "symbol": symbol},
            text=[names[index] for index in where],
            textposition=["middle left" if x[index] > 0.55 * reach else "middle right" for index in where],
            cliponaxis=False,
            customdata=[_rank_text(agreement, int(index)) for index in where],
            hovertemplate="%{customdata}<extra></extra>",
        )
    x_name, y_name = "share of the masks, %", "share of the mean |SHAP|, %"
    finish(figure, title=title, subtitle=subtitle, x=x_name, y=y_name, height=460)
    figure.update_xaxes(range=[-0.02 * reach, reach], zeroline=False)
    figure.update_yaxes(range=[-0.02 * reach, reach], zeroline=False)
    return figure.update_layout(legend={"y": -0.18})


def _group(difference: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """The key into :data:`_GROUPS` of each difference in rank."""
    return np.where(np.abs(difference) <= _CLOSE, 0, np.sign(difference)).astype(np.int64)


def _rank_text(agreement: RankAgreement, index: int) -> str:
    return (
        f"<b>{escape(agreement.features[index])}</b>"
        f"<br>masks: rank {agreement.first_rank[index]}, {percent(float(agreement.first_share[index]))}"
        f"<br>SHAP: rank {agreement.second_rank[index]}, {percent(float(agreement.second_share[index]))}"
    )


def _spaced_names(names: list[str], x: Floats, y: Floats) -> list[str]:
    """The names that can be read: those of the largest points first, none upon another; "" for the rest."""
    shown = [""] * len(names)
    placed: list[tuple[float, float]] = []
    for index in np.argsort(-np.maximum(x, y), kind="stable"):
        here = (float(x[index]), float(y[index]))
        free = all(abs(here[0] - left) > 0.3 or abs(here[1] - down) > 0.045 for left, down in placed)
        if free and len(placed) < _LABELLED:
            shown[index] = names[index]
            placed.append(here)
    return shown


def rank_slope(agreement: RankAgreement, *, names: tuple[str, str], max_features: int = 15) -> go.Figure:
    """Each column's rank by one method, joined to its rank by the other: steep lines are disagreements.

    Args:
        agreement: the two rankings.
        names: what the two methods are called.
        max_features: columns shown, those in the first places of either method.
    """
    title = "Ranks side by side"
    first, second = _places(agreement.first_rank), _places(agreement.second_rank)
    kept = np.argsort(np.minimum(first, second), kind="stable")[:max_features]
    if not len(kept):
        return empty("There is no column to compare.", title=title)
    figure = go.Figure()
    groups = _group(agreement.rank_difference)
    for index, label in zip(
        kept.tolist(), labels([agreement.features[index] for index in kept], width=16), strict=True
    ):
        line_color = _GROUPS[int(groups[index])][1]
        figure.add_scatter(
            x=[0, 1],
            y=[first[index], second[index]],
            mode="lines+markers+text",
            line={"color": line_color, "width": 2},
            marker={"size": 7},
            text=[f"{label}  {agreement.first_rank[index]} ", f" {agreement.second_rank[index]}  {label}"],
            textposition=["middle left", "middle right"],
            cliponaxis=False,
            customdata=[_rank_text(agreement, index)] * 2,
            hovertemplate="%{customdata}<extra></extra>",
        )
    left_out = len(agreement.features) - len(kept)
    subtitle = f"{left_out} columns that lead by neither are not drawn" if left_out else ""
    lowest = int(max(first[kept].max(), second[kept].max())) + 1
    finish(figure, title=title, subtitle=subtitle, height=bars_height(lowest, per_bar=22), legend=False)
    figure.update_yaxes(autorange="reversed", visible=False, fixedrange=True)
    figure.update_layout(margin_t=figure.layout.margin.t + 16)  # the names of the methods stand above the chart
    return figure.update_xaxes(
        range=[-0.9, 1.9],
        tickvals=[0, 1],
        ticktext=[escape(name) for name in names],
        side="top",
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )


def _places(ranks: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Ranks without ties, so that no two names stand upon each other."""
    places = np.empty(len(ranks), dtype=np.int64)
    places[np.argsort(ranks, kind="stable")] = np.arange(1, len(ranks) + 1)
    return places


def agreement_histogram(agreement: RowAgreement, *, subtitle: str = "") -> go.Figure:
    """How well attention and effect agree row by row.

    Args:
        agreement: rank correlations within each row; rows without one are left out.
        subtitle: rows it was measured on.
    """
    title = "Agreement row by row"
    known = agreement.spearman[np.isfinite(agreement.spearman)]
    if not len(known):
        return empty("No row has both masks and SHAP values with an order to compare.", title=title)
    figure = go.Figure(
        go.Histogram(
            x=known,
            xbins={"start": -1.05, "end": 1.05, "size": 0.1},  # centred on -1.0, -0.9 … 1.0
            marker={"color": NEUTRAL},
            hovertemplate="agreement %{x}<br>%{y:,} rows<extra></extra>",
        )
    )
    median = agreement.median_spearman
    figure.add_vline(
        x=median,
        line={"color": ATTENTION, "width": 2, "dash": "dash"},
        annotation={"text": f"median {median:.2f}", "font": {"size": 12}, "yanchor": "bottom"},
    )
    axis = "rank correlation of masks and |SHAP| within a row"
    finish(figure, title=title, subtitle=subtitle, x=axis, y="rows", height=320, legend=False)
    figure.update_xaxes(range=[-1.06, 1.06])
    return figure.update_layout(bargap=0.04)


def attention_effect_pairs(agreement: RankAgreement, *, subtitle: str = "", max_features: int = 12) -> go.Figure:
    """One row's columns as a butterfly: share of the reading to the left, share of the |SHAP| to the right.

    Args:
        agreement: the row's masks first, its |SHAP| second.
        subtitle: how far the two agree.
        max_features: columns shown, the largest on either side.
    """
    title = "What was read, and what moved the score"
    attention, effect = 100 * agreement.first_share, 100 * agreement.second_share
    kept = np.argsort(-np.maximum(attention, effect), kind="stable")[:max_features]
    if not len(kept):
        return empty("There is no column to compare.", title=title)
    figure = go.Figure()
    details = [_rank_text(agreement, int(index)) for index in kept]
    for name, side_color, values in (("read", ATTENTION, -attention), ("moved the score", EFFECT, effect)):
        figure.add_bar(
            x=values[kept],
            y=np.arange(len(kept)),
            orientation="h",
            name=name,
            marker={"color": side_color},
            customdata=details,
            hovertemplate="%{customdata}<extra></extra>",
        )
    height = bars_height(len(kept)) + 40
    axis = "← % of the masks   ·   % of |SHAP| →"
    finish(figure, title=title, subtitle=subtitle, x=axis, height=height)
    names = labels([agreement.features[index] for index in kept], width=22)
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, autorange="reversed", showgrid=False, zeroline=False
    )
    _mirror_ticks(figure, 1.05 * max(float(attention.max()), float(effect.max()), 1.0))
    return figure.update_layout(barmode="overlay", legend={"y": -90 / height})


def _mirror_ticks(figure: go.Figure, reach: float) -> None:
    """Axis labels that are positive to both sides."""
    step = next((size for size in (1, 2, 5, 10, 20) if reach / size <= 3.5), 40)
    ticks = list(range(step, int(reach) + 1, step))
    places = [-tick for tick in reversed(ticks)] + [0, *ticks]
    figure.update_xaxes(range=[-reach, reach], tickvals=places, ticktext=[str(abs(place)) for place in places])
