"""The rows behind something chosen on the masks page: listed below it, each leading to its decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from pages._ui import explain_widgets, row_lists, shell, widgets
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    import numpy.typing as npt

    from pages._ui.masks_rows import ShownRows
    from tabnet_engine.explain.row_outcomes import RowOutcomes

__all__ = ["rows_below"]

_MOST_LISTED = 500


def rows_below(shown: ShownRows, positions: npt.NDArray[np.int64], output: int, *, key: str, title: str = "") -> None:
    """List rows by their places among the explained ones, in the order given; ticking one leads to its decision.

    Args:
        shown: what the page shows.
        positions: places of the rows.
        output: whose outcome is told.
        key: unique on the page.
        title: what stands above them, Markdown; else how many were selected.
    """
    counted = say_plural("{count} selected row", "{count:,} selected rows", len(positions))
    st.subheader(title or counted, anchor=False)
    if not len(positions):
        st.caption(say("There is no row here."))
        return
    outcomes = shown.outcomes(output)
    listed = _table(shown, outcomes, positions[:_MOST_LISTED], output)
    explain_widgets.row_table(listed, shown.run.run_id, key=key)
    if len(positions) > _MOST_LISTED:
        st.caption(
            say(
                "The first {n_listed:,} of {n_rows:,} rows are listed, in the order shown; the download has all.",
                n_listed=_MOST_LISTED,
                n_rows=len(positions),
            )
        )
    if outcomes is not None:
        shell.link(
            "decision",
            say_plural("Go on to the decision on it", "Go through the decisions on all {count:,}", len(positions)),
            icon=":material/arrow_forward:",
            **row_lists.list_ids(shown.run, shown.explanation.rows[positions]),
        )
    widgets.data_button(lambda: _table(shown, outcomes, positions, output), key=key)


def _table(
    shown: ShownRows, outcomes: RowOutcomes | None, positions: npt.NDArray[np.int64], output: int
) -> pd.DataFrame:
    if outcomes is not None:
        return outcomes.table(positions)
    explanation = shown.explanation
    return pd.DataFrame({"row": explanation.rows[positions], "score": explanation.logits[positions, output]})
