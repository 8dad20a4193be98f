"""What maps and clouds of points share: readable numbers in coloured cells, and a legend for a scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

__all__ = ["cell_texts", "scale_legend"]

_STRONG = 0.75  # of the scale: from here on a cell is dark enough for white on either page


def cell_texts(
    strength: npt.NDArray[np.floating], texts: Sequence[Sequence[str]], *, axes: tuple[str, str] = ("x", "y")
) -> list[go.Scatter]:
    """Numbers for the cells of a heat map whose colours are see-through towards zero.

    Plotly's own cell texts take every page for a white one; these take the page's own colour, and white
    on strong cells.

    Args:
        strength: (lines, columns) in [0, 1], how opaque each cell is.
        texts: what each cell says; an empty text says nothing.
        axes: the axes of the heat map.
    """
    cells = np.asarray(texts, dtype=object).reshape(strength.shape)
    strong = strength >= _STRONG
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
