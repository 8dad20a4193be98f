"""What happened in each epoch; one JSON line an epoch, so that a reader can follow a run while it grows."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

__all__ = ["EpochRecord", "History"]


@dataclass(frozen=True, kw_only=True)
class EpochRecord:
    """One epoch.

    ``epoch`` counts from 1. ``seconds`` is the wall time of the epoch with its validation. Both losses are
    the task's loss alone, sample and class weights included, without the sparsity term, so that the two compare;
    for a regression they are in squared standard deviations of the target. ``learning_rate`` is that of the
    epoch's last batch. ``sparsity`` is the mean entropy of the masks over the training batches (paper
    eq. 3.2). ``validation`` holds the scores on the validation rows; without such rows it is empty and
    ``validation_loss`` None. ``evaluation`` holds the loss and the scores on further tables, by their names.
    """

    epoch: int
    seconds: float
    train_loss: float
    validation_loss: float | None
    learning_rate: float
    sparsity: float
    validation: dict[str, float | None]
    evaluation: dict[str, dict[str, float | None]] = field(default_factory=dict)

    def to_mapping(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote, now or before there were further tables.

        Raises:
            ValueError: a part is missing or unknown.
        """
        values = {"evaluation": {}, **values}
        names = {item.name for item in dataclasses.fields(cls)}
        if set(values) != names:
            raise ValueError(f"an epoch has {', '.join(sorted(names))}, got {', '.join(sorted(values))}")
        evaluation = {name: dict(scores) for name, scores in values["evaluation"].items()}
        return cls(**{**values, "validation": dict(values["validation"]), "evaluation": evaluation})


@dataclass(frozen=True)
class History:
    """The epochs of one training in order, and the epoch whose weights were kept.

    A network that was not trained here, an imported one, has no epochs and ``best_epoch`` 0.
    """

    records: tuple[EpochRecord, ...]
    best_epoch: int

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[EpochRecord]:
        return iter(self.records)

    @property
    def best(self) -> EpochRecord:
        """The epoch whose weights were kept.

        Raises:
            ValueError: the history does not hold that epoch.
        """
        for record in self.records:
            if record.epoch == self.best_epoch:
                return record
        raise ValueError(f"the history has no epoch {self.best_epoch}")

    def to_json_lines(self) -> str:
        """One JSON object a line, one line an epoch; the best one says so."""
        lines = [
            json.dumps({**record.to_mapping(), "best": record.epoch == self.best_epoch}, allow_nan=False)
            for record in self.records
        ]
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def from_json_lines(cls, text: str) -> Self:
        """Read what :meth:`to_json_lines` wrote.

        Raises:
            ValueError: a line is not an epoch, or not exactly one of the epochs is the best.
        """
        items = [json.loads(line) for line in text.splitlines() if line.strip()]
        if not items:
            return cls((), 0)
        best = [item["epoch"] for item in items if item.pop("best", False)]
        if len(best) != 1:
            raise ValueError(f"exactly one epoch must be marked best, found {len(best)}")
        return cls(tuple(EpochRecord.from_mapping(item) for item in items), best[0])
