"""Tasks that the worker program can be pointed at; what each does is said in the job's title."""

from __future__ import annotations

import errno
import time

from tabnet_engine.errors import JobCancelledError, SchemaError
from tabnet_engine.jobs.context import JobContext
from tabnet_engine.jobs.records import JobProgress
from tabnet_engine.training.history import EpochRecord


def epoch(number: int) -> EpochRecord:
    return EpochRecord(
        epoch=number,
        seconds=0.1,
        train_loss=1.0 / number,
        validation_loss=2.0 / number,
        learning_rate=0.01,
        sparsity=0.5,
        validation={"auc": 0.9},
    )


def slow(context: JobContext) -> None:
    """Ten "epochs" of 50 batches a second, for as long as half a minute; heeds a cancel."""
    for number in range(1, 300):
        for _ in range(5):
            time.sleep(0.02)
            progress = JobProgress(phase="Training", fraction=number / 300, epoch=number, max_epochs=300)
            context.report(progress)
            context.raise_if_cancelled()
        context.epoch(epoch(number))


def quick(context: JobContext) -> None:
    context.report(JobProgress(phase="Training", fraction=0.5, message="half way"))
    context.epoch(epoch(1))
    context.note("a word")


def stubborn(_context: JobContext) -> None:
    time.sleep(60)


def user_mistake(_context: JobContext) -> None:
    raise SchemaError("the target 'y' is missing in every row; choose another target")


def disk_full(_context: JobContext) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def own_fault(_context: JobContext) -> None:
    raise ZeroDivisionError("secret detail")


def memory(_context: JobContext) -> None:
    raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")


def give_up(_context: JobContext) -> None:
    raise JobCancelledError("stopped")


BY_TITLE = {
    function.__name__: function
    for function in (slow, quick, stubborn, user_mistake, disk_full, own_fault, memory, give_up)
}


def by_title(context: JobContext) -> None:
    BY_TITLE[context.spec.title](context)


TASKS = {"explain": by_title, "train": by_title}
