"""What the address asks for, when it may be gone or was never there."""

from __future__ import annotations

from collections.abc import Container

from pages._ui import data_access, state, widgets
from tabnet_engine.errors import JobError
from tabnet_engine.texts.speaking import msg, say

__all__ = ["item", "job", "whole_number"]

_GONE = {
    "run": msg("The run that was asked for is not here any more, or is damaged; another one is shown"),
    "table": msg("The table that was asked for is not here any more, or is damaged; another one is shown"),
}
_MOST_DIGITS = 15


def item(name: str, known: Container[str], what: str) -> str | None:
    """The id called ``name`` that was asked for; says so when it is not among those ``known``.

    Args:
        name: the id's name in the address, such as "run".
        known: the ids that there are; not empty, one of them is shown instead.
        what: what it is: "run" or "table".
    """
    current = state.current(name)
    if current is not None and current not in known:
        widgets.info(say(_GONE[what]))
    return current


def job() -> str | None:
    """The job that was asked for; None, with a sentence, when this workspace has none of that id."""
    job_id = state.current("job")
    if job_id is None:
        return None
    try:
        data_access.queue().job(job_id)
    except JobError:
        state.clear("job")
        widgets.info(say("The training that was asked for is not in this workspace"))
        return None
    return job_id


def whole_number(name: str) -> int | None:
    """The number called ``name`` in the address; None for anything that is no number to count with."""
    text = state.current(name) or ""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None
