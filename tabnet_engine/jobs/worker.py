"""The worker program: ``python -m tabnet_engine.jobs.worker JOB_ID --workspace DIR``.

It does one job, says in the database how it went, and starts the next one that waits. Exit code 0 when
the job was done or cancelled, 1 when it failed, 2 when the job is not this worker's or the workspace
cannot be used.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn, cast

from tabnet_engine.errors import EngineError, JobCancelledError, StorageError, UserError
from tabnet_engine.jobs.checkpoints import sweep_checkpoints
from tabnet_engine.jobs.claim import Claim
from tabnet_engine.jobs.context import JobContext, Pulse, TaskTable
from tabnet_engine.jobs.launcher import DEFAULT_TASKS, LocalLauncher
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.records import JobState
from tabnet_engine.runs.parts import explain_os_error
from tabnet_engine.runs.workspace import Workspace

__all__ = ["load_tasks", "main", "run_job"]

INTERNAL_ERROR = "an error inside the program, not in your table or settings; the log of this job has the details"
OUT_OF_MEMORY = "the memory was not enough; choose a smaller batch_size or a smaller model, or use fewer rows"

_log = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Do one job and return the exit code."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    faulthandler.enable()
    signal.signal(signal.SIGTERM, _leave)
    try:
        workspace = Workspace.open(arguments.workspace)
        launcher = LocalLauncher(slots=arguments.slots, tasks=arguments.tasks)
        queue = JobQueue(workspace, launcher=launcher, slots=arguments.slots)
        claim = queue.claim(arguments.job_id)
        state = run_job(queue, claim, arguments.tasks, end_process=lambda: _end_process(claim))
        sweep_checkpoints(workspace)
        queue.reconcile()
    except EngineError as error:
        _log.error("%s", error)
        return 2
    return 1 if state is JobState.FAILED else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tabnet_engine.jobs.worker", description="Do one job.")
    parser.add_argument("job_id")
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--slots", type=int, default=1, help="jobs that may run at the same time")
    parser.add_argument("--tasks", default=DEFAULT_TASKS, metavar="MODULE:ATTRIBUTE", help="what each kind of job does")
    return parser


def run_job(
    queue: JobQueue, claim: Claim, tasks: str | TaskTable, *, end_process: Callable[[], None] = lambda: None
) -> JobState:
    """Do a claimed job in this process, and record how it ended.

    Args:
        queue: the job's queue.
        claim: the job.
        tasks: what each kind of job does, or ``module:attribute`` where that is found.
        end_process: called when the task ignores a cancel for long.

    Returns:
        How it ended.

    Raises:
        StorageError: the end could not be recorded.
    """
    _log.info("job %s, attempt %d: %s %r", claim.job_id, claim.attempt, claim.spec.kind, claim.spec.title)
    with Pulse(claim, end_process) as pulse:
        ended, sentence = _do(JobContext(queue.workspace, claim.spec, claim, pulse), tasks)
    try:
        if ended is JobState.SUCCEEDED:
            claim.finish(pulse.latest)
        elif ended is JobState.FAILED:
            claim.fail(sentence)
        else:
            claim.cancelled()
    except JobCancelledError as error:
        _log.info("%s", error)
        return JobState.CANCELLED
    return ended


def _do(context: JobContext, tasks: str | TaskTable) -> tuple[JobState, str]:
    """Do the task; how it ended, and for a failure the sentence for the user."""
    try:
        table = load_tasks(tasks) if isinstance(tasks, str) else tasks
        table[context.spec.kind](context)
    except JobCancelledError:
        return JobState.CANCELLED, ""
    except (UserError, StorageError) as error:
        _log.info("failed", exc_info=True)
        return JobState.FAILED, str(error)
    except OSError as error:
        _log.exception("failed")
        return JobState.FAILED, explain_os_error(error, f"finish {context.spec.title!r}")
    except Exception as error:  # noqa: BLE001 - whatever it is, the user must learn that the job failed
        _log.exception("failed")
        return JobState.FAILED, OUT_OF_MEMORY if _is_out_of_memory(error) else INTERNAL_ERROR
    return JobState.SUCCEEDED, ""


def load_tasks(place: str) -> TaskTable:
    """The tasks at ``module:attribute``; imported only now, since the real ones bring torch."""
    module, _, attribute = place.partition(":")
    return cast("TaskTable", getattr(importlib.import_module(module), attribute))


def _is_out_of_memory(error: Exception) -> bool:
    # torch's own error, without importing torch for it; on the CPU it is a plain RuntimeError.
    told = any(phrase in str(error) for phrase in ("not enough memory", "can't allocate memory"))
    return told or isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    """On SIGTERM unwind, so that temporary folders are removed; the state stays for reconcile to judge."""
    sys.exit(128 + signal.SIGTERM)


def _end_process(claim: Claim) -> None:
    """Record the cancel that the task would not heed, and end with everything it started."""
    try:
        claim.cancelled()
    finally:
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpgrp(), signal.SIGKILL)
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
