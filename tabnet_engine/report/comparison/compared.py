"""A stored comparison of two runs, read into the records that it was made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.comparison.approvals import Approvals
from tabnet_engine.explain.comparison.comparing import FORMAT
from tabnet_engine.explain.comparison.decisions import PredictionShift, Transitions
from tabnet_engine.explain.comparison.metrics import MetricDifference
from tabnet_engine.explain.comparison.reasons import ReasonChanges
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.report.dates import moment_words

if TYPE_CHECKING:
    from tabnet_engine.runs.run import Run

__all__ = ["ChangedRow", "Compared", "ComparedRuns", "SettingPair"]


class ComparedRuns(NamedTuple):
    """The champion and its challenger."""

    first: Run
    second: Run

    @property
    def names(self) -> tuple[str, str]:
        """What each is called: its title, with the time where both have the same."""
        first, second = (run.manifest.title for run in self)
        if first != second:
            return first, second
        times = [moment_words(run.manifest.created) for run in self]
        if times[0] == times[1]:
            times = [run.run_id for run in self]
        return f"{first} · {times[0]}", f"{second} · {times[1]}"


@dataclass(frozen=True, kw_only=True)
class SettingPair:
    """One setting of both runs, as text; None where a run has no such setting."""

    section: str
    name: str
    first: str | None
    second: str | None

    @property
    def differs(self) -> bool:
        """Whether the two are not the same."""
        return self.first != self.second


@dataclass(frozen=True, kw_only=True)
class ChangedRow:
    """One row that is decided otherwise; ``first`` and ``second`` are classes or quantities, ``actual`` what came.

    The probabilities are those of the class that the second run gives; None for a quantity.
    """

    row: int
    first: str | float
    second: str | float
    actual: str | float | None
    first_probability: float | None
    second_probability: float | None
    change: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """A comparison, with both runs. ``names`` is what the runs are called.

    ``rows`` says in English on which rows was measured; ``columns`` are those that are not read alike: their name and
    the kind by each run. ``approvals`` are None where nothing says when a row is approved. ``n_changed`` rows got
    another class or quantity, of which ``changed`` are the first.
    """

    runs: ComparedRuns
    names: tuple[str, str]
    target: str
    task: Task
    label: str
    rows: str
    settings: tuple[SettingPair, ...]
    columns: tuple[tuple[str, str | None, str | None], ...]
    metrics: tuple[MetricDifference, ...]
    approvals: Approvals | None
    transitions: Transitions | None
    shift: PredictionShift | None
    n_changed: int
    changed: tuple[ChangedRow, ...]
    reasons: tuple[ReasonChanges, ...]
    gaps: tuple[str, ...]

    @property
    def has_rows(self) -> bool:
        """Whether there is any row that both score."""
        return self.transitions is not None or self.shift is not None

    @classmethod
    def of(cls, runs: ComparedRuns, values: Mapping[str, Any]) -> Self:
        """Read a comparison.

        Raises:
            ValueError: it is of other runs, or of another format.
        """
        if values["format"] != FORMAT:
            raise ValueError(f"a comparison of format {values['format']} cannot be read, only {FORMAT}")
        ids = [values[place]["run_id"] for place in ("first", "second")]
        if ids != [run.run_id for run in runs]:
            raise ValueError(f"the comparison is of {' and '.join(ids)}, not of {' and '.join(r.run_id for r in runs)}")
        moves, shift, approvals = values["transitions"], values["shift"], values["approvals"]
        return cls(
            runs=runs,
            names=runs.names,
            target=str(values["target"]),
            task=Task(values["task"]),
            label=str(values["label"]),
            rows=str(values["rows"]),
            settings=tuple(_settings(values["settings"])),
            columns=tuple((str(item["name"]), *item["kinds"]) for item in values["columns"]),
            metrics=tuple(MetricDifference.from_mapping(_known(item)) for item in values["metrics"]),
            approvals=None if approvals is None else Approvals.from_mapping(approvals),
            transitions=None if moves is None else Transitions.from_mapping(moves),
            shift=None if shift is None else _shift(shift),
            n_changed=int(values["changed_rows"]["n_rows"]),
            changed=tuple(map(_row, values["changed_rows"]["rows"])),
            reasons=tuple(ReasonChanges.from_mapping(item) for item in values["reasons"]),
            gaps=tuple(values["gaps"]),
        )


def _settings(lines: list[Mapping[str, Any]]) -> Iterator[SettingPair]:
    for line in lines:
        first, second = line["values"]
        yield SettingPair(section=str(line["section"]), name=str(line["name"]), first=first, second=second)


def _known(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("name", "first", "second", "difference")}


def _shift(values: Mapping[str, Any]) -> PredictionShift:
    estimates = {name: Estimate.from_mapping(values[name]) for name in ("mean", "size", "nearer")}
    lists = {name: tuple(values[name]) for name in ("levels", "quantiles", "edges", "counts")}
    own: dict[str, Any] = {**estimates, **lists}
    return PredictionShift(**own)


def _row(item: Mapping[str, Any]) -> ChangedRow:
    return ChangedRow(
        row=int(item["row"]),
        first=item["first"],
        second=item["second"],
        actual=item["actual"],
        first_probability=item.get("first_probability"),
        second_probability=item.get("second_probability"),
        change=float(item["change"]),
    )
