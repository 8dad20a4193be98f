"""One row as it was received: every cell in the table's order, as a reader knows it and as the network reads it.

Shapes: one row, F raw features. No torch: pages import this.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tabnet_engine.data.encoding import FIRST_CATEGORY, MISSING, CellState, EncodedTable, TableEncoder
from tabnet_engine.data.schema import CATEGORICAL, Column, Kind, Role
from tabnet_engine.data.values import category_text
from tabnet_engine.explain.reasons.records import CellReceived
from tabnet_engine.explain.reasons.typical import State
from tabnet_engine.texts.speaking import say

__all__ = ["cells_received"]

_STATES: dict[int, State] = {CellState.OBSERVED: "known", CellState.MISSING: "missing", CellState.UNSEEN: "unseen"}


def cells_received(encoder: TableEncoder, cells: pd.DataFrame) -> tuple[CellReceived, ...]:
    """Every cell of a row but that of a target.

    Args:
        encoder: of the run.
        cells: the raw line, with all the columns it came with.

    Raises:
        SchemaError: a column that the model reads is absent, or a cell is not what its column's kind holds.
    """
    encoded = encoder.transform(cells)
    states = dict(zip(encoder.layout.feature_names, encoder.cell_states(cells)[0].tolist(), strict=True))
    shown = encoder.display_values(cells).iloc[0]
    known = {column.name: column for column in encoder.schema.columns}
    place = {name: index for index, name in enumerate(encoder.layout.feature_names)}
    found = []
    for at, name in enumerate(map(str, cells.columns)):
        column, value = known.get(name), cells.iat[0, at]
        if column is not None and column.role is Role.TARGET:
            continue
        text = _text(value)
        is_read = name in place
        found.append(
            CellReceived(
                column=name,
                kind="" if column is None else str(column.kind),
                received=text,
                shown=str(shown[name]) if is_read else text or say("missing"),
                state=_STATES[states[name]] if is_read else ("known" if text else "missing"),
                encoded=_encoded(encoder, encoded, column, place[name]) if column is not None and is_read else "",
                is_read=is_read,
            )
        )
    return tuple(found)


def _text(value: Any) -> str:
    """A raw cell as text; empty where it is missing."""
    return "" if value is None or pd.isna(value) else category_text(_plain(value))


def _plain(value: Any) -> Any:
    """What numpy calls as Python calls them."""
    return pd.Timestamp(value).to_pydatetime() if isinstance(value, (pd.Timestamp, np.datetime64)) else value


def _encoded(encoder: TableEncoder, row: EncodedTable, column: Column, feature: int) -> str:
    """What the network is given for one column, in words that need no code book."""
    layout = encoder.layout
    if column.kind in CATEGORICAL:
        code = int(row.categorical[0, layout.categorical_feature.index(feature)])
        if code == MISSING:
            return say("the state for a missing cell")
        if code < FIRST_CATEGORY:
            return say("the state for a category that training did not see")
        return say("category {place} of {count}", place=code - FIRST_CATEGORY + 1, count=len(column.categories))
    values = [float(row.numeric[0, slot]) for slot, owner in enumerate(layout.numeric_feature) if owner == feature]
    if any(np.isnan(values)):
        return say("the state for a missing cell")
    if column.kind is not Kind.DATETIME:
        return say("standardised {value:.4g}", value=values[0])
    parts = zip(column.datetime_parts, values, strict=True)
    return say("standardised parts {parts}", parts=", ".join(f"{part} {value:.4g}" for part, value in parts))
