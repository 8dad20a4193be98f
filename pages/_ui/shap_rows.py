"""Masks against the signed values of each row: how far they agree, and the rows where they differ most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from pages._ui import explain_widgets, shap_picking, widgets
from pages._ui.measures import help_text
from tabnet_engine.explain.agreement import RowAgreement, row_agreement, row_agreement_sentence
from tabnet_engine.explain.row_pair import least_agreeing
from tabnet_engine.explain.row_shares import RowShares, row_shares
from tabnet_engine.figures.agreement import agreement_histogram
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from pages._ui.shap_source import Source

__all__ = ["queue_table", "rows"]

_MOST_ROWS = 500  # with a sentence each; the download has all


def rows(source: Source) -> None:
    """Row by row: how well the two agree, and the rows where they agree least."""
    masks = source.masks()
    if masks is None:
        widgets.info(say("This run has no masks, so there is nothing to compare the values with; explain it again"))
        return
    agreement = row_agreement(masks, source.values, output=source.name)
    told = row_agreement_sentence(agreement, explain_widgets.score(source.run, source.output).name)
    subtitle = say("{n_rows:,} rows with both", n_rows=len(agreement.rows))
    left, right = st.columns(2)
    with left:
        selection = widgets.selectable(
            agreement_histogram(agreement, subtitle=subtitle),
            key="row_agreement",
            alt=told,
            modes=("box", "points"),
            data=lambda: pd.DataFrame({"row": agreement.rows, "agreement": agreement.spearman}),
        )
    with right:
        st.markdown(widgets.md(told))
        st.markdown(
            say(
                "In the rows below they agree least. Look at these first to know how far to trust either: open one to "
                "see what was read and what pushed."
            )
        )
        within = shap_picking.range_of("agreement", say("Only rows whose agreement is between"), agreement.spearman)
        boxed = _within_bars(selection, agreement.spearman)
        within = boxed if boxed is not None else within
    st.subheader(say("Where they differ most"), anchor=False, help=help_text("spearman"))
    _queue(source, agreement, row_shares(masks, source.values, output=source.name), within)


def _within_bars(selection: dict, agreement: np.ndarray) -> np.ndarray | None:
    """Rows whose agreement lies in the bars that were chosen on the chart; None while none is."""
    places = [point["x"] for point in selection.get("points") or [] if isinstance(point.get("x"), int | float)]
    if not places:
        return None
    return (agreement >= min(places) - 0.05) & (agreement < max(places) + 0.05)


def _queue(source: Source, agreement: RowAgreement, shares: RowShares, within: np.ndarray | None) -> None:
    order = least_agreeing(agreement)
    order = order if within is None else order[within[order]]
    if not len(order):
        widgets.info(say("No row has such an agreement; widen the range"))
        return
    table = queue_table(source, agreement, shares, order[:_MOST_ROWS])
    config = {
        "agreement": st.column_config.NumberColumn(
            say("agreement"), format="%.2f", help=say("Rank correlation within the row.")
        ),
        "shared": st.column_config.NumberColumn(
            say("shared"),
            format="%.0f %%",
            help=say("Share of the {top_k} leading columns that both name.", top_k=agreement.top_k),
        ),
        "difference": st.column_config.TextColumn(say("largest difference"), width="large"),
    }
    if len(table) < len(order):
        st.caption(say("The {shown:,} rows that agree least, of {n_rows:,}.", shown=len(table), n_rows=len(order)))
    explain_widgets.row_table(table, source.run.run_id, key="disagreement_queue", config=config)
    widgets.data_button(lambda: queue_table(source, agreement, shares, order), key="disagreement")


def queue_table(source: Source, agreement: RowAgreement, shares: RowShares, order: np.ndarray) -> pd.DataFrame:
    """Some rows in the given order, with the sentence on where they differ, prediction and outcome where known."""
    table = pd.DataFrame(
        {
            "row": agreement.rows[order],
            "agreement": agreement.spearman[order],
            "shared": agreement.overlap[order],
            "difference": shares.sentences(order.tolist()),
        }
    )
    outcomes = source.outcomes()
    return table if outcomes is None else table.merge(outcomes.table(), on="row", how="left")
