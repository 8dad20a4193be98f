"""One look for every figure: colours, layout and the safe way to show the user's own words.

Colours are chosen to keep a contrast of at least 2.8 : 1 against both the light and the dark page,
and to stay apart under the common colour deficiencies, so a figure needs no knowledge of the
theme in which it is shown. Backgrounds are left transparent; text takes the page's colour.

Figures in this room draw and never compute: dataclass or arrays in, ``plotly`` figure out.
"""

from __future__ import annotations

import itertools
import math
import re
import textwrap
from collections.abc import Sequence

import plotly.graph_objects as go

from tabnet_engine.data.schema import Kind
from tabnet_engine.texts.speaking import say, say_plural

__all__ = [
    "ACCENT",
    "DIVERGING",
    "GRID",
    "KIND_COLORS",
    "MISSING",
    "NEGATIVE",
    "NEUTRAL",
    "PALETTE",
    "POSITIVE",
    "SEQUENTIAL",
    "bars_height",
    "color",
    "empty",
    "escape",
    "finish",
    "format_number",
    "labels",
    "name_lines",
    "other_columns",
    "tint",
]

ACCENT = "#1c6fc4"
PALETTE = (ACCENT, "#d8431a", "#0c98ae", "#b3147c", "#8f8b46", "#9a3ff0", "#bf6b78")
POSITIVE = ACCENT
NEGATIVE = "#d8431a"
NEUTRAL = "#7a8694"
MISSING = "#b08968"
GRID = "rgba(128,140,155,0.22)"

KIND_COLORS = {
    Kind.NUMBER: PALETTE[0],
    Kind.CATEGORY: PALETTE[2],
    Kind.BOOLEAN: PALETTE[6],
    Kind.DATETIME: PALETTE[4],
    Kind.IDENTIFIER: NEUTRAL,
    Kind.CONSTANT: NEUTRAL,
    Kind.TEXT: NEUTRAL,
}

# Zero is see-through: an unread cell takes the page's own colour, light or dark.
SEQUENTIAL = (
    (0.0, "rgba(28,111,196,0)"),
    (0.02, "rgba(28,111,196,0.10)"),
    (0.5, "rgba(28,111,196,0.58)"),
    (1.0, "rgba(28,111,196,1)"),
)
DIVERGING = (
    (0.0, "rgba(216,67,26,1)"),
    (0.49, "rgba(216,67,26,0.08)"),
    (0.5, "rgba(122,134,148,0)"),
    (0.51, "rgba(28,111,196,0.08)"),
    (1.0, "rgba(28,111,196,1)"),
)

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", "%": "&#37;", "\n": " ", "\r": " "})
_TITLE_WIDTH = 46  # characters that fit a 380 px wide screen at the title's size
_SUBTITLE_WIDTH = 58
_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uff60]")
# What stays together on a line: a word, or one wide character with the signs that must not begin a line.
_PIECES = re.compile(
    "[\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff][，。；：、！？）”’]*|[^\\s\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff]+\\s*"
)


def color(index: int) -> str:
    """The colour of decision step, class or series ``index``; the same number, the same colour everywhere."""
    return PALETTE[index % len(PALETTE)]


def tint(hex_color: str, alpha: float) -> str:
    """``#rrggbb`` with an opacity, as ``rgba(...)``: for bands and fills behind a line."""
    red, green, blue = (int(hex_color[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def escape(text: object) -> str:
    """The user's text so that Plotly shows it literally: no markup, no links, no formulas, no templates.

    >>> escape("<b> & $x$ %{y}")
    '&lt;b&gt; &amp; &#36;x&#36; &#37;{y}'
    """
    return str(text).translate(_ENTITIES)


def labels(names: Sequence[object], width: int = 28) -> list[str]:
    """Escaped axis labels of at most about ``width`` characters, still different from each other.

    A long name keeps its beginning and its end, where generated column names differ.
    """
    taken: set[str] = set()
    result = []
    for name in names:
        short = _shorten(str(name), width)
        candidates = itertools.chain([short], (f"{short} ({number})" for number in itertools.count(2)))
        taken.add(label := next(text for text in candidates if text not in taken))
        result.append(escape(label))
    return result


def other_columns(count: int) -> str:
    """The name of the columns that a chart draws as one.

    >>> other_columns(1), other_columns(12)
    ('1 other column', '12 other columns')
    """
    return say_plural("{count} other column", "{count} other columns", count)


def _shorten(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    tail = width // 3
    return f"{text[: width - tail - 1]}…{text[-tail:]}"


def format_number(value: float | None, digits: int = 3) -> str:
    """A number as a person would write it: three significant digits, no exponent unless it needs one.

    >>> [format_number(value) for value in (0.123456, 1234567.0, 12.0, 0.00001234, None)]
    ['0.123', '1,234,567', '12', '1.23e-05', 'n/a']
    """
    if value is None or math.isnan(value):
        return say("n/a")
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == int(value) and abs(value) < 1e12:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}" if abs(value) < 1e12 else f"{value:.{digits}g}"
    return f"{value:.{digits}g}"


def bars_height(n_bars: int, *, per_bar: int = 26, least: int = 220) -> int:
    """Pixels for a chart of horizontal bars, so that each label has room."""
    return max(least, 110 + per_bar * n_bars)


def name_lines(figure: go.Figure, names: Sequence[str]) -> go.Figure:
    """Texts beside lines numbered from the top: Plotly would read names such as "1" or "2020-01" as numbers and dates.

    Args:
        figure: its y values are 0 to ``len(names) - 1``.
        names: escaped, as :func:`labels` gives them.
    """
    return figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=list(names), autorange="reversed", showgrid=False, zeroline=False
    )


def finish(
    figure: go.Figure,
    *,
    title: str,
    subtitle: str = "",
    x: str = "",
    y: str = "",
    height: int = 360,
    legend: bool = True,
) -> go.Figure:
    """Give ``figure`` the common layout and hand it back; every figure passes through here.

    Title, subtitle and axis names are taken as plain text and escaped here: do not escape them before.

    Args:
        figure: what was drawn.
        title: what is shown, in a few words.
        subtitle: what a reader must know to read it: sample, units, averaging.
        x: name (and unit) of the horizontal axis.
        y: name (and unit) of the vertical axis.
        height: pixels.
        legend: whether to show one, under the chart where it costs no width.
    """
    heading, n_lines = _heading(title, subtitle)
    figure.update_layout(
        title={
            "text": heading,
            "x": 0.0,
            "xref": "container",
            "xanchor": "left",
            "y": 1.0,
            "yref": "container",
            "yanchor": "top",
            # Plotly hangs a title of several lines higher than one of a single line.
            "pad": {"l": 2, "t": 10 if n_lines == 1 else 20},
            "font": {"size": 15},
        },
        height=height,
        margin={"l": 8, "r": 12, "t": 24 + 20 * n_lines, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=legend,
        legend={"orientation": "h", "x": 0.0, "xanchor": "left", "y": -0.22, "yanchor": "top", "title": {"text": ""}},
        bargap=0.18,
    )
    figure.update_xaxes(automargin=True, gridcolor=GRID, zerolinecolor=GRID, linecolor=GRID, title_standoff=10)
    figure.update_yaxes(automargin=True, gridcolor=GRID, zerolinecolor=GRID, linecolor=GRID, title_standoff=10)
    if x:
        figure.update_xaxes(title_text=escape(x))
    if y:
        figure.update_yaxes(title_text=escape(y))
    return figure


def _heading(title: str, subtitle: str) -> tuple[str, int]:
    """The wrapped title block and how many lines it takes: Plotly wraps nothing by itself."""
    first = _lines(title, _TITLE_WIDTH) or [""]
    second = _lines(subtitle, _SUBTITLE_WIDTH)
    text = f"<b>{'<br>'.join(map(escape, first))}</b>"
    if second:
        text += f'<br><span style="font-size:12px;font-weight:400">{"<br>".join(map(escape, second))}</span>'
    return text, len(first) + len(second)


def _lines(text: str, width: int) -> list[str]:
    """The text in lines of so many Latin letters; a Chinese character takes the room of two and needs no blank."""
    if not _WIDE.search(text):
        return textwrap.wrap(text, width)
    lines, line = [], ""
    for piece in _PIECES.findall(text):
        if line and _room(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [*lines, line.rstrip()]


def _room(text: str) -> int:
    return len(text) + len(_WIDE.findall(text))


def empty(message: str, *, title: str = "", height: int = 220) -> go.Figure:
    """A figure without data that says why, for inputs with nothing to draw."""
    figure = go.Figure()
    text = "<br>".join(map(escape, _lines(message, _TITLE_WIDTH)))
    figure.add_annotation(text=text, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"size": 14})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return finish(figure, title=title, height=height, legend=False)
