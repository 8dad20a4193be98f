"""Where a training keeps what it needs to go on after its worker died, and when that is thrown away."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import select

from tabnet_engine.jobs.records import JobState, stored_jobs
from tabnet_engine.runs.database import reading
from tabnet_engine.runs.workspace import Workspace

__all__ = ["checkpoint_folder", "remove_checkpoint", "sweep_checkpoints"]

# A job in one of these may still go on from its checkpoint: a failed one is tried again when the user says so.
_MAY_GO_ON = (JobState.QUEUED, JobState.RUNNING, JobState.FAILED)


def checkpoint_folder(workspace: Workspace, job_id: str) -> Path:
    """The folder of one job's checkpoint; the training makes it."""
    return workspace.root / "checkpoints" / job_id


def remove_checkpoint(folder: Path) -> None:
    """Remove a checkpoint that is no longer needed; what cannot be removed now is swept later."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep_checkpoints(workspace: Workspace) -> None:
    """Remove the checkpoints of jobs that ended well, were cancelled or are gone."""
    root = workspace.root / "checkpoints"
    folders = [path for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
    if not folders:
        return
    with reading(workspace.engine) as connection:
        kept = set(
            connection.execute(select(stored_jobs.c.job_id).where(stored_jobs.c.state.in_(_MAY_GO_ON))).scalars()
        )
    for folder in folders:
        if folder.name not in kept:
            remove_checkpoint(folder)
