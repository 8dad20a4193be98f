"""Importance: what the model reads and what moves its score, by every method, by part of the rows, by value."""

import streamlit as st

from pages._ui import (
    explain_access,
    explain_importance,
    explain_jobs,
    explain_widgets,
    guard,
    importance_effects,
    importance_methods,
    importance_parts,
    kept,
    widgets,
)
from tabnet_engine.texts.speaking import msg, say

PURPOSE = msg(
    "Which columns matter over the whole table: what the masks read, what moved the score, what the loss rests on."
)
READING = msg(
    "A share of the reading is no share of the decision: masks say what a step looked at, not which way it pushed. "
    "Mean absolute SHAP values say how far each column moved the score, up or down alike."
)
VIEWS = {
    "methods": msg("All methods"),
    "parts": msg("By class and slice"),
    "effects": msg("Effect of a column"),
}


def main() -> None:
    """Choose a run; then methods, parts or effects, or the way to get them."""
    run = explain_access.chosen_run()
    if run is None:
        return
    busy = explain_jobs.follow(run)
    if not explain_access.importances(run):
        if not busy:
            explain_jobs.missing(run, "importances")
        return
    output = explain_widgets.output_choice(
        run,
        help_text=say("SHAP values belong to one output. Masks know none: they say what was read for all of them."),
    )
    view = kept.tabs("view", say("View"), {key: say(text) for key, text in VIEWS.items()})
    if view == "parts":
        importance_parts.section(run, output)
        return
    if view == "effects":
        importance_effects.section(run, output)
        return
    importance_methods.section(run, output)
    st.caption(say(READING))
    importance_methods.by_class(run, output)
    explain_importance.agreement_section(run, output)
    for sentence in importance_methods.stale(run):
        widgets.info(sentence)


with guard.page(msg("Importance"), PURPOSE):
    main()
