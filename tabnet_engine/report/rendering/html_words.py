"""What a page says about a report itself: its state and its moments."""

from __future__ import annotations

from tabnet_engine.report.dates import moment_words
from tabnet_engine.report.document import Document, ReviewStep
from tabnet_engine.texts.speaking import msg, say

__all__ = ["moment", "state_words", "status_words"]

_STATES = {"draft": msg("Draft"), "reviewed": msg("Reviewed"), "signed": msg("Signed")}


def state_words(state: str) -> str:
    """What a state of the review is called."""
    return say(_STATES[state]) if state in _STATES else state


def moment(text: str) -> str:
    """A moment in UTC as the reader's language writes it; a text that is no moment stays as it is.

    >>> moment("2026-03-01T10:30:00+01:00"), moment("soon")
    ('1 March 2026, 09:30 UTC', 'soon')
    """
    try:
        return moment_words(text)
    except ValueError:
        return text


def status_words(document: Document) -> str:
    """The state of a report in one line: blocked, draft, or who reviewed or signed it and when."""
    if document.is_blocked:
        return say("Blocked: this report must not be used")
    last: ReviewStep | None = document.review[-1] if document.review else None
    if last is None or last.state == "draft":
        return say("Draft, not reviewed")
    if last.state == "reviewed":
        return say("Reviewed by {name} on {time}, not signed", name=last.name, time=moment(last.time))
    return say("Signed by {name} on {time}", name=last.name, time=moment(last.time))
