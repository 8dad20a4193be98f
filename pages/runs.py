"""Runs: every training of this workspace, one of them in detail, and the jobs behind them."""

from pages._ui import (
    asked,
    data_access,
    guard,
    job_list,
    pretraining_view,
    run_actions,
    run_list,
    run_view,
    state,
    widgets,
)

VIEWS = ("Result", "Settings", "Origin")


def main() -> None:
    """The list, then the run that the address names."""
    job_list.job_list()
    summaries = data_access.runs()
    if not summaries:
        widgets.empty_state(
            "No run yet", "A run is a trained model with its scores and explanations.", page="train", label="Train one"
        )
        return
    run_list.damaged(summaries)
    names = data_access.all_run_names()
    if not names:
        return
    run_list.overview(summaries)
    run_id = widgets.choice("Run", names, asked.item("run", names, "run"), key=f"run_choice_{state.token('rename')}")
    state.choose("run", run_id)
    run = data_access.run(run_id)
    run_actions.run_actions(run)
    if run.is_pretraining:
        pretraining_view.next_step(run)
    else:
        run_view.explanation_links(run_id)
    view = widgets.view(VIEWS)
    if view == "Settings":
        run_view.settings(run)
    elif view == "Origin":
        run_view.origin(run)
    elif run.is_pretraining:
        pretraining_view.details(run)
    else:
        run_view.scores(run)
        run_view.curves(run)


with guard.page(
    "Runs", "Every training of this workspace: its scores, its curves, its settings, and where it came from."
):
    main()
