"""The charts of a report as figures: drawn where their records say, told apart without colour, and safe in a page."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math

import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.figures.embedding import figure_json, plotly_styles
from tabnet_engine.figures.plain import Bar, BarChart, HeatChart, Line, LineChart, PlainChart, WaterfallChart
from tabnet_engine.figures.plain_figures import figure_of

HOSTILE = "<b>x</b> $y$ %{z} </script>"


def bars_of(figure: go.Figure) -> list[tuple[float, float, float, str]]:
    """Base, length, height on the chart and colour of every bar, from the top."""
    found = [
        (0.0 if trace.base is None else trace.base[place], trace.x[place], trace.y[place], trace.marker.color)
        for trace in figure.data
        if trace.type == "bar"
        for place in range(len(trace.x))
    ]
    return sorted(found, key=lambda bar: bar[2])


@settings(max_examples=15)
@given(
    st.floats(-50, 50),
    st.lists(st.tuples(st.floats(-50, 50), st.sampled_from(["for", "against", "other"])), max_size=6),
)
def test_each_step_of_a_waterfall_starts_where_the_one_before_ended(
    start: float, told: list[tuple[float, str]]
) -> None:
    steps = tuple(Bar(label=f"s{place}", value=value, tone=tone) for place, (value, tone) in enumerate(told))
    end = start + sum(step.value for step in steps)
    chart = WaterfallChart(
        title="t", unit="u", start=Bar(label="a", value=start), steps=steps, end=Bar(label="z", value=end)
    )
    bars = bars_of(figure_of(chart))
    assert [bar[1] for bar in bars] == [step.value for step in steps]
    ends = [start, *(base + length for base, length, _, _ in bars), end]
    starts = [*(base for base, _, _, _ in bars), end]
    assert all(math.isclose(one, other, abs_tol=1e-9) for one, other in zip(ends[: len(starts)], starts, strict=True))


def test_what_speaks_against_is_hatched_and_what_speaks_for_is_not() -> None:
    bars = (Bar(label="a", value=1.0, tone="for"), Bar(label="b", value=-1.0, tone="against"))
    figure = figure_of(BarChart(title="t", unit="u", bars=bars))
    hatches = {trace.marker.color: trace.marker.pattern.shape for trace in figure.data if trace.type == "bar"}
    assert len(hatches) == 2
    assert sorted(map(str, hatches.values())) == ["/", "None"]


def test_bars_of_one_name_share_a_line_and_each_series_has_its_colour_and_name() -> None:
    bars = tuple(
        Bar(label=label, value=value, series=s) for s in ("A", "B") for label, value in (("x", 1.0), ("y", 2.0))
    )
    figure = figure_of(BarChart(title="t", unit="u", bars=bars))
    assert figure.layout.yaxis.ticktext == ("x", "y")
    drawn = bars_of(figure)
    assert [round(height) for _, _, height, _ in drawn] == [0, 0, 1, 1]
    assert [color for *_, color in drawn[:2]] == [color for *_, color in drawn[2:]]
    assert len({color for *_, color in drawn}) == 2
    assert [trace.name for trace in figure.data if trace.showlegend is not False] == ["A", "B"]
    heights = [height for _, _, height, _ in drawn]
    width = next(trace.width for trace in figure.data if trace.type == "bar")
    assert min(after - before for before, after in itertools.pairwise(heights)) >= width - 1e-9


def test_two_bars_of_one_name_and_series_stand_on_lines_of_their_own() -> None:
    figure = figure_of(BarChart(title="t", unit="u", bars=(Bar(label="x", value=1.0), Bar(label="x", value=2.0))))
    assert [round(height) for _, _, height, _ in bars_of(figure)] == [0, 1]
    assert figure.layout.yaxis.ticktext == ("x", "x (2)")


def test_intervals_are_drawn_around_the_value_and_said() -> None:
    bars = (Bar(label="a", value=0.6, low=0.5, high=0.8), Bar(label="b", value=0.1))
    figure = figure_of(BarChart(title="t", unit="u", bars=bars, is_points=True, mark=("all", 0.4)))
    points = figure.data[0]
    assert (points.x, points.mode) == ((0.6, 0.1), "markers")
    assert points.error_x.array == pytest.approx((0.2, 0.0))
    assert points.error_x.arrayminus == pytest.approx((0.1, 0.0))
    assert "interval: 0.5 to 0.8" in points.customdata[0]
    assert figure.layout.shapes[0].x0 == 0.4
    assert figure.layout.annotations[0].text == "all"


def test_cells_and_lines_are_drawn_with_what_they_say() -> None:
    heat = HeatChart(
        title="t", unit="u", rows=("a", "b"), columns=("s",), values=((0.2,), (math.nan,)), texts=(("20 %",), ("",))
    )
    cells = figure_of(heat).data[0]
    assert [list(row) for row in cells.z] == [[0.2], [0.0]]
    assert cells.customdata[0][0] == "a<br>s<br>20 &#37;"
    line = Line(name="n", x=(0.0, 1.0), y=(0.1, 0.9), low=(0.0, 0.8), high=(0.2, 1.0))
    band, drawn, diagonal = figure_of(
        LineChart(title="t", x_title="x", y_title="y", lines=(line,), has_diagonal=True)
    ).data
    assert band.y == (0.2, 1.0, 0.8, 0.0)
    assert (drawn.x, drawn.y) == ((0.0, 1.0), (0.1, 0.9))
    assert diagonal.x == diagonal.y == (0.0, 1.0)


BAR = Bar(label=HOSTILE, value=1.0, low=0.0, high=2.0, text=HOSTILE, series=HOSTILE, tone="against")
EVERY = (
    BarChart(title=HOSTILE, unit=HOSTILE, bars=(BAR, dataclasses.replace(BAR, series="s")), mark=(HOSTILE, 1.0)),
    BarChart(title=HOSTILE, unit=HOSTILE, bars=(BAR,), is_points=True),
    WaterfallChart(title=HOSTILE, unit=HOSTILE, start=BAR, steps=(BAR,), end=BAR, mark=(HOSTILE, 1.0)),
    HeatChart(title=HOSTILE, unit=HOSTILE, rows=(HOSTILE,), columns=(HOSTILE,), values=((1.0,),), texts=((HOSTILE,),)),
    LineChart(
        title=HOSTILE,
        x_title=HOSTILE,
        y_title=HOSTILE,
        lines=(Line(name=HOSTILE, x=(1.0,), y=(1.0,)),),
        has_diagonal=True,
    ),
)


@pytest.mark.parametrize("chart", EVERY, ids=lambda chart: type(chart).__name__)
def test_a_name_is_never_markup_neither_to_plotly_nor_to_the_page(chart: PlainChart) -> None:
    text = figure_json(figure_of(chart))
    assert "<" not in text
    assert ">" not in text
    plain = json.dumps(json.loads(text))
    assert HOSTILE not in plain
    assert "<b>x" not in plain
    assert "$y$" not in plain
    assert "&lt;b&gt;x" in plain


@pytest.mark.parametrize(
    "chart",
    [
        BarChart(title="t", unit="u", bars=()),
        BarChart(title="t", unit="u", bars=(Bar(label="a", value=math.nan),)),
        dataclasses.replace(EVERY[2], end=Bar(label="z", value=math.inf)),
        HeatChart(title="t", unit="u", rows=(), columns=(), values=(), texts=()),
        LineChart(title="t", x_title="x", y_title="y", lines=()),
        LineChart(title="t", x_title="x", y_title="y", lines=(Line(name="n", x=(), y=()),), has_diagonal=True),
    ],
)
def test_a_chart_without_anything_to_draw_says_so(chart: PlainChart) -> None:
    assert "There is nothing to draw." in figure_of(chart).layout.annotations[0].text


def test_the_same_chart_is_the_same_text_and_what_is_no_number_is_null() -> None:
    chart = EVERY[0]
    assert figure_json(figure_of(chart)) == figure_json(figure_of(chart))
    assert json.loads(figure_json(go.Figure(go.Bar(x=[math.nan, 1.0]))))["data"][0]["x"] == [None, 1.0]
    assert "template" not in json.loads(figure_json(figure_of(chart)))["layout"]


def test_the_sheets_that_plotly_adds_are_known() -> None:
    sheets = plotly_styles()
    assert sheets[0] == ""
    assert any(".maplibregl-map{" in sheet for sheet in sheets)
