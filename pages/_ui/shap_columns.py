"""Masks against the signed values column by column, and one column in every row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from pages._ui import explain_widgets, kept, shap_picking, state, widgets
from pages._ui.measures import help_text
from tabnet_engine.explain.agreement import (
    RankAgreement,
    agreement_sentence,
    disagreement_sentences,
    largest_difference_sentence,
    rank_agreement,
)
from tabnet_engine.explain.by_output import one_output
from tabnet_engine.explain.importance import from_attribution, from_masks
from tabnet_engine.explain.row_shares import RowShares, row_shares
from tabnet_engine.explain.wording import percent
from tabnet_engine.figures.agreement import attention_effect_scatter, row_share_scatter
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from pages._ui.shap_source import Source

__all__ = ["column_choice", "columns"]


def columns(source: Source) -> None:
    """Column by column: the scatter, where the two differ in words, the table of ranks; then one column's rows."""
    masks = source.masks()
    if masks is None:
        widgets.info(say("This run has no masks, so there is nothing to compare the values with; explain it again"))
        return
    both = rank_agreement(from_masks(masks), from_attribution(one_output(source.values, source.output)))
    left, right = st.columns([3, 2])
    with left:
        subtitle = say(
            "{n_columns} columns, {rows}; on the line both agree",
            n_columns=len(both.features),
            rows=source.subtitle,
        )
        selection = widgets.selectable(
            attention_effect_scatter(both, subtitle=subtitle),
            key="scatter",
            alt=say("Share of the masks against share of |SHAP|; {sentence}", sentence=agreement_sentence(both)),
            modes=("points",),
            data=lambda: _ranks(both),
        )
        clicked = shap_picking.first_value(selection, "scatter")
        if clicked is not None:
            state.keep_asked("column", both.features[int(clicked)], is_default=False)
    with right:
        _words(both)
    with st.expander(say("Ranks of all columns"), icon=":material/format_list_numbered:"):
        _rank_table(both)
    _one_column(source, row_shares(masks, source.values, output=source.name))


def _words(both: RankAgreement) -> None:
    st.markdown(f"**{widgets.md(agreement_sentence(both))}**")
    sentences = disagreement_sentences(both)
    if sentences:
        st.markdown(say("Where they differ:"))
        explain_widgets.bullets(sentences)
    else:
        st.markdown(widgets.md(largest_difference_sentence(both)))


def _ranks(both: RankAgreement) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "column": both.features,
            "rank by masks": both.first_rank,
            "rank by SHAP": both.second_rank,
            "difference": both.rank_difference,
            "share of the masks": both.first_share,
            "share of the mean |SHAP|": both.second_share,
        }
    ).sort_values("rank by SHAP", kind="stable", ignore_index=True)


def _rank_table(both: RankAgreement) -> None:
    table = explain_widgets.in_per_cent(_ranks(both), "share of the masks", "share of the mean |SHAP|")
    config = {
        "column": st.column_config.TextColumn(say("column")),
        "rank by masks": st.column_config.NumberColumn(say("rank by masks")),
        "rank by SHAP": st.column_config.NumberColumn(say("rank by SHAP")),
        "difference": st.column_config.NumberColumn(
            say("difference"), help=say("Rank by SHAP minus rank by masks; above 0: read more than it moves.")
        ),
        "share of the masks": st.column_config.NumberColumn(say("share of the masks"), format="%.1f %%"),
        "share of the mean |SHAP|": st.column_config.NumberColumn(say("share of the mean |SHAP|"), format="%.1f %%"),
    }
    height = widgets.table_height(len(table), 420)
    st.dataframe(table, hide_index=True, column_config=config, height=height, key="rank_table")


def column_choice(source: Source, *, help_text: str | None = None) -> str:
    """One of the columns, in the order of how far they move the score."""
    importance = from_attribution(one_output(source.values, source.output))
    names = {importance.features[index]: importance.features[index] for index in importance.order.tolist()}
    return kept.choice("column", say("Column"), names, help_text=help_text)


def _one_column(source: Source, shares: RowShares) -> None:
    st.subheader(say("One column in every row"), anchor=False, help=help_text("aggregate_mask"))
    column = column_choice(source, help_text=say("Also chosen by a click on the chart above."))
    left, right = st.columns([3, 2])
    read, moved = shares.of(column)
    with left:
        selection = widgets.selectable(
            row_share_scatter(shares, column, subtitle=source.subtitle),
            key="row_shares",
            alt=say("Share of the masks against share of |SHAP| of {column} in every row", column=column),
            data=lambda: pd.DataFrame({"row": shares.rows, "read": read, "moved": moved}),
        )
    with right:
        st.markdown(
            say(
                "In {share} of the rows this column moved the score more than it was read: points above the line. "
                "Points at the lower edge were read without effect, points at the left edge moved the score although "
                "hardly anything was read.",
                share=percent(shares.share_moved_more(column)),
            )
        )
        label = say("Only rows where moved minus read is between")
        within = shap_picking.range_of("difference", label, moved - read)
    if within is not None:
        within = np.isin(source.values.rows, shares.rows[within])
    shap_picking.picked_rows(source, selection, within, key="row_shares", column=column)
