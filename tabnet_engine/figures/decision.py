"""One row's decision as the network took it: what each step read, how much it weighed, what it added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from tabnet_engine.explain.timeline import StepTimeline
from tabnet_engine.explain.wording import percent, probability, signed
from tabnet_engine.figures.cells import cell_texts, share_cells
from tabnet_engine.figures.theme import (
    DIVERGING,
    NEGATIVE,
    POSITIVE,
    bars_height,
    color,
    empty,
    escape,
    finish,
    labels,
    name_lines,
)
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["contribution_map", "probability_bars", "step_timeline"]

Floats = npt.NDArray[np.floating]

_BAR_PIXELS = 130  # height of the upper panel
_LINE_PIXELS = 28
_MANY_STEPS = 6  # from here on, numbers in the cells go without their unit
_VISIBLE = 0.005  # shares below half a per cent carry no number


def step_timeline(
    timeline: StepTimeline, *, output: int = 0, unit: str, subtitle: str = "", max_features: int = 12
) -> go.Figure:
    """The steps from left to right: above, what each added to the score; below, what it read.

    Args:
        timeline: the row's steps with every column that they read.
        output: place of the output whose score is drawn.
        unit: what the score is.
        subtitle: how the contributions and the base make up the score.
        max_features: columns shown, the most read; what the others got is one line.
    """
    title = say("Step by step: what was read, and what it added")
    if not timeline.steps:
        return empty(say("This row has no decision step to show."), title=title)
    lines = _lines(timeline, max_features)
    map_pixels = _LINE_PIXELS * max(len(lines), 1) + 20
    total = _BAR_PIXELS + map_pixels
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, vertical_spacing=26 / total, row_heights=[_BAR_PIXELS, map_pixels]
    )
    n_steps = len(timeline.steps)
    _added(figure, [float(step.contributions[output]) for step in timeline.steps], unit)
    figure.add_traces(_read(lines, n_steps))
    finish(figure, title=title, subtitle=subtitle, height=total + 150, legend=False)
    names = [
        str(step.step) if n_steps >= _MANY_STEPS else say("step {step}", step=step.step) for step in timeline.steps
    ]
    ticks = [f"{name}<br>{_percent(step.share, n_steps)}" for name, step in zip(names, timeline.steps, strict=True)]
    figure.update_xaxes(tickvals=list(range(n_steps)), ticktext=ticks, tickangle=0, showgrid=False, zeroline=False)
    figure.update_xaxes(fixedrange=True)
    figure.update_xaxes(title_text=say("step, and its share of the decision (%)"), row=2, col=1)
    names = labels([line.name for line in lines], width=24)
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, autorange="reversed", row=2, col=1)
    return figure.update_yaxes(showgrid=False, zeroline=False, fixedrange=True, row=2, col=1)


@dataclass(frozen=True)
class _Line:
    """One line of the map: a column, its cell, and its share of each step's mask (S)."""

    name: str
    cell: str
    shares: Floats


def _lines(timeline: StepTimeline, max_features: int) -> list[_Line]:
    """The columns that any step read, ordered by how much the whole decision read them."""
    read: dict[str, Floats] = {}
    cells: dict[str, str] = {}
    for place, step in enumerate(timeline.steps):
        for column in step.features:
            read.setdefault(column.feature, np.zeros(len(timeline.steps)))[place] = column.share
            cells[column.feature] = column.value
    weights = np.asarray([step.share for step in timeline.steps])
    order = sorted(read, key=lambda name: (-float(weights @ read[name]), -float(read[name].max())))
    visible = [name for name in order if float(read[name].max()) >= _VISIBLE][:max_features]
    lines = [_Line(name, f"<b>{escape(name)}</b>{_cell(cells[name])}", read[name]) for name in visible]
    others = np.asarray([step.rest_share for step in timeline.steps])
    others += sum((read[name] for name in order if name not in visible), np.zeros(len(others)))
    if float(others.max(initial=0.0)) > _VISIBLE:
        lines.append(_Line(say("all other columns"), say("all other columns together"), others))
    return lines


def _cell(text: str) -> str:
    return f" = {escape(text)}" if text else ""


def _percent(share: float, n_steps: int) -> str:
    number = f"{100 * float(share):.0f}"
    return number if n_steps >= _MANY_STEPS else f"{number} %"


def _added(figure: go.Figure, added: Sequence[float], unit: str) -> None:
    figure.add_bar(
        x=list(range(len(added))),
        y=added,
        width=0.5,
        marker={"color": [POSITIVE if value >= 0 else NEGATIVE for value in added]},
        text=[signed(value) for value in added],
        textposition="outside",
        textangle=-90 if len(added) >= _MANY_STEPS else 0,
        constraintext="none",
        cliponaxis=False,
        customdata=[
            escape(say("step {step} adds {amount} to the {score}", step=step + 1, amount=signed(value), score=unit))
            for step, value in enumerate(added)
        ],
        hovertemplate="%{customdata}<extra></extra>",
        row=1,
        col=1,
    )
    low, high = min(0.0, *added), max(0.0, *added)
    room = (0.5 if len(added) >= _MANY_STEPS else 0.3) * max(
        high - low, 1e-9
    )  # for the numbers above and below the bars
    figure.update_yaxes(
        range=[low - room * (low < 0), high + room * (high > 0)],
        nticks=4,
        zerolinewidth=1.5,
        fixedrange=True,
        row=1,
        col=1,
    )


def _read(lines: Sequence[_Line], n_steps: int) -> list[go.Heatmap | go.Scatter]:
    grid = np.asarray([line.shares for line in lines]).reshape(len(lines), n_steps)
    details = [
        [f"{line.cell}<br>{_attention(step + 1, float(line.shares[step]))}" for step in range(n_steps)]
        for line in lines
    ]
    texts = [[_percent(cell, n_steps) if cell >= _VISIBLE else "" for cell in line] for line in grid]
    return share_cells(grid, texts, details, gap=3)


def _attention(step: int, share: float) -> str:
    return say("step {step} gave it {share} of its attention", step=step, share=percent(share))


def contribution_map(
    timeline: StepTimeline,
    *,
    outputs: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
    subtitle: str = "",
) -> go.Figure:
    """What each step added to each output: blue up, red down, numbers in the cells, the score last.

    Args:
        timeline: the row's steps.
        outputs: places of the outputs drawn, all by default; those of one target share a scale.
        names: what they are called, when shorter than in the record: classes without their target.
        subtitle: how the cells make up the scores.
    """
    shown = list(outputs) if outputs is not None else list(range(len(timeline.outputs)))
    named = list(names) if names is not None else [timeline.outputs[place] for place in shown]
    title = say("What each step added to every class")
    if not timeline.steps:
        return empty(say("This row has no decision step to show."), title=title)
    cells = np.vstack([*(step.contributions for step in timeline.steps), timeline.logits]).T[shown]
    reach = max(float(np.abs(cells).max()), 1e-9)
    steps = [*(say("step {step}", step=step.step) for step in timeline.steps), say("score")]
    lines = labels(named, width=20)
    figure = go.Figure(
        go.Heatmap(
            z=cells,
            zmin=-reach,
            zmax=reach,
            colorscale=DIVERGING,
            showscale=False,
            xgap=3,
            ygap=3,
            customdata=[
                [f"{escape(output)}<br>{step}: {signed(float(cell))}" for step, cell in zip(steps, line, strict=True)]
                for output, line in zip(named, cells, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    figure.add_traces(cell_texts(np.abs(cells) / reach, [[signed(float(cell)) for cell in line] for line in cells]))
    height = bars_height(len(lines), per_bar=30, least=180)
    finish(figure, title=title, subtitle=subtitle, height=height, legend=False)
    figure.update_xaxes(tickvals=list(range(len(steps))), ticktext=steps, showgrid=False, zeroline=False)
    return name_lines(figure, lines)


def probability_bars(
    classes: Sequence[str],
    probabilities: Floats,
    *,
    actual: str | None,
    max_classes: int = 12,
    colors: Mapping[str, str] | None = None,
) -> go.Figure:
    """The probability of each class for one row; the class that really came is marked.

    Args:
        classes: the classes.
        probabilities: (len(classes),).
        actual: the outcome in the table, when it is known.
        max_classes: classes shown, the most probable and always the actual one.
        colors: the colour of each class on every page of the run.
    """
    order = [int(index) for index in np.argsort(-np.asarray(probabilities), kind="stable")]
    kept = [index for place, index in enumerate(order) if place < max_classes or classes[index] == actual]
    if not kept:
        return empty(say("There is no class to show."), title=say("Probability"))
    names = labels([classes[index] for index in kept], width=24)
    shown = [
        say("{name} ◂ actual", name=name) if classes[index] == actual else name
        for name, index in zip(names, kept, strict=True)
    ]
    percents = [100 * float(probabilities[index]) for index in kept]
    figure = go.Figure(
        go.Bar(
            x=percents,
            y=list(range(len(kept))),
            orientation="h",
            width=0.6,
            marker={"color": [(colors or {}).get(classes[index], color(index)) for index in kept]},
            text=[probability(float(probabilities[index])) for index in kept],
            textposition="auto",
            constraintext="none",
            customdata=[escape(classes[index]) for index in kept],
            hovertemplate="%{customdata}<br>%{text}<extra></extra>",
        )
    )
    figure.update_xaxes(range=[0, 100], ticksuffix=" %", title_text=say("probability (%)"))
    figure.update_yaxes(tickvals=list(range(len(shown))), ticktext=shown, autorange="reversed", showgrid=False)
    figure.update_yaxes(zeroline=False)
    left_out = len(classes) - len(kept)
    subtitle = ""
    if left_out:
        subtitle = say_plural(
            "{count} less probable class is not drawn", "{count:,} less probable classes are not drawn", left_out
        )
    height = bars_height(len(kept), least=150)
    return finish(figure, title=say("Probability"), subtitle=subtitle, height=height, legend=False)
