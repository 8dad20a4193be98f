"""What the masks page shows of a run's rows, cached by the run's masks, the rows chosen and the question asked.

Cached texts are English. Arrays of a million rows are few; what is drawn is small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import explain_access
from pages._ui.masks_rows import ShownRows, archetypes_of, archetypes_version
from tabnet_engine.texts.speaking import ENGLISH, say, speaking

if TYPE_CHECKING:
    from tabnet_engine.explain.mask_flow import ReadingFlow
    from tabnet_engine.explain.mask_orders import MapOrder, OrderedRows
    from tabnet_engine.explain.mask_paths import LeadingPaths
    from tabnet_engine.explain.mask_rows import MaskMap
    from tabnet_engine.explain.mask_stream import MaskSummary
    from tabnet_engine.explain.row_parts import RowParts
    from tabnet_engine.explain.step_effects import StepEffects

_MASKS = "explanations/masks.parquet"

__all__ = ["effects", "flow", "line_map", "ordered", "paths", "summary"]


def summary(shown: ShownRows) -> MaskSummary:
    """Averages of the shown rows."""
    return _summary(_key(shown), shown)


@st.cache_resource(show_spinner=False, max_entries=32)
def _summary(key: str, _shown: ShownRows) -> MaskSummary:  # noqa: ARG001 - the cache's key
    from tabnet_engine.explain.mask_summaries import summarise_masks

    return summarise_masks(_shown.explanation, _shown.positions)


def ordered(shown: ShownRows, order: MapOrder, *, output: int, column: str = "") -> OrderedRows:
    """The shown rows in an order; ``column`` is whose values make the order "column"."""
    versions = archetypes_version(shown.run) if order == "path" else ""
    with st.spinner(say("Putting the rows in order")):
        return _ordered(f"{_key(shown)}\n{versions}", order, output, column, shown)


@st.cache_resource(show_spinner=False, max_entries=6)
def _ordered(key: str, order: MapOrder, output: int, column: str, _shown: ShownRows) -> OrderedRows:  # noqa: ARG001
    from tabnet_engine.explain.mask_orders import order_rows, order_rows_by_column

    explanation, positions = _shown.explanation, _shown.positions
    with speaking(ENGLISH):
        if order == "column":
            frame = explain_access.frame(_shown.run)
            if frame is None:
                return order_rows(explanation, "row", positions=positions)
            cells, kind = frame[column].iloc[explanation.rows], _shown.run.schema.column(column).kind
            return order_rows_by_column(explanation, cells, kind, output=output, positions=positions)
        found = archetypes_of(_shown.run, explanation) if order == "path" else None
        return order_rows(
            explanation,
            order,
            output=output,
            positions=positions,
            outcomes=_shown.outcomes(output) if order in ("outcome", "error") else None,
            archetypes=None if found is None else found.parts(),
        )


def line_map(shown: ShownRows, rows: OrderedRows, *, output: int, stretch: tuple[int, int] | None) -> MaskMap:
    """The map of a stretch of the ordered rows."""
    versions = archetypes_version(shown.run) if rows.order == "path" else ""
    key = f"{_key(shown)}\n{versions}\n{rows.order}\n{rows.by}"
    return _line_map(key, output, stretch, shown, rows)


@st.cache_resource(show_spinner=False, max_entries=24)
def _line_map(
    key: str,  # noqa: ARG001 - the cache's key
    output: int,
    stretch: tuple[int, int] | None,
    _shown: ShownRows,
    _rows: OrderedRows,
) -> MaskMap:
    from tabnet_engine.explain.mask_rows import mask_map

    return mask_map(_shown.explanation, _rows, output=output, stretch=stretch)


def flow(shown: ShownRows, n_columns: int) -> ReadingFlow:
    """What the shown rows' steps read after what."""
    return _flow(_key(shown), n_columns, shown)


@st.cache_resource(show_spinner=False, max_entries=32)
def _flow(key: str, n_columns: int, _shown: ShownRows) -> ReadingFlow:  # noqa: ARG001 - the cache's key
    from tabnet_engine.explain.mask_flow import reading_flow

    return reading_flow(_shown.explanation, _shown.positions, max_columns=n_columns)


def paths(shown: ShownRows) -> LeadingPaths:
    """The columns that the shown rows' steps read most, one after the other."""
    return _paths(_key(shown), shown)


@st.cache_resource(show_spinner=False, max_entries=6)
def _paths(key: str, _shown: ShownRows) -> LeadingPaths:  # noqa: ARG001 - the cache's key
    from tabnet_engine.explain.mask_paths import leading_paths

    return leading_paths(_shown.explanation, _shown.positions)


def effects(shown: ShownRows, parts: RowParts | None, key: str) -> dict[str, StepEffects]:
    """What each step adds in the shown rows, by part of these; ``key`` names the parts in the cache."""
    return _effects(f"{_key(shown)}\n{key}", shown, parts)


@st.cache_resource(show_spinner=False, max_entries=32)
def _effects(key: str, _shown: ShownRows, _parts: RowParts | None) -> dict[str, StepEffects]:  # noqa: ARG001 - as above
    from tabnet_engine.explain.step_effects import step_effects, step_effects_by_part

    chunks = _shown.explanation.chunks(_shown.positions)
    if _parts is None:
        return {"": step_effects(chunks)}
    return dict(zip(_parts.names, step_effects_by_part(chunks, _parts), strict=True))


def _key(shown: ShownRows) -> str:
    return f"{explain_access.version(shown.run, _MASKS)}\n{shown.key}"
