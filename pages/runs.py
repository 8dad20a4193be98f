"""Runs: every training of this workspace, one of them in detail, and the jobs behind them."""

from pages._ui import (
    asked,
    data_access,
    guard,
    job_list,
    kept,
    pretraining_view,
    run_actions,
    run_list,
    run_view,
    runs_compare,
    state,
    widgets,
)
from tabnet_engine.texts.speaking import msg, say

VIEWS = {
    "result": msg("Result"),
    "settings": msg("Settings"),
    "origin": msg("Origin"),
    "compare": msg("Compare"),
}


def main() -> None:
    """The list, then the run that the address names."""
    job_list.job_list()
    summaries = data_access.runs()
    if not summaries:
        widgets.empty_state(
            say("No run yet"),
            say("A run is a trained model with its scores and explanations."),
            page="train",
            label=say("Train one"),
        )
        return
    run_list.damaged(summaries)
    names = data_access.all_run_names()
    if not names:
        return
    run_list.overview(summaries)
    run_id = widgets.choice(
        say("Run"), names, asked.item("run", names, "run"), key=f"run_choice_{state.token('rename')}"
    )
    state.choose("run", run_id)
    run = data_access.run(run_id)
    run_actions.run_actions(run)
    if run.is_pretraining:
        pretraining_view.next_step(run)
    else:
        run_view.explanation_links(run_id)
    view = kept.tabs("view", say("View"), {key: say(text) for key, text in VIEWS.items()})
    if view == "settings":
        run_view.settings(run)
    elif view == "origin":
        run_view.origin(run)
    elif view == "compare":
        runs_compare.compare_view(run)
    elif run.is_pretraining:
        pretraining_view.details(run)
    else:
        run_view.scores(run)
        run_view.curves(run)


with guard.page(
    msg("Runs"),
    msg(
        "Every training of this workspace: its scores, its curves, its settings, and what changed from one to another."
    ),
):
    main()
