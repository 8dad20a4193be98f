"""Words on the way: everything but the result goes to stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tabnet_engine.jobs.monitor import Monitor
    from tabnet_engine.jobs.records import JobProgress
    from tabnet_engine.training.history import EpochRecord

__all__ = ["console_monitor", "say"]


def say(text: str) -> None:
    """One line on stderr: what could steer a terminal or begin another line is written out.

    A name may come from a file that a stranger sent.
    """
    print("".join(map(_shown, text)), file=sys.stderr, flush=True)


def _shown(char: str) -> str:
    return char if char.isprintable() else f"‹U+{ord(char):04X}›"


def console_monitor(
    phases: Mapping[str, tuple[float, float]], *, every: bool = False, seconds: float = float("inf")
) -> Monitor:
    """Says where long work is.

    Args:
        phases: the parts of the work.
        every: whether every step is said, instead of the first of each phase.
        seconds: after how long a phase is said again, with the time it still needs.
    """
    from tabnet_engine.jobs.monitor import Monitor

    said: dict[str, float] = {}

    def report(progress: JobProgress) -> None:
        line = f"{progress.phase}: {progress.message}"
        key, now = line if every else progress.phase, time.monotonic()
        if key not in said:
            said[key] = now
            say(line)
        elif not every and now - said[key] >= seconds:
            said[key] = now
            say(line + _left(progress.seconds_left))

    def epoch(record: EpochRecord) -> None:
        validation = "" if record.validation_loss is None else f", validation {record.validation_loss:.4f}"
        say(f"epoch {record.epoch}: loss {record.train_loss:.4f}{validation} ({record.seconds:.1f} s)")

    return Monitor(report, epoch, phases=phases)


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f", about {seconds:.0f} s left" if seconds < 90 else f", about {seconds / 60:.0f} min left"
