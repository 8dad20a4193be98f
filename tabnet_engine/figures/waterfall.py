"""One row's signed attributions, from the base value to the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.wording import amount, signed
from tabnet_engine.figures.theme import (
    GRID,
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    bars_height,
    empty,
    escape,
    finish,
    labels,
    name_lines,
    other_columns,
)
from tabnet_engine.texts.speaking import say

__all__ = ["brief", "waterfall"]

Floats = npt.NDArray[np.floating]

_INTERVAL = 1.96  # a 95 % normal interval around a mean
_LONG_NUMBER = 8  # characters from which the last digits of a fraction only take room


@dataclass(frozen=True)
class _Line:
    """One bar of the waterfall: its axis label, its name in the hover, its push and half its interval."""

    label: str
    name: str
    push: float
    error: float


def brief(text: str) -> str:
    """A cell with the digits that a reader needs: a long fraction is rounded, everything else stays.

    >>> brief("-0.663535198304047"), brief("20240522001"), brief("2024-05-22")
    ('-0.66354', '20240522001', '2024-05-22')
    """
    if len(text) <= _LONG_NUMBER or text.lstrip("+-").isdecimal():
        return text
    try:
        return f"{float(text):.5g}"
    except ValueError:
        return text


def waterfall(
    attribution: Attribution,
    position: int,
    *,
    output: int = 0,
    values: Mapping[str, str] | None = None,
    unit: str,
    subtitle: str = "",
    max_features: int = 12,
) -> go.Figure:
    """From the base value to one row's score, column by column, the largest push first.

    Args:
        attribution: values of some rows.
        position: the row's place within the attribution.
        output: place of the output.
        values: the row's cells as the user wrote them, by column.
        unit: what the score is, as "log-odds of >50K".
        subtitle: background, evaluations and error.
        max_features: columns shown one by one; the rest is one bar, their sum.
    """
    title = say("What pushed this score up or down")
    if not attribution.features:
        return empty(say("There is no column to show."), title=title)
    lines = _lines(attribution, position, output, values or {}, max_features)
    base, score = float(attribution.base[output]), float(attribution.logits[position, output])
    running = base + np.concatenate([[0.0], np.cumsum([line.push for line in lines])])
    figure = go.Figure()
    _connectors(figure, running)
    _bars(figure, running, lines)
    _ends(figure, (base, score), len(lines))
    ticks = [say("average of the background"), *(line.label for line in lines), say("this row")]
    finish(figure, title=title, subtitle=subtitle, x=unit, height=bars_height(len(ticks)), legend=False)
    name_lines(figure, ticks)
    low, high = float(min(running.min(), score)), float(max(running.max(), score))
    room = 0.3 * max(high - low, 1e-9)  # for the numbers beside the outermost bars
    return figure.update_xaxes(range=[low - room, high + room], nticks=6, zeroline=False)


def _lines(
    attribution: Attribution, position: int, output: int, values: Mapping[str, str], max_features: int
) -> list[_Line]:
    pushes = attribution.values[position, :, output]
    order = np.argsort(-np.abs(pushes), kind="stable")
    kept, rest = order[:max_features].tolist(), order[max_features:]
    error = attribution.standard_error
    names = [attribution.features[index] for index in kept]
    cells = [f"{name} = {brief(values[name])}" if name in values else name for name in names]
    lines = [
        _Line(
            label,
            escape(cell),
            float(pushes[index]),
            0.0 if error is None else _INTERVAL * float(error[position, index, output]),
        )
        for label, cell, index in zip(labels(cells, width=26), cells, kept, strict=True)
    ]
    if len(rest):
        name = other_columns(len(rest))
        lines.append(_Line(name, say("{columns} together", columns=name), float(pushes[rest].sum()), 0.0))
    return lines


def _bars(figure: go.Figure, running: Floats, lines: Sequence[_Line]) -> None:
    places = list(range(1, len(lines) + 1))
    errors = [line.error for line in lines]
    ends = running[1:]
    figure.add_bar(
        base=running[:-1],
        x=[line.push for line in lines],
        y=places,
        orientation="h",
        width=0.62,
        marker={"color": [POSITIVE if line.push >= 0 else NEGATIVE for line in lines]},
        error_x={"array": errors, "color": NEUTRAL, "thickness": 1.5, "width": 0} if any(errors) else None,
        customdata=[_detail(line) for line in lines],
        hovertemplate="%{customdata}<extra></extra>",
    )
    # The numbers stand beyond the interval, on the side to which the bar points.
    figure.add_scatter(
        x=[end + (line.error if line.push >= 0 else -line.error) for end, line in zip(ends, lines, strict=True)],
        y=places,
        mode="text",
        text=[f" {signed(line.push)} " for line in lines],
        textposition=["middle right" if line.push >= 0 else "middle left" for line in lines],
        cliponaxis=False,
        hoverinfo="skip",
    )


def _detail(line: _Line) -> str:
    if not line.error:
        return f"{line.name}<br>{signed(line.push)}"
    interval = say("{push} ± {half} (95 % interval)", push=signed(line.push), half=amount(line.error))
    return f"{line.name}<br>{interval}"


def _ends(figure: go.Figure, scores: tuple[float, float], n_lines: int) -> None:
    texts = [f"{'−' if value < 0 else ''}{amount(value)}" for value in scores]
    figure.add_scatter(
        x=list(scores),
        y=[0, n_lines + 1],
        mode="markers+text",
        marker={"size": 11, "symbol": "diamond", "color": NEUTRAL},
        text=[f"  {texts[0]}", f"  <b>{texts[1]}</b>"],
        textposition="middle right",
        cliponaxis=False,
        customdata=[
            say("the average score of the background rows: {score}", score=texts[0]),
            say("the score of this row: {score}", score=texts[1]),
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _connectors(figure: go.Figure, running: Floats) -> None:
    """Thin lines that carry the running score from one line of the chart to the next."""
    x = [value for score in running for value in (float(score), float(score), None)]
    y = [place for start in range(len(running)) for place in (start, start + 1, None)]
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": GRID, "width": 1.5}, hoverinfo="skip")
