"""Documents and charts with everything that a report may hold, hostile names among it."""

from __future__ import annotations

from tabnet_engine.figures.plain import Bar, BarChart, HeatChart, Line, LineChart, PlainChart, WaterfallChart
from tabnet_engine.report.document import (
    Block,
    Bullets,
    Callout,
    ChartBlock,
    Document,
    Facts,
    Identity,
    Paragraph,
    Section,
    SignatureLines,
    Table,
)

LONG = "a_very_long_generated_column_name_" * 9 + "end"
HOSTILE = "</text><script>alert(1)</script> & {x} %s \U0001f600 \u202eשלום\nline \x00"
CHINESE = "该申请被拒绝，因为有利结果的概率低于分界值（“approved”类别）。"

BARS = BarChart(
    title="Contributions",
    unit="log-odds",
    bars=(
        Bar(label="income", value=-0.8, low=-0.9, high=-0.7, tone="against"),
        Bar(label="savings", value=0.4, tone="for", text="+0.40"),
        Bar(label=HOSTILE, value=0.2),
        Bar(label=LONG, value=0.1, tone="other"),
        Bar(label=f"{LONG}2", value=0.0),
    ),
    mark=("cutoff", 0.3),
)
WATERFALL = WaterfallChart(
    title="From the reference to this row",
    unit="log-odds",
    start=Bar(label="reference", value=1.0),
    steps=(
        Bar(label="income", value=-0.9, tone="against"),
        Bar(label="age", value=0.3, low=0.2, high=0.4, tone="for"),
        Bar(label="others", value=-0.2, tone="other"),
    ),
    end=Bar(label="this row", value=0.2),
    mark=("cutoff", 0.5),
)
HEAT = HeatChart(
    title="Steps",
    unit="share",
    rows=("income", LONG),
    columns=("step 1", HOSTILE),
    values=((0.0, 1.0), (0.5, 0.25)),
    texts=(("0", "1"), ("0.5", "0.25")),
)
LINES = LineChart(
    title="Calibration",
    x_title="predicted",
    y_title="observed",
    lines=(Line(name="test", x=(0.1, 0.5, 0.9), y=(0.2, 0.5, 0.8), low=(0.1, 0.4, 0.7), high=(0.3, 0.6, 0.9)),),
    has_diagonal=True,
)
CHARTS: tuple[PlainChart, ...] = (BARS, WATERFALL, HEAT, LINES)


def identity(language: str = "en", kind: str = "decision") -> Identity:
    return Identity(
        case_id="D-20260301-ABCDEF012345",
        kind=kind,
        created="2026-03-01T10:30:00+01:00",
        run_id="run-1",
        run_title=HOSTILE,
        engine_version="0.5.0",
        profile="internal",
        profile_version="1",
        language=language,
        seed=0,
        hashes={"model": "ab" * 32},
    )


def paper(*blocks: Block, language: str = "en", n_sections: int = 1, **more: object) -> Document:
    """A document whose sections all hold the same blocks."""
    sections = tuple(
        Section(key=f"part_{place}", title=f"Heading number {place}", blocks=blocks, part="C")
        for place in range(n_sections)
    )
    values = {
        "title": "Why this was declined" if language == "en" else "Why this was declined 拒绝",
        "subtitle": "Row 7",
        "summary": (),
        "sections": sections,
        **more,
    }
    return Document(language=language, identity=identity(language), **values)


def every_block() -> tuple[Block, ...]:
    return (
        Paragraph(text="Plain words.\nA second line."),
        Paragraph(text=CHINESE, is_note=True),
        Bullets(items=("first reason", LONG), is_numbered=True),
        Facts(lines=(("Score", "0.31"), (HOSTILE, LONG))),
        Callout(tone="warning", text="Look at this."),
        Table(
            caption="What was received", columns=("Column", "Value"), rows=((HOSTILE, "1"),), numeric=(1,), note="Note."
        ),
        *(ChartBlock(chart=chart, alt=f"alt of {chart.title}", note="A note.") for chart in CHARTS),
        SignatureLines(roles=("Owner", "Validator")),
    )
