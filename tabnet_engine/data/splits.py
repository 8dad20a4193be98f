"""Training, validation and test rows: seeded, stratified, stored with the run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.errors import SchemaError

__all__ = ["MIN_ROWS", "Splits", "make_splits"]

MIN_ROWS = 10


@dataclass(frozen=True, eq=False)
class Splits:
    """Row positions (int64, ascending) of the three parts; together every usable row once."""

    train: npt.NDArray[np.int64]
    validation: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]

    def of(self, rows: npt.NDArray[np.int64]) -> Splits:
        """The same parts as positions in a larger table, of which only ``rows`` were split."""
        return Splits(rows[self.train], rows[self.validation], rows[self.test])


def make_splits(y: npt.ArrayLike, task: Task, *, validation_fraction: float, test_fraction: float, seed: int) -> Splits:
    """Deal the rows out at random.

    Classes keep their shares in every part, as closely as whole rows allow, and each class keeps at
    least one training row however rare it is. The same arguments give the same parts.

    Args:
        y: the target of each usable row (B).
        task: a regression is not stratified.
        validation_fraction: share of all rows that choose the best epoch, above 0.
        test_fraction: share of all rows that are kept for the final test; 0 keeps none.
        seed: of the random order.

    Raises:
        SchemaError: fewer than :data:`MIN_ROWS` rows, or too few rows in each class to fill every part.
    """
    values = np.asarray(y)
    if len(values) < MIN_ROWS:
        raise SchemaError(f"the table has {len(values)} rows with a target; at least {MIN_ROWS} are needed to train")
    groups = np.zeros(len(values), dtype=np.int64)
    if task is not Task.REGRESSION:
        groups = np.unique(values, return_inverse=True)[1]
    counts = np.bincount(groups)
    n_test = np.minimum(_deal(counts, test_fraction), counts - 1)
    n_validation = np.minimum(_deal(counts, validation_fraction), counts - 1 - n_test)
    n_train = int(counts.sum() - n_validation.sum() - n_test.sum())
    if n_train < 2 or n_validation.sum() == 0 or (test_fraction > 0 and n_test.sum() == 0):
        kinds = "" if task is Task.REGRESSION else f" in {len(counts)} classes"
        raise SchemaError(
            f"{len(values)} rows{kinds} are too few to set training, validation and test rows apart; add rows, "
            "merge rare classes, or keep less for validation and test"
        )
    return _cut(groups, n_test, n_validation, np.random.default_rng(seed))


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
