"""What a pretraining was worth: the same labelled rows learned with it and without it; read without torch."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.config import TrainingConfig
from tabnet_engine.data.encoding import TableEncoder
from tabnet_engine.data.schema import FeatureSchema, Target, Task
from tabnet_engine.data.splits import MIN_ROWS
from tabnet_engine.data.targets import TargetCodec, usable_rows
from tabnet_engine.errors import ConfigError, SchemaError

if TYPE_CHECKING:
    from tabnet_engine.training.pretrain import PretrainedModel

__all__ = ["BudgetSummary", "PretrainingWorth", "WorthRecord", "labelled_sample", "pretraining_worth"]

# The score of each task, and whether more of it is better.
METRIC_OF = {Task.BINARY: ("auc", True), Task.MULTICLASS: ("auc", True), Task.REGRESSION: ("rmse", False)}
# Fewer test rows than this would leave the comparison to chance; more than this cost time and say little more.
MIN_TEST_ROWS = 50
MAX_TEST_ROWS = 20_000
# Two-sided 95 % points: of Student's t for 1, 2, ... degrees of freedom, and of the normal distribution.
_STUDENT_95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
)  # fmt: skip
_NORMAL_95 = 1.959964


@dataclass(frozen=True, kw_only=True)
class WorthRecord:
    """One pair of trainings on the same ``budget`` labelled rows with the same ``seed``: their test scores."""

    budget: int
    seed: int
    with_pretraining: float
    without: float

    @property
    def difference(self) -> float:
        """With minus without."""
        return self.with_pretraining - self.without


@dataclass(frozen=True, kw_only=True)
class BudgetSummary:
    """All pairs of one budget.

    ``*_deviation`` are standard deviations over the seeds (None for one seed). ``difference`` is the mean of the
    paired differences, with minus without, and ``difference_low`` to ``difference_high`` its 95 % interval by
    Student's t (None for one seed).
    """

    budget: int
    n_seeds: int
    with_mean: float
    with_deviation: float | None
    without_mean: float
    without_deviation: float | None
    difference: float
    difference_deviation: float | None
    difference_low: float | None
    difference_high: float | None


@dataclass(frozen=True, kw_only=True)
class PretrainingWorth:
    """Test scores with and without a pretraining, for some budgets of labelled rows and some seeds.

    ``metric`` names the score (of ``target``), ``greater_is_better`` its direction. All pairs were tested on
    the same ``n_test`` rows; ``test_rows_unseen`` says that the pretraining did not learn from their cells.
    ``notes`` are sentences for the reader.
    """

    target: str
    metric: str
    greater_is_better: bool
    n_test: int
    test_rows_unseen: bool
    records: tuple[WorthRecord, ...]
    notes: tuple[str, ...] = ()

    @property
    def budgets(self) -> tuple[int, ...]:
        """Labelled rows, few to many."""
        return tuple(sorted({record.budget for record in self.records}))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds in ascending order."""
        return tuple(sorted({record.seed for record in self.records}))

    def summary(self) -> tuple[BudgetSummary, ...]:
        """One summary for each budget, few rows to many."""
        return tuple(_summarise([r for r in self.records if r.budget == budget]) for budget in self.budgets)

    def to_mapping(self) -> dict[str, Any]:
        """The measurement as plain JSON values."""
        return dataclasses.asdict(self) | {"records": [dataclasses.asdict(record) for record in self.records]}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote.

        Raises:
            ValueError: a part is missing or is not what a measurement holds.
        """
        try:
            return cls(
                target=str(values["target"]),
                metric=str(values["metric"]),
                greater_is_better=bool(values["greater_is_better"]),
                n_test=int(values["n_test"]),
                test_rows_unseen=bool(values["test_rows_unseen"]),
                records=tuple(_record(item) for item in values["records"]),
                notes=tuple(map(str, values["notes"])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"what the pretraining was worth cannot be read: {error}") from error


def _record(item: Mapping[str, Any]) -> WorthRecord:
    scores = {key: float(item[key]) for key in ("with_pretraining", "without")}
    if not all(map(math.isfinite, scores.values())):
        raise ValueError(f"a score must be finite, got {scores}")
    return WorthRecord(budget=int(item["budget"]), seed=int(item["seed"]), **scores)


def _summarise(records: list[WorthRecord]) -> BudgetSummary:
    pretrained, plain, differences = (
        [getattr(record, name) for record in records] for name in ("with_pretraining", "without", "difference")
    )
    mean, spread = float(np.mean(differences)), _deviation(differences)
    reach = None if spread is None else _student(len(records) - 1) * spread / math.sqrt(len(records))
    return BudgetSummary(
        budget=records[0].budget,
        n_seeds=len(records),
        with_mean=float(np.mean(pretrained)),
        with_deviation=_deviation(pretrained),
        without_mean=float(np.mean(plain)),
        without_deviation=_deviation(plain),
        difference=mean,
        difference_deviation=spread,
        difference_low=None if reach is None else mean - reach,
        difference_high=None if reach is None else mean + reach,
    )


def _deviation(values: list[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _student(freedom: int) -> float:
    if freedom <= len(_STUDENT_95):
        return _STUDENT_95[freedom - 1]
    # The first terms of the expansion around the normal (Abramowitz & Stegun 26.7.5); beyond the table off by < 0.0005.
    z = _NORMAL_95
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def pretraining_worth(
    frame: pd.DataFrame,
    schema: FeatureSchema,
    pretrained: PretrainedModel,
    training_config: TrainingConfig | Callable[[int], TrainingConfig],
    *,
    budgets: Sequence[int],
    seeds: Sequence[int],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    should_cancel: Callable[[], bool] = lambda: False,
) -> PretrainingWorth:
    """Train on a few labelled rows with the pretraining and without it, and compare on the same test rows.

    Both trainings of a pair have the same rows, architecture, settings and reading of the columns; they differ
    in their first weights alone (and without a pretraining nothing is frozen). A budget counts all labelled rows
    that a training sees, those that choose its best epoch included; the rows of a smaller budget are among those
    of a larger one. The test rows are those that validated the pretraining where it came from this table.

    Args:
        frame: the labelled table.
        schema: its columns and one target.
        pretrained: what is to be measured.
        training_config: how to train, for every budget or as a function of the budget; its seed is replaced.
        budgets: numbers of labelled rows.
        seeds: one pair of trainings for each, at each budget.
        progress: told the trainings done and all of them, before the first and after each.
        should_cancel: asked before every batch.

    Raises:
        ConfigError: no budget or seed, or a budget that the table cannot fill.
        SchemaError: no target or several, or columns that do not fit the pretraining.
        JobCancelledError: the answer was yes.
    """
    target = _only_target(schema)
    rows, note = usable_rows(frame, schema)
    codec = TargetCodec.fit(frame, schema, rows)
    pool, test, unseen = _set_apart(rows, pretrained, same_table=_learned_from(pretrained, frame))
    chosen = _checked(budgets, seeds, len(pool))
    pair = _Pair(frame, schema, pretrained, test, should_cancel)
    total, done, records = 2 * len(chosen), 0, []
    progress(0, total)
    for budget, seed in chosen:
        config = training_config(budget) if callable(training_config) else training_config
        sample = labelled_sample(codec.encode(frame, rows=pool), codec.task, budget, seed)
        scores = []
        for with_pretraining in (True, False):
            scores.append(pair.score(pool[sample], config.replace(seed=seed), with_pretraining=with_pretraining))
            done += 1
            progress(done, total)
        records.append(WorthRecord(budget=budget, seed=seed, with_pretraining=scores[0], without=scores[1]))
    metric, greater = METRIC_OF[target.task]
    return PretrainingWorth(
        target=target.name,
        metric=metric,
        greater_is_better=greater,
        n_test=len(test),
        test_rows_unseen=unseen,
        records=tuple(records),
        notes=() if note is None else (note,),
    )


@dataclass(frozen=True)
class _Pair:
    """What both trainings of every pair share."""

    frame: pd.DataFrame
    schema: FeatureSchema
    pretrained: PretrainedModel
    test: npt.NDArray[np.int64]
    should_cancel: Callable[[], bool]

    def score(self, rows: npt.NDArray[np.int64], config: TrainingConfig, *, with_pretraining: bool) -> float:
        """The test score of one training.

        Raises:
            ConfigError: the test rows do not define the score.
        """
        from tabnet_engine.training.callbacks import Cancellation
        from tabnet_engine.training.experiment import train_model

        start = self.pretrained if with_pretraining else _untrained(self.pretrained, config.seed)
        model = train_model(
            self.frame.iloc[rows],
            self.schema,
            self.pretrained.model_config,
            config if with_pretraining else config.replace(freeze_epochs=0),
            test_frame=self.frame.iloc[self.test],
            callbacks=(Cancellation(self.should_cancel),),
            pretrained=start,
        )
        name, _ = METRIC_OF[_only_target(self.schema).task]
        value = model.metrics["test"][name]
        if value is None:
            raise ConfigError(f"the {len(self.test)} test rows do not define {name!r}; they may hold one class only")
        return value


def _untrained(pretrained: PretrainedModel, seed: int) -> PretrainedModel:
    """The same reading of the columns and the same architecture, with fresh weights."""
    from tabnet_engine.training.pretrain import build_autoencoder

    config = pretrained.config.replace(seed=seed)
    network = build_autoencoder(pretrained.encoder, pretrained.model_config, config)
    return dataclasses.replace(pretrained, network=network)


def labelled_sample(y: npt.NDArray[Any], task: Task, budget: int, seed: int) -> npt.NDArray[np.int64]:
    """Positions of so many rows, drawn at random; classes keep their shares, and each has at least one row.

    The same seed with a larger budget gives the same rows and more.

    Args:
        y: (B,) class codes or numbers.
        task: a regression is not stratified.
        budget: how many.
        seed: of the draw.
    """
    shuffled = np.random.default_rng(seed).permutation(len(y))
    groups = np.zeros(len(y), dtype=np.int64) if task is Task.REGRESSION else np.asarray(y)[shuffled]
    order = np.argsort(groups, kind="stable")
    counts = np.bincount(groups)[groups[order]]
    first = np.searchsorted(groups[order], groups[order])
    place = np.empty(len(y))
    place[order] = (np.arange(len(y)) - first) / counts
    return np.sort(shuffled[np.argsort(place, kind="stable")[:budget]]).astype(np.int64)


def _only_target(schema: FeatureSchema) -> Target:
    if len(schema.targets) != 1:
        names = ", ".join(target.name for target in schema.targets) or "none"
        raise SchemaError(f"what a pretraining was worth is measured on one target; chosen are: {names}")
    return schema.targets[0]


def _learned_from(pretrained: PretrainedModel, frame: pd.DataFrame) -> bool:
    """Whether this is the table of the pretraining, row for row as far as its training rows can tell."""
    splits, encoder = pretrained.splits, pretrained.encoder
    if len(splits.train) + len(splits.validation) + len(splits.test) != len(frame):
        return False
    read_again = TableEncoder.fit(frame, encoder.schema, rows=splits.train, n_bins=pretrained.model_config.n_bins)
    return read_again == encoder


def _set_apart(
    rows: npt.NDArray[np.int64], pretrained: PretrainedModel, *, same_table: bool
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], bool]:
    """Labelled rows to draw from, test rows, and whether the pretraining did not learn from these."""
    unseen = np.intersect1d(rows, pretrained.splits.validation) if same_table else rows[:0]
    same = len(unseen) >= MIN_TEST_ROWS
    if same:
        test = unseen
    else:
        shuffled = np.random.default_rng(pretrained.config.seed).permutation(rows)
        test = shuffled[: max(1, len(rows) // 5)]
    test = np.sort(np.random.default_rng(0).permutation(test)[:MAX_TEST_ROWS])
    return np.setdiff1d(rows, unseen if same else test), test, same


def _checked(budgets: Sequence[int], seeds: Sequence[int], available: int) -> list[tuple[int, int]]:
    """All pairs of budget and seed, few rows first."""
    if not budgets or not seeds:
        raise ConfigError("give at least one budget of labelled rows and one seed")
    for budget in budgets:
        if budget < MIN_ROWS:
            raise ConfigError(f"a budget must be at least {MIN_ROWS} labelled rows, got {budget:,}")
        if budget > available:
            raise ConfigError(
                f"a budget of {budget:,} labelled rows is more than the table has beside its test rows; "
                f"choose at most {available:,}"
            )
    return [(budget, seed) for budget in sorted(set(budgets)) for seed in sorted(set(seeds))]
