"""The charts of a decision report as plain records: contributions, reference, steps, ranks by method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tabnet_engine.explain.estimates import NORMAL_POINT
from tabnet_engine.explain.reasons.records import Contribution
from tabnet_engine.explain.wording import percent, signed
from tabnet_engine.figures.plain import Bar, BarChart, HeatChart, WaterfallChart
from tabnet_engine.report.decision.numbers import quantity_beside, share_beside
from tabnet_engine.report.decision.told import Told, method_name
from tabnet_engine.texts.speaking import say, say_plural

__all__ = [
    "axis",
    "contribution_chart",
    "largest",
    "level_on_axis",
    "rank_chart",
    "reference_chart",
    "step_chart",
    "tone",
]

MAX_BARS = 12  # of a waterfall; the others stand in one bar
_MAX_COLUMNS = 12  # that a chart of steps or ranks names


def largest(contributions: Sequence[Contribution]) -> list[Contribution]:
    """Contributions by their size, the largest first; in the order of the columns where they are equal."""
    return sorted(contributions, key=lambda item: -abs(item.value))


def contribution_chart(told: Told) -> WaterfallChart:
    """From the mean score of the reference population to this row's score, the largest contributions one by one."""
    case = told.case
    order = largest(case.contributions)
    shown = order if len(order) <= MAX_BARS else order[: MAX_BARS - 1]
    bars = [_contribution_bar(item) for item in shown]
    rest = order[len(shown) :]
    if rest:
        total = sum(item.value for item in rest)
        label = say_plural("{count} other column", "{count} other columns", len(rest))
        bars.append(Bar(label=label, value=total, text=signed(total), tone=tone(total)))
    return WaterfallChart(
        title=say("From the reference population to this row"),
        unit=axis(told),
        start=Bar(
            label=say("reference population, mean"),
            value=case.reference.mean_score,
            text=level_on_axis(told, case.reference.mean_score),
        ),
        steps=tuple(bars),
        end=Bar(label=say("this row"), value=case.score.value, text=level_on_axis(told, case.score.value)),
        mark=None if case.score.cutoff is None else (say("cutoff"), case.score.cutoff),
    )


def level_on_axis(told: Told, score: float) -> str:
    """A score with the sign that it has on the axis of contributions."""
    return quantity_beside(score, told.case.score.cutoff) if told.is_turned else told.level(score)


def axis(told: Told) -> str:
    """What stands along the axis of contributions."""
    if told.is_turned:
        return say("{unit}, with the other sign: low is favourable", unit=told.unit)
    return say("{unit}, towards the favourable outcome", unit=told.unit)


def _contribution_bar(item: Contribution) -> Bar:
    margin = None if item.standard_error is None else NORMAL_POINT * item.standard_error
    return Bar(
        label=item.column,
        value=item.value,
        low=None if margin is None else item.value - margin,
        high=None if margin is None else item.value + margin,
        text=signed(item.value),
        tone=tone(item.value),
    )


def tone(value: float) -> Literal["for", "against", "neutral"]:
    """Which way a value speaks."""
    return "for" if value > 0 else "against" if value < 0 else "neutral"


def reference_chart(told: Told) -> BarChart | None:
    """Where this row, the cutoff and the ends of the reference population lie; None for what has no such level."""
    case = told.case
    level = case.score.share if not told.is_quantity else told.quantity(case.score.value)
    if level is None:
        return None
    ends = (
        (case.reference.low, case.reference.high)
        if not told.is_quantity
        else sorted((told.quantity(case.reference.low), told.quantity(case.reference.high)))
    )
    cutoff = case.score.cutoff_share if not told.is_quantity else case.decision.cutoff
    show = quantity_beside if told.is_quantity else share_beside
    named = ((say("this row"), level), (say("reference, lowest"), ends[0]), (say("reference, highest"), ends[1]))
    return BarChart(
        title=say("This row, the cutoff and the reference population"),
        unit=told.case.target if told.is_quantity else say("probability of the favourable outcome"),
        bars=tuple(Bar(label=label, value=value, text=show(value, cutoff)) for label, value in named),
        is_points=True,
        mark=None if cutoff is None else (say("cutoff"), cutoff),
    )


def step_chart(told: Told) -> HeatChart | None:
    """Which columns each step read most, by their share of its mask; None where no step read any."""
    steps = told.case.timeline.steps
    read: dict[str, list[float]] = {}
    for place, step in enumerate(steps):
        for feature in step.features:
            read.setdefault(feature.feature, [0.0] * len(steps))[place] = feature.share
    names = sorted(read, key=lambda name: -sum(read[name]))[:_MAX_COLUMNS]
    if not names:
        return None
    return HeatChart(
        title=say("What each decision step read"),
        unit=say("share of the step's mask"),
        rows=tuple(names),
        columns=tuple(say("step {step}", step=step.step) for step in steps),
        values=tuple(tuple(map(_unit_share, read[name])) for name in names),
        texts=tuple(tuple(percent(value) if value else "" for value in read[name]) for name in names),
    )


def _unit_share(value: float) -> float:
    return min(1.0, max(0.0, value))


def rank_chart(told: Told) -> HeatChart | None:
    """The ranks that each method gives the columns that some method ranks high; None without methods."""
    case = told.case
    if not case.methods:
        return None
    own = _own_ranks(told)
    ranks = [
        own,
        *(dict(zip(case.features, item.ranks, strict=True)) for item in case.methods),
    ]
    n_columns = max(len(case.features), 1)
    best = sorted(case.features, key=lambda name: (min(one.get(name, n_columns) for one in ranks), own.get(name, 0)))
    shown = best[:_MAX_COLUMNS]
    return HeatChart(
        title=say("Ranks of the columns by each method"),
        unit=say("rank, the strongest colour is first"),
        rows=tuple(shown),
        columns=(say("This report"), *(method_name(item.method) for item in case.methods)),
        values=tuple(tuple(_shade(one.get(name), n_columns) for one in ranks) for name in shown),
        texts=tuple(tuple(f"{one[name]}" if name in one else "–" for one in ranks) for name in shown),
    )


def _own_ranks(told: Told) -> dict[str, int]:
    return {item.column: place for place, item in enumerate(largest(told.case.contributions), start=1)}


def _shade(rank: int | None, n_columns: int) -> float:
    if rank is None:
        return 0.0
    return _unit_share(1.0 - (rank - 1) / n_columns)
