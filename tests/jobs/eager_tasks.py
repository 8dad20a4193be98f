"""The real tasks, keeping a checkpoint after every epoch, so that a short training can be killed half way."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

from tabnet_engine.jobs import pipeline, pretraining, tasks
from tabnet_engine.jobs.context import JobContext, Task
from tabnet_engine.training.options import FitOptions

__all__ = ["TASKS"]


def every_epoch(checkpoint: Path | None) -> FitOptions:
    return FitOptions(checkpoint=checkpoint, checkpoint_seconds=0.0, resume=checkpoint is not None)


def eagerly(task: Task) -> Task:
    """The task with eager checkpoints; nothing is changed for whoever only imports this."""

    def run(context: JobContext) -> None:
        eager = [mock.patch.object(module, "fit_options", every_epoch) for module in (pipeline, pretraining)]
        with eager[0], eager[1]:
            task(context)

    return run


TASKS = {kind: eagerly(task) for kind, task in tasks.TASKS.items()}
