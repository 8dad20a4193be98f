"""What a model does to the groups of a protected column: the record, for pages and reports. No torch.

Shapes: B rows, G groups, P players of an attribution, K outputs. These are facts about groups; whether a difference
is just or allowed is not for a number to say.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import pandas as pd

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.groups.spread import AttributionSpread
from tabnet_engine.explain.row_parts import NamePiece, name_shown
from tabnet_engine.explain.wording import amount, column_name, joined, percent
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = ["MEASURES", "SMALL_GROUP", "GroupAudit", "GroupDifference", "GroupRecord"]

SMALL_GROUP = 50  # with fewer rows a group's figures are said to rest on few
_MOST_NAMED = 8
FOUR_FIFTHS = 0.8  # 29 CFR 1607.4(D): a selection rate below four fifths of the highest is looked into

MEASURES: Mapping[str, str] = {
    "auc": msg("area under the ROC curve"),
    "accuracy": msg("share of rows that are given their actual class"),
    "balanced_accuracy": msg("mean recall of the classes"),
    "log_loss": msg("mean of minus the log of the probability given to the actual outcome"),
    "rmse": msg("root of the mean squared error, in the target's unit"),
    "mae": msg("mean absolute error, in the target's unit"),
    "r2": msg("share of the variance explained"),
    "mse": msg("mean squared error"),
    "rmsle": msg("root of the mean squared error of log(1 + y)"),
    "calibration_in_the_large": msg(
        "outcome minus prediction on average (of a binary target: of its positive class); above 0 the prediction is "
        "too low"
    ),
    "calibration_slope": msg("slope of outcomes on predictions; 1 is right, below 1 predictions are too extreme"),
    "calibration_error": msg("expected calibration error over bins of equally many rows"),
    "calibration_error_by_chance": msg("the same for perfectly calibrated predictions of as many rows"),
    "favourable_rate": msg("share of rows whose outcome was the favourable one"),
    "selection_rate": msg("share of rows that are selected"),
    "selection_ratio": msg("selection rate divided by that of the reference group"),
    "selection_difference": msg("selection rate minus that of the reference group"),
    "false_positive_rate": msg("share selected among rows whose outcome was not favourable"),
    "false_negative_rate": msg("share not selected among rows whose outcome was favourable"),
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
    the column itself. ``selection`` says which rows these are, ``how`` how the groups were made, ``settings`` what was
    asked for, as :class:`~tabnet_engine.config.AuditConfig` writes it. ``pieces`` holds the groups' names that are not
    simply a value of the table, ``columns`` what divides the groups; None and empty where an older engine measured.
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
    settings: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    pieces: Mapping[str, tuple[NamePiece, ...]] | None = None

    def __post_init__(self) -> None:
        names = [group.name for group in self.groups]
        if self.reference not in names:
            raise ValueError(f"the reference group must be one of {', '.join(names)}, got {self.reference!r}")
        if sum(group.n_rows for group in self.groups) > self.everyone.n_rows:
            raise ValueError("the groups must not have more rows than there are")

    @property
    def title(self) -> str:
        """The column, or both, in the reader's language."""
        if len(self.columns) != 2:
            return self.column
        return say("{first} and {second}", first=self.columns[0], second=self.columns[1])

    def name_shown(self, name: str) -> str:
        """A group as it is shown: what this program named in the reader's language, the user's words as they are."""
        if self.pieces is not None:
            return name_shown(self.pieces[name]) if name in self.pieces else name
        made_here = "ranges" in self.how or name.startswith("missing")
        return recalled(name) if made_here else name

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
        apart = [found for found in self.differences if found.is_told_apart]
        said = [_difference_sentence(found, self.name_shown(found.group)) for found in apart]
        if not said:
            said.append(say(_NOTHING_WITH_SELECTION) if self.decision else say(_NOTHING))
        said.extend(self._ratio_sentences())
        small = [f"{self.name_shown(group.name)} ({group.n_known:,})" for group in self.groups if group.is_small]
        if small:
            more = len(small) - _MOST_NAMED
            if more > 1:
                small = [*small[:_MOST_NAMED], say_plural("{count} more group", "{count:,} more groups", more)]
            said.append(
                say(
                    "Fewer than {least} rows with a known outcome, so little is known: {groups}.",
                    least=SMALL_GROUP,
                    groups=joined(small),
                )
            )
        if self.is_feature:
            said.append(say("The model reads {column} itself.", column=column_name(self.column)))
        return tuple(said)

    @property
    def note(self) -> str:
        """How it was measured, for beside every figure."""
        told = [
            say(
                "{selection}, groups by {column}: {how}.",
                selection=recalled(self.selection),
                column=self.title,
                how=recalled(self.how),
            )
        ]
        if self.decision:
            told.append(
                say(
                    "Selected means that {decision}; the reference group is {reference}.",
                    decision=recalled(self.decision),
                    reference=self.name_shown(self.reference),
                )
            )
        told.append(say("Every interval covers 95 %; of many intervals some miss their value by chance."))
        return one_text(told)

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
            "settings": dict(self.settings),
            "columns": list(self.columns),
            "pieces": None
            if self.pieces is None
            else {name: [list(piece) for piece in pieces] for name, pieces in self.pieces.items()},
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
            settings=dict(values.get("settings", {})),
            columns=tuple(map(str, values.get("columns", ()))),
            pieces=_pieces(values.get("pieces")),
        )

    def _ratio_sentences(self) -> list[str]:
        said = []
        for group in self.groups:
            ratio = group.measures.get("selection_ratio")
            if ratio is None or ratio.value is None or ratio.value >= FOUR_FIFTHS or group.name == self.reference:
                continue
            if ratio.low is None or ratio.high is None:
                said.append(say("{group}: nobody is selected.", group=self.name_shown(group.name)))
                continue
            said.append(
                say(
                    _SURELY_LOW if ratio.high < FOUR_FIFTHS else _PERHAPS_LOW,
                    group=self.name_shown(group.name),
                    ratio=ratio.value,
                    reference=self.name_shown(self.reference),
                    low=ratio.low,
                    high=ratio.high,
                )
            )
        return said


def _pieces(values: Mapping[str, Any] | None) -> Mapping[str, tuple[NamePiece, ...]] | None:
    if values is None:
        return None
    return {
        name: tuple(NamePiece(str(column), str(text), bool(is_made)) for column, text, is_made in pieces)
        for name, pieces in values.items()
    }


def _numbers(estimate: Estimate) -> dict[str, Any]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}


_NOTHING = msg("No group's calibration or error is told apart from that of all other rows.")
_NOTHING_WITH_SELECTION = msg("No group's calibration, error or selection is told apart from that of all other rows.")
_SURELY_LOW = msg(
    "{group} is selected {ratio:.2f} times as often as {reference} ({low:.2f} to {high:.2f}): the whole interval lies "
    "below four fifths."
)
_PERHAPS_LOW = msg(
    "{group} is selected {ratio:.2f} times as often as {reference} ({low:.2f} to {high:.2f}): the interval reaches "
    "above four fifths."
)
# By measure, and whether the group's mean is the higher one.
_DIFFERENCES: Mapping[tuple[str, bool], str] = {
    ("selection_rate", True): msg("{group}: selected more often than all others, by {share} of rows."),
    ("selection_rate", False): msg("{group}: selected less often than all others, by {share} of rows."),
    ("loss", True): msg("{group}: the loss higher than for all others, by {size} ({low} to {high})."),
    ("loss", False): msg("{group}: the loss lower than for all others, by {size} ({low} to {high})."),
    ("calibration_in_the_large", True): msg(
        "{group}: outcomes minus predictions higher than for all others, by {size} ({low} to {high})."
    ),
    ("calibration_in_the_large", False): msg(
        "{group}: outcomes minus predictions lower than for all others, by {size} ({low} to {high})."
    ),
    ("calibration_in_the_large of", True): msg(
        "{group}: outcomes minus predictions of {class_name} higher than for all others, by {size} ({low} to {high})."
    ),
    ("calibration_in_the_large of", False): msg(
        "{group}: outcomes minus predictions of {class_name} lower than for all others, by {size} ({low} to {high})."
    ),
}


def _difference_sentence(found: GroupDifference, group: str) -> str:
    value, low, high = found.difference.value, found.difference.low, found.difference.high
    if value is None or low is None or high is None:
        raise ValueError("a difference that is told apart must have an interval")
    measure, _, class_name = found.measure.partition(": ")
    ends = sorted((abs(low), abs(high)))
    return say(
        _DIFFERENCES[f"{measure} of" if class_name else measure, value > 0],
        group=group,
        class_name=class_name,
        share=percent(abs(value)),
        size=amount(value),
        low=amount(ends[0]),
        high=amount(ends[1]),
    )
