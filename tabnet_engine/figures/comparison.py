"""Pictures of two or more runs side by side: curves, scores, decisions, importances, reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from tabnet_engine.explain.wording import percent
from tabnet_engine.figures.theme import (
    ACCENT,
    NEUTRAL,
    SEQUENTIAL,
    bars_height,
    color,
    empty,
    escape,
    finish,
    format_number,
    labels,
)
from tabnet_engine.figures.training import metric_label
from tabnet_engine.texts.speaking import say
from tabnet_engine.training.metrics import LOWER_IS_BETTER

if TYPE_CHECKING:
    from tabnet_engine.explain.comparison.decisions import PredictionShift, Transitions
    from tabnet_engine.explain.comparison.metrics import MetricDifference
    from tabnet_engine.explain.comparison.reasons import ReasonChanges
    from tabnet_engine.explain.importance import GlobalImportance
    from tabnet_engine.training.history import EpochRecord

__all__ = [
    "DASHES",
    "SYMBOLS",
    "compared_curves",
    "importance_dots",
    "leading_shares",
    "score_differences",
    "shift_histogram",
    "transition_map",
]

# Beside its colour, each run has its own line and mark.
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x")
MOST_COLUMNS = 15
MOST_CLASSES = 30
_MOST_WRITTEN, _STRONG = 12, 0.6  # classes whose counts are written into the cells; shares that make a strong cell


def compared_curves(histories: Mapping[str, Sequence[EpochRecord]], metric: str = "") -> go.Figure:
    """One score on the validation rows by epoch, one line a run.

    Args:
        histories: the epochs of each run by its name.
        metric: key of :attr:`EpochRecord.validation`; the validation loss where empty.
    """
    name = metric_label(metric) if metric else say("validation loss")
    title = say("{score} by epoch", score=name[:1].upper() + name[1:])
    figure = go.Figure()
    for index, (run, shown) in enumerate(zip(histories, labels(list(histories)), strict=True)):
        records = histories[run]
        values = [record.validation.get(metric) if metric else record.validation_loss for record in records]
        if all(value is None for value in values):
            continue
        figure.add_scatter(
            x=[record.epoch for record in records],
            y=values,
            name=shown,
            mode="lines+markers" if len(records) <= 40 else "lines",
            line={"color": color(index), "width": 2, "dash": DASHES[index % len(DASHES)]},
            marker={"size": 6, "symbol": SYMBOLS[index % len(SYMBOLS)]},
            customdata=[format_number(value, 4) for value in values],
            hovertemplate=escape(say("epoch {number}", number="@")).replace("@", "%{x}")
            + f"<br>{escape(name)} %{{customdata}}<extra>{shown}</extra>",
        )
    if not figure.data:
        return empty(say("None of these runs has this score by epoch."), title=title)
    n_epochs = max(len(records) for records in histories.values())
    figure.update_xaxes(range=[0.5, max(n_epochs, 2) + 0.5], dtick=max(1, round(n_epochs / 8)), zeroline=False)
    subtitle = say("each run on its own validation rows")
    return finish(figure, title=title, subtitle=subtitle, x=say("epoch"), y=name, height=340)


def score_differences(metrics: Sequence[MetricDifference], *, first: str, second: str) -> go.Figure:
    """The difference of each score with its 95 % interval, each on an axis of its own; zero is no difference.

    Args:
        metrics: scores of both runs on the same rows.
        first: the name of the run that is compared with.
        second: the name of the other.
    """
    title = say("How much the scores differ")
    drawn = [metric for metric in metrics if metric.difference.value is not None]
    if not drawn:
        return empty(say("No score is known of rows that both runs know."), title=title)
    names = [_capital(metric_label(metric.name)) for metric in drawn]
    titles = [escape(_with_direction(metric.name, name)) for metric, name in zip(drawn, names, strict=True)]
    figure = make_subplots(rows=len(drawn), cols=1, subplot_titles=titles, vertical_spacing=0.6 / len(drawn))
    for row, metric in enumerate(drawn, start=1):
        estimate = metric.difference
        reach = max(abs(value) for value in (estimate.value, estimate.low, estimate.high) if value is not None)
        figure.add_scatter(
            x=[estimate.value],
            y=[""],
            error_x=_whiskers(estimate.value, estimate.low, estimate.high),
            mode="markers",
            marker={"size": 11, "color": ACCENT, "symbol": "diamond"},
            customdata=[[format_number(estimate.value), _range(estimate.low, estimate.high)]],
            hovertemplate=f"{escape(names[row - 1])}: %{{customdata[0]}} (%{{customdata[1]}})<extra></extra>",
            row=row,
            col=1,
        )
        figure.add_vline(x=0, line={"color": NEUTRAL, "width": 1, "dash": "dash"}, row=row, col=1)
        figure.update_xaxes(range=[-1.25 * reach or -1, 1.25 * reach or 1], nticks=5, row=row, col=1)
    figure.update_annotations(font_size=13, xanchor="left", x=0)
    subtitle = say("{second} minus {first}, with 95 % intervals", second=second, first=first)
    finish(figure, title=title, subtitle=subtitle, height=120 + 112 * len(drawn), legend=False)
    return figure.update_layout(margin_t=104).update_yaxes(showgrid=False)


def _with_direction(metric: str, name: str) -> str:
    """A score with the side of zero on which the second run is the better one."""
    if metric in LOWER_IS_BETTER:
        return say("{score}: the second is better to the left of zero", score=name)
    return say("{score}: the second is better to the right of zero", score=name)


def transition_map(moves: Transitions, *, first: str, second: str) -> go.Figure:
    """How many rows went from which class to which; the diagonal stayed.

    Args:
        moves: the counts.
        first: the name of the run that is compared with.
        second: the name of the other.
    """
    title = say("Which decisions changed")
    if moves.n_rows == 0:
        return empty(say("No row is known to both runs."), title=title)
    if len(moves.classes) > MOST_CLASSES:
        return empty(
            say("There are {n_classes} classes, too many for a map; the table below lists every move.",
                n_classes=len(moves.classes)), title=title
        )  # fmt: skip
    names, counts = labels(moves.classes, 18), moves.counts
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    hover = [
        [
            say("{count:,} rows: {before} by the first, {after} by the second; {share} of those that were {before}",
                count=int(counts[i, j]), before=names[i], after=names[j], share=percent(float(shares[i, j])))
            for j in range(len(names))
        ]
        for i in range(len(names))
    ]  # fmt: skip
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=names,
            y=names,
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
            colorscale=[list(stop) for stop in SEQUENTIAL],
            zmin=0,
            zmax=1,
            xgap=2,
            ygap=2,
            colorbar={"title": {"text": escape(say("share of the line"))}, "tickformat": ".0%", "thickness": 12},
        )
    )
    if len(names) <= _MOST_WRITTEN:
        _write_counts(figure, names, counts, shares)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    figure.update_xaxes(type="category", showgrid=False)
    return finish(
        figure,
        title=title,
        subtitle=say("rows by the class that each run gives"),
        x=say("class by {run}", run=second),
        y=say("class by {run}", run=first),
        height=max(320, 150 + 44 * len(names)),
        legend=False,
    )


def _write_counts(
    figure: go.Figure, names: list[str], counts: npt.NDArray[np.int64], shares: npt.NDArray[np.float64]
) -> None:
    """The number of rows in each cell: white on strong cells, in the page's own text colour on pale ones."""
    for is_strong in (True, False):
        lines, columns = np.nonzero((shares > _STRONG) == is_strong)
        figure.add_scatter(
            x=[names[column] for column in columns],
            y=[names[line] for line in lines],
            text=[f"{count:,}" for count in counts[lines, columns].tolist()],
            mode="text",
            textfont={"size": 14, "color": "#ffffff"} if is_strong else {"size": 14},
            hoverinfo="skip",
            showlegend=False,
        )


def shift_histogram(shift: PredictionShift, *, unit: str) -> go.Figure:
    """How far the predictions moved, rows by the size and direction of the move.

    Args:
        shift: of a quantity.
        unit: the target, with its unit where it has one.
    """
    edges, counts = np.asarray(shift.edges), np.asarray(shift.counts)
    figure = go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=np.diff(edges),
            marker_color=ACCENT,
            customdata=[
                [format_number(low), format_number(high), f"{count:,}"]
                for low, high, count in zip(edges[:-1], edges[1:], counts.tolist(), strict=True)
            ],
            hovertemplate=escape(say("moved by {low} to {high}: {count} rows", low="@0", high="@1", count="@2"))
            .replace("@0", "%{customdata[0]}")
            .replace("@1", "%{customdata[1]}")
            .replace("@2", "%{customdata[2]}")
            + "<extra></extra>",
        )
    )
    figure.add_vline(x=0, line={"color": NEUTRAL, "width": 1, "dash": "dash"})
    return finish(
        figure,
        title=say("How far the predictions moved"),
        subtitle=say("second run minus first"),
        x=say("change of {target}", target=unit),
        y=say("rows"),
        legend=False,
    ).update_layout(bargap=0.02)


def importance_dots(importances: Mapping[str, GlobalImportance]) -> go.Figure:
    """Shares of the leading columns by one method, a mark for each run, with 95 % intervals.

    Args:
        importances: of each run by its name, all by one method.
    """
    title = say("What mattered, run by run")
    shares = {run: _shares(importance) for run, importance in importances.items()}
    most = {name: max(found.get(name, (0.0,))[0] for found in shares.values())
            for name in dict.fromkeys(name for found in shares.values() for name in found)}  # fmt: skip
    chosen = sorted(most, key=lambda name: -most[name])[:MOST_COLUMNS]
    if not chosen:
        return empty(say("No run holds importances by this method."), title=title)
    figure = go.Figure()
    shown = labels(chosen)
    for index, (run, label) in enumerate(zip(shares, labels(list(shares)), strict=True)):
        own = shares[run]
        points = [own.get(name) for name in chosen]
        figure.add_scatter(
            x=[None if point is None else point[0] for point in points],
            y=shown,
            name=label,
            mode="markers",
            marker={"size": 10, "color": color(index), "symbol": SYMBOLS[index % len(SYMBOLS)]},
            error_x=_many_whiskers(points),
            customdata=[_share_words(point) for point in points],
            hovertemplate=f"%{{y}}: %{{customdata}}<extra>{label}</extra>",
        )
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(tickformat=".0%", rangemode="tozero")
    n_left = len(most) - len(chosen)
    subtitle = say("share of the whole; lines are 95 % intervals")
    if n_left:
        subtitle = say("share of the whole; {n_left} less important columns are in the table only", n_left=n_left)
    height = bars_height(len(chosen), per_bar=30)
    return finish(figure, title=title, subtitle=subtitle, x=say("share of importance"), height=height)


def leading_shares(changes: ReasonChanges, *, first: str, second: str) -> go.Figure:
    """In which share of the rows each column leads by each run; the columns that changed most first.

    Args:
        changes: of the reasons.
        first: the name of the run that is compared with.
        second: the name of the other.
    """
    title = say("Which columns lead how often")
    drawn = changes.shares[:MOST_COLUMNS]
    if not drawn:
        return empty(say("No column leads in any row."), title=title)
    names, runs = labels([share.feature for share in drawn]), labels([first, second])
    figure = go.Figure()
    for name, share in zip(names, drawn, strict=True):
        figure.add_scatter(
            x=[share.first, share.second], y=[name, name], mode="lines", line={"color": NEUTRAL, "width": 2},
            showlegend=False, hoverinfo="skip",
        )  # fmt: skip
    for index, side in enumerate(("first", "second")):
        figure.add_scatter(
            x=[getattr(share, side) for share in drawn],
            y=names,
            name=runs[index],
            mode="markers",
            marker={"size": 11, "color": color(index), "symbol": SYMBOLS[index]},
            customdata=[[percent(getattr(share, side)), _change_words(share)] for share in drawn],
            hovertemplate=f"%{{y}}: %{{customdata[0]}}<br>%{{customdata[1]}}<extra>{runs[index]}</extra>",
        )
    figure.update_yaxes(autorange="reversed", type="category")
    most = max(max(share.first, share.second) for share in drawn)
    figure.update_xaxes(tickformat=".0%", range=[-0.03 * most, 1.06 * most], zeroline=False)
    n_left = len(changes.shares) - len(drawn)
    subtitle = say("among the {top_k} leading columns of a row", top_k=changes.top_k)
    if n_left:
        subtitle = say(
            "among the {top_k} leading columns of a row; {n_left} columns that changed less are in the table only",
            top_k=changes.top_k,
            n_left=n_left,
        )
    height = bars_height(len(drawn), per_bar=30)
    return finish(figure, title=title, subtitle=subtitle, x=say("share of rows"), height=height)


def _change_words(share: object) -> str:
    estimate = share.difference  # type: ignore[attr-defined]
    return escape(
        say("change {change}, 95 % interval {low} to {high}", change=_points(estimate.value),
            low=_points(estimate.low), high=_points(estimate.high))
    )  # fmt: skip


def _points(value: float | None) -> str:
    """A difference of shares in percentage points, with its sign."""
    if value is None:
        return "–"
    return f"{100 * value:+.0f}".replace("-", "−")


def _shares(importance: GlobalImportance) -> dict[str, tuple[float, float | None, float | None]]:
    """Share and interval by column; the interval is divided by the same sum as the share."""
    total = float(np.maximum(importance.values, 0).sum())
    ends = importance.interval
    found = {}
    for place, name in enumerate(importance.features):
        low = None if ends is None or not total else max(0.0, float(ends[0][place]) / total)
        high = None if ends is None or not total else float(ends[1][place]) / total
        found[name] = (float(importance.shares[place]), low, high)
    return found


def _share_words(point: tuple[float, float | None, float | None] | None) -> str:
    if point is None:
        return escape(say("not read by this run"))
    if point[1] is None or point[2] is None:
        return escape(percent(point[0]))
    return escape(
        say("{share} (95 % interval {low} to {high})", share=percent(point[0]), low=percent(point[1]),
            high=percent(point[2]))
    )  # fmt: skip


def _many_whiskers(points: Sequence[tuple[float, float | None, float | None] | None]) -> dict[str, object]:
    up = [0.0 if p is None or p[2] is None else max(0.0, p[2] - p[0]) for p in points]
    down = [0.0 if p is None or p[1] is None else max(0.0, p[0] - p[1]) for p in points]
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1.5, "width": 4}


def _whiskers(value: float | None, low: float | None, high: float | None) -> dict[str, object]:
    if value is None or low is None or high is None:
        return {"visible": False}
    return {
        "type": "data", "symmetric": False, "array": [high - value], "arrayminus": [value - low],
        "thickness": 2, "width": 7, "color": ACCENT,
    }  # fmt: skip


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return escape(say("no interval"))
    return escape(say("95 % interval {low} to {high}", low=format_number(low), high=format_number(high)))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
