"""What the drawn charts share: headings, shortened names, axes with round numbers, and a note of what is not drawn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tabnet_engine.report.rendering.fonts import width
from tabnet_engine.report.rendering.lines import broken
from tabnet_engine.report.rendering.shapes import GREY, INK, Label, Shape, Sketch, Stroke
from tabnet_engine.texts.speaking import say, say_plural

__all__ = [
    "MOST_ROWS",
    "Axis",
    "Names",
    "bare",
    "cutoff",
    "fitted",
    "heading",
    "longest",
    "number",
    "paragraph",
    "rest",
    "vertical_marks",
]

MOST_ROWS = 40  # lines of a chart that still fit one page
LEADING = 1.35  # from one line of text to the next, in sizes
_TRIES = 1_000


def number(value: float, digits: int = 3) -> str:
    """A number beside an axis or a bar.

    >>> [number(value) for value in (0.1234, -1234567.0, 1.5e-7, float("nan"))]
    ['0.123', '−1,234,567', '1.5e−07', 'n/a']
    """
    if not math.isfinite(value):
        return say("n/a")
    if value == 0:
        return "0"
    is_plain = 1000 <= abs(value) < 1e12
    return _minus(f"{value:,.0f}" if is_plain else f"{value:.{digits}g}")


def _minus(text: str) -> str:
    return text.replace("-", "−")


def fitted(text: str, room: float, size: float, *, is_bold: bool = False) -> str:
    """The text if it fits the room, else its beginning and its end, where generated names differ."""
    text = " ".join(text.split())
    if width(text, size, is_bold=is_bold) <= room:
        return text
    least, most = 0, min(len(text), int(room / size * 5) + 1)
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (
            (middle, most) if width(_cut(text, middle), size, is_bold=is_bold) <= room else (least, middle - 1)
        )
    return _cut(text, least)


def _cut(text: str, length: int) -> str:
    tail = length // 3
    return f"{text[: length - tail]}…{text[len(text) - tail :]}"


@dataclass(frozen=True)
class Names:
    """Labels that fit a room and still differ from each other where the names do."""

    short: dict[str, str]

    @classmethod
    def of(cls, names: Iterable[str], room: float, size: float) -> Names:
        """Shorten what does not fit; a name that would equal another gets a number."""
        short: dict[str, str] = {}
        taken: set[str] = set()
        for name in names:
            if name in short:
                continue
            text = fitted(name, room, size)
            tails = (f" ({count})" for count in range(2, _TRIES))
            others = (fitted(name, room - width(tail, size), size) + tail for tail in tails)
            label = next((one for one in itertools.chain([text], others) if one not in taken), text)
            taken.add(label)
            short[name] = label
        return cls(short)

    def label(
        self, name: str, x: float, y: float, size: float, *, anchor: Literal["start", "middle", "end"] = "end"
    ) -> Label:
        """The label of a name, with the whole name where it was shortened."""
        text = self.short[name]
        full = "" if text == " ".join(name.split()) else name
        return Label(x=x, y=y, text=text, size=size, anchor=anchor, full=full)


def paragraph(
    text: str, x: float, y: float, room: float, size: float, *, is_bold: bool = False, color: str = ""
) -> tuple[list[Shape], float]:
    """Text in lines of a width from y downwards, and the y below it."""
    if not text.strip():
        return [], y
    shapes: list[Shape] = []
    for line in broken(text, room, size, is_bold=is_bold):
        y += size * LEADING
        written = "".join(glyph.char for glyph in line)
        label = Label(x=x, y=y - 0.3 * size, text=written, size=size, is_bold=is_bold)
        shapes.append(label if not color else Label(**{**vars(label), "color": color}))
    return shapes, y


def heading(title: str, room: float, size: float) -> tuple[list[Shape], float]:
    """The title of a chart and the y below it."""
    shapes, y = paragraph(title, 0.0, 0.0, room, size * 1.1, is_bold=True)
    return shapes, y + (0.5 * size if shapes else 0.0)


def bare(title: str, room: float, size: float) -> Sketch:
    """A chart without anything to draw, which says so."""
    shapes, y = heading(title, room, size)
    said, y = paragraph(say("There is nothing to draw."), 0.0, y, room, size)
    return Sketch(width=room, height=y + size, title=title, shapes=(*shapes, *said))


@dataclass(frozen=True)
class Axis:
    """From values to places along one direction, with round numbers to mark it.

    ``start`` is the place of ``low`` and ``end`` that of ``high``.
    """

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def over(
        cls, values: Iterable[float], start: float, end: float, *, with_zero: bool = False, pad: float = 0.04
    ) -> Axis:
        """An axis that holds all finite values, with a little room on both sides but none beyond zero."""
        finite = [_drawable(value) for value in values if math.isfinite(value)] or [0.0, 1.0]
        low, high = min(finite), max(finite)
        if with_zero:
            low, high = min(low, 0.0), max(high, 0.0)
        if high - low < 1e-9 * max(abs(low), abs(high), 1e-300):
            reach = abs(high) * 0.5 or 1.0
            low, high = low - reach, high + reach
        room = pad * high - pad * low
        low, high = (low if with_zero and low == 0 else low - room), (high if with_zero and high == 0 else high + room)
        return cls(low, high, start, end)

    def at(self, value: float) -> float:
        """The place of a value; of one beyond the axis its end."""
        share = (min(max(value, self.low), self.high) / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return self.start + (self.end - self.start) * share

    def ticks(self, most: int = 6) -> tuple[tuple[float, str], ...]:
        """Round values within the axis, each with its text."""
        raw = self.high / most - self.low / most
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        values = [(first + count) * step for count in range(most + 2)]
        return tuple((value, _tick(value, step)) for value in values if value <= self.high + 1e-9 * step)


def _drawable(value: float) -> float:
    """A value that can be multiplied and divided without leaving the range of floats."""
    return 0.0 if abs(value) < 1e-300 else min(max(value, -1e300), 1e300)


def _tick(value: float, step: float) -> str:
    if step >= 1e12 or step < 1e-4:
        digits = 1 if value == 0 else math.floor(math.log10(abs(value))) - math.floor(math.log10(step)) + 1
        return _minus(f"{value:.{min(max(digits, 1), 17)}g}")
    return _minus(f"{value or 0.0:,.{max(0, -math.floor(math.log10(step) + 1e-9))}f}")


def vertical_marks(axis: Axis, top: float, bottom: float, size: float) -> list[Shape]:
    """Hairlines at the round values of a level axis, with their numbers below."""
    ticks = axis.ticks(max(2, int((axis.end - axis.start) / (size * 6))))
    shapes: list[Shape] = []
    for value, text in ticks:
        x = axis.at(value)
        is_zero = value == 0
        shapes.append(
            Stroke(
                points=((x, top), (x, bottom)),
                color=GREY,
                width=0.9 if is_zero else 0.5,
                opacity=0.9 if is_zero else 0.35,
            )
        )
        shapes.append(Label(x=x, y=bottom + size * 1.1, text=text, size=size * 0.9, anchor="middle"))
    return shapes


def cutoff(mark: tuple[str, float], axis: Axis, top: float, bottom: float, size: float) -> list[Shape]:
    """A line at a named value, its name above it."""
    name, value = mark
    x = axis.at(value)
    text = fitted(name, axis.end - axis.start, size * 0.9)
    half = width(text, size * 0.9) / 2
    middle = min(max(x, axis.start + half), axis.end - half)
    full = "" if text == " ".join(name.split()) else name
    return [
        Stroke(points=((x, top), (x, bottom)), color=INK, width=1.1, dash=(3, 2)),
        Label(x=middle, y=top - 0.3 * size, text=text, size=size * 0.9, anchor="middle", is_bold=False, full=full),
    ]


def rest(count: int, x: float, y: float, room: float, size: float) -> tuple[list[Shape], float]:
    """A line that says how many lines of a chart are not drawn, and the y below it."""
    if count <= 0:
        return [], y
    text = say_plural("{count:,} more is not drawn.", "{count:,} more are not drawn.", count)
    return paragraph(text, x, y, room, size * 0.9)


def longest(texts: Sequence[str], size: float) -> float:
    """The width of the widest of some texts of one line."""
    return max((width(" ".join(text.split()), size) for text in texts), default=0.0)
