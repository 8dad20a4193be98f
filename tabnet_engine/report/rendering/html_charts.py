"""Charts in a page: drawn in the page itself, their values as a table below, and as figures where scripts run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tabnet_engine.figures.plain import (
    Bar,
    BarChart,
    HeatChart,
    LineChart,
    PlainChart,
    WaterfallChart,
    chart_mapping,
    chart_of,
)
from tabnet_engine.report.document import ChartBlock, Table
from tabnet_engine.report.rendering.chart_parts import MOST_ROWS
from tabnet_engine.report.rendering.html_blocks import table_html
from tabnet_engine.report.rendering.html_markup import Markup, tag, visible
from tabnet_engine.texts.speaking import say

__all__ = ["Charts", "chart_table"]

_LONG_NAME = 40  # characters from which a drawing surely shortens a name: the table with the whole one is open


@dataclass
class Charts:
    """Draws the charts of one page, and keeps what its script needs.

    Args:
        is_interactive: whether figures for a browser with scripts are kept too.
        most_bytes: of all figures together; charts beyond it stay as they are drawn in the page.
        most_rows: of a table of values.
    """

    is_interactive: bool
    most_bytes: int
    most_rows: int | None = None
    figures: list[Markup] = field(default_factory=list)
    _drawn: int = 0
    _n_bytes: int = 0

    def __call__(self, block: ChartBlock) -> Markup:
        """The chart, its note, and its values as a table."""
        from tabnet_engine.report.rendering.svg import svg_of

        # A chart has no other place for what hides from a reader than its texts.
        chart = chart_of(_all_visible(chart_mapping(block.chart)))
        self._drawn += 1
        name = f"chart-{self._drawn}"
        # The drawing is one picture to a screen reader, which the alternative text describes and the table spells out.
        picture = tag("div", Markup(svg_of(chart)), aria_hidden="true")
        # On a narrow screen it is wider than its place: the keyboard must reach it to scroll.
        drawing = tag("div", picture, class_="drawing", role="img", aria_label=block.alt, tabindex=0)
        is_live = self.is_interactive and self._keep(name, chart)
        content = [drawing]
        if is_live:
            content.append(tag("div", class_="live", role="img", aria_label=block.alt, hidden=True))
        if block.note:
            content.append(tag("figcaption", block.note, class_="note"))
        content.append(self._values(chart, block.alt))
        return tag("figure", *content, class_="chart", id=name, data_figure=f"{name}-figure" if is_live else None)

    def _keep(self, name: str, chart: PlainChart) -> bool:
        from tabnet_engine.figures.embedding import figure_json
        from tabnet_engine.figures.plain_figures import figure_of

        values = figure_json(figure_of(chart))
        n_bytes = len(values.encode())
        if self._n_bytes + n_bytes > self.most_bytes:
            return False
        self._n_bytes += n_bytes
        self.figures.append(tag("script", Markup(values), type="application/json", id=f"{name}-figure"))
        return True

    def _values(self, chart: PlainChart, alt: str) -> Markup:
        table = chart_table(chart)
        table = dataclasses.replace(table, caption=table.caption or alt)
        has_long_names = any(len(cell) > _LONG_NAME for row in table.rows for cell in row)
        is_cut = not isinstance(chart, LineChart) and len(table.rows) > MOST_ROWS
        summary = tag("summary", say("Values of this chart as a table"))
        return tag("details", summary, table_html(table, most_rows=self.most_rows), open=has_long_names or is_cut)


def _all_visible(value: Any) -> Any:
    """The same JSON values, with what hides from a reader written out in every text."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {key: _all_visible(part) for key, part in value.items()}
    return [_all_visible(part) for part in value] if isinstance(value, list | tuple) else value


def chart_table(chart: PlainChart) -> Table:
    """What a chart shows as a table, with names in full.

    Raises:
        TypeError: no chart that is known.
    """
    if isinstance(chart, BarChart):
        return _bars_table(chart.title, chart.unit, chart.bars, chart.mark)
    if isinstance(chart, WaterfallChart):
        return _bars_table(chart.title, chart.unit, (chart.start, *chart.steps, chart.end), chart.mark)
    if isinstance(chart, HeatChart):
        rows = tuple((name, *texts) for name, texts in zip(chart.rows, chart.texts, strict=True))
        places = tuple(range(1, len(chart.columns) + 1))
        return Table(
            caption=chart.title, columns=(say("Name"), *chart.columns), rows=rows, numeric=places, note=chart.unit
        )
    if isinstance(chart, LineChart):
        return _lines_table(chart)
    raise TypeError(f"no chart: {type(chart).__name__}")


_Column = tuple[str, Callable[[Bar], str]]


def _bars_table(title: str, unit: str, bars: tuple[Bar, ...], mark: tuple[str, float] | None) -> Table:
    columns: list[_Column] = [(say("Name"), lambda bar: bar.label)]
    if any(bar.series for bar in bars):
        columns.append((say("Series"), lambda bar: bar.series))
    n_texts = len(columns)
    columns.append((unit or say("Value"), lambda bar: bar.text or _number(bar.value)))
    if any(bar.low is not None or bar.high is not None for bar in bars):
        columns.append((say("from"), lambda bar: _number(bar.low)))
        columns.append((say("to"), lambda bar: _number(bar.high)))
    return Table(
        caption=title,
        columns=tuple(name for name, _ in columns),
        rows=tuple(tuple(cell(bar) for _, cell in columns) for bar in bars),
        numeric=tuple(range(n_texts, len(columns))),
        note="" if mark is None else f"{mark[0]}: {_number(mark[1])}",
    )


def _lines_table(chart: LineChart) -> Table:
    has_band = any(line.low and line.high for line in chart.lines)
    names = (say("Name"), chart.x_title, chart.y_title, *((say("from"), say("to")) if has_band else ()))
    rows = []
    for line in chart.lines:
        for place, (x, y) in enumerate(zip(line.x, line.y, strict=True)):
            band = (_number(line.low[place]), _number(line.high[place])) if line.low and line.high else ("", "")
            rows.append((line.name, _number(x), _number(y), *(band if has_band else ())))
    return Table(caption=chart.title, columns=names, rows=tuple(rows), numeric=tuple(range(1, len(names))))


def _number(value: float | None) -> str:
    """A number of a table: five digits, and nothing where there is none."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return say("n/a")
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e12 else f"{value:,.5g}"
