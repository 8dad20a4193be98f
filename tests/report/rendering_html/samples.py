"""A document that holds every kind of block and chart, and words that try to be more than words."""

from __future__ import annotations

import dataclasses

from tabnet_engine.figures.plain import Bar, BarChart, HeatChart, Line, LineChart, WaterfallChart
from tabnet_engine.report.document import (
    Bullets,
    Callout,
    ChartBlock,
    Document,
    Facts,
    Identity,
    Paragraph,
    ReviewStep,
    Section,
    SignatureLines,
    Table,
)

LONG = "debt_ratio_" + "of_the_household_" * 17
HOSTILE = (
    '<script>document.title="owned"</script>',
    "<img src=x onerror=document.title='owned'>",
    "</style></svg></script><h1>x</h1>",
    "<!--<script>",
    '" onclick="x',
    "{place} {0} %s ${y} %{z}",
    "$x^2$ ![](https://example.org/a.png) [a](https://example.org)",
    "line\nbreak",
    "emoji 🚀 文字 ελληνικά кириллица",
    "turned \u202eround",
    "עברית العربية",
    "bell \x07 null \x00",
    LONG,
)

WATERFALL = WaterfallChart(
    title="From the average of the reference to this case",
    unit="log-odds of approved",
    start=Bar(label="Average of the reference", value=0.8),
    steps=(
        Bar(label="missed_payments = 4", value=-1.6, low=-1.8, high=-1.4, text="−1.60", tone="against"),
        Bar(label="income = 52,000", value=0.4, low=0.3, high=0.5, text="+0.40", tone="for"),
        Bar(label="6 other columns", value=-0.1, text="−0.10", tone="other"),
    ),
    end=Bar(label="This case", value=-0.5, text="−0.50"),
    mark=("Cutoff", 0.0),
)
BARS = BarChart(
    title="How much each column matters, by method",
    unit="share",
    bars=tuple(
        Bar(label=label, value=value, series=series)
        for series, scale in (("SHAP", 1.0), ("attention masks", 0.8))
        for label, value in (("missed_payments", 0.5 * scale), ("income", 0.3 * scale), ("age", 0.1))
    ),
)
POINTS = BarChart(
    title="Share approved in each group",
    unit="share",
    bars=(Bar(label="women", value=0.62, low=0.55, high=0.69), Bar(label="men", value=0.66, low=0.6, high=0.72)),
    is_points=True,
    mark=("all", 0.64),
)
HEAT = HeatChart(
    title="What each step read",
    unit="share of the step's mask",
    rows=("missed_payments", "income", "age"),
    columns=("Step 1", "Step 2", "Step 3"),
    values=((0.9, 0.2, 0.0), (0.1, 0.5, 0.3), (0.0, 0.3, 0.7)),
    texts=(("90 %", "20 %", ""), ("10 %", "50 %", "30 %"), ("", "30 %", "70 %")),
)
LINES = LineChart(
    title="Calibration",
    x_title="Predicted share",
    y_title="Observed share",
    lines=(
        Line(name="test rows", x=(0.1, 0.4, 0.9), y=(0.12, 0.35, 0.88), low=(0.05, 0.3, 0.8), high=(0.2, 0.4, 0.95)),
    ),
    has_diagonal=True,
)
CHARTS = (WATERFALL, BARS, POINTS, HEAT, LINES)


def identity(**changes: object) -> Identity:
    values = {
        "case_id": "D-20261121-7F3A2C9B41",
        "kind": "decision",
        "created": "2026-11-21T19:30:00+00:00",
        "run_id": "20261121-101500-abcdef",
        "run_title": "Credit, second try",
        "engine_version": "0.5.0",
        "profile": "us_adverse_action",
        "profile_version": "2026.1",
        "language": "en",
        "seed": 7,
        "row": 4711,
        "hashes": {"model": "ab" * 32, "data": "cd" * 32},
    }
    return Identity(**(values | changes))


def document(**changes: object) -> Document:
    """Every kind of block once."""
    reasons = Table(
        caption="The principal reasons",
        columns=("Reason", "Value", "Reference", "Contribution"),
        rows=(
            ("You missed several payments in the last two years", "4", "0", "−1.60"),
            ("Your debt is high compared with your income", "0.61", "0.25", "−0.84"),
        ),
        numeric=(1, 2, 3),
        note="Contributions are log-odds of the outcome “approved”.",
    )
    sections = (
        Section(
            key="action", title="What was decided", part="A", blocks=(Paragraph(text="Declined.", is_strong=True),)
        ),
        Section(
            key="reasons",
            title="Why it was decided",
            part="A",
            blocks=(Bullets(items=("First reason", "Second reason"), is_numbered=True), reasons),
        ),
        Section(key="score", title="The score", part="C", blocks=tuple(_charts())),
        Section(
            key="identity",
            title="Which case this is",
            part="C",
            blocks=(
                Facts(lines=(("Row", "4711"), ("Received", "21 November 2026"))),
                Callout(tone="note", text="Two values were missing."),
                Callout(tone="warning", text="The reference holds 40 rows."),
                Paragraph(text="Masks say what was read.\nThey are no reasons.", is_note=True),
            ),
        ),
        Section(
            key="review", title="Who answers for it", part="C", blocks=(SignatureLines(roles=("Reviewer", "Owner")),)
        ),
    )
    values = {
        "title": "Why this application was declined",
        "subtitle": "Row 4711 of credit.csv",
        "language": "en",
        "identity": identity(),
        "summary": (Paragraph(text="The score is 0.38; approved is from 0.50.", is_strong=True),),
        "sections": sections,
        "unmet": ("The reason codes are not reviewed.",),
        "review": (
            ReviewStep(state="draft", name="", time="2026-11-21T19:30:00+00:00"),
            ReviewStep(state="reviewed", name="A. Reader", time="2026-11-22T08:00:00+00:00", comment="Looks right."),
        ),
    }
    return Document(**(values | changes))


def hostile_document() -> Document:
    """The hostile words wherever a word may stand."""
    table = Table(
        caption=HOSTILE[0], columns=HOSTILE[:3], rows=tuple((text, text, text) for text in HOSTILE), note=HOSTILE[1]
    )
    bars = tuple(Bar(label=text, value=float(place), text=text, series=text) for place, text in enumerate(HOSTILE))
    alt = HOSTILE[4]
    charts = (
        BarChart(title=HOSTILE[0], unit=HOSTILE[5], bars=bars, mark=(HOSTILE[2], 1.0)),
        dataclasses.replace(WATERFALL, title=HOSTILE[2], steps=bars),
        HeatChart(
            title="", unit=HOSTILE[0], rows=HOSTILE, columns=(LONG,), values=((0.5,),) * 13, texts=(("<b>",),) * 13
        ),
        LineChart(
            title=HOSTILE[6], x_title=HOSTILE[0], y_title=HOSTILE[1], lines=(Line(name=HOSTILE[0], x=(1,), y=(2,)),)
        ),
    )
    blocks = (
        table,
        Bullets(items=HOSTILE),
        Facts(lines=tuple((text, text) for text in HOSTILE)),
        Callout(tone="block", text=HOSTILE[0]),
        SignatureLines(roles=HOSTILE),
        *(ChartBlock(chart=chart, alt=alt, note=HOSTILE[3]) for chart in charts),
    )
    return document(
        title=HOSTILE[0],
        subtitle=HOSTILE[1],
        identity=identity(
            case_id=HOSTILE[2], run_title=HOSTILE[0], profile=HOSTILE[4], hashes={HOSTILE[0]: HOSTILE[1]}
        ),
        summary=tuple(Paragraph(text=text) for text in HOSTILE),
        sections=(Section(key=HOSTILE[4], title=HOSTILE[0], part=HOSTILE[0], blocks=blocks),),
        blocked=HOSTILE,
        unmet=HOSTILE,
        review=(ReviewStep(state="reviewed", name=HOSTILE[0], time=HOSTILE[0], comment=HOSTILE[1]),),
    )


def _charts() -> list[ChartBlock]:
    return [ChartBlock(chart=chart, alt=f"{chart.title}: in words.", note="A note below.") for chart in CHARTS]
