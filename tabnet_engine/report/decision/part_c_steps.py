"""Part C, how the model came to its score: the decision steps one by one, and what other methods say of the columns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tabnet_engine.explain.timeline import StepReading
from tabnet_engine.explain.wording import amount, listed, percent, signed
from tabnet_engine.figures.plain import Bar, BarChart
from tabnet_engine.report.decision.charts import axis, largest, rank_chart, step_chart, tone
from tabnet_engine.report.decision.part_c_evidence import agreement_words
from tabnet_engine.report.decision.told import Told, method_name, quoted_columns
from tabnet_engine.report.document import Block, Bullets, ChartBlock, Paragraph, Table
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import say

__all__ = ["methods", "timeline"]

MAX_LINES = 25
_LEADING = 4  # columns that a method is said to put first


def timeline(told: Told) -> tuple[Block, ...]:
    """What each decision step read and what it added to the outputs of the network, exactly."""
    blocks: list[Block] = [
        Paragraph(
            text=say(
                "The masks say what each decision step read. They are not reasons: a column can be read and move "
                "nothing. What a step added is exact; what a column added is in the table of contributions."
            )
        ),
        _steps(told),
    ]
    read, added = step_chart(told), _added_chart(told)
    if read is not None:
        blocks.append(ChartBlock(chart=read, alt=one_text(_read_words(told))))
    if added is not None:
        texts = listed([say("{label}: {value}", label=bar.label, value=bar.text) for bar in added.bars])
        blocks.append(ChartBlock(chart=added, alt=texts))
    return tuple(blocks)


def _steps(told: Told) -> Table:
    """What each step read and added; the score is made of the outputs by weights, and so are its steps."""
    line, weights = told.case.timeline, np.asarray(told.case.weights)
    total = float(line.base @ weights)
    rows: list[tuple[str, ...]] = [(say("start"), "–", "–", "–", told.level(total))]
    for step, added in zip(line.steps, _added(told), strict=True):
        total += added
        rows.append((f"{step.step}", percent(step.share), _read(step), signed(added), told.level(total)))
    return Table(
        caption=say("The decision steps of this row"),
        columns=(say("Step"), say("Share of the decision"), say("Read"), say("Added to the score"), say("Score then")),
        rows=tuple(rows),
        numeric=(1, 3, 4),
        note=told.sign_note
        or say("The score is {score}; above 0 a step spoke for the favourable outcome.", score=told.score_name),
    )


def _added(told: Told) -> list[float]:
    """What each step added to the score."""
    weights = np.asarray(told.case.weights)
    return [float(step.contributions @ weights) for step in told.case.timeline.steps]


def _read(step: StepReading) -> str:
    if not step.features:
        return say("no column")
    named = listed([say("“{column}” {share}", column=one.feature, share=percent(one.share)) for one in step.features])
    if step.rest_share < 0.0005:
        return named
    return say("{columns}, all others {share}", columns=named, share=percent(step.rest_share))


def _read_words(told: Told) -> Iterator[str]:
    for step in told.case.timeline.steps:
        yield say("Step {step} read {columns}.", step=step.step, columns=_read(step))


def _added_chart(told: Told) -> BarChart | None:
    """What each step added to the score."""
    steps = told.case.timeline.steps
    if not steps:
        return None
    return BarChart(
        title=say("What each decision step added to the score"),
        unit=axis(told),
        bars=tuple(
            Bar(label=say("step {step}", step=step.step), value=value, text=signed(value), tone=tone(value))
            for step, value in zip(steps, _added(told), strict=True)
        ),
    )


def methods(told: Told) -> tuple[Block, ...]:
    """The ranks of the columns by every method side by side, and how far the methods agree."""
    case = told.case
    if not case.methods:
        return (Paragraph(text=say("No other method was asked about this row.")),)
    chart = rank_chart(told)
    blocks: list[Block] = []
    agreement = agreement_words(told)
    if agreement:
        blocks.append(Paragraph(text=agreement))
    if chart is not None:
        blocks.append(ChartBlock(chart=chart, alt=_leading_words(told)))
    return (*blocks, _ranks(told), Bullets(items=tuple(_made(told))))


def _leading_words(told: Told) -> str:
    """What each method puts first."""
    case = told.case
    sentences = []
    for item in case.methods:
        order = sorted(zip(item.ranks, case.features, strict=True))[:_LEADING]
        names = quoted_columns([name for _, name in order])
        sentences.append(say("First by {method}: {columns}.", method=method_name(item.method), columns=names))
    return one_text(sentences)


def _ranks(told: Told) -> Table:
    case = told.case
    order = largest(case.contributions)
    place = {name: index for index, name in enumerate(case.features)}
    rows = tuple(
        (
            item.column,
            f"{rank:,}",
            *(_cell(told, method, place.get(item.column)) for method in range(len(case.methods))),
        )
        for rank, item in enumerate(order[:MAX_LINES], start=1)
    )
    names = (method_name(item.method) for item in case.methods)
    rest = len(order) - len(rows)
    note = say("Rank and value. Values of different methods have different units; compare ranks.")
    if rest > 0:
        note = say(
            "Rank and value. Values of different methods have different units; compare ranks. {n_more:,} more columns "
            "stand in the evidence pack.",
            n_more=rest,
        )
    return Table(
        caption=say("Columns by every method"),
        columns=(say("Column"), say("Rank in this report"), *names),
        rows=rows,
        numeric=tuple(range(1, 2 + len(case.methods))),
        note=note,
    )


def _cell(told: Told, method: int, place: int | None) -> str:
    item = told.case.methods[method]
    if place is None:
        return "–"
    value = item.values[place]
    shown = signed(value) if item.is_signed else percent(value) if 0 <= value <= 1 else amount(value)
    return say("{rank:,} ({value})", rank=item.ranks[place], value=shown)


def _made(told: Told) -> Iterator[str]:
    for item in told.case.methods:
        places = {"method": method_name(item.method), "how": recalled(item.algorithm)}
        if item.is_signed:
            yield say("{method}: signed, towards the favourable outcome; {how}.", **places)
        else:
            yield say("{method}: not signed, what was read and no reason; {how}.", **places)
