"""The real tasks, keeping a checkpoint after every epoch, so that a short training can be killed half way."""

from __future__ import annotations

from pathlib import Path

from tabnet_engine.jobs import pipeline, pretraining
from tabnet_engine.jobs.tasks import TASKS
from tabnet_engine.training.options import FitOptions

__all__ = ["TASKS"]


def every_epoch(checkpoint: Path | None) -> FitOptions:
    return FitOptions(checkpoint=checkpoint, checkpoint_seconds=0.0, resume=True)


pipeline.fit_options = every_epoch
pretraining.fit_options = every_epoch
