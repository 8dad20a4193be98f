"""Where attention and effect agree: what the masks read against how far each column moved the score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from tabnet_engine.explain.agreement import RankAgreement, RowAgreement
from tabnet_engine.explain.row_shares import RowShares
from tabnet_engine.explain.wording import column_name, percent
from tabnet_engine.figures.importance import ATTENTION, EFFECT
from tabnet_engine.figures.theme import GRID, NEUTRAL, bars_height, empty, escape, finish, labels, name_lines
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = [
    "agreement_histogram",
    "attention_effect_pairs",
    "attention_effect_scatter",
    "rank_slope",
    "row_share_scatter",
]

Floats = npt.NDArray[np.floating]

_MAX_POINTS = 10_000
_TURNED = 0.55  # of the width: from there on a name stands on the left of its point
_AGREEMENT_EDGES = np.round(np.arange(-1.05, 1.06, 0.1), 2)  # centred on -1.0, -0.9 … 1.0
_LABELLED = 12  # names drawn beside their points at most; every name is in the hover
_CLOSE = 2  # ranks apart that still count as the same place; said by the name of the group
# Name, colour and symbol (so that colour never stands alone) of columns that are read more, less, alike.
_GROUPS = {
    1: (msg("read more than it moves"), ATTENTION, "triangle-right"),
    -1: (msg("moves more than it is read"), EFFECT, "triangle-up"),
    0: (msg("ranks at most 2 apart"), NEUTRAL, "circle"),
}


def attention_effect_scatter(agreement: RankAgreement, *, subtitle: str = "") -> go.Figure:
    """Each column's share of the masks against its share of the mean |SHAP|; on the line they are equal.

    Args:
        agreement: masks first, SHAP second.
        subtitle: rows the two were measured on.
    """
    title = say("What is read against what moves the score")
    if not agreement.features:
        return empty(say("There is no column to compare."), title=title)
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
            name=say(name),
            mode="markers+text",
            marker={"color": group_color, "size": 11, "symbol": symbol},
            text=[names[index] for index in where],
            textposition=["middle left" if x[index] > _TURNED * reach else "middle right" for index in where],
            cliponaxis=False,
            customdata=[[int(index), _rank_text(agreement, int(index))] for index in where],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    x_name, y_name = say("share of the masks, %"), say("share of the mean |SHAP|, %")
    finish(figure, title=title, subtitle=subtitle, x=x_name, y=y_name, height=460)
    figure.update_xaxes(range=[-0.02 * reach, reach], zeroline=False)
    figure.update_yaxes(range=[-0.02 * reach, reach], zeroline=False)
    return figure.update_layout(legend={"y": -0.18})


def _group(difference: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """The key into :data:`_GROUPS` of each difference in rank."""
    return np.where(np.abs(difference) <= _CLOSE, 0, np.sign(difference)).astype(np.int64)


def _rank_text(agreement: RankAgreement, index: int) -> str:
    read = say(
        "masks: rank {rank}, {share}",
        rank=int(agreement.first_rank[index]),
        share=percent(float(agreement.first_share[index])),
    )
    moved = say(
        "SHAP: rank {rank}, {share}",
        rank=int(agreement.second_rank[index]),
        share=percent(float(agreement.second_share[index])),
    )
    return f"<b>{escape(agreement.features[index])}</b><br>{read}<br>{moved}"


def _spaced_names(names: list[str], x: Floats, y: Floats) -> list[str]:
    """The names that can be read: those of the largest points first, none upon another; "" for the rest."""
    shown = [""] * len(names)
    widths = [min(0.04 + 0.015 * len(name), 0.3) for name in names]  # of the chart, on a narrow screen too
    placed: list[tuple[float, float, float]] = []
    for index in np.argsort(-np.maximum(x, y), kind="stable"):
        here = (float(x[index]), float(y[index]))
        free = all(
            abs(here[0] - left) > max(width, widths[index]) or abs(here[1] - down) > 0.045
            for left, down, width in placed
        )
        if free and not _covered(here, min(widths[index], 0.16), x, y) and len(placed) < _LABELLED:
            shown[index] = names[index]
            placed.append((*here, widths[index]))
    return shown


def _covered(here: tuple[float, float], width: float, x: Floats, y: Floats) -> bool:
    """Whether another point lies where the name beside this one would stand."""
    toward = here[0] - x if here[0] > _TURNED else x - here[0]
    return bool(((toward > 0) & (toward < width) & (np.abs(y - here[1]) < 0.025)).any())


def rank_slope(agreement: RankAgreement, *, names: tuple[str, str], max_features: int = 15) -> go.Figure:
    """Each column's rank by one method, joined to its rank by the other: steep lines are disagreements.

    Args:
        agreement: the two rankings.
        names: what the two methods are called.
        max_features: columns shown, those in the first places of either method.
    """
    title = say("Ranks side by side")
    first, second = _places(agreement.first_rank), _places(agreement.second_rank)
    kept = np.argsort(np.minimum(first, second), kind="stable")[:max_features]
    if not len(kept):
        return empty(say("There is no column to compare."), title=title)
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
    subtitle = (
        say_plural(
            "{count} column that leads by neither is not drawn",
            "{count:,} columns that lead by neither are not drawn",
            left_out,
        )
        if left_out
        else ""
    )
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
    """How well attention and effect agree row by row; each bar is a tenth wide, and its ``x`` is its middle.

    Args:
        agreement: rank correlations within each row; rows without one are left out.
        subtitle: rows it was measured on.
    """
    title = say("Agreement row by row")
    known = agreement.spearman[np.isfinite(agreement.spearman)]
    if not len(known):
        return empty(say("No row has both masks and SHAP values with an order to compare."), title=title)
    counts, edges = np.histogram(known, bins=_AGREEMENT_EDGES)
    texts = [say("agreement {agreement}", agreement="%{x:.1f}"), say("{n_rows} rows", n_rows="%{y:,}")]
    figure = go.Figure(
        go.Bar(
            x=np.round((edges[:-1] + edges[1:]) / 2, 1),
            y=counts,
            width=0.096,
            marker={"color": NEUTRAL},
            hovertemplate=f"{'<br>'.join(texts)}<extra></extra>",
        )
    )
    median = agreement.median_spearman
    figure.add_vline(
        x=median,
        line={"color": ATTENTION, "width": 2, "dash": "dash"},
        annotation={"text": say("median {median:.2f}", median=median), "font": {"size": 12}, "yanchor": "bottom"},
    )
    axis = say("rank correlation of masks and |SHAP| within a row")
    finish(figure, title=title, subtitle=subtitle, x=axis, y=say("rows"), height=320, legend=False)
    figure.update_layout(dragmode="select", selectdirection="h")
    return figure.update_xaxes(range=[-1.06, 1.06])


def row_share_scatter(shares: RowShares, feature: str, *, subtitle: str = "") -> go.Figure:
    """One column in every row: its share of the row's masks against its share of the row's |SHAP|.

    Points above the line moved the score more than they were read. At most :data:`_MAX_POINTS` rows are drawn, evenly
    spaced, which is said. The ``customdata`` of a point begin with the row's number.

    Args:
        shares: the rows.
        feature: the column.
        subtitle: rows the two were measured on.
    """
    title = say("{column}, row by row: read against moved", column=column_name(feature, start=True))
    if not len(shares.rows):
        return empty(say("No row has both masks and SHAP values."), title=title)
    stride = -(-len(shares.rows) // _MAX_POINTS)
    drawn = shares.take(np.arange(0, len(shares.rows), stride))
    notes = [subtitle] if subtitle else []
    if stride > 1:
        notes.append(say("{n_rows:,} evenly spaced rows are drawn", n_rows=len(drawn.rows)))
    read, moved = drawn.of(feature)
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line={"color": GRID, "dash": "dot"}, hoverinfo="skip", showlegend=False
    )
    looks = {
        say("read more than it moved"): (read > moved, ATTENTION, "triangle-right"),
        say("moved more than it was read"): (read <= moved, EFFECT, "triangle-up"),
    }
    texts = [say("row {row}", row="%{customdata[0]:,}"), say("{share} of the masks", share="%{x:.0f} %")]
    hover = "<br>".join([*texts, say("{share} of |SHAP|", share="%{y:.0f} %")])
    for name, (members, group_color, symbol) in looks.items():
        figure.add_scatter(
            x=100 * read[members],
            y=100 * moved[members],
            mode="markers",
            name=name,
            marker={"color": group_color, "size": 7, "symbol": symbol, "opacity": 0.75},
            customdata=[[row] for row in drawn.rows[members].tolist()],
            hovertemplate=f"{hover}<extra></extra>",
        )
    x_name, y_name = say("share of the row's masks, %"), say("share of the row's |SHAP|, %")
    finish(figure, title=title, subtitle="; ".join(notes), x=x_name, y=y_name, height=400)
    figure.update_xaxes(range=[-3, 103], zeroline=False)
    figure.update_yaxes(range=[-3, 103], zeroline=False)
    return figure.update_layout(legend={"y": -0.2}, dragmode="select")


def attention_effect_pairs(agreement: RankAgreement, *, subtitle: str = "", max_features: int = 12) -> go.Figure:
    """One row's columns as a butterfly: share of the reading to the left, share of the |SHAP| to the right.

    Args:
        agreement: the row's masks first, its |SHAP| second.
        subtitle: how far the two agree.
        max_features: columns shown, the largest on either side.
    """
    title = say("What was read, and what moved the score")
    attention, effect = 100 * agreement.first_share, 100 * agreement.second_share
    kept = np.argsort(-np.maximum(attention, effect), kind="stable")[:max_features]
    if not len(kept):
        return empty(say("There is no column to compare."), title=title)
    figure = go.Figure()
    details = [_rank_text(agreement, int(index)) for index in kept]
    for name, side_color, values in ((say("read"), ATTENTION, -attention), (say("moved the score"), EFFECT, effect)):
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
    axis = say("← % of the masks   ·   % of |SHAP| →")
    finish(figure, title=title, subtitle=subtitle, x=axis, height=height)
    names = labels([agreement.features[index] for index in kept], width=22)
    name_lines(figure, names)
    _mirror_ticks(figure, 1.05 * max(float(attention.max()), float(effect.max()), 1.0))
    return figure.update_layout(barmode="overlay", legend={"y": -90 / height})


def _mirror_ticks(figure: go.Figure, reach: float) -> None:
    """Axis labels that are positive to both sides."""
    step = next((size for size in (1, 2, 5, 10, 20) if reach / size <= 3.5), 40)
    ticks = list(range(step, int(reach) + 1, step))
    places = [-tick for tick in reversed(ticks)] + [0, *ticks]
    figure.update_xaxes(range=[-reach, reach], tickvals=places, ticktext=[str(abs(place)) for place in places])
