"""A line about an epoch on standard output, for those who ask for it."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from tabnet_engine.estimators.epoch_history import score_of
from tabnet_engine.estimators.metrics import ChosenMetrics
from tabnet_engine.training.callbacks import Callback, TrainingState

__all__ = ["EpochLines"]


@dataclass
class EpochLines(Callback):
    """Writes every ``interval``-th epoch's loss and scores."""

    interval: int
    names: tuple[str, ...]
    metrics: ChosenMetrics

    def on_epoch_end(self, state: TrainingState) -> None:
        """Write."""
        record = state.record
        if record is None or (state.epoch - 1) % self.interval:
            return
        parts = [f"epoch {record.epoch - 1:<3}", f"loss: {record.train_loss:.5f}"]
        for name in self.names:
            for shown, key in zip(self.metrics.names, self.metrics.keys, strict=True):
                parts.append(f"{name}_{shown}: {score_of(record, name, key):.5f}")
        sys.stdout.write(" | ".join(parts) + "\n")
