"""Masks: what each decision step read, on average and row by row."""

import streamlit as st

from pages._ui import explain_access, explain_archetypes, explain_jobs, explain_masks, explain_widgets, guard, widgets

PURPOSE = "What each decision step looked at: on average, and row by row. Masks say what was read, not why."


def main() -> None:
    """Choose a run and rows; then averages and the map, or the way to get them."""
    run = explain_access.chosen_run()
    if run is None:
        return
    busy = explain_jobs.follow(run)
    explanation = explain_access.masks(run)
    if explanation is None:
        if not busy:
            explain_jobs.missing(run, "masks")
        return
    filtered = explain_masks.filters(run, explanation)
    st.caption(widgets.md(explain_masks.extent(explanation, filtered)))
    explain_masks.averages(run, filtered)
    explain_archetypes.section(run)
    st.subheader("Row by row", anchor=False)
    output = explain_widgets.output_choice(
        run, help_text="Whose score orders the rows. The masks themselves are the same for every output."
    )
    explain_masks.row_map(run, filtered, output)


with guard.page("Masks", PURPOSE):
    main()
