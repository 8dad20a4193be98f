"""One row as it is beside the same row with some cells changed: what the steps read and added, how likely it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.wording import percent, probability, signed
from tabnet_engine.figures.cells import share_cells
from tabnet_engine.figures.identity import ColorScheme
from tabnet_engine.figures.theme import (
    GRID,
    NEGATIVE,
    POSITIVE,
    bars_height,
    empty,
    escape,
    finish,
    labels,
    tint,
)
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["probability_change", "step_change"]

_BAR_PIXELS = 130  # height of the upper panel
_LINE_PIXELS = 28
_MANY_STEPS = 4  # from here on, numbers in the cells go without their unit
_TOO_MANY_STEPS = 7  # from here on, there is no room for numbers; the pointer tells them
_VISIBLE = 0.005  # shares below half a per cent carry no number
_FAINT = 0.35  # opacity of what was

Floats = npt.NDArray[np.floating]


def step_change(
    before: MaskExplanation,
    after: MaskExplanation,
    *,
    output: int = 0,
    unit: str,
    changed: Sequence[str] = (),
    subtitle: str = "",
    max_features: int = 12,
) -> go.Figure:
    """The steps from left to right, each twice: above, what it added to the score; below, what it read.

    Args:
        before: the row as it is, one explained row.
        after: the same with changes.
        output: place of the output whose score is drawn.
        unit: what the score is.
        changed: names of the columns that were changed; they are marked, and always drawn where a step reads them.
        subtitle: what a reader must know.
        max_features: columns drawn, the most read of both; what the others got is one line.
    """
    title = say("Each step: what it read and added, now and changed")
    if not before.n_steps:
        return empty(say("This row has no decision step to show."), title=title)
    names, grid = _lines(before, after, changed, max_features)
    map_pixels = _LINE_PIXELS * max(len(names), 1) + 20
    total = _BAR_PIXELS + map_pixels
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, vertical_spacing=26 / total, row_heights=[_BAR_PIXELS, map_pixels]
    )
    _added(figure, _paired(before.contributions[:, 0, output], after.contributions[:, 0, output]), unit)
    figure.add_traces(_read(names, grid, before.n_steps))
    finish(figure, title=title, subtitle=subtitle, height=total + 150, legend=False)
    _step_names(figure, before.n_steps)
    marked = [f"◆ {name}" if name in changed else name for name in names]
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=labels(marked, width=22), autorange="reversed", row=2, col=1
    )
    return figure.update_yaxes(showgrid=False, zeroline=False, fixedrange=True, row=2, col=1)


def _lines(
    before: MaskExplanation, after: MaskExplanation, changed: Sequence[str], max_features: int
) -> tuple[list[str], Floats]:
    """The columns drawn and their shares (lines, 2 S), each step as it is, then changed; the rest as one line."""
    shares = _paired(before.masks[:, 0], after.masks[:, 0]).T.astype(np.float64)
    weight = before.aggregate[0] + after.aggregate[0]
    is_changed = np.isin(np.asarray(before.features, dtype=object), np.asarray(changed, dtype=object))
    order = np.lexsort((-weight, ~is_changed))
    seen = [int(place) for place in order if shares[place].max() >= _VISIBLE][:max_features]
    seen.sort(key=lambda place: (-float(weight[place]), place))
    names = [before.features[place] for place in seen]
    rest = 1.0 - shares[seen].sum(axis=0)
    grid = shares[seen]
    if float(rest.max(initial=0.0)) > _VISIBLE:
        names.append(say("all other columns"))
        grid = np.vstack([grid, rest.clip(0.0, 1.0)])
    return names, grid


def _paired(before: Floats, after: Floats) -> Floats:
    """Values of each step (S, ...), as it is and changed by turns: (2 S, ...)."""
    both = np.stack([before, after], axis=1)
    return both.reshape(2 * len(before), *before.shape[1:])


def _moment(place: int) -> str:
    return say("changed") if place % 2 else say("now")


def _added(figure: go.Figure, added: Floats, unit: str) -> None:
    values = [float(value) for value in added]
    strong = [POSITIVE if value >= 0 else NEGATIVE for value in values]
    fills = [strong[place] if place % 2 else tint(strong[place], _FAINT) for place in range(len(values))]
    told = [
        say(
            "step {step} {moment}: adds {amount} to the {unit}",
            step=place // 2 + 1, moment=_moment(place), amount=signed(values[place]), unit=unit,
        )
        for place in range(len(values))
    ]  # fmt: skip
    figure.add_bar(
        x=list(range(len(values))),
        y=values,
        width=0.7,
        marker={"color": fills, "line": {"color": strong, "width": 1.5}},
        text=[signed(value) for value in values],
        textposition="outside",
        textangle=-90 if len(values) >= 2 * _MANY_STEPS else 0,
        constraintext="none",
        cliponaxis=False,
        customdata=[escape(text) for text in told],
        hovertemplate="%{customdata}<extra></extra>",
        row=1,
        col=1,
    )
    low, high = min(0.0, *values), max(0.0, *values)
    room = (0.5 if len(values) >= 2 * _MANY_STEPS else 0.3) * max(high - low, 1e-9)
    figure.update_yaxes(
        range=[low - room * (low < 0), high + room * (high > 0)],
        nticks=4,
        zerolinewidth=1.5,
        fixedrange=True,
        row=1,
        col=1,
    )


def _read(names: Sequence[str], grid: Floats, n_steps: int) -> list[go.Heatmap | go.Scatter]:
    details = [
        [
            escape(
                say(
                    "step {step} {moment}: {share} of its attention to {column}",
                    step=place // 2 + 1, moment=_moment(place), share=percent(float(share)), column=name,
                )
            )
            for place, share in enumerate(line)
        ]
        for name, line in zip(names, grid, strict=True)
    ]  # fmt: skip
    texts = [[_percent(cell, n_steps) if cell >= _VISIBLE else "" for cell in line] for line in grid]
    return share_cells(grid, texts, details, gap=2)


def _percent(share: float, n_steps: int) -> str:
    if n_steps >= _TOO_MANY_STEPS:
        return ""
    number = f"{100 * float(share):.0f}"
    return number if n_steps >= _MANY_STEPS else f"{number} %"


def _step_names(figure: go.Figure, n_steps: int) -> None:
    """Name every step above its two columns, and part the steps by lines."""
    many = n_steps >= _TOO_MANY_STEPS
    # Short words: on a narrow screen a column is as wide as three letters.
    ticks = ["" if many else escape(say("new") if place % 2 else say("now")) for place in range(2 * n_steps)]
    figure.update_xaxes(tickvals=list(range(2 * n_steps)), ticktext=ticks, tickangle=0, showgrid=False, zeroline=False)
    figure.update_xaxes(fixedrange=True, range=[-0.6, 2 * n_steps - 0.4])
    figure.update_xaxes(title_text=escape(say("step, now and new")), row=2, col=1)
    for step in range(n_steps):
        name = str(step + 1) if n_steps >= _MANY_STEPS else escape(say("step {step}", step=step + 1))
        figure.add_annotation(
            text=name, x=2 * step + 0.5, y=1, xref="x", yref="y domain", yanchor="bottom", showarrow=False
        )
        if step:
            figure.add_vline(x=2 * step - 0.5, line={"color": GRID, "width": 2})


def probability_change(
    classes: Sequence[str], before: Floats, after: Floats, *, colors: ColorScheme, max_classes: int = 8
) -> go.Figure:
    """The probability of each class as it is (faint) and changed (full), one below the other.

    Args:
        classes: the classes.
        before: their probabilities for the row as it is (len(classes),).
        after: the same with changes.
        colors: gives each class its own colour.
        max_classes: classes drawn, the most probable of both.
    """
    title = say("Probability of each class")
    order = np.argsort(-np.maximum(before, after), kind="stable")[:max_classes].tolist()
    if not order:
        return empty(say("There is no class to show."), title=title)
    kept = sorted(order)
    figure = go.Figure()
    for values, moment, alpha in ((before, say("now"), _FAINT), (after, say("changed"), 1.0)):
        shares = [float(values[place]) for place in kept]
        full = [colors.of_class(classes[place]) for place in kept]
        figure.add_bar(
            x=[100 * share for share in shares],
            y=list(range(len(kept))),
            orientation="h",
            marker={"color": [tint(name, alpha) for name in full], "line": {"color": full, "width": 1.5}},
            text=[f"{escape(moment)}: {probability(share)}" for share in shares],
            textposition="auto",
            customdata=[
                escape(say("{name} {moment}: {share}", name=classes[place], moment=moment, share=probability(share)))
                for place, share in zip(kept, shares, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
            name=escape(moment),
        )
    figure.update_xaxes(range=[0, 100], ticksuffix=" %", fixedrange=True)
    figure.update_yaxes(
        tickvals=list(range(len(kept))),
        ticktext=labels([classes[place] for place in kept], width=24),
        autorange="reversed",
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    left_out = len(classes) - len(kept)
    subtitle = ""
    if left_out:
        subtitle = say_plural(
            "{count} less probable class is not drawn", "{count:,} less probable classes are not drawn", left_out
        )
    height = bars_height(2 * len(kept), per_bar=24, least=170)
    return finish(figure, title=title, subtitle=subtitle, x=say("probability in per cent"), height=height, legend=False)
