"""What a drawn chart consists of, before it becomes PDF or SVG: boxes, strokes, areas and labels on a plane.

The plane has its origin at the top left; y grows downwards. A colour is ``#rrggbb``, or ``INK`` for the colour of the
text around the chart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ACCENT",
    "AGAINST",
    "GREY",
    "INK",
    "PALETTE",
    "PAPER",
    "Area",
    "Box",
    "Label",
    "Shape",
    "Sketch",
    "Stroke",
    "hatched",
    "marker",
]

INK = "ink"
PAPER = "#ffffff"
# The colours of figures/theme.py, which draws with plotly and cannot be asked here.
ACCENT = "#1c6fc4"
AGAINST = "#d8431a"
GREY = "#7a8694"
PALETTE = (ACCENT, AGAINST, "#0c98ae", "#b3147c", "#8f8b46", "#9a3ff0", "#bf6b78")

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    opacity: float = 1.0
    outline: str = ""


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """A line through points; ``dash`` are lengths of dash and gap."""

    points: tuple[Point, ...]
    color: str
    width: float = 0.8
    dash: tuple[float, ...] = ()
    opacity: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Area:
    """A filled polygon."""

    points: tuple[Point, ...]
    fill: str
    opacity: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Label:
    """A text of one line whose baseline starts, is centred or ends at a point; ``is_upright`` reads from below.

    ``full`` is the whole text where ``text`` is a shortened one.
    """

    x: float
    y: float
    text: str
    size: float
    anchor: Literal["start", "middle", "end"] = "start"
    is_bold: bool = False
    is_upright: bool = False
    color: str = INK
    full: str = ""


Shape = Box | Stroke | Area | Label


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """A drawn chart: its size, its name and its shapes, the first at the bottom."""

    width: float
    height: float
    title: str
    shapes: tuple[Shape, ...]

    @property
    def shortened(self) -> tuple[tuple[str, str], ...]:
        """What stands shortened in the chart, with the whole text, in the order of drawing."""
        pairs = [(shape.text, shape.full) for shape in self.shapes if isinstance(shape, Label) and shape.full]
        return tuple(dict.fromkeys(pairs))


def hatched(box: Box, *, step: float, style: int = 1, color: str = PAPER) -> tuple[Shape, ...]:
    """A box and the strokes that tell it from others without colour.

    Args:
        box: what is hatched.
        step: between strokes.
        style: 0 none, 1 rising, 2 falling, 3 both, 4 upright strokes.
        color: of the strokes.
    """
    strokes: list[Shape] = [box]
    ways = {0: (), 1: (1.0,), 2: (-1.0,), 3: (1.0, -1.0), 4: (0.0,)}[style]
    for slope in ways:
        strokes += [
            Stroke(points=line, color=color, width=0.9, opacity=0.85) for line in _slanted(box, step=step, slope=slope)
        ]
    return tuple(strokes)


def _slanted(box: Box, *, step: float, slope: float) -> list[tuple[Point, Point]]:
    """Lines across a box that move ``slope`` to the right for each unit upwards, clipped to it."""
    reach = box.height * abs(slope)
    lines = []
    for number in range(1, math.ceil((box.width + reach) / step)):
        # Where the line leaves the side on which it starts to the left.
        left = number * step - reach
        lower, upper = (0.0, 1.0) if reach == 0 else (max(0.0, -left / reach), min(1.0, (box.width - left) / reach))
        if upper <= lower:
            continue
        ends = [(box.x + left + reach * share, _height(box, share, slope)) for share in (lower, upper)]
        lines.append((ends[0], ends[1]))
    return lines


def _height(box: Box, share: float, slope: float) -> float:
    return box.y + box.height * (share if slope < 0 else 1 - share)


def marker(x: float, y: float, radius: float, *, color: str, style: int = 0) -> Area:
    """A point as a circle, square, diamond or triangle, told apart without colour."""
    corners, turn = ((16, 0.0), (4, math.pi / 4), (4, 0.0), (3, -math.pi / 2))[style % 4]
    reach = radius * (1.0, 1.2, 1.35, 1.35)[style % 4]
    angles = [turn + 2 * math.pi * corner / corners for corner in range(corners)]
    return Area(points=tuple((x + reach * math.cos(a), y + reach * math.sin(a)) for a in angles), fill=color)
