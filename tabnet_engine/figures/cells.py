"""What maps and clouds of points share: readable numbers in coloured cells, and a legend for a scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from tabnet_engine.explain.wording import percent
from tabnet_engine.figures.theme import ACCENT, tint

__all__ = ["SHADES", "cell_texts", "opacity", "scale_legend", "shade_legend", "share_cells"]

Floats = npt.NDArray[np.floating]

_STRONG = 0.75  # opacity from which a cell is dark enough for white on either page
# Share of the scale and opacity: steep at the start, so that a small share is seen on a dark page too.
_OPACITY = ((0.0, 0.0), (0.004, 0.0), (0.02, 0.12), (0.1, 0.3), (0.3, 0.52), (0.6, 0.78), (1.0, 1.0))
SHADES = tuple((share, tint(ACCENT, alpha)) for share, alpha in _OPACITY)


def opacity(shares: Floats) -> Floats:
    """How opaque :data:`SHADES` draws each share in [0, 1]."""
    places, alphas = zip(*_OPACITY, strict=True)
    return np.asarray(np.interp(shares, places, alphas))


def cell_texts(
    opaqueness: Floats, texts: Sequence[Sequence[str]], *, axes: tuple[str, str] = ("x", "y")
) -> list[go.Scatter]:
    """Numbers for the cells of a heat map whose colours are see-through towards zero.

    Plotly's own cell texts take every page for a white one; these take the figure's font colour, and
    white on strong cells.

    Args:
        opaqueness: (lines, columns) in [0, 1], how opaque each cell is.
        texts: what each cell says; an empty text says nothing.
        axes: the axes of the heat map.
    """
    cells = np.asarray(texts, dtype=object).reshape(opaqueness.shape)
    strong = opaqueness >= _STRONG
    return [_texts(cells, strong, "#ffffff", axes), _texts(cells, ~strong, None, axes)]


def _texts(
    cells: npt.NDArray[np.object_], keep: npt.NDArray[np.bool_], text_color: str | None, axes: tuple[str, str]
) -> go.Scatter:
    lines, columns = np.nonzero(keep & (cells != ""))
    return go.Scatter(
        x=columns,
        y=lines,
        text=cells[lines, columns],
        mode="text",
        textfont={"size": 12, "color": text_color},
        hoverinfo="skip",
        showlegend=False,
        xaxis=axes[0],
        yaxis=axes[1],
    )


def scale_legend(
    figure: go.Figure, steps: Sequence[tuple[str, str]], *, symbol: str = "●", shift: int = 6
) -> go.Figure:
    """A legend of a colour scale in one line of text above the chart, on the right.

    A colour bar of Plotly takes width that a narrow screen does not have, and moves title and axes.

    Args:
        figure: a finished figure.
        steps: colour and plain words of some places on the scale, in order; no text of a user.
        symbol: what is drawn in the colour.
        shift: pixels above the chart.
    """
    text = " ".join(f'<span style="color:{step_color}">{symbol}</span> {words}'.strip() for step_color, words in steps)
    return figure.add_annotation(
        text=text,
        x=1,
        y=1,
        xref="paper",
        yref="paper",
        xanchor="right",
        yanchor="bottom",
        yshift=shift,
        showarrow=False,
        font={"size": 12},
    )


def shade_legend(figure: go.Figure, *, shift: int) -> go.Figure:
    """The legend of :data:`SHADES` for shares in per cent."""
    shares = (0.05, 0.25, 0.5, 1.0)
    steps = [(tint(ACCENT, float(opacity(np.asarray(share)))), percent(share)) for share in shares]
    return scale_legend(figure, steps, symbol="■", shift=shift)


def share_cells(
    grid: Floats, texts: Sequence[Sequence[str]], details: Sequence[Sequence[str]], *, gap: int
) -> list[go.Heatmap | go.Scatter]:
    """Shares of columns by steps as shaded cells with their numbers, on the second pair of axes.

    Args:
        grid: (columns, steps) in [0, 1].
        texts: what each cell says; an empty text says nothing.
        details: what each cell's hover says, escaped.
        gap: pixels between the steps.
    """
    cells = go.Heatmap(
        z=grid,
        zmin=0.0,
        zmax=1.0,
        colorscale=SHADES,
        showscale=False,
        xgap=gap,
        ygap=3,
        customdata=details,
        hovertemplate="%{customdata}<extra></extra>",
        xaxis="x2",
        yaxis="y2",
    )
    return [cells, *cell_texts(opacity(grid), texts, axes=("x2", "y2"))]
