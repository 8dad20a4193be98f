"""What each decision step adds to a score, over many rows and parts of them."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from tabnet_engine.explain.step_effects import StepEffects
from tabnet_engine.explain.wording import amount, percent, signed
from tabnet_engine.figures.theme import GRID, color, empty, escape, finish, labels
from tabnet_engine.texts.speaking import say

__all__ = ["step_effect_bars"]

_BAR_PIXELS, _PART_PIXELS = 16, 14
_GAP_PIXELS = 70


def step_effect_bars(effects: Mapping[str, StepEffects], *, output: int, unit: str) -> go.Figure:
    """The mean contribution of each step with its sign above, its mean size below; steps keep their colours.

    Args:
        effects: of each part of the rows, by the part's name; one without a name are all rows.
        output: whose score.
        unit: what the score is.
    """
    title = say("What each step adds to the score")
    shown = {name: effect for name, effect in effects.items() if effect.n_rows}
    if not shown:
        return empty(say("No row passes the filter."), title=title)
    n_steps = next(iter(shown.values())).n_steps
    panel = len(shown) * (n_steps * _BAR_PIXELS + _PART_PIXELS) + 30
    total = 2 * panel + _GAP_PIXELS
    figure = make_subplots(
        rows=2,
        cols=1,
        vertical_spacing=_GAP_PIXELS / total,
        subplot_titles=[say("with its sign: up or down"), say("its size: how far, up or down alike")],
    )
    for step in range(n_steps):
        figure.add_trace(_bars(shown, step, output, is_size=False), row=1, col=1)
        figure.add_trace(_bars(shown, step, output, is_size=True), row=2, col=1)
    n_rows = sum(effect.n_rows for effect in shown.values())
    subtitle = say("mean of {n_rows:,} rows with its 95 % interval, in the unit of the score", n_rows=n_rows)
    finish(figure, title=title, subtitle=subtitle, height=total + 170, legend=True)
    figure.update_layout(barmode="group", bargap=0.25, legend_y=-62 / total, margin_t=figure.layout.margin.t + 22)
    names = labels(list(shown), width=24)
    ticks = {"tickvals": list(range(len(shown))), "ticktext": names}
    figure.update_yaxes(**ticks, autorange="reversed", showgrid=False, zeroline=False)
    figure.update_xaxes(zeroline=True, zerolinecolor=GRID, zerolinewidth=2)
    figure.update_xaxes(title_text=escape(unit), row=2, col=1)
    return figure.update_annotations(x=0, xanchor="left", font={"size": 13})


def _bars(effects: Mapping[str, StepEffects], step: int, output: int, *, is_size: bool) -> go.Bar:
    estimates = [
        effect.size_estimate(step, output) if is_size else effect.mean_estimate(step, output)
        for effect in effects.values()
    ]
    values = [estimate.value or 0.0 for estimate in estimates]
    margins = [
        0.0 if estimate.high is None or estimate.value is None else estimate.high - estimate.value
        for estimate in estimates
    ]
    hover = [_hover(name, effect, step, output, is_size=is_size) for name, effect in effects.items()]
    return go.Bar(
        x=values,
        y=list(range(len(effects))),
        orientation="h",
        name=say("step {step}", step=step + 1),
        legendgroup=str(step),
        showlegend=not is_size,
        marker={"color": color(step)},
        error_x={"type": "data", "array": margins, "thickness": 1.2, "width": 3, "color": "#7a8694"},
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
    )


def _hover(name: str, effect: StepEffects, step: int, output: int, *, is_size: bool) -> str:
    estimate = effect.size_estimate(step, output) if is_size else effect.mean_estimate(step, output)
    words = amount if is_size else signed
    value, low, high = (
        "–" if number is None else words(number) for number in (estimate.value, estimate.low, estimate.high)
    )
    text = say(
        "step {step}: {value} ({low} to {high}), mean of {n_rows:,} rows",
        step=step + 1,
        value=value,
        low=low,
        high=high,
        n_rows=effect.n_rows,
    )
    if is_size:
        share = percent(float(effect.shares[step, output]))
        text = f"{text}<br>{say('{share} of what all steps move', share=share)}"
    return f"{escape(name)}<br>{text}" if name else text
