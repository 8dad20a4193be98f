"""The condition that picks the rows of one point of an effect curve, as a reader would type it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tabnet_engine.data.schema import Column, Kind
from tabnet_engine.explain.effects.points import GridPoints
from tabnet_engine.explain.filter_building import joined_conditions, one_of
from tabnet_engine.explain.row_filter import ORDERED, Condition

__all__ = ["condition_of_point"]


def condition_of_point(points: GridPoints, place: int, column: Column) -> str:
    """The rows that are nearest to a point: its category, its stretch of values, or the missing cells.

    Args:
        points: of a curve.
        place: which of them.
        column: the curve's column.

    Returns:
        A text that :func:`~tabnet_engine.explain.row_filter.parse_filter` reads.
    """
    if points.has_missing and place == len(points) - 1:
        return str(Condition(column=column.name, kind=column.kind, operator="missing"))
    if column.kind not in ORDERED:
        return str(one_of(column, (points.labels[place],)))
    known = points.places[np.isfinite(points.places)]
    middle = (known[1:] + known[:-1]) / 2
    edges = [(">", middle[place - 1])] if place else []
    edges += [("<=", middle[place])] if place < len(middle) else []
    found = [
        Condition(column=column.name, kind=column.kind, operator=operator, values=(_text(float(edge), column.kind),))
        for operator, edge in edges
    ]
    known_cells = Condition(column=column.name, kind=column.kind, operator="not missing")
    return joined_conditions("", *(found or [known_cells]))


def _text(edge: float, kind: Kind) -> str:
    if kind is Kind.NUMBER:
        return f"{edge:.12g}"
    moment = pd.Timestamp(0) + pd.to_timedelta(edge, unit="D")
    return str(moment.round("s"))
