"""Charts as plain records: what a report stores, and every renderer draws. Neither plotly nor reportlab.

All texts are plain text in the language of the report, the user's words among them: whoever draws escapes them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

__all__ = [
    "Bar",
    "BarChart",
    "HeatChart",
    "Line",
    "LineChart",
    "PlainChart",
    "WaterfallChart",
    "chart_mapping",
    "chart_of",
]

Tone = Literal["for", "against", "neutral", "other"]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One labelled value with its interval; ``text`` is how the value is written, ``series`` what it is one of.

    ``tone`` says whether it speaks for or against the favourable outcome; drawn by colour and by a sign or hatch.
    """

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    text: str = ""
    series: str = ""
    tone: Tone = "neutral"

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what ``dataclasses.asdict`` wrote."""
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class BarChart:
    """Horizontal bars from zero, the first on top; with ``is_points`` points with their intervals instead.

    ``unit`` stands along the axis. ``mark`` is a value with a line and its name, such as a cutoff.
    """

    title: str
    unit: str
    bars: tuple[Bar, ...]
    is_points: bool = False
    mark: tuple[str, float] | None = None


@dataclass(frozen=True, kw_only=True)
class WaterfallChart:
    """From a start to an end value by steps, each drawn from where the one before ended; ``mark`` as in a bar chart."""

    title: str
    unit: str
    start: Bar
    steps: tuple[Bar, ...]
    end: Bar
    mark: tuple[str, float] | None = None


@dataclass(frozen=True, kw_only=True)
class HeatChart:
    """Shaded cells: ``values`` (rows x columns) from 0 to 1, each with its text; ``unit`` says what a shade means."""

    title: str
    unit: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    texts: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One named line; ``low`` and ``high`` are a band around it, empty without one."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what ``dataclasses.asdict`` wrote."""
        return cls(name=values["name"], **{key: tuple(values[key]) for key in ("x", "y", "low", "high")})


@dataclass(frozen=True, kw_only=True)
class LineChart:
    """Lines over a common axis; ``has_diagonal`` draws y = x, as in a calibration curve."""

    title: str
    x_title: str
    y_title: str
    lines: tuple[Line, ...]
    has_diagonal: bool = False


PlainChart = BarChart | WaterfallChart | HeatChart | LineChart
_KINDS: Mapping[str, type[PlainChart]] = {
    "bars": BarChart,
    "waterfall": WaterfallChart,
    "heat": HeatChart,
    "lines": LineChart,
}


def chart_mapping(chart: PlainChart) -> dict[str, Any]:
    """A chart as plain JSON values, with its kind."""
    kind = next(name for name, cls in _KINDS.items() if isinstance(chart, cls))
    return {"kind": kind, **dataclasses.asdict(chart)}


def chart_of(values: Mapping[str, Any]) -> PlainChart:
    """Read what :func:`chart_mapping` wrote.

    Raises:
        ValueError: an unknown kind.
    """
    own = {key: value for key, value in values.items() if key != "kind"}
    kind = values["kind"]
    if kind == "bars":
        bars = tuple(map(Bar.from_mapping, own.pop("bars")))
        return BarChart(**{**own, "mark": _mark(own)}, bars=bars)
    if kind == "waterfall":
        start, end = (Bar.from_mapping(own.pop(name)) for name in ("start", "end"))
        steps = tuple(map(Bar.from_mapping, own.pop("steps")))
        return WaterfallChart(**{**own, "mark": _mark(own)}, start=start, end=end, steps=steps)
    if kind == "heat":
        for name in ("rows", "columns"):
            own[name] = tuple(own[name])
        for name in ("values", "texts"):
            own[name] = tuple(map(tuple, own[name]))
        return HeatChart(**own)
    if kind == "lines":
        lines = tuple(map(Line.from_mapping, own.pop("lines")))
        return LineChart(**own, lines=lines)
    raise ValueError(f"a chart is one of {', '.join(_KINDS)}, got {kind!r}")


def _mark(values: Mapping[str, Any]) -> tuple[str, float] | None:
    mark = values["mark"]
    return None if mark is None else (str(mark[0]), float(mark[1]))
