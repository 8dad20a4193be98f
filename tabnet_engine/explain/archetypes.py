"""Archetypes: the few ways in which the steps read rows, each with a name, its rows and how they fare. No torch.

Shapes: B rows, S steps, F raw features, A archetypes. An archetype says what was read together, not why a row got
its outcome; its outcome rate belongs to its rows, not to the reading.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.schema import Task
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.row_parts import RowParts
from tabnet_engine.explain.wording import amount, class_name, column_name, listed, percent
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["Archetype", "Archetypes", "StepRead", "TargetRates"]

MAX_NAME = 80


@dataclass(frozen=True, kw_only=True)
class StepRead:
    """What one step (from 1) read on average over an archetype's rows.

    ``share`` is the step's part in the size of the decision; ``columns`` are those read most, with their shares of
    the step's mask, each row's mask weighed by how much the step weighed in that row.
    """

    step: int
    share: float
    columns: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class TargetRates:
    """How the rows of an archetype fare in one target.

    ``actual`` and ``predicted`` hold the share of each class, or the mean under the key "mean" for a quantity.
    ``error`` is the error rate (of a quantity the mean absolute error) among rows that the training did not learn
    from; its value is None where there is none with a known outcome.
    """

    target: str
    task: Task
    actual: Mapping[str, Estimate]
    predicted: Mapping[str, Estimate]
    error: Estimate

    def to_mapping(self) -> dict[str, Any]:
        """The rates as plain JSON values."""
        return {
            "target": self.target,
            "task": str(self.task),
            "actual": {name: estimate.to_mapping() for name, estimate in self.actual.items()},
            "predicted": {name: estimate.to_mapping() for name, estimate in self.predicted.items()},
            "error": self.error.to_mapping(),
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            target=str(values["target"]),
            task=Task(values["task"]),
            actual={name: Estimate.from_mapping(item) for name, item in values["actual"].items()},
            predicted={name: Estimate.from_mapping(item) for name, item in values["predicted"].items()},
            error=Estimate.from_mapping(values["error"]),
        )


@dataclass(frozen=True, kw_only=True)
class Archetype:
    """One way of reading. ``made_name`` was made from the path; ``own_name`` is the user's, empty if none.

    ``medoid`` is the number of the row nearest to the mean path, the example to show. ``is_silent`` marks the rows
    in which no step was active: what was read there had no part in the decision.
    """

    made_name: str
    own_name: str = ""
    path: tuple[StepRead, ...]
    size: Estimate
    n_rows: int
    medoid: int
    rates: tuple[TargetRates, ...] = ()
    is_silent: bool = False

    @property
    def name(self) -> str:
        """The user's name for it, else the made one."""
        return self.own_name or self.made_name

    @property
    def sentences(self) -> tuple[str, ...]:
        """Its size, then how its rows fare, in plain words."""
        share = 0.0 if self.size.value is None else self.size.value
        first = say_plural(
            "{count} row ({share}) is of the kind '{name}'; row {medoid} is the most typical.",
            "{count:,} rows ({share}) are of the kind '{name}'; row {medoid} is the most typical.",
            self.n_rows,
            share=percent(share),
            name=self.own_name or recalled(self.made_name),
            medoid=self.medoid,
        )
        return (first, *(_rate_sentence(rates) for rates in self.rates))

    def to_mapping(self) -> dict[str, Any]:
        """The archetype as plain JSON values."""
        return {
            "made_name": self.made_name,
            "own_name": self.own_name,
            "path": [dataclasses.asdict(step) for step in self.path],
            "size": self.size.to_mapping(),
            "n_rows": self.n_rows,
            "medoid": self.medoid,
            "rates": [rates.to_mapping() for rates in self.rates],
            "is_silent": self.is_silent,
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            made_name=str(values["made_name"]),
            own_name=str(values["own_name"]),
            path=tuple(_step_read(step) for step in values["path"]),
            size=Estimate.from_mapping(values["size"]),
            n_rows=int(values["n_rows"]),
            medoid=int(values["medoid"]),
            rates=tuple(TargetRates.from_mapping(item) for item in values["rates"]),
            is_silent=bool(values["is_silent"]),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Archetypes:
    """All archetypes of some rows (A), the largest first, rows without any active step last.

    ``rows`` (B) are row numbers, ``codes`` (B) their archetypes. ``rule`` says how their number was chosen,
    ``silhouette`` how far they stand apart (Rousseeuw 1987: near 1 clear, below 0.25 hardly; None for one), measured
    on ``n_sample`` rows that they were found on.
    """

    archetypes: tuple[Archetype, ...]
    rows: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int64]
    n_sample: int
    seed: int
    rule: str
    silhouette: float | None
    selection: str = ""
    run_id: str = ""

    def __post_init__(self) -> None:
        if not self.archetypes or len(self.rows) == 0:
            raise ValueError("archetypes must hold at least one, with at least one row")
        if len(self.codes) != len(self.rows):
            raise ValueError(f"{len(self.codes)} codes cannot belong to {len(self.rows)} rows")
        counted = np.bincount(self.codes, minlength=len(self.archetypes)).tolist()
        if counted != [archetype.n_rows for archetype in self.archetypes]:
            raise ValueError("each archetype must have as many rows as the codes give it")
        if len(set(self.names)) < len(self.archetypes):
            raise ValueError(f"every archetype must have a name of its own, got {', '.join(self.names)}")

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each archetype (A), the user's where there is one."""
        return tuple(archetype.name for archetype in self.archetypes)

    @property
    def note(self) -> str:
        """How the archetypes were found, for beside the figure."""
        is_told = self.silhouette is None or "silhouette" in self.rule
        apart = [] if is_told else [say("Mean silhouette {silhouette:.2f}.", silhouette=self.silhouette)]
        given = recalled(self.selection) or say_plural("{count} row", "{count:,} rows", len(self.rows))
        found = say_plural(
            "{count} way of reading, found on {n_sample:,} rows (seed {seed}) and given to {given}.",
            "{count:,} ways of reading, found on {n_sample:,} rows (seed {seed}) and given to {given}.",
            len(self.archetypes),
            n_sample=self.n_sample,
            seed=self.seed,
            given=given,
        )
        meaning = say("They say what the steps read together, not why a row got its outcome.")
        return one_text([found, recalled(self.rule), *apart, meaning])

    def path_table(self) -> pd.DataFrame:
        """What each step reads in each archetype: one line an archetype, step and column."""
        lines = [
            {"archetype": archetype.name, "step": step.step, "share of the decision": step.share, "column": name,
             "share of the mask": share}
            for archetype in self.archetypes
            for step in archetype.path
            for name, share in step.columns
        ]  # fmt: skip
        return pd.DataFrame(lines)

    def parts(self) -> RowParts:
        """The rows divided by archetype, for summaries by archetype."""
        return RowParts(title="archetype", names=self.names, codes=self.codes, how=self.note)

    def renamed(self, name: str, own_name: str) -> Self:
        """With the user's name for the archetype that is called ``name`` now; an empty one gives the made name back.

        Raises:
            ExplanationError: there is no such archetype, or the new name is too long or another's.
        """
        if name not in self.names:
            known = ", ".join(map(repr, self.names))
            raise ExplanationError(f"there is no archetype {name!r}; they are {known}")
        wanted = " ".join(own_name.split())
        if len(wanted) > MAX_NAME:
            raise ExplanationError(f"the name of an archetype has at most {MAX_NAME} letters, got {len(wanted)}")
        place = self.names.index(name)
        changed = dataclasses.replace(self.archetypes[place], own_name=wanted)
        others = self.names[:place] + self.names[place + 1 :]
        if changed.name in others:
            raise ExplanationError(f"another archetype is called {changed.name!r} already; choose another name")
        archetypes = (*self.archetypes[:place], changed, *self.archetypes[place + 1 :])
        return dataclasses.replace(self, archetypes=archetypes)

    def facts(self) -> dict[str, Any]:
        """Everything but ``rows`` and ``codes`` as plain JSON values."""
        return {
            "archetypes": [archetype.to_mapping() for archetype in self.archetypes],
            "n_sample": self.n_sample,
            "seed": self.seed,
            "rule": self.rule,
            "silhouette": self.silhouette,
            "selection": self.selection,
            "run_id": self.run_id,
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any], rows: npt.NDArray[np.int64], codes: npt.NDArray[np.int64]) -> Self:
        """Put together what :meth:`facts` wrote and the arrays."""
        return cls(
            archetypes=tuple(Archetype.from_mapping(item) for item in facts["archetypes"]),
            rows=rows,
            codes=codes,
            n_sample=int(facts["n_sample"]),
            seed=int(facts["seed"]),
            rule=str(facts["rule"]),
            silhouette=None if facts["silhouette"] is None else float(facts["silhouette"]),
            selection=str(facts["selection"]),
            run_id=str(facts["run_id"]),
        )


def _step_read(values: Mapping[str, Any]) -> StepRead:
    columns = tuple((str(name), float(share)) for name, share in values["columns"])
    return StepRead(step=int(values["step"]), share=float(values["share"]), columns=columns)


def _rate_sentence(rates: TargetRates) -> str:
    if rates.task is Task.REGRESSION:
        return say(
            "{target}: {actual} on average; mean absolute error {error}.",
            target=column_name(rates.target, start=True),
            actual=_between(rates.actual["mean"], amount),
            error=_between(rates.error, amount),
        )
    classes = listed([f"{class_name(name)} {_between(estimate, percent)}" for name, estimate in rates.actual.items()])
    error = _between(rates.error, percent)
    target = column_name(rates.target, start=True)
    return say("{target}: {classes}; error rate {error}.", target=target, classes=classes, error=error)


def _between(estimate: Estimate, words: Any) -> str:
    if estimate.value is None:
        return say("not known")
    if estimate.low is None or estimate.high is None:
        return say("{value} (no interval)", value=words(estimate.value))
    value, low, high = words(estimate.value), words(estimate.low), words(estimate.high)
    return say("{value} ({low} to {high})", value=value, low=low, high=high)
