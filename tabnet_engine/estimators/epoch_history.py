"""The epochs of a training as the columns that pytorch-tabnet's scripts plot."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from tabnet_engine.training.history import EpochRecord, History
from tabnet_engine.training.monitor import mean_score

__all__ = ["EpochHistory", "score_of"]


class EpochHistory(Mapping[str, list[float]]):
    """A list over the epochs for ``loss``, ``lr`` and each score of each evaluation set (``val_0_auc``).

    ``loss`` is the task's training loss without the sparsity term; for a quantity it is in squared standard
    deviations of the target. With several targets a score is the mean over the targets that have it, and
    ``val_0_auc of <target>`` is that of one. A score that the rows do not define is NaN.

    Args:
        history: what training recorded.
        names: of the evaluation sets.
        scores: of the scores by the caller's name, with the engine's name of each.
    """

    def __init__(self, history: History, names: Sequence[str], scores: Mapping[str, str]) -> None:
        self.history: dict[str, list[float]] = {
            "loss": [record.train_loss for record in history],
            "lr": [record.learning_rate for record in history],
        }
        for name in names:
            for shown, key in scores.items():
                self.history[f"{name}_{shown}"] = [score_of(record, name, key) for record in history]
                for target in _targets(history, name, key):
                    values = [score_of(record, name, f"{target}: {key}") for record in history]
                    self.history[f"{name}_{shown} of {target}"] = values

    def __getitem__(self, name: str) -> list[float]:
        return self.history[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.history)

    def __len__(self) -> int:
        return len(self.history)

    def __repr__(self) -> str:
        return repr(self.history)


def score_of(record: EpochRecord, name: str, key: str) -> float:
    """One score of an evaluation set, or its mean over the targets that have it; NaN where undefined.

    A name that is no evaluation set's stands for the rows that a pretraining holds out.
    """
    scores = record.evaluation.get(name, {**record.validation, "loss": record.validation_loss})
    value = mean_score(key, scores)
    return math.nan if value is None else value


def _targets(history: History, name: str, key: str) -> list[str]:
    """The targets that have a score of their own; none where there is one target only."""
    first = next(iter(history), None)
    scores = {} if first is None else first.evaluation.get(name, {})
    return [score.removesuffix(f": {key}") for score in scores if score.endswith(f": {key}")]
