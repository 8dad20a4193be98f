"""Jobs in the workspace's database: queued, started when a slot is free, watched, and never lost.

Any number of pages and workers share one queue through the database. A worker that dies is found by
:meth:`JobQueue.reconcile`, which every page calls now and then and every worker at its end.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.errors import JobError
from tabnet_engine.jobs.claim import Claim, add_event, end_job
from tabnet_engine.jobs.launcher import Launcher, LocalLauncher, log_file
from tabnet_engine.jobs.processes import ProcessIdentity, this_host
from tabnet_engine.jobs.records import (
    JobEvent,
    JobProgress,
    JobRecord,
    JobState,
    job_events,
    job_metadata,
    learning_curve,
    read_record,
    stored_jobs,
)
from tabnet_engine.jobs.spec import JobSpec
from tabnet_engine.runs.database import ensure_tables, hold_items, reading, stored_datasets, writing
from tabnet_engine.runs.parts import explain_os_error
from tabnet_engine.runs.workspace import Workspace
from tabnet_engine.training.history import EpochRecord

__all__ = ["JobEvent", "JobProgress", "JobQueue", "JobRecord", "JobState"]

MAX_CRASHES = 2
# A started process says so itself; one that never does within this time did not come up.
START_SECONDS = 60.0
# For a worker on another machine the heartbeat is all there is.
SILENT_SECONDS = 60.0
# A worker that heeds a cancelled job's flag does so within a batch; then it is asked, then made to end.
CANCEL_GRACE_SECONDS = 10.0

# Jobs that learn from a table, which need its columns as they are when the job is queued.
_LEARNING = frozenset({"train", "pretrain", "worth"})


class JobQueue:
    """The jobs of one workspace.

    Args:
        workspace: where the jobs, their datasets and their runs are.
        launcher: starts the workers; processes on this machine when absent.
        slots: jobs that run at the same time; the others wait their turn.
    """

    def __init__(self, workspace: Workspace, *, launcher: Launcher | None = None, slots: int = 1) -> None:
        if slots < 1:
            raise ValueError(f"slots must be at least 1, got {slots}")
        self.workspace = workspace
        self.slots = slots
        self.launcher = launcher or LocalLauncher(slots=slots)
        ensure_tables(workspace.engine, job_metadata)

    # What pages do

    def submit(self, spec: JobSpec, *, idempotency_key: str | None = None) -> str:
        """Queue a job and start it if a slot is free.

        The columns of the dataset are copied into the job of a training: editing them later does not change
        a job that waits.

        Args:
            spec: the job.
            idempotency_key: submitting again with the same key, as a double click does, gives the same job.

        Returns:
            The job's id.

        Raises:
            UserError: the job cannot be done: no such dataset, no target chosen, a setting out of range.
            StorageError: the database refuses.
        """
        complete = self._with_schema(spec)
        complete.check()
        with writing(self.workspace.engine) as connection:
            job_id = _job_with_key(connection, idempotency_key)
            if job_id is None:
                job_id = _insert(connection, complete, idempotency_key)
        self.start_waiting()
        return job_id

    def _with_schema(self, spec: JobSpec) -> JobSpec:
        if spec.kind not in _LEARNING or spec.dataset_id is None:
            return spec
        schema = self._schema_of(spec, spec.dataset_id)
        if spec.kind != "pretrain" and not (schema is not None and schema.targets):
            raise JobError("no target is chosen for this dataset; choose the column to predict, then train")
        payload = {**spec.payload, "schema": None if schema is None else schema.to_mapping()}
        return JobSpec(spec.kind, spec.dataset_id, spec.run_id, spec.title, payload)

    def _schema_of(self, spec: JobSpec, dataset_id: str) -> FeatureSchema | None:
        """The columns that the job brings along, else those of its dataset."""
        given = spec.payload.get("schema")
        return self.workspace.load_schema(dataset_id) if given is None else FeatureSchema.from_mapping(given)

    def job(self, job_id: str) -> JobRecord:
        """One job as it stands.

        Raises:
            JobError: there is none of that id.
        """
        return read_record(self._row(job_id))

    def _row(self, job_id: str) -> Mapping[Any, Any]:
        with reading(self.workspace.engine) as connection:
            row = connection.execute(select(stored_jobs).where(stored_jobs.c.job_id == job_id)).mappings().one_or_none()
        if row is None:
            raise JobError(f"there is no job {job_id!r} in this workspace; choose one from the list")
        return row

    def list(self, *, states: Iterable[JobState] | None = None, limit: int = 200) -> tuple[JobRecord, ...]:
        """The latest jobs, newest first, of all states or of some."""
        chosen = select(stored_jobs).order_by(stored_jobs.c.number.desc()).limit(limit)
        if states is not None:
            chosen = chosen.where(stored_jobs.c.state.in_(tuple(states)))
        with reading(self.workspace.engine) as connection:
            rows = connection.execute(chosen).mappings().all()
        return tuple(map(read_record, rows))

    def events(self, job_id: str) -> tuple[JobEvent, ...]:
        """The job's story, oldest first: starts, notes and ends of all its attempts, without the epochs."""
        chosen = select(job_events).where(job_events.c.job_id == job_id, job_events.c.kind != "epoch")
        with reading(self.workspace.engine) as connection:
            rows = connection.execute(chosen.order_by(job_events.c.number)).mappings().all()
        return tuple(
            JobEvent(
                attempt=row["attempt"],
                time=datetime.fromtimestamp(row["time"], UTC),
                kind=row["kind"],
                body=row["body"],
            )
            for row in rows
        )

    def epochs(self, job_id: str) -> tuple[EpochRecord, ...]:
        """The epochs so far, oldest first; grows while the job runs.

        They are those of the present attempt, after those of an earlier one that it goes on from.
        """
        present = select(stored_jobs.c.attempt).where(stored_jobs.c.job_id == job_id).scalar_subquery()
        line = (job_events.c.attempt, job_events.c.kind, job_events.c.body)
        chosen = select(*line).where(job_events.c.job_id == job_id, job_events.c.kind.in_(("epoch", "resumed")))
        with reading(self.workspace.engine) as connection:
            lines = connection.execute(chosen.order_by(job_events.c.number)).all()
            attempt = connection.execute(select(present)).scalar()
        return learning_curve([tuple(line) for line in lines], attempt)

    def log_text(self, job_id: str, *, max_bytes: int = 20_000) -> str:
        """The end of the worker's log; empty when there is none yet.

        Raises:
            JobError: there is no such job.
        """
        path = log_file(self.workspace.root, self.job(job_id).job_id)
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - max_bytes))
            return file.read().decode(errors="replace")

    def request_cancel(self, job_id: str) -> None:
        """End a waiting job at once, and tell a running one to stop; a job that has ended stays as it is.

        Raises:
            JobError: there is no such job.
        """
        self._row(job_id)
        mine = stored_jobs.c.job_id == job_id
        flag = update(stored_jobs).where(
            mine, stored_jobs.c.state == JobState.RUNNING, stored_jobs.c.cancel_requested.is_(None)
        )
        with writing(self.workspace.engine) as connection:
            end_job(connection, job_id, JobState.CANCELLED, only_if=JobState.QUEUED)
            connection.execute(flag.values(cancel_requested=time.time()))

    def retry(self, job_id: str) -> None:
        """Queue a job that failed or was cancelled again; a training goes on where its worker died, if it kept that.

        Raises:
            JobError: there is no such job, or it waits, runs or has succeeded.
        """
        record = self.job(job_id)
        if record.state not in {JobState.FAILED, JobState.CANCELLED}:
            raise JobError(f"only a job that failed or was cancelled can be tried again; this one is {record.state}")
        again = update(stored_jobs).where(stored_jobs.c.job_id == job_id, stored_jobs.c.state == record.state)
        with writing(self.workspace.engine) as connection:
            if connection.execute(again.values(crashes=0, **_WAITING)).rowcount:
                _hold(connection, job_id, record.spec)
                add_event(connection, job_id, "retried")
        self.start_waiting()

    # What keeps the jobs going

    def reconcile(self) -> None:
        """Find workers that died, end those that ignore a cancel, and fill free slots; cheap when all is well."""
        for row in self._running():
            overdue = 0.0 if row["cancel_requested"] is None else time.time() - row["cancel_requested"]
            process = _process_of(row)
            if process is not None and overdue > CANCEL_GRACE_SECONDS:
                self.launcher.stop(process, force=overdue > 2 * CANCEL_GRACE_SECONDS)
            if not _is_alive(row, process):
                self._bury(row)
        self.start_waiting()

    def _running(self) -> Sequence[Mapping[Any, Any]]:
        chosen = select(*(stored_jobs.c[name] for name in _LIFE)).where(stored_jobs.c.state == JobState.RUNNING)
        with reading(self.workspace.engine) as connection:
            return connection.execute(chosen).mappings().all()

    def _bury(self, row: Mapping[Any, Any]) -> None:
        """Queue the job of a dead worker again, or give up; a worker that lives on may not notice too late."""
        job_id, attempt, crashes = row["job_id"], row["attempt"], row["crashes"] + 1
        with writing(self.workspace.engine) as connection:
            same = (
                stored_jobs.c.job_id == job_id,
                stored_jobs.c.attempt == attempt,
                stored_jobs.c.state == JobState.RUNNING,
                stored_jobs.c.pid.is_not_distinct_from(row["pid"]),
            )
            if not connection.execute(update(stored_jobs).where(*same).values(crashes=crashes)).rowcount:
                return
            add_event(connection, job_id, "process ended unexpectedly", {"pid": row["pid"]})
            if row["cancel_requested"] is not None:
                end_job(connection, job_id, JobState.CANCELLED)
            elif crashes >= MAX_CRASHES:
                end_job(connection, job_id, JobState.FAILED, error=_crash_sentence(crashes, job_id))
            else:
                connection.execute(update(stored_jobs).where(stored_jobs.c.job_id == job_id).values(**_WAITING))

    def start_waiting(self) -> None:
        """Start waiting jobs, oldest first, while slots are free."""
        while (reserved := self._reserve()) is not None:
            job_id, attempt = reserved
            try:
                process = self.launcher.start(self.workspace.root, job_id)
            except OSError as error:
                with writing(self.workspace.engine) as connection:
                    sentence = explain_os_error(error, "start the job's process")
                    end_job(connection, job_id, JobState.FAILED, error=sentence)
                continue
            with writing(self.workspace.engine) as connection:
                mine = (stored_jobs.c.job_id == job_id, stored_jobs.c.attempt == attempt, ~stored_jobs.c.claimed)
                connection.execute(update(stored_jobs).where(*mine).values(**_identity(process)))

    def _reserve(self) -> tuple[str, int] | None:
        """Take the oldest waiting job off the queue, if a slot is free."""
        with reading(self.workspace.engine) as connection:
            if self._next(connection) is None:
                return None  # the common case takes no write lock
        with writing(self.workspace.engine) as connection:
            found = self._next(connection)
            if found is not None:
                start_attempt(connection, *found)
            return found

    def _next(self, connection: Connection) -> tuple[str, int] | None:
        """The waiting job whose turn it is and the number of its next attempt."""
        running = select(func.count()).where(stored_jobs.c.state == JobState.RUNNING)
        waiting = select(stored_jobs.c.job_id, stored_jobs.c.attempt).where(stored_jobs.c.state == JobState.QUEUED)
        row = connection.execute(waiting.order_by(stored_jobs.c.number).limit(1)).first()
        if row is None or connection.execute(running).scalar_one() >= self.slots:
            return None
        return row.job_id, row.attempt + 1

    # What a worker does

    def claim(self, job_id: str, process: ProcessIdentity | None = None) -> Claim:
        """Take a job as its one worker.

        Args:
            job_id: a job that was started for this worker, or one that waits.
            process: who claims; this process when absent.

        Raises:
            JobError: there is no such job, it has ended, or another worker has it.
        """
        identity = process or ProcessIdentity.own()
        self._row(job_id)
        with writing(self.workspace.engine) as connection:
            row = connection.execute(select(stored_jobs).where(stored_jobs.c.job_id == job_id)).mappings().one()
            if not _is_free(row, identity):
                raise JobError(f"the job {job_id!r} is {row['state']} and not waiting for this worker")
            attempt = row["attempt"]
            if row["state"] == JobState.QUEUED:
                attempt += 1
                start_attempt(connection, job_id, attempt)
            mine = update(stored_jobs).where(stored_jobs.c.job_id == job_id)
            connection.execute(mine.values(claimed=True, heartbeat=time.time(), **_identity(identity)))
        return Claim(self.workspace.engine, job_id, attempt, JobSpec.from_mapping(row["spec"]))


# What tells whether a job lives: read often, so without the large spec.
_LIFE = ("job_id", "attempt", "crashes", "cancel_requested", "heartbeat", "host", "pid", "pid_created")

_WAITING: dict[str, Any] = {
    "state": JobState.QUEUED,
    "progress": JobProgress().to_mapping(),
    "error": None,
    "finished": None,
    "cancel_requested": None,
    "claimed": False,
    "host": None,
    "pid": None,
    "pid_created": None,
    "heartbeat": None,
}


def start_attempt(connection: Connection, job_id: str, attempt: int) -> None:
    """Mark a waiting job as started; its worker has yet to appear."""
    now = time.time()
    started = {"state": JobState.RUNNING, "attempt": attempt, "started": now, "heartbeat": now, "host": this_host()}
    connection.execute(update(stored_jobs).where(stored_jobs.c.job_id == job_id).values(**started))
    add_event(connection, job_id, "started")


def _job_with_key(connection: Connection, key: str | None) -> str | None:
    if key is None:
        return None
    found: str | None = connection.execute(
        select(stored_jobs.c.job_id).where(stored_jobs.c.idempotency_key == key)
    ).scalar()
    return found


def _insert(connection: Connection, spec: JobSpec, key: str | None) -> str:
    job_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    fresh = {"job_id": job_id, "idempotency_key": key, "spec": spec.to_mapping(), "run_id": spec.run_id}
    connection.execute(stored_jobs.insert().values(**fresh, created=time.time(), **_WAITING))
    _hold(connection, job_id, spec)
    add_event(connection, job_id, "queued")
    return job_id


def _hold(connection: Connection, job_id: str, spec: JobSpec) -> None:
    """Keep what the job uses from being deleted.

    Raises:
        JobError: a dataset is gone already.
    """
    for kind, item_id in spec.uses:
        known = select(stored_datasets.c.name).where(stored_datasets.c.dataset_id == item_id)
        if kind == "dataset" and connection.execute(known).first() is None:
            raise JobError(f"the dataset of {spec.title!r} is not in this workspace any more; upload it again")
    hold_items(connection, job_id, spec.title, spec.uses)


def _identity(process: ProcessIdentity) -> dict[str, Any]:
    return {"host": process.host, "pid": process.pid, "pid_created": process.created}


def _process_of(row: Mapping[Any, Any]) -> ProcessIdentity | None:
    return None if row["pid"] is None else ProcessIdentity(row["host"], row["pid"], row["pid_created"])


def _is_alive(row: Mapping[Any, Any], process: ProcessIdentity | None) -> bool:
    silent = time.time() - row["heartbeat"]
    if process is None:
        return bool(silent < START_SECONDS)
    return process.is_alive if process.host == this_host() else bool(silent < SILENT_SECONDS)


def _is_free(row: Mapping[Any, Any], process: ProcessIdentity) -> bool:
    if row["state"] == JobState.QUEUED:
        return True
    started_for_us = row["pid"] is None or (row["host"], row["pid"]) == (process.host, process.pid)
    return bool(row["state"] == JobState.RUNNING and not row["claimed"] and started_for_us)


def _crash_sentence(crashes: int, job_id: str) -> str:
    return (
        f"the process ended unexpectedly {crashes} times (the machine may have run out of memory or was restarted); "
        f"try smaller settings or fewer rows, then try again; its log is logs/{job_id}.log"
    )
