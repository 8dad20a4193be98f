"""One decision: what was read step by step, what pushed the score, what would change it, and who is alike."""

import streamlit as st

from pages._ui import (
    decision_counterfactual,
    decision_methods,
    decision_similar,
    decision_what_if,
    explain_access,
    explain_decision,
    explain_jobs,
    explain_widgets,
    guard,
    kept,
    row_picker,
)
from tabnet_engine.texts.speaking import msg, say

PURPOSE = msg("One row: what each step read and added, which columns pushed the score, and what would change it.")
HELP = msg("Whose score the steps and pushes below explain.")
VIEWS = {
    "explanation": msg("Explanation"),
    "methods": msg("Every method"),
    "what_if": msg("What if"),
    "counterfactual": msg("Counterfactuals"),
    "similar": msg("Similar rows"),
}
SECTIONS = {
    "explanation": explain_decision.section,
    "methods": decision_methods.section,
    "what_if": decision_what_if.section,
    "counterfactual": decision_counterfactual.section,
    "similar": decision_similar.section,
}


def main() -> None:
    """Choose a run and a row; then one view of it, or the way to get its explanation."""
    run = explain_access.chosen_run()
    if run is None:
        return
    busy = explain_jobs.follow(run)
    table = explain_access.frame(run)
    if table is None:
        explain_widgets.table_gone(run)
        return
    several = len(run.targets.names) > 1
    # With several targets the lists of rows depend on the choice; with classes the choice depends on the row.
    output = explain_widgets.output_choice(run, help_text=say(HELP)) if several else 0
    row = row_picker.pick_row(run, table, explain_widgets.target_of(run, output)[0].name)
    shown = explain_access.shown_row(run, row)
    if shown is None:
        if not busy:
            explain_jobs.missing(run, say("background to explain against"))
        return
    st.divider()
    explain_decision.prediction(run, shown, table, output)
    explain_decision.all_targets(run, shown, table)
    if not several:
        leading = explain_decision.leading(run, shown)
        output = explain_widgets.output_choice(run, help_text=say(HELP), default=leading)
    view = kept.tabs("view", say("View"), {key: say(words) for key, words in VIEWS.items()})
    SECTIONS[view](run, shown, output)


with guard.page(msg("One decision"), PURPOSE):
    main()
