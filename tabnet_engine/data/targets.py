"""What is predicted, as the numbers that training reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.binning import standardisation
from tabnet_engine.data.schema import SINGLE_TASKS, FeatureSchema, Role, Target, Task
from tabnet_engine.data.values import as_numbers, factorise
from tabnet_engine.data.wording import listed, quoted
from tabnet_engine.errors import SchemaError

__all__ = ["TargetCodec", "usable_rows"]

# The network computes in float32: a quantity outside these bounds, or its squared error, would be 0 or infinite.
_SMALLEST, _LARGEST = 1e-30, 1e30
_FARTHEST = 1e15


def usable_rows(frame: pd.DataFrame, schema: FeatureSchema) -> tuple[npt.NDArray[np.int64], str | None]:
    """Positions of the rows that have every target, and one sentence when others had to be left out.

    Raises:
        SchemaError: no target is chosen, the column of one is absent, or no row has them all.
    """
    names = _target_names(schema)
    absent = {name: _series(frame, name).isna().to_numpy() for name in names}
    incomplete = np.any(list(absent.values()), axis=0)
    rows = np.flatnonzero(~incomplete).astype(np.int64)
    n_missing = len(frame) - rows.size
    if rows.size == 0:
        raise SchemaError(_nowhere_complete(absent))
    if n_missing == 0:
        return rows, None
    left_out = f"{n_missing:,} of {len(frame):,} rows ({100 * n_missing / len(frame):.1f} %)"
    if len(names) == 1:
        return rows, f"{left_out} have no {names[0]!r} and were left out"
    lacking = sorted(((int(cells.sum()), name) for name, cells in absent.items() if cells.any()), reverse=True)
    missing = ", ".join(f"{name!r} in {count:,}" for count, name in lacking[:5])
    more = f" and {len(lacking) - 5} more targets" if len(lacking) > 5 else ""
    return rows, f"{left_out} lack a target and were left out: {missing}{more}"


def _nowhere_complete(absent: Mapping[str, npt.NDArray[np.bool_]]) -> str:
    for name, cells in absent.items():
        if cells.all():
            return f"the target {name!r} is missing in every row; choose another target"
    return f"no row has all of the targets {listed(list(absent))}; choose fewer targets"


@dataclass(frozen=True)
class TargetCodec:
    """Turns the target column into codes or numbers, and codes back into classes.

    ``mean`` and ``scale`` are those of the training rows for a regression (measured as
    :func:`~tabnet_engine.data.binning.standardisation` does), 0 and 1 for classes.
    """

    name: str
    task: Task
    classes: tuple[str, ...] = ()
    mean: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.task not in SINGLE_TASKS:
            raise SchemaError(f"one target's task is {', '.join(SINGLE_TASKS)}; {self.name!r} has {self.task}")
        if self.task is Task.REGRESSION:
            if not np.isfinite(self.mean) or not 0 < self.scale < np.inf:
                raise SchemaError(f"the target's mean and scale must be finite, got {self.mean} and {self.scale}")
        elif len(set(self.classes)) != len(self.classes) or len(self.classes) < 2:
            raise SchemaError(f"the target must have two or more different classes, got {listed(self.classes)}")
        elif self.task is Task.BINARY and len(self.classes) != 2:
            raise SchemaError(f"a binary target must have two classes, got {len(self.classes)}")

    @property
    def outputs(self) -> tuple[str, ...]:
        """What each logit stands for (K): the positive class, every class, or the target itself."""
        if self.task is Task.REGRESSION:
            return (self.name,)
        # DIFF(paper 3): one logit for a binary target, the log-odds of its positive class, instead of two.
        return self.classes[1:] if self.task is Task.BINARY else self.classes

    @classmethod
    def fit(
        cls, frame: pd.DataFrame, schema: FeatureSchema | Target, rows: npt.NDArray[np.int64] | None = None
    ) -> Self:
        """Learn from the training rows.

        Args:
            frame: the user's table.
            schema: names the target, the task and its classes, as a whole schema or that target alone.
            rows: positions of the training rows; all rows when absent.

        Raises:
            SchemaError: no target or task is chosen, a training row has no target, a class has no
                training row, or a target that does not fit the task.
        """
        target = _as_target(schema)
        chosen = np.arange(len(frame)) if rows is None else np.asarray(rows)
        codec = cls(name=target.name, task=target.task, classes=target.classes)
        values = codec.encode(frame, rows=chosen)
        if codec.task is Task.REGRESSION:
            mean, scale = standardisation(values.astype(np.float64))
            _refuse_unlearnable(_series(frame, target.name), chosen, values, mean, scale)
            return cls(name=target.name, task=target.task, mean=mean, scale=scale)
        counts = np.bincount(values.astype(np.int64), minlength=len(codec.classes))
        absent = [name for name, count in zip(codec.classes, counts, strict=True) if count == 0]
        if absent:
            raise SchemaError(
                f"no training row has the class {absent[0]!r} of {target.name!r}; choose the target again or add rows"
            )
        return codec

    def encode(self, frame: pd.DataFrame, *, rows: npt.NDArray[np.int64] | None = None) -> npt.NDArray[Any]:
        """The target of each row (B): int64 class codes, or float64 values in the target's own units.

        Args:
            frame: a table with the target column.
            rows: positions to encode; all rows when absent.

        Raises:
            SchemaError: the column is absent, a row has no target, a class that training never saw, or
                a value that is no finite number in a regression; the text names the row.
        """
        series = _series(frame, self.name)
        chosen = np.arange(len(frame)) if rows is None else np.asarray(rows)
        if self.task is Task.REGRESSION:
            values = as_numbers(series)[chosen]
            _refuse(~np.isfinite(values), series, chosen, "is no finite number; correct or remove the row")
            return values
        codes, texts = factorise(series)
        if {text.capitalize() for text in self.classes} == {"True", "False"}:
            texts = tuple(text.capitalize() for text in texts)
        known = {text: index for index, text in enumerate(self.classes)}
        states = np.array([*(known.get(text, -1) for text in texts), -2], dtype=np.int64)[codes][chosen]
        _refuse(states == -2, series, chosen, "is missing; fill it in or remove the row")
        hint = f"is no class of this model; its classes are {listed(self.classes)}"
        _refuse(states == -1, series, chosen, hint)
        return states

    def decode(self, codes: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """The class of each code (B), as text."""
        names: npt.NDArray[np.object_] = np.array(self.classes, dtype=object)
        return names[np.asarray(codes, dtype=np.int64)]

    def to_mapping(self) -> dict[str, Any]:
        """The codec as plain JSON values."""
        return {
            "name": self.name,
            "task": str(self.task),
            "classes": list(self.classes),
            "mean": self.mean,
            "scale": self.scale,
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote.

        Raises:
            SchemaError: a part is missing or is not what a codec holds.
        """
        try:
            return cls(
                name=str(values["name"]),
                task=Task(values["task"]),
                classes=tuple(map(str, values["classes"])),
                mean=float(values["mean"]),
                scale=float(values["scale"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise SchemaError(f"the target's description cannot be read: {error}") from error


def _as_target(schema: FeatureSchema | Target) -> Target:
    if isinstance(schema, Target):
        return schema
    names = _target_names(schema)
    if schema.task is None:
        raise SchemaError(f"no task is chosen for the target {names[0]!r}")
    if len(schema.targets) > 1:
        raise ValueError(f"the schema has {len(schema.targets)} targets; give one of {', '.join(names)}")
    return schema.targets[0]


def _target_names(schema: FeatureSchema) -> tuple[str, ...]:
    names = tuple(column.name for column in schema.columns if column.role is Role.TARGET)
    if not names:
        raise SchemaError("no target is chosen; choose the column to predict")
    return names


def _series(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    if name not in frame.columns:
        raise SchemaError(f"the table has no column {name!r}, the target")
    return frame[name]


def _refuse_unlearnable(
    series: pd.Series[Any], rows: npt.NDArray[np.int64], values: npt.NDArray[np.float64], mean: float, scale: float
) -> None:
    """Refuse numbers that float32 cannot hold, which no learning rate would mend."""
    with np.errstate(over="ignore"):
        far = np.abs(values / scale - mean / scale) > _FARTHEST
    if far.any() and not far.all():
        _refuse(far, series, rows, "is too far from all other values to learn from; correct or remove the row")
    largest = float(np.abs(values).max())
    if largest > _LARGEST or scale < _SMALLEST:
        raise SchemaError(
            f"the target {series.name!r} spreads by {scale:.3g} and reaches {largest:.3g}; numbers from {_SMALLEST:g} "
            f"to {_LARGEST:g} can be learned: give it in another unit"
        )


def _refuse(bad: npt.NDArray[np.bool_], series: pd.Series[Any], rows: npt.NDArray[np.int64], problem: str) -> None:
    if not bad.any():
        return
    row = int(rows[np.argmax(bad)])
    value = "the target" if pd.isna(series.iloc[row]) else quoted(str(series.iloc[row]))
    raise SchemaError(f"column {series.name!r}, row {row}: {value} {problem}")
