"""Groups: how the model treats the groups of a protected column."""

from pages._ui import explain_access, guard
from tabnet_engine.texts.speaking import msg


def main() -> None:
    """Choose a run."""
    explain_access.chosen_run()


with guard.page(msg("Groups"), msg("Who is treated how: decisions, errors and explanations by group.")):
    main()
