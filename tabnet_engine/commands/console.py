"""Words on the way: everything but the result goes to stderr."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tabnet_engine.jobs.monitor import Monitor
    from tabnet_engine.jobs.records import JobProgress
    from tabnet_engine.training.history import EpochRecord

__all__ = ["console_monitor", "say"]


def say(text: str) -> None:
    """One line on stderr."""
    print(text, file=sys.stderr, flush=True)


def console_monitor(phases: Mapping[str, tuple[float, float]], *, every: bool = False) -> Monitor:
    """Says where long work is.

    Args:
        phases: the parts of the work.
        every: whether every step is said, instead of the first of each phase.
    """
    from tabnet_engine.jobs.monitor import Monitor

    said: set[str] = set()

    def report(progress: JobProgress) -> None:
        line = f"{progress.phase}: {progress.message}"
        key = line if every else progress.phase
        if key not in said:
            said.add(key)
            say(line)

    def epoch(record: EpochRecord) -> None:
        validation = "" if record.validation_loss is None else f", validation {record.validation_loss:.4f}"
        say(f"epoch {record.epoch}: loss {record.train_loss:.4f}{validation} ({record.seconds:.1f} s)")

    return Monitor(report, epoch, phases=phases)
