"""The parts of the page that compares masks with SHAP: agreement, shapes of effect, rows that disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import explain_access, explain_importance, explain_jobs, explain_widgets, widgets
from tabnet_engine.explain.agreement import (
    RowAgreement,
    agreement_sentence,
    disagreement_sentences,
    largest_difference_sentence,
    row_agreement,
    row_agreement_sentence,
)
from tabnet_engine.explain.dependence import dependence
from tabnet_engine.explain.row_pair import least_agreeing
from tabnet_engine.explain.shap_summary import shap_summary
from tabnet_engine.figures.agreement import agreement_histogram, attention_effect_scatter
from tabnet_engine.figures.attributions import beeswarm
from tabnet_engine.figures.attributions import dependence as dependence_figure

if TYPE_CHECKING:
    from tabnet_engine.explain.attribution import Attribution
    from tabnet_engine.runs.run import Run

__all__ = ["columns", "effects", "provenance", "queue_table", "rows"]


def columns(run: Run, output: int) -> None:
    """Column by column: the scatter, where the two differ in words, and the table of ranks."""
    both = explain_importance.agreement(run, output)
    if both is None:
        return
    left, right = st.columns([3, 2])
    with left:
        figure = attention_effect_scatter(both, subtitle=f"{len(both.features)} columns; on the line both agree")
        widgets.chart(
            figure, key="scatter", alt=f"Share of the masks against share of |SHAP|; {agreement_sentence(both)}"
        )
    with right:
        st.markdown(f"**{widgets.md(agreement_sentence(both))}**")
        sentences = disagreement_sentences(both)
        if sentences:
            st.markdown("Where they differ:")
            explain_widgets.bullets(sentences)
        else:
            st.markdown(widgets.md(largest_difference_sentence(both)))
    with st.expander("Ranks of all columns", icon=":material/format_list_numbered:"):
        explain_importance.rank_section(run, output)


def effects(run: Run, values: Attribution, output: int) -> None:
    """Direction and shape: every row's push, then one column's value against its push."""
    table, shown = explain_access.frame(run), explain_access.texts(run, values.rows)
    unit = explain_widgets.unit(run, output)
    cells = None if table is None else table.iloc[values.rows].reset_index(drop=True)
    name = values.outputs[output]
    summary = shap_summary(values, output=name, frame=cells)
    texts = None if shown is None else {feature: shown[feature].tolist() for feature in summary.features}
    left, right = st.columns(2)
    with left:
        figure = beeswarm(summary, unit=unit, texts=texts, subtitle=f"{values.n_rows:,} rows")
        widgets.chart(figure, key="beeswarm", alt=f"SHAP values of {values.n_rows} rows, one line of points a column")
    with right:
        if cells is None or shown is None:
            explain_widgets.table_gone(run)
            return
        column, other = _dependence_choice(summary.features)
        record = dependence(values, column, frame=cells, texts=shown, output=name, colored_by=other)
        figure = dependence_figure(record, unit=unit, subtitle=f"{values.n_rows:,} rows")
        widgets.chart(figure, key="dependence", alt=f"Value of {column} against its SHAP value")


def _dependence_choice(features: tuple[str, ...]) -> tuple[str, str | None]:
    with st.container(horizontal=True):
        column = st.selectbox("Column", features, key="dependence_column", help="The columns that move the score most.")
        other = st.selectbox(
            "Coloured by",
            [name for name in features if name != column],
            index=None,
            placeholder="nothing",
            key="dependence_color",
            help="Where colours separate, the effect of the column depends on the other one.",
        )
    return column, other


def rows(run: Run, values: Attribution, output: int) -> None:
    """Row by row: how well the two agree, and the rows where they agree least."""
    masks = explain_access.masks(run)
    if masks is None:
        return
    agreement = row_agreement(masks, values, output=values.outputs[output])
    left, right = st.columns(2)
    with left:
        figure = agreement_histogram(agreement, subtitle=f"{len(agreement.rows):,} rows with both")
        widgets.chart(figure, key="row_agreement", alt=row_agreement_sentence(agreement))
    with right:
        st.markdown(widgets.md(row_agreement_sentence(agreement)))
        st.markdown(
            "In the rows below they agree least. Look at these first to know how far to trust either: open one to see "
            "what was read and what pushed."
        )
    table = queue_table(run, agreement, output)
    config = {
        "agreement": st.column_config.NumberColumn(format="%.2f", help="Rank correlation within the row."),
        "shared": st.column_config.NumberColumn(
            format="%.0f %%", help=f"Share of the {agreement.top_k} leading columns that both name."
        ),
    }
    explain_widgets.row_table(table, run.run_id, key="disagreement_queue", config=config)
    explain_widgets.csv_button("Download these rows", table, name="disagreement", key="disagreement_csv")


def queue_table(run: Run, agreement: RowAgreement, output: int) -> pd.DataFrame:
    """Rows by their agreement, the least first, with prediction and outcome where they are known."""
    order = least_agreeing(agreement)
    table = pd.DataFrame(
        {"row": agreement.rows[order], "agreement": agreement.spearman[order], "shared": agreement.overlap[order]}
    )
    outcomes = explain_access.outcomes(run, explain_widgets.target_of(run, output)[0].name)
    return table if outcomes is None else table.merge(outcomes.table(), on="row", how="left")


def provenance(run: Run, values: Attribution, *, busy: bool) -> None:
    """How the SHAP values were made, and the way to make them with another budget."""
    st.subheader("How SHAP was measured", anchor=False)
    widgets.metrics(
        {
            "Rows": f"{values.n_rows:,}",
            "Background rows": f"{values.background.n_rows:,}",
            "Evaluations a row": f"{values.n_evaluations:,}",
            "Largest sum error": f"{values.additivity_error:.1e}" if values.additivity_error else "0",
        },
        help_texts={
            "Background rows": "Training rows whose values stand for 'not knowing a column'.",
            "Evaluations a row": "Model evaluations for one row, each averaged over the background.",
            "Largest sum error": "Values and base add up to the score; this is the largest difference found.",
        },
    )
    st.caption(widgets.md(values.provenance))
    if st.button("Compute with another budget", icon=":material/tune:", key="open_budget", disabled=busy):
        explain_jobs.budget_form(run)
