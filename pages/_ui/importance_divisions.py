"""How the rows of the importance page are divided: by what came, by what was predicted, by a condition, by a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages._ui import explain_access, explain_widgets, kept, row_filter, shap_source, state, widgets
from tabnet_engine.explain.groups.membership import groups_of_column
from tabnet_engine.explain.row_outcomes import RowOutcomes, row_outcomes
from tabnet_engine.explain.row_parts import RowParts, parts_by_actual, parts_by_predicted
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from pages._ui.row_filter import Filter
    from tabnet_engine.runs.run import Run

__all__ = ["Division", "asked_condition", "chosen", "kind"]

_KINDS = {
    "actual": msg("what really came"),
    "predicted": msg("what was predicted"),
    "column": msg("the values of a column"),
    "where": msg("a condition"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Division:
    """The parts of the explained rows; ``key`` names the division for a cache."""

    parts: RowParts
    key: str


def kind() -> str:
    """By what the rows are divided."""
    return kept.choice("group", say("Divide the rows by"), {key: say(text) for key, text in _KINDS.items()})


def asked_condition() -> str:
    """The condition that divides the rows now; empty without one."""
    return (state.asked("where") or "") if state.asked("group") == "where" else ""


def chosen(run: Run, output: int, by: str, method: str) -> Division | None:
    """The division as the controls say; None where there is nothing to divide, which is then said."""
    table = explain_access.frame(run)
    if table is None:
        explain_widgets.table_gone(run)
        return None
    rows, logits = _rows(run, method)
    if by in ("actual", "predicted"):
        codec, place = explain_widgets.target_of(run, output)
        return _by_outcome(row_outcomes(codec, run.splits, table, rows, logits, place=place), codec.name, by)
    if by == "where":
        found = row_filter.filter_box(run)
        if found is None:
            widgets.info(say("Type a condition: its rows are compared with all others"))
            return None
        return _by_condition(found, rows)
    return _by_column(run, table, rows)


def _rows(run: Run, method: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Row numbers and logits of the rows that a method explained."""
    if method != "masks":
        values = shap_source.stored_values(run, method)
        return values.rows, values.logits
    masks = explain_access.masks(run)
    if masks is None:
        raise ValueError("masks were offered without being there")
    return masks.rows, masks.logits


def _by_outcome(outcomes: RowOutcomes, target: str, by: str) -> Division:
    parts = parts_by_actual(outcomes) if by == "actual" else parts_by_predicted(outcomes)
    if parts.how:
        st.caption(widgets.as_sentence(parts.how))
    return Division(parts=parts, key=f"{by}:{target}")


def _by_condition(found: Filter, rows: npt.NDArray[np.int64]) -> Division | None:
    inside = found.mask[rows]
    if not inside.any():
        widgets.info(
            say(
                "None of the {n_rows:,} explained rows meets this condition; loosen it, or divide by another method",
                n_rows=len(rows),
            )
        )
        return None
    names = (found.words, say("all other rows"))
    parts = RowParts(title=say("condition"), names=names, codes=np.where(inside, 0, 1), how="")
    return Division(parts=parts, key=f"where:{found.words}")


def _by_column(run: Run, table: pd.DataFrame, rows: npt.NDArray[np.int64]) -> Division:
    known = [column.name for column in run.schema.columns if column.name in table]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = kept.choice(
            "by",
            say("Column that divides the rows"),
            {name: name for name in known},
            help_text=say("Categories as they are; numbers and dates in ranges of about equally many rows."),
        )
        n_ranges = kept.number("ranges", say("Ranges of a number or date"), 2, 10, default=4)
    parts = groups_of_column(table.iloc[rows], run.schema, by, n_ranges=n_ranges)
    st.caption(widgets.as_sentence(parts.how))
    return Division(parts=parts, key=f"column:{by}:{n_ranges}")
