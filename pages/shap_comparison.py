"""Masks and SHAP: what was read against what moved the score, and how far to trust either."""

import streamlit as st

from pages._ui import explain_access, explain_certificate, explain_comparison, explain_jobs, explain_widgets, guard

PURPOSE = (
    "What was read against what moved the score. Where they agree, trust grows; where they differ, this page says so."
)


def main() -> None:
    """Choose a run; then columns, effects and rows, or the way to get SHAP values."""
    run = explain_access.chosen_run()
    if run is None:
        return
    busy = explain_jobs.follow(run)
    values = explain_access.attribution(run)
    if values is None:
        if not busy:
            explain_jobs.missing(run, "SHAP values")
        return
    output = explain_widgets.output_choice(run, help_text="Whose score the SHAP values are for; masks know no class.")
    explain_comparison.columns(run, output)
    st.subheader("Which way each column pushes", anchor=False)
    explain_comparison.effects(run, values, output)
    st.subheader("Row by row", anchor=False)
    explain_comparison.rows(run, values, output)
    explain_comparison.provenance(run, values, busy=busy)
    explain_certificate.section(run, busy=busy)


with guard.page("Masks and SHAP", PURPOSE):
    main()
