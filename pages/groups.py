"""Groups: how the model treats the groups of a protected column."""

from pages._ui import explain_access, explain_jobs, groups_choices, groups_measure, groups_view, guard, widgets
from tabnet_engine.texts.speaking import msg, say


def main() -> None:
    """Choose a run and a column, then see who is treated how."""
    run = explain_access.chosen_run()
    if run is None:
        return
    reason = groups_measure.no_table(run)
    if reason is not None:
        widgets.info(reason)
        return
    if not groups_choices.groupable(run):
        widgets.info(say("This table has no column that could divide people: none is a category, a number or a date"))
        return
    busy = explain_jobs.follow(run)
    config = groups_choices.chosen_settings(run)
    audit = groups_choices.stored_for(run, config.column, config.crossed_with, config.target)
    if audit is None:
        groups_measure.not_measured(run, config, busy=busy)
        return
    groups_measure.outdated(run, audit, config, busy=busy)
    groups_view.report(run, audit)
    groups_measure.measure(run, config, busy=busy)


with guard.page(msg("Groups"), msg("Who is treated how: decisions, errors and explanations by group.")):
    main()
