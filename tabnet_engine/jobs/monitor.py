"""How long work tells where it is, and learns that it should stop."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tabnet_engine.explain.subject import Steering
from tabnet_engine.jobs.records import JobProgress
from tabnet_engine.texts.speaking import msg, say
from tabnet_engine.training.callbacks import Callback, Cancellation, Progress, ProgressReport, TrainingState

if TYPE_CHECKING:
    from tabnet_engine.training.history import EpochRecord

__all__ = ["COMPARING", "EXPLAINING", "PRETRAINING", "TRAINING", "Monitor"]

Phases = Mapping[str, tuple[float, float]]

# Where each phase starts and ends on the bar of the whole job; training is by far the longest.
TRAINING: Phases = {msg("Training"): (0.0, 0.7), msg("Explaining"): (0.7, 1.0)}
EXPLAINING: Phases = {"Explaining": (0.0, 1.0)}
PRETRAINING: Phases = {msg("Pretraining"): (0.0, 1.0)}
COMPARING: Phases = {msg("Comparing"): (0.0, 1.0)}
# Whole sentences, as they are stored and said in other languages.
_COUNTED = {
    "rows": msg("{done:,} of {total:,} rows"),
    "columns": msg("{done:,} of {total:,} columns"),
    "steps": msg("{done:,} of {total:,} steps"),
    "groups": msg("{done:,} of {total:,} groups"),
    "trainings": msg("{done:,} of {total:,} trainings"),
    "reports": msg("{done:,} of {total:,} reports"),
}


def _ignore(*_: Any) -> None:
    """Nobody listens."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Monitor:
    """Who listens to long work, and what it consists of.

    ``report`` gets every progress, ``epoch`` each finished epoch, ``resumed`` the last epoch of an earlier
    attempt where a training goes on from it; ``should_cancel`` is asked at every batch and between explained
    rows. ``phases`` are the parts of the work on its bar.
    """

    report: Callable[[JobProgress], None] = _ignore
    epoch: Callable[[EpochRecord], None] = _ignore
    should_cancel: Callable[[], bool] = _never
    resumed: Callable[[int], None] = _ignore
    phases: Phases = field(default_factory=lambda: TRAINING)

    def callbacks(self, phase: str = "Training") -> tuple[Callback, ...]:
        """The callbacks of a training that this monitor follows as ``phase``."""
        epochs = _Epochs(self, phase)
        return Cancellation(self.should_cancel), epochs, Progress(epochs.follow)

    def begin(self, phase: str, message: str) -> None:
        """Say that a phase begins."""
        self.report(JobProgress(phase=phase, fraction=self.overall(phase, 0.0), message=message))

    def steering(self, phase: str, what: str = "rows") -> Steering:
        """How explaining rows, or other things that are counted, is followed in ``phase``."""
        return Steering(self.counter(phase, what), self.should_cancel)

    def counter(self, phase: str, what: str) -> Callable[[int, int], None]:
        """A function to tell how many of all are done; ``what``: a key of the counted things."""
        started = time.monotonic()

        def progress(done: int, total: int) -> None:
            share = done / max(total, 1)
            elapsed = time.monotonic() - started
            left = elapsed / share * (1 - share) if share > 0 else None
            message = say(_COUNTED[what], done=done, total=total)
            fraction = self.overall(phase, share)
            self.report(JobProgress(phase=phase, fraction=fraction, message=message, seconds_left=left))

        return progress

    def split(self, phase: str, shares: Mapping[str, float]) -> Monitor:
        """The same monitor with one phase cut into consecutive parts.

        Args:
            phase: the phase to cut.
            shares: how long each part is, by its name, in any unit.
        """
        total, done, parts = sum(shares.values()), 0.0, {}
        for name, share in shares.items():
            start, done = done, done + share
            parts[name] = (self.overall(phase, start / total), self.overall(phase, done / total))
        kept = {name: bounds for name, bounds in self.phases.items() if name != phase}
        return dataclasses.replace(self, phases={**kept, **parts})

    def overall(self, phase: str, share: float) -> float:
        """Where a share of one phase stands on the bar of the whole work."""
        start, stop = self.phases[phase]
        return start + share * (stop - start)


class _Epochs(Callback):
    """Turns what a training does into the progress of its job."""

    def __init__(self, monitor: Monitor, phase: str) -> None:
        self._monitor = monitor
        self._phase = phase
        self._resumed = 0

    def on_train_begin(self, state: TrainingState) -> None:
        """Say so when the training goes on after an epoch of an earlier attempt."""
        if state.resumed_from:
            self._resumed = state.resumed_from
            self._monitor.resumed(state.resumed_from)

    def follow(self, report: ProgressReport) -> None:
        """Report how far the training is."""
        self._monitor.report(
            JobProgress(
                phase=self._phase,
                fraction=self._monitor.overall(self._phase, report.fraction),
                message=self._told(report),
                epoch=report.epoch,
                max_epochs=report.max_epochs,
                seconds_left=report.seconds_left,
            )
        )
        if report.record is not None:
            self._monitor.epoch(report.record)

    def _told(self, report: ProgressReport) -> str:
        numbers = {"epoch": report.epoch, "most": report.max_epochs}
        if not self._resumed:
            return say("epoch {epoch:d} of at most {most:d}", **numbers)
        return say("epoch {epoch:d} of at most {most:d}, resumed from epoch {first:d}", **numbers, first=self._resumed)
