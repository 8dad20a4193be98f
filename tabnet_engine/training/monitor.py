"""Which score chooses the best epoch, and on which table it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.errors import ConfigError
from tabnet_engine.training.history import EpochRecord
from tabnet_engine.training.metrics import LOWER_IS_BETTER, METRICS, fits
from tabnet_engine.training.options import Metric

__all__ = ["Monitor", "mean_score", "resolve_monitor"]


@dataclass(frozen=True)
class Monitor:
    """A score and the table it is read on.

    Attributes:
        score: ``loss``, a score's name, or with several targets ``<target>: <score>``; a score alone is then the
            mean over the targets that have it.
        table: name of an evaluation set; None for the validation rows.
        greater_is_better: which way is better.
    """

    score: str = "loss"
    table: str | None = None
    greater_is_better: bool = False

    @classmethod
    def built_in(cls, score: str) -> Monitor:
        """One of the scores that every training has, on the validation rows."""
        return cls(score, None, score.rpartition(": ")[2] not in LOWER_IS_BETTER)

    def value(self, record: EpochRecord) -> float:
        """What an epoch reached.

        Raises:
            ConfigError: the rows do not define the score.
        """
        where, remedy = "validation rows", "a larger validation_fraction"
        if self.table is not None:
            where, remedy = f"rows of {self.table!r}", "give that table rows of every class"
        if self.table is None:
            scores = {**record.validation, "loss": record.validation_loss}
        else:
            scores = record.evaluation[self.table]
        value = mean_score(self.score, scores)
        if value is None:
            raise ConfigError(
                f"the {where} do not define {self.score!r}, by which the best epoch is chosen (they may hold "
                f"one class only); set monitor=loss or {remedy}"
            )
        return value


def resolve_monitor(
    monitor: str, targets: TargetCodecs, metrics: Iterable[Metric] = (), *, table: str | None = None
) -> Monitor:
    """The score that chooses the best epoch; ``auto`` means the loss.

    Args:
        monitor: as the settings or options name it.
        targets: of the model.
        metrics: the caller's own.
        table: name of the evaluation set that it is read on; None for the validation rows.

    Raises:
        ConfigError: no target has such a score.
    """
    if monitor in {"auto", "loss"}:
        return Monitor("loss", table)
    own = {metric.name: metric for metric in metrics}
    known = ["auto", "loss"]
    for codec in targets.codecs:
        fitting = (name for name, metric in own.items() if fits(metric, codec))
        names = dict.fromkeys((*METRICS[codec.task], *fitting))
        known += [f"{codec.name}: {name}" for name in names] if len(targets.codecs) > 1 else names
    bare = dict.fromkeys(name.rpartition(": ")[2] for name in known)
    if monitor not in known and monitor not in bare:
        what = "this model's targets" if len(targets.codecs) > 1 else f"a {targets.task} target"
        raise ConfigError(f"monitor must be one of {', '.join(bare)} for {what}, got {monitor!r}")
    name = monitor.rpartition(": ")[2]
    better = own[name].greater_is_better if name in own else name not in LOWER_IS_BETTER
    return Monitor(monitor, table, better)


def mean_score(score: str, scores: Mapping[str, float | None]) -> float | None:
    """The score itself, or its mean over the targets that have it; None as soon as one is undefined, or there is none.

    >>> mean_score("auc", {"a: auc": 0.75, "b: rmse": 2.0, "c: auc": 0.25})
    0.5
    """
    found = [scores[score]] if score in scores else [
        value for name, value in scores.items() if name.endswith(f": {score}")
    ]  # fmt: skip
    if not found or any(value is None for value in found):
        return None
    return sum(value for value in found if value is not None) / len(found)
