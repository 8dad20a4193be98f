from __future__ import annotations

import dataclasses
import itertools
import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.figures.plain import Bar, BarChart, HeatChart, Line, LineChart, PlainChart, WaterfallChart
from tabnet_engine.report.rendering.chart_parts import Axis, Names
from tabnet_engine.report.rendering.drawings import drawing_of, sketch_of
from tabnet_engine.report.rendering.fonts import width
from tabnet_engine.report.rendering.shapes import Area, Box, Label, Sketch, Stroke
from tabnet_engine.report.rendering.svg import svg_of
from tests.report.rendering_pdf.papers import BARS, CHARTS, HEAT, HOSTILE, LINES, LONG, WATERFALL

_SVG = "{http://www.w3.org/2000/svg}"


def _boxes(sketch: Sketch) -> list[Box]:
    return [shape for shape in sketch.shapes if isinstance(shape, Box)]


def _labels(sketch: Sketch) -> list[str]:
    return [shape.text for shape in sketch.shapes if isinstance(shape, Label)]


def test_bars_are_as_long_as_their_values() -> None:
    chart = BarChart(title="", unit="", bars=tuple(Bar(label=str(value), value=value) for value in (4.0, -2.0, 1.0)))
    long, left, short = _boxes(sketch_of(chart, 400, 8))
    assert long.width == pytest.approx(4 * short.width)
    assert left.width == pytest.approx(2 * short.width)
    assert left.x + left.width == pytest.approx(long.x) == pytest.approx(short.x)
    double, single = _boxes(
        sketch_of(dataclasses.replace(chart, bars=(chart.bars[0], Bar(label="", value=2.0))), 400, 8)
    )
    assert double.width == pytest.approx(2 * single.width)  # from zero, not from the least value


def test_each_step_begins_where_the_one_before_ended() -> None:
    first, second, third = _boxes(sketch_of(WATERFALL, 400, 8))
    assert second.x == pytest.approx(first.x)  # down, then up again from there
    assert third.x + third.width == pytest.approx(second.x + second.width)  # and down from where that ended
    assert (second.width / first.width, third.width / first.width) == pytest.approx((0.3 / 0.9, 0.2 / 0.9))


def test_a_waterfall_ends_where_its_end_is_marked() -> None:
    sketch = sketch_of(WATERFALL, 400, 8)
    ends = [shape for shape in sketch.shapes if isinstance(shape, Area)]
    middle = sum(x for x, _ in ends[-1].points) / len(ends[-1].points)
    assert middle == pytest.approx(_boxes(sketch)[-1].x)


def test_shades_grow_with_the_values_and_leave_the_text_legible() -> None:
    shades = [box.opacity for box in _boxes(sketch_of(HEAT, 400, 8))[:4]]
    assert shades == [0.0, 0.75, 0.375, 0.1875]


def test_a_point_that_is_no_number_breaks_its_line() -> None:
    def n_strokes(y: tuple[float, ...]) -> int:
        chart = LineChart(title="", x_title="", y_title="", lines=(Line(name="", x=tuple(map(float, range(5))), y=y),))
        return sum(isinstance(shape, Stroke) and shape.width == 1.4 for shape in sketch_of(chart, 400, 8).shapes)

    assert n_strokes((1, 2, 3, 4, 5)) == 1
    assert n_strokes((1, 2, math.nan, 4, 5)) == 2


def test_lines_go_through_their_points() -> None:
    shapes = sketch_of(LINES, 400, 8).shapes
    line = next(shape for shape in shapes if isinstance(shape, Stroke) and len(shape.points) == 3)
    diagonal = next(shape for shape in shapes if isinstance(shape, Stroke) and shape.dash == (2, 2))
    (x0, y0), (x1, y1) = diagonal.points
    (_, below), (x, y), (_, above) = line.points
    assert y0 + (x - x0) / (x1 - x0) * (y1 - y0) == pytest.approx(y)  # (0.5, 0.5) lies on y = x
    assert below > y > above


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: type(chart).__name__)
@pytest.mark.parametrize("room", [260.0, 480.0])
def test_everything_is_drawn_within_the_picture(chart: PlainChart, room: float) -> None:
    sketch = sketch_of(chart, room, 8)
    for shape in sketch.shapes:
        if isinstance(shape, Label) and not shape.is_upright:
            wide = width(shape.text, shape.size, is_bold=shape.is_bold)
            left = shape.x - wide * {"start": 0, "middle": 0.5, "end": 1}[shape.anchor]
            assert left >= -1
            assert left + wide <= room + 1
            assert 0 < shape.y <= sketch.height
        elif isinstance(shape, Box):
            assert shape.x >= 0
            assert shape.x + shape.width <= room + 1
            assert shape.y + shape.height <= sketch.height
        elif isinstance(shape, Stroke | Area):
            assert all(-1 <= x <= room + 1 and -1 <= y <= sketch.height for x, y in shape.points)


@pytest.mark.parametrize(
    "chart",
    [
        BarChart(title="Nothing", unit="", bars=()),
        HeatChart(title="Nothing", unit="", rows=(), columns=(), values=(), texts=()),
        LineChart(title="Nothing", x_title="", y_title="", lines=(Line(name="a", x=(1.0,), y=(math.nan,)),)),
    ],
    ids=lambda chart: type(chart).__name__,
)
def test_an_empty_chart_says_so(chart: PlainChart) -> None:
    assert _labels(sketch_of(chart, 300, 8)) == ["Nothing", "There is nothing to draw."]


def test_what_is_not_drawn_is_said() -> None:
    bars = BarChart(title="", unit="", bars=tuple(Bar(label=f"c{place}", value=1.0) for place in range(500)))
    sketch = sketch_of(bars, 480, 8)
    assert "460 more are not drawn." in _labels(sketch)
    assert sketch.height < 700
    names = tuple(f"column {place}" for place in range(500))
    heat = HeatChart(
        title="", unit="", rows=names, columns=names, values=((0.5,) * 500,) * 500, texts=(("",) * 500,) * 500
    )
    said = " ".join(_labels(sketch_of(heat, 480, 8)))
    assert "460 more rows are not drawn." in said
    assert "more columns are not drawn." in said


def test_shortened_names_differ_and_are_told_in_full() -> None:
    names = ["x" * 300, "x" * 301, LONG, f"{LONG}2", "short"]
    short = Names.of(names, 80.0, 8.0).short
    assert len(set(short.values())) == 5
    assert short["short"] == "short"
    assert all(width(text, 8.0) <= 80.0 for text in short.values())
    assert LONG in {full for _, full in sketch_of(BARS, 300, 8).shortened}


@settings(max_examples=100)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=5),
    st.booleans(),
    st.sampled_from(["for", "against"]),
)
def test_any_numbers_are_drawn(values: list[float], is_points: bool, tone: str) -> None:
    bars = tuple(
        Bar(label=f"c{place}", value=value, low=value, high=value, tone=tone) for place, value in enumerate(values)
    )
    sketches = [
        sketch_of(BarChart(title="t", unit="u", bars=bars, is_points=is_points), 300, 8),
        sketch_of(WaterfallChart(title="t", unit="u", start=bars[0], steps=bars, end=bars[-1]), 300, 8),
    ]
    for box in itertools.chain.from_iterable(map(_boxes, sketches)):
        assert 0 <= box.x <= box.x + box.width <= 301


@settings(max_examples=200)
@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12))
def test_an_axis_holds_its_values_and_marks_round_ones(low: float, reach: float) -> None:
    axis = Axis.over([low, low + reach], 10.0, 110.0)
    assert 10.0 <= axis.at(low) <= axis.at(low + reach) <= 110.0
    ticks = [value for value, _ in axis.ticks()]
    assert 1 <= len(ticks) <= 8
    assert all(axis.low - 1e-6 * reach <= value <= axis.high + 1e-6 * reach for value in ticks)
    assert len({text for _, text in axis.ticks()}) == len(ticks) or reach < 1e-6 * abs(low)


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: type(chart).__name__)
def test_svg_is_well_formed_without_script_or_anything_from_outside(chart: PlainChart) -> None:
    text = svg_of(chart)
    root = ET.fromstring(text)  # noqa: S314 (our own text)
    kinds = {element.tag.removeprefix(_SVG) for element in root.iter()}
    assert kinds <= {"svg", "title", "rect", "polyline", "polygon", "text"}
    assert not {name for element in root.iter() for name in element.attrib if name.startswith("on") or "href" in name}
    assert text == svg_of(dataclasses.replace(chart))


def test_svg_holds_every_name_in_full() -> None:
    root = ET.fromstring(svg_of(BARS))  # noqa: S314
    told = " ".join("".join(element.itertext()) for element in root)
    assert LONG in told
    assert "<script>alert(1)</script>" in " ".join(told.split())
    assert "\u202e" not in told
    assert "‹U+202E›" in told


def test_the_drawing_has_the_size_of_the_sketch_and_its_texts() -> None:
    from reportlab.graphics.shapes import Group, String

    drawing = drawing_of(BARS, 400)
    strings = [part.text for group in drawing.contents if isinstance(group, Group) for part in group.contents]
    assert all(
        isinstance(part, String) for group in drawing.contents if isinstance(group, Group) for part in group.contents
    )
    assert (drawing.width, drawing.height) == (400, sketch_of(BARS, 400, 8).height)
    assert {"income", "savings", "cutoff", "+0.40"} <= set(strings)
    assert HOSTILE not in strings
