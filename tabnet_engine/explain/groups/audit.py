"""What a model does to the groups of a protected column: the record, for pages and reports. No torch.

Shapes: B rows, G groups, P players of an attribution, K outputs. These are facts about groups; whether a difference
is just or allowed is not for a number to say.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.groups.spread import AttributionSpread
from tabnet_engine.explain.wording import amount, column_name, joined, percent

__all__ = ["MEASURES", "SMALL_GROUP", "GroupAudit", "GroupDifference", "GroupRecord"]

SMALL_GROUP = 50  # with fewer rows a group's figures are said to rest on few
_MOST_NAMED = 8
FOUR_FIFTHS = 0.8  # 29 CFR 1607.4(D): a selection rate below four fifths of the highest is looked into

MEASURES: Mapping[str, str] = {
    "auc": "area under the ROC curve",
    "accuracy": "share of rows given the right class",
    "balanced_accuracy": "mean recall of the classes",
    "log_loss": "mean of minus the log of the probability of what came",
    "rmse": "root of the mean squared error, in the target's unit",
    "mae": "mean absolute error, in the target's unit",
    "r2": "share of the variance explained",
    "mse": "mean squared error",
    "rmsle": "root of the mean squared error of log(1 + y)",
    "calibration_in_the_large": "outcome minus prediction on average (of a binary target: of its positive class); "
    "above 0 the prediction is too low",
    "calibration_slope": "slope of outcomes on predictions; 1 is right, below 1 predictions are too extreme",
    "calibration_error": "expected calibration error over bins of equally many rows",
    "calibration_error_by_chance": "the same for perfectly calibrated predictions of as many rows",
    "favourable_rate": "share of rows whose outcome was the favourable one",
    "selection_rate": "share of rows that are selected",
    "selection_ratio": "selection rate divided by that of the reference group",
    "selection_difference": "selection rate minus that of the reference group",
    "false_positive_rate": "share selected among rows whose outcome was not favourable",
    "false_negative_rate": "share not selected among rows whose outcome was favourable",
}


@dataclass(frozen=True, kw_only=True)
class GroupRecord:
    """One group: its rows, those with a known outcome, and each measure with its interval."""

    name: str
    n_rows: int
    n_known: int
    measures: Mapping[str, Estimate]

    @property
    def is_small(self) -> bool:
        """Whether it has so few rows with a known outcome that its figures say little."""
        return self.n_known < SMALL_GROUP

    def to_mapping(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        measures = {name: estimate.to_mapping() for name, estimate in self.measures.items()}
        return {"name": self.name, "n_rows": self.n_rows, "n_known": self.n_known, "measures": measures}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            name=str(values["name"]),
            n_rows=int(values["n_rows"]),
            n_known=int(values["n_known"]),
            measures={name: Estimate.from_mapping(item) for name, item in values["measures"].items()},
        )


@dataclass(frozen=True, kw_only=True)
class GroupDifference:
    """A group's mean of something minus that of all other rows.

    ``p_adjusted`` is the probability of a difference as large where there is none, corrected for looking at every
    group and measure of the audit (Holm 1979).
    """

    group: str
    measure: str
    difference: Estimate
    p_adjusted: float

    @property
    def is_told_apart(self) -> bool:
        """Whether the difference is more than chance would make of it, in 95 of 100 audits."""
        return self.p_adjusted < 0.05

    def to_mapping(self) -> dict[str, Any]:
        """The difference as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            group=str(values["group"]),
            measure=str(values["measure"]),
            difference=Estimate.from_mapping(values["difference"]),
            p_adjusted=float(values["p_adjusted"]),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupAudit:
    """All groups of one column, or of two crossed, in one target.

    ``everyone`` is the record of all rows. ``reference`` is the group that ratios are against. ``decision`` says when
    a row is selected, empty where no outcome was said to be favourable. ``is_feature`` tells whether the model reads
    the column itself. ``selection`` says which rows these are, ``how`` how the groups were made.
    """

    column: str
    target: str
    task: Task
    groups: tuple[GroupRecord, ...]
    everyone: GroupRecord
    reference: str
    decision: str
    differences: tuple[GroupDifference, ...]
    attribution: AttributionSpread | None = None
    is_feature: bool
    how: str
    selection: str
    seed: int
    run_id: str = ""

    def __post_init__(self) -> None:
        names = [group.name for group in self.groups]
        if self.reference not in names:
            raise ValueError(f"the reference group must be one of {', '.join(names)}, got {self.reference!r}")
        if sum(group.n_rows for group in self.groups) > self.everyone.n_rows:
            raise ValueError("the groups must not have more rows than there are")

    def group(self, name: str) -> GroupRecord:
        """The record of one group; ``KeyError`` when there is none of that name."""
        return {group.name: group for group in self.groups}[name]

    def table(self) -> pd.DataFrame:
        """One line for each group and measure: value, interval, rows."""
        lines = [
            {"group": group.name, "measure": name, **_numbers(estimate)}
            for group in (*self.groups, self.everyone)
            for name, estimate in group.measures.items()
        ]
        return pd.DataFrame(lines, columns=["group", "measure", "value", "low", "high", "n"])

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a reader must know first: told-apart differences, low ratios, small groups, the column as a feature."""
        said = [_difference_sentence(found) for found in self.differences if found.is_told_apart]
        if not said:
            measures = "calibration, error or selection" if self.decision else "calibration or error"
            said.append(f"No group's {measures} is told apart from that of all other rows.")
        said.extend(self._ratio_sentences())
        small = [f"{group.name} ({group.n_known:,})" for group in self.groups if group.is_small]
        if small:
            more = len(small) - _MOST_NAMED
            small = [*small[:_MOST_NAMED], f"{more} more groups"] if more > 1 else small
            said.append(f"Fewer than {SMALL_GROUP} rows with a known outcome, so little is known: {joined(small)}.")
        if self.is_feature:
            said.append(f"The model reads {column_name(self.column)} itself.")
        return tuple(said)

    @property
    def note(self) -> str:
        """How it was measured, for beside every figure."""
        decided = ""
        if self.decision:
            decided = f" Selected means that {self.decision}; the reference group is {self.reference}."
        return (
            f"{self.everyone.n_rows:,} rows ({self.selection}), groups by {self.column}: {self.how}.{decided} Every "
            "interval covers 95 %; of many intervals some miss their value by chance."
        )

    def to_mapping(self) -> dict[str, Any]:
        """The audit as plain JSON values."""
        return {
            "column": self.column,
            "target": self.target,
            "task": str(self.task),
            "groups": [group.to_mapping() for group in self.groups],
            "everyone": self.everyone.to_mapping(),
            "reference": self.reference,
            "decision": self.decision,
            "differences": [found.to_mapping() for found in self.differences],
            "attribution": None if self.attribution is None else self.attribution.to_mapping(),
            "is_feature": self.is_feature,
            "how": self.how,
            "selection": self.selection,
            "seed": self.seed,
            "run_id": self.run_id,
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        spread = values["attribution"]
        return cls(
            column=str(values["column"]),
            target=str(values["target"]),
            task=Task(values["task"]),
            groups=tuple(GroupRecord.from_mapping(item) for item in values["groups"]),
            everyone=GroupRecord.from_mapping(values["everyone"]),
            reference=str(values["reference"]),
            decision=str(values["decision"]),
            differences=tuple(GroupDifference.from_mapping(item) for item in values["differences"]),
            attribution=None if spread is None else AttributionSpread.from_mapping(spread),
            is_feature=bool(values["is_feature"]),
            how=str(values["how"]),
            selection=str(values["selection"]),
            seed=int(values["seed"]),
            run_id=str(values["run_id"]),
        )

    def _ratio_sentences(self) -> list[str]:
        said = []
        for group in self.groups:
            ratio = group.measures.get("selection_ratio")
            if ratio is None or ratio.value is None or ratio.value >= FOUR_FIFTHS or group.name == self.reference:
                continue
            sure = ratio.high is not None and ratio.high < FOUR_FIFTHS
            where = "the whole interval lies below four fifths" if sure else "the interval reaches above four fifths"
            if ratio.low is None or ratio.high is None:
                said.append(f"{group.name}: nobody is selected.")
                continue
            said.append(
                f"{group.name} is selected {ratio.value:.2f} times as often as {self.reference} "
                f"({ratio.low:.2f} to {ratio.high:.2f}): {where}."
            )
        return said


def _numbers(estimate: Estimate) -> dict[str, Any]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}


_DIFFERENCE_WORDS = {
    "selection_rate": "selected",
    "calibration_in_the_large": "outcomes minus predictions",
    "loss": "the loss",
}


def _difference_sentence(found: GroupDifference) -> str:
    value, low, high = found.difference.value, found.difference.low, found.difference.high
    if value is None or low is None or high is None:
        raise ValueError("a difference that is told apart must have an interval")
    if found.measure == "selection_rate":
        more = "more" if value > 0 else "less"
        return f"{found.group}: selected {more} often than all others, by {percent(abs(value))} of rows."
    measure, _, of_class = found.measure.partition(": ")
    what = _DIFFERENCE_WORDS[measure] + (f" of {of_class}" if of_class else "")
    higher = "higher" if value > 0 else "lower"
    return f"{found.group}: {what} {higher} than for all others, by {amount(value)} ({_range(low, high)})."


def _range(low: float, high: float) -> str:
    ends = sorted((abs(low), abs(high)))
    return f"{amount(ends[0])} to {amount(ends[1])}"
