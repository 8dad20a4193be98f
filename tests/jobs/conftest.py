from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tabnet_engine.jobs.launcher import LocalLauncher
from tabnet_engine.jobs.processes import ProcessIdentity
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.records import JobRecord, JobState
from tabnet_engine.jobs.spec import JobSpec
from tabnet_engine.runs.database import stored_datasets, writing
from tabnet_engine.runs.workspace import Workspace

FAKE_TASKS = "tests.jobs.fake_tasks:TASKS"


def explain(title: str = "quick", run_id: str = "run-1", dataset_id: str | None = None) -> JobSpec:
    return JobSpec("explain", dataset_id, run_id, title)


@dataclass
class NoLauncher:
    """Starts nothing: jobs are marked as started, and tests play the workers."""

    started: list[str] = field(default_factory=list)
    stopped: list[tuple[int, bool]] = field(default_factory=list)
    process: ProcessIdentity = field(default_factory=ProcessIdentity.own)

    def start(self, workspace_root: Path, job_id: str) -> ProcessIdentity:
        self.started.append(job_id)
        return self.process

    def stop(self, process: ProcessIdentity, *, force: bool) -> None:
        self.stopped.append((process.pid, force))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path / "workspace")
    yield opened
    opened.close()


@pytest.fixture
def launcher() -> NoLauncher:
    return NoLauncher()


@pytest.fixture
def queue(workspace: Workspace, launcher: NoLauncher) -> JobQueue:
    return JobQueue(workspace, launcher=launcher)


@pytest.fixture
def add_dataset(workspace: Workspace) -> Callable[[str], str]:
    """A dataset as far as the database knows."""

    def add(dataset_id: str) -> str:
        row = {
            "dataset_id": dataset_id,
            "name": dataset_id,
            "sha256": "",
            "created": "2026",
            "options": {},
            "notes": [],
        }
        with writing(workspace.engine) as connection:
            connection.execute(stored_datasets.insert().values(**row, n_rows=1, n_columns=1, n_bytes=1))
        return dataset_id

    return add


@pytest.fixture
def real_queue(workspace: Workspace) -> Iterator[JobQueue]:
    """A queue that starts real workers, which do what tests/jobs/fake_tasks.py says; none outlives the test."""
    queue = JobQueue(workspace, launcher=LocalLauncher(tasks=FAKE_TASKS))
    yield queue
    for record in queue.list(states=[JobState.QUEUED]):
        queue.request_cancel(record.job_id)
    for record in queue.list(states=[JobState.RUNNING]):
        if record.pid is not None:
            ProcessIdentity.of(record.pid).stop(force=True)


def wait_for(queue: JobQueue, job_id: str, done: Callable[[JobRecord], bool], *, seconds: float = 30) -> JobRecord:
    """The job once ``done`` says so."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        record = queue.job(job_id)
        if done(record):
            return record
        time.sleep(0.02)
    raise AssertionError(f"waited in vain: {queue.job(job_id)}\n{queue.log_text(job_id)}")
