"""Training, validation and test rows: seeded, stratified, stored with the run."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.data.tasks import MAX_CLASSES
from tabnet_engine.errors import SchemaError

__all__ = ["MIN_ROWS", "ROWS_PER_COMBINATION", "Splits", "make_splits"]

MIN_ROWS = 10
ROWS_PER_COMBINATION = 10

_WITH_CLASSES = frozenset({Task.BINARY, Task.MULTICLASS})


@dataclass(frozen=True, eq=False)
class Splits:
    """Row positions (int64, ascending) of the three parts; together every usable row once."""

    train: npt.NDArray[np.int64]
    validation: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]

    def of(self, rows: npt.NDArray[np.int64]) -> Splits:
        """The same parts as positions in a larger table, of which only ``rows`` were split."""
        return Splits(rows[self.train], rows[self.validation], rows[self.test])


def make_splits(
    y: npt.ArrayLike,
    task: Task,
    *,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    tasks: Sequence[Task] = (),
) -> Splits:
    """Deal the rows out at random.

    Classes keep their shares in every part, as closely as whole rows allow, and each class keeps at
    least one training row however rare it is. With several targets, combinations of classes keep their
    shares, of as many targets as leave :data:`ROWS_PER_COMBINATION` rows on average to each combination;
    every class of the others keeps a training row where one can be exchanged for it. The same arguments
    give the same parts.

    Args:
        y: the target of each usable row (B), or several targets (B, T) with classes as codes from 0.
        task: regression and pretraining are not stratified.
        validation_fraction: share of all rows that choose the best epoch, above 0.
        test_fraction: share of all rows that are kept for the final test; 0 keeps none.
        seed: of the random order.
        tasks: the task of each of several targets (T); without them a target whose values are all whole
            numbers from 0 below :data:`~tabnet_engine.data.tasks.MAX_CLASSES` is taken to have classes.

    Raises:
        SchemaError: fewer than :data:`MIN_ROWS` rows, or too few rows in each class to fill every part.
    """
    values = np.asarray(y)
    if len(values) < MIN_ROWS:
        having = "" if task is Task.PRETRAINING else " with a target"
        raise SchemaError(f"the table has {len(values)} rows{having}; at least {MIN_ROWS} are needed to train")
    classes = _class_columns(values, task, tasks)
    groups = classes[:, 0] if task in _WITH_CLASSES else _combined(classes)
    counts = np.bincount(groups)
    n_test = np.minimum(_deal(counts, test_fraction), counts - 1)
    n_validation = np.minimum(_deal(counts, validation_fraction), counts - 1 - n_test)
    n_train = int(counts.sum() - n_validation.sum() - n_test.sum())
    if n_train < 2 or n_validation.sum() == 0 or (test_fraction > 0 and n_test.sum() == 0):
        kinds = "" if len(counts) == 1 else f" in {len(counts)} classes"
        raise SchemaError(
            f"{len(values)} rows{kinds} are too few to set training, validation and test rows apart; add rows, "
            "merge rare classes, or keep less for validation and test"
        )
    parts = _cut(groups, n_test, n_validation, np.random.default_rng(seed))
    return _with_every_class(parts, classes)


def _class_columns(y: npt.NDArray[Any], task: Task, tasks: Sequence[Task]) -> npt.NDArray[np.int64]:
    """Class codes of the targets that have classes (B, C)."""
    chosen = [y] if task in _WITH_CLASSES else []
    if task is Task.MULTITASK and tasks:
        chosen = [column for column, its_task in zip(y.T, tasks, strict=True) if its_task in _WITH_CLASSES]
    elif task is Task.MULTITASK:
        chosen = [column for column in y.T if _are_codes(column)]
    codes = [np.unique(column, return_inverse=True)[1] for column in chosen]
    return np.array(codes, dtype=np.int64).reshape(len(codes), len(y)).T


def _are_codes(values: npt.NDArray[np.float64]) -> bool:
    return bool(((values >= 0) & (values < MAX_CLASSES) & (values == np.floor(values))).all())


def _combined(classes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The combination of classes within which each row is dealt out (B); one for all where there are none."""
    groups = np.zeros(len(classes), dtype=np.int64)
    for codes in classes.T:
        finer = np.unique(groups * MAX_CLASSES + codes, return_inverse=True)[1]
        if (int(finer.max()) + 1) * ROWS_PER_COMBINATION <= len(classes):
            groups = finer
    return groups


def _with_every_class(parts: Splits, classes: npt.NDArray[np.int64]) -> Splits:
    """Exchange rows until every class has a training row, where one can be spared for it."""
    for codes in classes.T:
        counts = np.bincount(codes[parts.train], minlength=int(codes.max()) + 1)
        for code in np.flatnonzero(counts == 0):
            parts = _fetch(parts, classes, codes == code)
    return parts


def _fetch(parts: Splits, classes: npt.NDArray[np.int64], wanted: npt.NDArray[np.bool_]) -> Splits:
    """One wanted row moves into training, for one whose classes all have another training row."""
    spare = np.ones(len(parts.train), dtype=bool)
    for codes in classes.T:
        spare &= np.bincount(codes[parts.train], minlength=int(codes.max()) + 1)[codes[parts.train]] > 1
    if not spare.any():
        return parts
    given = parts.train[np.argmax(spare)]
    name = "validation" if wanted[parts.validation].any() else "test"
    donor = getattr(parts, name)
    taken = donor[np.argmax(wanted[donor])]
    changed = {"train": np.sort(np.where(parts.train == given, taken, parts.train))}
    changed[name] = np.sort(np.where(donor == taken, given, donor))
    return dataclasses.replace(parts, **changed)


def _deal(counts: npt.NDArray[np.int64], fraction: float) -> npt.NDArray[np.int64]:
    """Rows of each class for one part: rounded down, the rest to the largest remainders."""
    if fraction == 0:
        return np.zeros_like(counts)
    exact = counts * fraction
    rows: npt.NDArray[np.int64] = np.floor(exact).astype(np.int64)
    rest = max(1, round(float(exact.sum()))) - int(rows.sum())
    # Ties go to the larger class, which can better spare a row.
    order = np.lexsort((-counts, -(exact - rows)))
    rows[order[: max(0, rest)]] += 1
    return rows


def _cut(
    groups: npt.NDArray[np.int64],
    n_test: npt.NDArray[np.int64],
    n_validation: npt.NDArray[np.int64],
    generator: np.random.Generator,
) -> Splits:
    """Shuffle, gather each class, and give its first rows to test, the next to validation."""
    shuffled = generator.permutation(len(groups))
    by_class = shuffled[np.argsort(groups[shuffled], kind="stable")]
    counts = np.bincount(groups)
    group = groups[by_class]
    rank = np.arange(len(groups)) - np.repeat(np.cumsum(counts) - counts, counts)
    in_test = rank < n_test[group]
    in_validation = ~in_test & (rank < (n_test + n_validation)[group])
    parts = (by_class[~in_test & ~in_validation], by_class[in_validation], by_class[in_test])
    train, validation, test = (np.sort(part).astype(np.int64) for part in parts)
    return Splits(train, validation, test)
