"""Work on a stored run, queued once however often its button was pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import data_access, state
from tabnet_engine.texts.speaking import ENGLISH, say, speaking

if TYPE_CHECKING:
    from tabnet_engine.jobs.records import JobRecord
    from tabnet_engine.jobs.spec import JobSpec

__all__ = ["latest", "queue_once", "title"]

_LONGEST_TITLE = 200


def title(template: str, name: str) -> str:
    """What a job is called, in English as all that is stored; ``template`` has the place ``run``, marked by ``msg``."""
    with speaking(ENGLISH):
        return say(template, run=name)[:_LONGEST_TITLE]


def latest(run_id: str) -> JobRecord | None:
    """The newest job of a run: one that works on it, or that trained and then explained it."""
    return next((record for record in data_access.queue().list() if record.spec.run_id == run_id), None)


def queue_once(spec: JobSpec, told: str) -> None:
    """Queue the job unless one works on its run already, and draw the page again.

    Args:
        spec: the job.
        told: what has begun and where its progress is, said once.
    """
    newest = None if spec.run_id is None else latest(spec.run_id)
    if newest is None or newest.ended:
        purpose = f"{spec.kind}_{spec.run_id}"
        data_access.queue().submit(spec, idempotency_key=state.token(purpose))
        state.fresh_token(purpose)
        st.toast(told, icon=":material/hourglass_top:")
    st.rerun()
