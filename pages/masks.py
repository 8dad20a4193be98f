"""Masks: what each decision step read, on average, row by row, from step to step and in which ways."""

import streamlit as st

from pages._ui import (
    explain_access,
    explain_archetypes,
    explain_jobs,
    explain_masks,
    explain_widgets,
    guard,
    kept,
    masks_flow,
    masks_map,
    masks_rows,
    widgets,
)
from tabnet_engine.texts.speaking import msg, say

PURPOSE = msg("What each decision step looked at: on average, and row by row. Masks say what was read, not why.")
VIEWS = {
    "average": msg("On average"),
    "rows": msg("Row by row"),
    "flow": msg("From step to step"),
    "kinds": msg("Ways of reading"),
}


def main() -> None:
    """Choose a run and rows; then the part of the page that is asked for, or the way to get masks."""
    run = explain_access.chosen_run()
    if run is None:
        return
    busy = explain_jobs.follow(run)
    explanation = explain_access.masks(run)
    if explanation is None:
        if not busy:
            explain_jobs.missing(run, "masks")
        return
    help_text = say("Whose score is shown and orders the rows. The masks themselves are the same for every output.")
    output = explain_widgets.output_choice(run, help_text=help_text)
    shown = masks_rows.choose(run, explanation)
    st.caption(widgets.md(masks_rows.extent(shown)))
    view = kept.tabs("view", say("View"), {key: say(text) for key, text in VIEWS.items()})
    if masks_rows.nothing(shown):
        return
    if view == "average":
        explain_masks.averages(shown, output)
    elif view == "rows":
        masks_map.section(shown, output)
    elif view == "flow":
        masks_flow.section(shown, output)
    else:
        explain_archetypes.section(shown, output)


with guard.page(msg("Masks"), PURPOSE):
    main()
