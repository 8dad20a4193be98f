"""One decision: what was read step by step, what pushed the score, and how far both agree."""

import streamlit as st

from pages._ui import explain_access, explain_decision, explain_jobs, explain_widgets, guard, row_picker

PURPOSE = "One row: what each step read and added, which columns pushed the score, and how far the two agree."
HELP = "Whose score the steps and pushes below explain."


def main() -> None:
    """Choose a run and a row; then its whole explanation, or the way to get it."""
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
    output = explain_widgets.output_choice(run, help_text=HELP) if several else 0
    row = row_picker.pick_row(run, table, explain_widgets.target_of(run, output)[0].name)
    explanation = explain_access.shown_row(run, row)
    if explanation is None:
        if not busy:
            explain_jobs.missing(run, "background to explain against")
        return
    explain_decision.prediction(run, explanation, table, output)
    explain_decision.all_targets(run, explanation, table)
    if not several:
        leading = explain_decision.leading(run, explanation)
        output = explain_widgets.output_choice(run, help_text=HELP, default=leading)
    st.subheader("How the steps came to it", anchor=False)
    explain_decision.steps(run, explanation, output)
    st.subheader("Which columns pushed", anchor=False)
    explain_decision.pushes(run, explanation, output)
    explain_decision.both_methods(explanation, output)
    st.subheader("The row itself", anchor=False)
    explain_decision.cells(explanation, output)


with guard.page("One decision", PURPOSE):
    main()
