"""What the charts of groups share: one line for each group, its name, and points with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.groups.audit import GroupAudit
from tabnet_engine.figures.theme import ACCENT, bars_height, labels

__all__ = ["MOST_GROUPS", "group_name", "known", "name_rows", "reach", "rows_height", "short_label"]

MOST_GROUPS = 30  # drawn at once; the table has all


def group_name(audit: GroupAudit, name: str) -> str:
    """A group as it is shown: ranges and missing cells in the reader's language, the user's own words as they are."""
    return audit.name_shown(name)


def known(value: float | None) -> float:
    """The value; 0 where there is none, for a point that is not drawn then."""
    return 0.0 if value is None else value


def reach(estimates: Sequence[Estimate], scale: float) -> dict[str, Any]:
    """Error bars from the value to both ends; none where there is no interval."""
    ends = [
        (0.0, 0.0)
        if one.value is None or one.low is None or one.high is None
        else (one.high - one.value, one.value - one.low)
        for one in estimates
    ]
    return {
        "type": "data",
        "symmetric": False,
        "array": [scale * above for above, _ in ends],
        "arrayminus": [scale * below for _, below in ends],
        "thickness": 1.8,
        "width": 5,
        "color": ACCENT,
    }


def short_label(name: str, width: int = 30) -> str:
    """A name of at most so many characters, its beginning and end kept; escaped."""
    return labels([name], width)[0]


def rows_height(n_rows: int) -> int:
    """Pixels for a chart with one line for each group."""
    return bars_height(n_rows, per_bar=30, least=200)


def name_rows(figure: go.Figure, names: Sequence[str]) -> go.Figure:
    """Rows from top to bottom with their names, which are escaped already."""
    return figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=list(names),
        range=[len(names) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
