"""What every form of a report says about the report itself, in the same words: state, moments, names of parts."""

from __future__ import annotations

from tabnet_engine.report.dates import moment_words
from tabnet_engine.report.document import Document, ReviewStep, Table
from tabnet_engine.texts.speaking import msg, say

__all__ = [
    "TONES",
    "front_lines",
    "moment",
    "profile_words",
    "review_table",
    "signature_words",
    "state_words",
    "status_words",
]

# What a callout begins with.
TONES = {"block": msg("Blocked"), "warning": msg("Warning"), "note": msg("Note")}
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


def profile_words(document: Document) -> str:
    """The regulation profile and its version."""
    identity = document.identity
    return say("{profile}, version {version}", profile=identity.profile, version=identity.profile_version)


def front_lines(document: Document) -> tuple[tuple[str, str], ...]:
    """What stands below the title of a report that is no letter: state, case, time, run, profile."""
    identity = document.identity
    return (
        (say("Status"), status_words(document)),
        (say("Case id"), identity.case_id),
        (say("Made"), moment(identity.created)),
        (say("Run"), identity.run_title),
        (say("Regulation profile"), profile_words(document)),
    )


def review_table(document: Document) -> Table:
    """The steps of the review, one line each."""
    rows = [(state_words(step.state), step.name, moment(step.time), step.comment) for step in document.review]
    columns = (say("State"), say("Person"), say("Time"), say("Comment"))
    return Table(caption=say("Steps of the review, the first on top"), columns=columns, rows=tuple(rows))


def signature_words() -> tuple[str, str, str]:
    """What stands below the three lines of a signature on paper."""
    return say("Name in block letters"), say("Signature"), say("Date")
