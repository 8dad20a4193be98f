"""The rows of a table, a page at a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import data_access, widgets
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["dates_config", "preview"]

_ROWS_A_PAGE = 100
_COLUMNS_SHOWN = 200


def preview(dataset_id: str, notes: tuple[str, ...]) -> None:
    """What was done while reading, then the rows by their row number."""
    widgets.notes(say("What was done while reading"), notes)
    table = data_access.frame(dataset_id)
    n_pages = max(1, math.ceil(len(table) / _ROWS_A_PAGE))
    start = 0
    if n_pages > 1:
        number = st.number_input(say("Page"), 1, n_pages, 1, key=f"preview_page_{dataset_id}", width=160)
        start = (int(number) - 1) * _ROWS_A_PAGE
    part = table.iloc[start : start + _ROWS_A_PAGE, :_COLUMNS_SHOWN]
    shown = {"first": start, "last": start + len(part) - 1, "n_rows": len(table)}
    if table.shape[1] <= _COLUMNS_SHOWN:
        st.caption(say("Rows {first:,} to {last:,} of {n_rows:,}. Rows are numbered from 0.", **shown))
    else:
        st.caption(
            say(
                "Rows {first:,} to {last:,} of {n_rows:,}, the first {n_shown} of {n_columns:,} columns. Rows are "
                "numbered from 0.",
                n_shown=_COLUMNS_SHOWN,
                n_columns=table.shape[1],
                **shown,
            )
        )
    st.dataframe(
        part, height=430, key=f"preview_{dataset_id}", column_config=dates_config(part), placeholder=say("missing")
    )


def dates_config(rows: pd.DataFrame) -> dict[str, Any]:
    """Show columns of whole days without a time of day."""
    dated = rows.select_dtypes("datetime")
    whole = [name for name in dated if (dated[name].dropna().dt.normalize() == dated[name].dropna()).all()]
    return {str(name): st.column_config.DatetimeColumn(format="YYYY-MM-DD") for name in whole}
