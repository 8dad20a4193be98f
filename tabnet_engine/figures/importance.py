"""Global importances: one bar per column, with its interval where the method has one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from tabnet_engine.figures.theme import ACCENT, NEUTRAL, PALETTE, bars_height, empty, escape, finish, labels

__all__ = ["ATTENTION", "EFFECT", "importance_bars"]

Floats = npt.NDArray[np.floating]

# What was read is always drawn in the colour of the mask maps, size of effect in a colour that is no sign.
ATTENTION = ACCENT
EFFECT = PALETTE[5]

_INTERVAL = 1.96  # a 95 % normal interval around a mean


def importance_bars(
    features: Sequence[str],
    values: Floats,
    *,
    title: str,
    x: str,
    subtitle: str = "",
    standard_error: Floats | None = None,
    order: Sequence[int] | None = None,
    bar_color: str = ATTENTION,
    percent: bool = False,
    max_features: int = 20,
) -> go.Figure:
    """Bars of a global importance, largest on top unless ``order`` says otherwise.

    Args:
        features: the F column names.
        values: (F,) importances, not negative.
        title: what was measured.
        x: name and unit of the measure.
        subtitle: rows, background and evaluations it was measured on.
        standard_error: (F,) standard errors; drawn as 95 % intervals.
        order: indices of the columns from top to bottom, to keep two methods line by line.
        bar_color: :data:`ATTENTION` or :data:`EFFECT`.
        percent: show a share of one in per cent.
        max_features: columns shown one by one; the rest is one grey bar, their sum.
    """
    if not len(features):
        return empty("There is no column to show.", title=title)
    scale = 100.0 if percent else 1.0
    amounts = np.asarray(values, dtype=np.float64) * scale
    spread = None if standard_error is None else np.asarray(standard_error, dtype=np.float64) * scale
    ranked = np.asarray(order) if order is not None else np.argsort(-amounts, kind="stable")
    kept, rest = ranked[:max_features], ranked[max_features:]
    figure = go.Figure(_bars(features, amounts, spread, kept, bar_color, "%" if percent else ""))
    names = labels([features[index] for index in kept])
    if len(rest):
        names.append(f"{len(rest)} other columns")
        figure.add_trace(_rest_bar(amounts[rest], len(kept)))
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, autorange="reversed", showgrid=False)
    figure.update_xaxes(rangemode="tozero", nticks=6)
    return finish(figure, title=title, subtitle=subtitle, x=x, height=bars_height(len(names)), legend=False)


def _bars(
    features: Sequence[str],
    amounts: Floats,
    spread: Floats | None,
    kept: Floats,
    bar_color: str,
    unit: str,
) -> go.Bar:
    interval = None if spread is None else _INTERVAL * spread[kept]
    texts = [f"{amounts[index]:.3g} {unit}".strip() for index in kept]
    if interval is not None:
        texts = [f"{text} ± {width:.2g} (95 % interval)" for text, width in zip(texts, interval, strict=True)]
    return go.Bar(
        x=amounts[kept],
        y=np.arange(len(kept)),
        orientation="h",
        marker={"color": bar_color},
        error_x=None if interval is None else {"array": interval, "color": NEUTRAL, "thickness": 1.5, "width": 3},
        customdata=[
            f"<b>{escape(features[index])}</b><br>rank {rank}: {text}"
            for rank, (index, text) in enumerate(zip(kept, texts, strict=True), start=1)
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _rest_bar(amounts: Floats, position: int) -> go.Bar:
    total = float(amounts.sum())
    return go.Bar(
        x=[total],
        y=[position],
        orientation="h",
        marker={"color": NEUTRAL},
        hovertemplate=f"the other {len(amounts)} columns together: {total:.3g}<extra></extra>",
    )
