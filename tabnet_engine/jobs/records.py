"""What a page learns about a job, and the tables it comes from."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Integer, MetaData, String, Table

from tabnet_engine.jobs.spec import JobSpec
from tabnet_engine.training.history import EpochRecord

__all__ = [
    "ENDED",
    "JobEvent",
    "JobProgress",
    "JobRecord",
    "JobState",
    "job_events",
    "job_metadata",
    "learning_curve",
    "read_record",
    "stored_jobs",
]


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)

job_metadata = MetaData()

# Times are seconds since 1970: they are compared and subtracted, and shown only as JobRecord's datetimes.
stored_jobs = Table(
    "jobs",
    job_metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("job_id", String, nullable=False, unique=True),
    Column("idempotency_key", String, unique=True),
    Column("spec", JSON, nullable=False),
    Column("run_id", String, nullable=False, index=True),
    Column("state", String, nullable=False, index=True),
    Column("progress", JSON, nullable=False),
    Column("error", String),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("finished", Float),
    # Counts every start; a worker of an earlier start finds that its number is over and stops.
    Column("attempt", Integer, nullable=False, default=0),
    Column("crashes", Integer, nullable=False, default=0),
    Column("cancel_requested", Float),
    Column("claimed", Boolean, nullable=False, default=False),
    Column("host", String),
    Column("pid", Integer),
    Column("pid_created", Float),
    Column("heartbeat", Float),
)

job_events = Table(
    "job_events",
    job_metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("job_id", String, ForeignKey("jobs.job_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("time", Float, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", JSON, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class JobProgress:
    """How far a job is. ``fraction`` is of the whole job, forced into [0, 1]."""

    phase: str = ""
    fraction: float = 0.0
    message: str = ""
    epoch: int | None = None
    max_epochs: int | None = None
    seconds_left: float | None = None

    def __post_init__(self) -> None:
        # Rounding may end at 1.0000001, and a first estimate of the time may be infinite: neither is worth a failure.
        fraction = min(max(self.fraction, 0.0), 1.0) if math.isfinite(self.fraction) else 0.0
        object.__setattr__(self, "fraction", fraction)
        if self.seconds_left is not None and not math.isfinite(self.seconds_left):
            object.__setattr__(self, "seconds_left", None)

    def to_mapping(self) -> dict[str, Any]:
        """The progress as plain JSON values."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """One job as it stands. ``error`` is a sentence for the user, set when it failed."""

    job_id: str
    spec: JobSpec
    state: JobState
    progress: JobProgress
    error: str | None
    created: datetime
    started: datetime | None
    finished: datetime | None
    attempt: int
    cancel_requested: bool
    host: str | None
    pid: int | None
    heartbeat: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state in ENDED


@dataclass(frozen=True, kw_only=True)
class JobEvent:
    """One line of a job's story; they are only ever added."""

    attempt: int
    time: datetime
    kind: str
    body: dict[str, Any]


def read_record(row: Mapping[Any, Any]) -> JobRecord:
    """A line of the jobs table as a record."""
    return JobRecord(
        job_id=row["job_id"],
        spec=JobSpec.from_mapping(row["spec"]),
        state=JobState(row["state"]),
        progress=JobProgress(**row["progress"]),
        error=row["error"],
        created=datetime.fromtimestamp(row["created"], UTC),
        started=as_moment(row["started"]),
        finished=as_moment(row["finished"]),
        attempt=row["attempt"],
        cancel_requested=row["cancel_requested"] is not None,
        host=row["host"],
        pid=row["pid"],
        heartbeat=as_moment(row["heartbeat"]),
    )


def learning_curve(lines: Sequence[tuple[int, str, Mapping[str, Any]]], attempt: int | None) -> tuple[EpochRecord, ...]:
    """The epochs of an attempt, out of the (attempt, kind, body) of all attempts in their order."""
    epochs: list[EpochRecord] = []
    current: int | None = None
    for number, kind, body in lines:
        if number != current:
            # Until an attempt says what it goes on from, it begins anew.
            earlier, epochs, current = epochs, [], number
        if kind == "resumed":
            epochs = [record for record in earlier if record.epoch <= body["epoch"]]
        else:
            epochs.append(EpochRecord.from_mapping(body))
    return tuple(epochs) if current == attempt else ()


def as_moment(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as a datetime in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
