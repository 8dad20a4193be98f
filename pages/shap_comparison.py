"""Masks and SHAP: what was read against what moved the score, and how far to trust either."""

import streamlit as st

from pages._ui import (
    explain_access,
    explain_certificate,
    explain_jobs,
    explain_widgets,
    guard,
    kept,
    shap_columns,
    shap_effects,
    shap_provenance,
    shap_rows,
    shap_source,
)
from tabnet_engine.explain import store
from tabnet_engine.texts.speaking import msg, say

PURPOSE = msg(
    "What was read against what moved the score. Where they agree, trust grows; where they differ, this page says so."
)
VIEWS = {
    "columns": msg("Columns"),
    "effects": msg("Effects"),
    "rows": msg("Rows"),
    "trust": msg("How far to trust it"),
}


def main() -> None:
    """Choose a run; then columns, effects, rows or trust, or the way to get the values."""
    run = explain_access.chosen_run()
    if run is None:
        return
    busy = explain_jobs.follow(run)
    if not store.stored_methods(run):
        if not busy:
            explain_jobs.missing(run, "SHAP values")
        return
    names = {key: say(text) for key, text in VIEWS.items()}
    view = kept.tabs("view", say("View"), names, default="columns")
    if view == "trust":
        output = explain_widgets.output_choice(run, help_text=say("Whose target the curves are about."))
        explain_certificate.section(run, output=output, unit=explain_widgets.unit(run, output), busy=busy)
        return
    source = shap_source.chosen_source(run)
    if source is not None:
        {"columns": shap_columns.columns, "effects": shap_effects.effects, "rows": shap_rows.rows}[view](source)
    st.divider()
    shap_provenance.section(run, source, busy=busy)


with guard.page(msg("Masks and SHAP"), PURPOSE):
    main()
