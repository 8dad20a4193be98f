"""What the reconstructions of a pretraining rest on, as a job: five measurements on one bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabnet_engine.explain.autoencoder.explanation import AutoencoderSettings
from tabnet_engine.explain.autoencoder.stored import explain_autoencoder_run
from tabnet_engine.explain.subject import Steering
from tabnet_engine.jobs.monitor import Monitor
from tabnet_engine.jobs.records import JobProgress
from tabnet_engine.runs.run import Run
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["explain_pretraining"]

_PHASE = "Explaining"
# In the order of measuring; the last two only where they are wanted and possible.
_PARTS = (
    msg("permutation"),
    msg("zeroing"),
    msg("Shapley values"),
    msg("Shapley values of the error"),
    msg("latents"),
)


def explain_pretraining(run: Run, frame: pd.DataFrame, settings: AutoencoderSettings, monitor: Monitor) -> Run:
    """Explain a stored pretraining on its own table and keep the result with it.

    Args:
        run: a pretraining.
        frame: the table that it was pretrained on.
        settings: how much is measured.
        monitor: follows the work.

    Raises:
        ExplanationError: the run is no pretraining, or the table is not its own.
        SchemaError: a column that the run reads is missing.
        JobCancelledError: the monitor asked to stop; the run stays as it was.
    """
    names = _PARTS if settings.n_shapley_rows else (*_PARTS[:2], _PARTS[-1])
    steering = Steering(_Parts(monitor, names), monitor.should_cancel)
    return explain_autoencoder_run(run, frame, settings, steering=steering)[0]


class _Parts:
    """Measurements that each count their own steps from the start, one after the other on one bar."""

    def __init__(self, monitor: Monitor, names: tuple[str, ...]) -> None:
        self._monitor, self._names = monitor, names
        self._part, self._last = 0, 0

    def __call__(self, done: int, total: int) -> None:
        if done < self._last:
            self._part = min(self._part + 1, len(self._names) - 1)
        self._last = done
        share = (self._part + done / max(total, 1)) / len(self._names)
        fraction = self._monitor.overall(_PHASE, share)
        message = say("{part}: {done:,} of {total:,}", part=self._names[self._part], done=done, total=total)
        self._monitor.report(JobProgress(phase=_PHASE, fraction=fraction, message=message))
