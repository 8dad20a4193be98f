"""Importance: what the model reads and what moves its score, over many rows, side by side."""

import streamlit as st

from pages._ui import explain_access, explain_importance, explain_jobs, explain_widgets, guard

PURPOSE = "Which columns matter over the whole table: what the masks read, and what moved the score."
READING = (
    "A share of the reading is no share of the decision: masks say what a step looked at, not which way it pushed. "
    "Mean absolute SHAP values say how far each column moved the score, up or down alike."
)


def main() -> None:
    """Choose a run; then bars, agreement and ranks, or the way to get them."""
    run = explain_access.chosen_run()
    if run is None:
        return
    busy = explain_jobs.follow(run)
    if not explain_access.importances(run):
        if not busy:
            explain_jobs.missing(run, "importances")
        return
    output = explain_widgets.output_choice(
        run, help_text="SHAP values belong to one output. Masks know none: they say what was read for all of them."
    )
    explain_importance.figures(run, output)
    st.caption(READING)
    explain_importance.by_class(run, output)
    explain_importance.agreement_section(run, output)
    explain_importance.other_methods(run)
    explain_importance.rank_section(run, output, title="Ranks of all columns")


with guard.page("Importance", PURPOSE):
    main()
