"""Reports: decisions, letters, models and comparisons that stand up to review; their history, and what people write."""

from pages._ui import (
    guard,
    kept,
    report_codes,
    report_history,
    report_letter,
    report_new,
    report_statements,
)
from tabnet_engine.texts.speaking import msg, say

VIEWS = {
    "new": msg("New report"),
    "history": msg("History"),
    "codes": msg("Reason codes"),
    "letter": msg("Letter"),
    "organisation": msg("Who decides"),
    "facts": msg("About the model"),
}
SECTIONS = {
    "new": report_new.section,
    "history": report_history.section,
    "codes": report_codes.section,
    "letter": report_letter.section,
    "organisation": report_statements.organisation,
    "facts": report_statements.facts,
}


def main() -> None:
    """One view: making reports, those that were made, or what people write for them."""
    view = kept.tabs("view", say("View"), {key: say(words) for key, words in VIEWS.items()})
    SECTIONS[view]()


with guard.page(
    msg("Reports"),
    msg("Why a row was decided as it was, and what a model is: reports to hand over, reviewed and signed."),
):
    main()
