"""The charts of a report as vector drawings: laid out once, then handed to ReportLab or written as SVG."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from tabnet_engine.figures.plain import BarChart, HeatChart, PlainChart, WaterfallChart
from tabnet_engine.report.rendering.chart_bars import bars_sketch
from tabnet_engine.report.rendering.chart_heat import heat_sketch
from tabnet_engine.report.rendering.chart_lines import lines_sketch
from tabnet_engine.report.rendering.chart_waterfall import waterfall_sketch
from tabnet_engine.report.rendering.fonts import Glyph, face_names, glyphs
from tabnet_engine.report.rendering.shapes import INK, Area, Box, Label, Shape, Sketch, Stroke

__all__ = ["TEXT_INK", "drawing_of", "sketch_of"]

TEXT_INK = "#1f2933"
_SIZE = 8.0  # of letters in print


def sketch_of(chart: PlainChart, width: float, size: float) -> Sketch:
    """Lay out a chart, in the language that is spoken.

    Args:
        chart: what is drawn.
        width: of the whole.
        size: of the letters, in the unit of the width.
    """
    if isinstance(chart, BarChart):
        return bars_sketch(chart, width, size)
    if isinstance(chart, WaterfallChart):
        return waterfall_sketch(chart, width, size)
    if isinstance(chart, HeatChart):
        return heat_sketch(chart, width, size)
    return lines_sketch(chart, width, size)


def drawing_of(chart: PlainChart, width: float) -> Any:
    """A chart as ``reportlab.graphics.shapes.Drawing``, in the language that is spoken.

    Args:
        chart: what is drawn.
        width: in points; the height is what the chart takes.
    """
    return as_drawing(sketch_of(chart, width, _SIZE))


def as_drawing(sketch: Sketch) -> Any:
    """A laid out chart for ReportLab, whose y grows upwards."""
    from reportlab.graphics.shapes import Drawing

    drawing = Drawing(sketch.width, sketch.height, initialFontName=face_names()[0])
    for shape in sketch.shapes:
        for part in _parts(shape, sketch.height):
            drawing.add(part)
    return drawing


def _parts(shape: Shape, height: float) -> Iterator[Any]:
    if isinstance(shape, Box):
        yield _rectangle(shape, height)
    elif isinstance(shape, Stroke):
        yield _line(shape, height)
    elif isinstance(shape, Area):
        yield _polygon(shape, height)
    else:
        yield from _strings(shape, height)


def _color(name: str, opacity: float = 1.0) -> Any:
    from reportlab.lib.colors import Color, HexColor

    color = HexColor(TEXT_INK if name == INK else name)
    return Color(color.red, color.green, color.blue, alpha=opacity)


def _rectangle(box: Box, height: float) -> Any:
    from reportlab.graphics.shapes import Rect

    rectangle = Rect(box.x, height - box.y - box.height, box.width, box.height)
    rectangle.fillColor = _color(box.fill, box.opacity)
    rectangle.strokeColor = _color(box.outline) if box.outline else None
    rectangle.strokeWidth = 0.5
    return rectangle


def _line(stroke: Stroke, height: float) -> Any:
    from reportlab.graphics.shapes import PolyLine

    line = PolyLine([coordinate for x, y in stroke.points for coordinate in (x, height - y)])
    line.strokeColor = _color(stroke.color, stroke.opacity)
    line.strokeWidth = stroke.width
    line.strokeDashArray = list(stroke.dash) or None
    return line


def _polygon(area: Area, height: float) -> Any:
    from reportlab.graphics.shapes import Polygon

    polygon = Polygon([coordinate for x, y in area.points for coordinate in (x, height - y)])
    polygon.fillColor = _color(area.fill, area.opacity)
    polygon.strokeColor = None
    return polygon


def _strings(label: Label, height: float) -> Iterator[Any]:
    """One string for each font that the text takes."""
    from reportlab.graphics.shapes import Group, String

    set_text = glyphs(label.text, is_bold=label.is_bold)
    wide = label.size * sum(glyph.width for glyph in set_text)
    x = -wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor]
    strings = []
    for font, run in itertools.groupby(set_text, key=_font):
        glyph_run = list(run)
        text = "".join(glyph.char for glyph in glyph_run)
        strings.append(String(x, 0, text, fontName=font, fontSize=label.size, fillColor=_color(label.color)))
        x += label.size * sum(glyph.width for glyph in glyph_run)
    turn = (0, 1, -1, 0) if label.is_upright else (1, 0, 0, 1)
    yield Group(*strings, transform=(*turn, label.x, height - label.y))


def _font(glyph: Glyph) -> str:
    return glyph.font
