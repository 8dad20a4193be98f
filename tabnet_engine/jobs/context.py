"""What a task sees of its job, and the thread that speaks to the database for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tabnet_engine.errors import JobCancelledError, StorageError
from tabnet_engine.jobs.claim import Claim
from tabnet_engine.jobs.records import JobProgress
from tabnet_engine.jobs.spec import JobSpec
from tabnet_engine.runs.workspace import Workspace
from tabnet_engine.training.history import EpochRecord

__all__ = ["JobContext", "Pulse", "Task", "TaskTable"]

TICK_SECONDS = 0.2
HEARTBEAT_SECONDS = 2.0
# A task that computes without asking whether to stop is ended with its process after this long.
STUBBORN_SECONDS = 20.0


class Pulse:
    """Writes heartbeats and the latest progress, and watches for a cancel, beside the task.

    The task itself never waits for the database: reporting at every batch costs an assignment.

    Args:
        claim: the job.
        end_process: called when the task has ignored a cancel for :data:`STUBBORN_SECONDS`.
    """

    def __init__(self, claim: Claim, end_process: Callable[[], None] = lambda: None) -> None:
        self._claim = claim
        self._end_process = end_process
        self._progress: JobProgress | None = None
        self._written: JobProgress | None = None
        self._beaten = time.monotonic()
        self._over = threading.Event()
        self._cancel = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pulse-{claim.job_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def cancelled(self) -> bool:
        """Whether the job should stop: the user asked, or it was given to another worker."""
        return self._cancel.is_set()

    @property
    def latest(self) -> JobProgress | None:
        """What the task reported last."""
        return self._progress

    def report(self, progress: JobProgress) -> None:
        """Keep the latest progress for the next tick."""
        self._progress = progress

    def _run(self) -> None:
        asked: float | None = None
        while not self._over.wait(TICK_SECONDS):
            try:
                self._tick()
            except JobCancelledError:
                self._cancel.set()
            except StorageError:
                continue  # the database may be locked or the disk full for a moment: the next tick tries again
            if self.cancelled:
                asked = asked or time.monotonic()
                if time.monotonic() - asked > STUBBORN_SECONDS:
                    self._end_process()

    def _tick(self) -> None:
        if not self.cancelled and self._claim.cancel_requested:
            self._cancel.set()
        progress = self._progress
        if progress != self._written or time.monotonic() - self._beaten > HEARTBEAT_SECONDS:
            self._claim.heartbeat(progress)
            self._written, self._beaten = progress, time.monotonic()


@dataclass(frozen=True)
class JobContext:
    """All that a task is given. Reporting is cheap: do it at every batch."""

    workspace: Workspace
    spec: JobSpec
    claim: Claim
    pulse: Pulse

    def report(self, progress: JobProgress) -> None:
        """Show how far the job is."""
        self.pulse.report(progress)

    def epoch(self, record: EpochRecord) -> None:
        """Add an epoch to the live curve.

        Raises:
            JobCancelledError: the job was given to another worker.
        """
        self.claim.add_epoch(record)

    def resumed(self, epoch: int) -> None:
        """Say that the training goes on after an epoch of an earlier attempt, whose curve stays.

        Raises:
            JobCancelledError: the job was given to another worker.
        """
        self.claim.add_event("resumed", {"epoch": epoch})

    def note(self, text: str) -> None:
        """Add a sentence to the job's story."""
        self.claim.add_event("note", {"text": text})

    def should_cancel(self) -> bool:
        """Whether to stop; answers at once, at most :data:`TICK_SECONDS` late."""
        return self.pulse.cancelled

    def raise_if_cancelled(self) -> None:
        """Stop here if the job should stop.

        Raises:
            JobCancelledError: it should.
        """
        if self.should_cancel():
            raise JobCancelledError(f"the job {self.spec.title!r} was cancelled")


Task = Callable[[JobContext], None]
TaskTable = Mapping[str, Task]
