"""Starting a worker on this machine so that it outlives whoever started it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tabnet_engine.jobs.processes import ProcessIdentity

__all__ = ["DEFAULT_TASKS", "Launcher", "LocalLauncher", "log_file"]

DEFAULT_TASKS = "tabnet_engine.jobs.tasks:TASKS"
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


def log_file(workspace_root: Path, job_id: str) -> Path:
    """Where the worker of a job writes what it has to say to us, tracebacks included."""
    return workspace_root / "logs" / f"{job_id}.log"


class Launcher(Protocol):
    """Starts the worker program for a job, here or elsewhere."""

    def start(self, workspace_root: Path, job_id: str) -> ProcessIdentity:
        """Start the worker and return at once.

        Raises:
            OSError: it could not be started.
        """
        ...

    def stop(self, process: ProcessIdentity, *, force: bool) -> None:
        """Ask (or, with ``force``, make) the worker and its children end."""
        ...


@dataclass(frozen=True)
class LocalLauncher:
    """A detached process on this machine.

    Args:
        slots: handed on, so that a worker that ends starts as many others as its queue would.
        tasks: ``module:attribute`` of the tasks that the worker knows.
    """

    slots: int = 1
    tasks: str = DEFAULT_TASKS

    def command(self, workspace_root: Path, job_id: str) -> list[str]:
        """The program that is started."""
        worker = [sys.executable, "-m", "tabnet_engine.jobs.worker", job_id, "--workspace", str(workspace_root)]
        return [*worker, "--slots", str(self.slots), "--tasks", self.tasks]

    def start(self, workspace_root: Path, job_id: str) -> ProcessIdentity:
        """Start the worker in a session of its own, with its log in a file.

        Raises:
            OSError: it could not be started.
        """
        log = log_file(workspace_root, job_id)
        log.parent.mkdir(parents=True, exist_ok=True)
        paths = [str(_PACKAGE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
                self.command(workspace_root, job_id),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=_PACKAGE_ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        identity = ProcessIdentity.of(process.pid)
        # An ended child stays a zombie until its parent asks for it; nobody else would.
        threading.Thread(target=process.wait, name=f"reaper-{job_id}", daemon=True).start()
        return identity

    def stop(self, process: ProcessIdentity, *, force: bool) -> None:
        """Signal the worker's process group."""
        process.stop(force=force)
