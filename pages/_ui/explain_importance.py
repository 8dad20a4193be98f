"""How far the masks and SHAP agree on the columns, in words and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import explain_access, explain_widgets, importance_data, widgets
from pages._ui.measures import help_text
from tabnet_engine.explain.agreement import RankAgreement, agreement_sentence, disagreement_sentences, rank_agreement
from tabnet_engine.figures.agreement import rank_slope
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from tabnet_engine.runs.run import Run

__all__ = ["agreement", "agreement_section"]


def agreement(run: Run, output: int) -> RankAgreement | None:
    """Masks against SHAP for one output; None unless the run has both on the same columns."""
    if not explain_access.importances(run):
        return None
    compared = importance_data.comparison(run, output)
    if not {"masks", "shap"} <= set(compared.names):
        return None
    return rank_agreement(compared.of("masks"), compared.of("shap"))


def agreement_section(run: Run, output: int) -> None:
    """How far the two orders agree, and where they differ, in words and as a picture."""
    both = agreement(run, output)
    if both is None:
        return
    st.subheader(say("Do masks and SHAP agree?"), anchor=False)
    correlation, shared = say("Rank correlation"), say("Same among the first {n}", n=both.top_k)
    widgets.metrics(
        {
            correlation: say("n/a") if both.spearman is None else f"{both.spearman:.2f}",
            say("Columns"): f"{len(both.features):,}",
            shared: say("{n_shared} of {n}", n_shared=both.n_shared, n=both.top_k),
        },
        help_texts={correlation: help_text("spearman")},
    )
    compared = importance_data.comparison(run, output)
    n_masks, n_shap = compared.of("masks").n_rows, compared.of("shap").n_rows
    if n_masks != n_shap:
        told = say(
            "The masks are those of {n_masks:,} rows, the SHAP values those of {n_shap:,}; the page Masks and SHAP "
            "compares both on the same rows, so its numbers may differ a little.",
            n_masks=n_masks,
            n_shap=n_shap,
        )
        st.caption(told)
    left, right = st.columns(2)
    with left:
        st.markdown(widgets.md(agreement_sentence(both)))
        explain_widgets.bullets(disagreement_sentences(both))
    with right:
        figure = rank_slope(both, names=(say("masks"), say("SHAP")))
        alt = say("Ranks by masks and by SHAP; {sentence}", sentence=agreement_sentence(both))
        widgets.chart(figure, key="rank_slope", alt=alt, data=lambda: _ranks(both))


def _ranks(both: RankAgreement) -> pd.DataFrame:
    return pd.DataFrame(
        {
            say("column"): both.features,
            say("rank by {method}", method=say("masks")): both.first_rank,
            say("rank by {method}", method=say("SHAP")): both.second_rank,
        }
    )
