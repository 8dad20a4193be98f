"""The charts of a report as SVG that stands alone: shapes and text, no script, nothing from outside."""

from __future__ import annotations

from collections.abc import Iterator

from tabnet_engine.figures.plain import PlainChart
from tabnet_engine.report.rendering.drawings import sketch_of
from tabnet_engine.report.rendering.fonts import is_coded
from tabnet_engine.report.rendering.shapes import INK, Area, Box, Label, Point, Shape, Stroke

__all__ = ["svg_of"]

_SIZE = 12.0  # pixels
_FONTS = "Noto Sans, Segoe UI, Helvetica, Arial, Noto Sans SC, PingFang SC, Microsoft YaHei, sans-serif"
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def svg_of(chart: PlainChart, width: float = 720) -> str:
    """A chart as SVG, in the language that is spoken; the same chart is the same text.

    Its text takes the colour of the text around it (``currentColor``), so that it can be read on a dark page. A name
    that stands shortened carries the whole in its ``title``.

    Args:
        chart: what is drawn.
        width: in pixels; the picture scales to the room it gets.
    """
    sketch = sketch_of(chart, width, _SIZE)
    size = f"{_n(sketch.width)} {_n(sketch.height)}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{_n(sketch.width)}" '
        f'height="{_n(sketch.height)}" role="img" font-family="{_FONTS}" fill="currentColor">'
    )
    title = f"<title>{_text(sketch.title)}</title>"
    return "".join([head, title, *(part for shape in sketch.shapes for part in _element(shape)), "</svg>"])


def _element(shape: Shape) -> Iterator[str]:
    if isinstance(shape, Box):
        outline = f' stroke="{shape.outline}" stroke-width="0.5"' if shape.outline else ""
        place = f'x="{_n(shape.x)}" y="{_n(shape.y)}" width="{_n(shape.width)}" height="{_n(shape.height)}"'
        yield f'<rect {place} fill="{_color(shape.fill)}"{_opacity("fill", shape.opacity)}{outline}/>'
    elif isinstance(shape, Stroke):
        dash = f' stroke-dasharray="{" ".join(map(_n, shape.dash))}"' if shape.dash else ""
        look = f'stroke="{_color(shape.color)}" stroke-width="{_n(shape.width)}"{_opacity("stroke", shape.opacity)}'
        yield f'<polyline points="{_points(shape.points)}" fill="none" {look}{dash}/>'
    elif isinstance(shape, Area):
        look = f'fill="{_color(shape.fill)}"{_opacity("fill", shape.opacity)}'
        yield f'<polygon points="{_points(shape.points)}" {look}/>'
    else:
        yield _label(shape)


def _label(label: Label) -> str:
    place = f'x="{_n(label.x)}" y="{_n(label.y)}"'
    if label.is_upright:
        place = f'transform="translate({_n(label.x)} {_n(label.y)}) rotate(-90)"'
    anchor = "" if label.anchor == "start" else f' text-anchor="{label.anchor}"'
    bold = ' font-weight="700"' if label.is_bold else ""
    color = "" if label.color == INK else f' fill="{label.color}"'
    full = f"<title>{_text(label.full)}</title>" if label.full else ""
    return f'<text {place} font-size="{_n(label.size)}"{anchor}{bold}{color}>{full}{_text(label.text)}</text>'


def _points(points: tuple[Point, ...]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _n(value: float) -> str:
    """A coordinate to a hundredth, without needless zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-0", "0", int(round(value, 2) == 0))


def _opacity(of: str, value: float) -> str:
    return "" if value == 1 else f' {of}-opacity="{_n(value)}"'


def _color(name: str) -> str:
    return "currentColor" if name == INK else name


def _text(text: str) -> str:
    """The user's text as SVG may hold it: markup escaped, what XML forbids and what turns a line around as its code."""
    return "".join(_shown(char) for char in text).translate(_ENTITIES)


def _shown(char: str) -> str:
    # A browser has more fonts than a report: an emoji stays one.
    if char.isprintable() or not is_coded(char):
        return char
    return f"‹U+{ord(char):04X}›"
