"""A worker's hold on its job: every word it says counts only while the job is still its own."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from tabnet_engine.errors import JobCancelledError
from tabnet_engine.jobs.records import JobProgress, JobState, job_events, stored_jobs
from tabnet_engine.jobs.spec import JobSpec
from tabnet_engine.runs.database import reading, release_items, writing
from tabnet_engine.training.history import EpochRecord

__all__ = ["Claim", "add_event", "end_job"]


@dataclass(frozen=True)
class Claim:
    """One attempt at one job. A worker whose job was given to another learns it by an exception."""

    engine: Engine
    job_id: str
    attempt: int
    spec: JobSpec

    def heartbeat(self, progress: JobProgress | None = None) -> None:
        """Say that the worker lives, and how far it is.

        Raises:
            JobCancelledError: the job is not this worker's any more.
        """
        values: dict[str, Any] = {"heartbeat": time.time()}
        if progress is not None:
            values["progress"] = progress.to_mapping()
        with writing(self.engine) as connection:
            self._update(connection, values)

    def set_progress(self, progress: JobProgress) -> None:
        """Say how far the job is.

        Raises:
            JobCancelledError: the job is not this worker's any more.
        """
        self.heartbeat(progress)

    def add_event(self, kind: str, body: Mapping[str, Any] | None = None) -> None:
        """Add a line to the job's story.

        Raises:
            JobCancelledError: the job is not this worker's any more.
        """
        with writing(self.engine) as connection:
            self._update(connection, {"heartbeat": time.time()})
            add_event(connection, self.job_id, kind, body)

    def add_epoch(self, record: EpochRecord) -> None:
        """Add an epoch to the curve.

        Raises:
            JobCancelledError: the job is not this worker's any more.
        """
        self.add_event("epoch", record.to_mapping())

    @property
    def cancel_requested(self) -> bool:
        """Whether the user asked to cancel, or the job is not this worker's any more."""
        with reading(self.engine) as connection:
            chosen = select(stored_jobs.c.cancel_requested).where(*self._mine())
            row = connection.execute(chosen).first()
        return row is None or row[0] is not None

    def finish(self, progress: JobProgress | None = None) -> None:
        """End the job well, with all of its way done.

        Raises:
            JobCancelledError: the job is not this worker's any more.
        """
        done = dataclasses.replace(progress or JobProgress(), fraction=1.0, seconds_left=0.0)
        with writing(self.engine) as connection:
            self._update(connection, {"progress": done.to_mapping()})
            end_job(connection, self.job_id, JobState.SUCCEEDED)

    def fail(self, sentence: str) -> None:
        """End the job with a sentence for the user.

        Raises:
            JobCancelledError: the job is not this worker's any more.
        """
        with writing(self.engine) as connection:
            self._update(connection, {"heartbeat": time.time()})
            end_job(connection, self.job_id, JobState.FAILED, error=sentence)

    def cancelled(self) -> None:
        """End the job as the user asked; a job that is no longer this worker's is left alone."""
        with writing(self.engine) as connection:
            if connection.execute(select(stored_jobs.c.job_id).where(*self._mine())).first() is not None:
                end_job(connection, self.job_id, JobState.CANCELLED)

    def _mine(self) -> tuple[Any, ...]:
        return (
            stored_jobs.c.job_id == self.job_id,
            stored_jobs.c.attempt == self.attempt,
            stored_jobs.c.state == JobState.RUNNING,
        )

    def _update(self, connection: Connection, values: Mapping[str, Any]) -> None:
        if not connection.execute(update(stored_jobs).where(*self._mine()).values(**values)).rowcount:
            raise JobCancelledError(f"the job {self.job_id!r} was taken from this worker")


def add_event(connection: Connection, job_id: str, kind: str, body: Mapping[str, Any] | None = None) -> None:
    """Add a line to a job's story, under its present attempt."""
    attempt = select(stored_jobs.c.attempt).where(stored_jobs.c.job_id == job_id).scalar_subquery()
    line = {"job_id": job_id, "attempt": attempt, "time": time.time(), "kind": kind, "body": dict(body or {})}
    connection.execute(job_events.insert().values(**line))


def end_job(
    connection: Connection,
    job_id: str,
    state: JobState,
    *,
    error: str | None = None,
    only_if: JobState | None = None,
) -> None:
    """Bring a job to its end and let go of what it used.

    Args:
        connection: a writing transaction.
        job_id: the job.
        state: how it ended.
        error: a sentence for the user when it failed.
        only_if: the state it must be in; else nothing happens.
    """
    ended = update(stored_jobs).where(stored_jobs.c.job_id == job_id)
    if only_if is not None:
        ended = ended.where(stored_jobs.c.state == only_if)
    if connection.execute(ended.values(state=state, error=error, finished=time.time())).rowcount:
        release_items(connection, job_id)
        add_event(connection, job_id, state.value, {} if error is None else {"error": error})
