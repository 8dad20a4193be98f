"""What was predicted for each explained row, what really came, and how to order and pick rows by it.

Shapes: B rows, K outputs. No torch: pages import this.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.schema import Task
from tabnet_engine.data.splits import Splits
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.data.values import as_text
from tabnet_engine.errors import SchemaError
from tabnet_engine.texts.speaking import msg, say
from tabnet_engine.training.probabilities import class_probabilities, predicted_codes

__all__ = [
    "SPLIT_NAMES",
    "RowList",
    "RowOutcomes",
    "row_list",
    "row_outcomes",
    "rows_where",
    "rows_with_text",
]

SPLIT_NAMES = (msg("training"), msg("validation"), msg("test"), msg("not used"))

RowList = Literal["all", "test", "uncertain", "wrong"]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class RowOutcomes:
    """Prediction and outcome of each row.

    ``predicted`` and ``actual`` (B) hold class numbers for a classification (-1 where the outcome is
    missing), target values for a regression (NaN where missing). ``confidence`` (B) is the probability
    of the predicted class, NaN for a regression. ``error`` (B) is one minus the probability of the class
    that really came, or the absolute difference; NaN where the outcome is missing. ``split`` (B) are
    positions in :data:`SPLIT_NAMES`.
    """

    task: Task
    classes: tuple[str, ...]
    rows: Integers
    split: Integers
    predicted: Floats
    actual: Floats
    confidence: Floats
    error: Floats

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Rows (B) whose outcome is in the table."""
        return np.isfinite(self.error)

    @property
    def wrong(self) -> npt.NDArray[np.bool_]:
        """Rows (B) that were given another class than the one that came; none in a regression."""
        if self.task is Task.REGRESSION:
            return np.zeros(len(self.rows), dtype=bool)
        return np.asarray(self.known & (self.predicted != self.actual))

    def take(self, positions: npt.ArrayLike) -> Self:
        """The outcomes of some rows, by position."""
        chosen = np.asarray(positions)
        names = ("rows", "split", "predicted", "actual", "confidence", "error")
        return dataclasses.replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def table(self, positions: npt.ArrayLike | None = None) -> pd.DataFrame:
        """Some rows (all by default) as a table in the user's words."""
        chosen = np.arange(len(self.rows)) if positions is None else np.asarray(positions)
        columns: dict[str, Any] = {
            "row": self.rows[chosen],
            "predicted": self._words(self.predicted[chosen]),
            "actual": self._words(self.actual[chosen]),
        }
        if self.task is not Task.REGRESSION:
            columns["probability"] = self.confidence[chosen]
        columns["error"] = self.error[chosen]
        columns["part"] = np.asarray([say(name) for name in SPLIT_NAMES], dtype=object)[self.split[chosen]]
        return pd.DataFrame(columns)

    def _words(self, values: Floats) -> npt.NDArray[Any]:
        if self.task is Task.REGRESSION:
            return values
        names = np.asarray([*self.classes, say("missing")], dtype=object)
        return np.asarray(names[values.astype(np.int64)], dtype=object)


def row_outcomes(
    codec: TargetCodec,
    splits: Splits,
    frame: pd.DataFrame,
    rows: Integers,
    logits: Floats,
    *,
    place: slice = slice(None),
) -> RowOutcomes:
    """Compare the logits of some rows with the table, for one target.

    Args:
        codec: the target; with several, the one that is looked at.
        splits: the run's split of the table.
        frame: the raw table that the run was trained on.
        rows: row numbers (B) of the logits.
        logits: (B, K), of all targets.
        place: which of the K belong to the target, as :meth:`TargetCodecs.of` gives it.

    Raises:
        SchemaError: the table does not hold the target.
    """
    if codec.name not in frame:
        raise SchemaError(f"the table has no column {codec.name!r}, the target")
    actual = np.full(len(rows), np.nan if codec.task is Task.REGRESSION else -1.0)
    known = frame[codec.name].notna().to_numpy()[rows]
    actual[known] = codec.encode(frame, rows=rows[known]).astype(np.float64)
    split = np.full(len(frame), len(SPLIT_NAMES) - 1, dtype=np.int64)
    for number, members in enumerate((splits.train, splits.validation, splits.test)):
        split[members] = number
    predicted, confidence, error = _compare(codec.task, logits[:, place], actual)
    return RowOutcomes(
        task=codec.task,
        classes=codec.classes,
        rows=rows,
        split=split[rows],
        predicted=predicted,
        actual=actual,
        confidence=confidence,
        error=error,
    )


def _compare(task: Task, logits: Floats, actual: Floats) -> tuple[Floats, Floats, Floats]:
    """Prediction, confidence and error (B) each."""
    if task is Task.REGRESSION:
        predicted = np.asarray(logits[:, 0], dtype=np.float64)
        return predicted, np.full(len(logits), np.nan), np.abs(predicted - actual)
    places, codes = np.arange(len(logits)), predicted_codes(task, logits)
    shares = class_probabilities(task, logits)
    came = shares[places, np.maximum(actual, 0).astype(np.int64)]
    return codes.astype(np.float64), shares[places, codes], np.where(actual >= 0, 1.0 - came, np.nan)


def row_list(outcomes: RowOutcomes, name: RowList) -> Integers:
    """Row numbers to go through, in order.

    Args:
        outcomes: the explained rows.
        name: ``all`` and ``test`` keep the table's order; ``uncertain`` starts with the least confident
            prediction; ``wrong`` holds wrong classes, for a regression all known rows, the largest error
            first.
    """
    if name == "test":
        return np.sort(outcomes.rows[outcomes.split == SPLIT_NAMES.index("test")])
    if name == "uncertain":
        return outcomes.rows[np.argsort(outcomes.confidence, kind="stable")]
    if name == "wrong":
        members = np.flatnonzero(outcomes.known if outcomes.task is Task.REGRESSION else outcomes.wrong)
        return outcomes.rows[members[np.argsort(-outcomes.error[members], kind="stable")]]
    return np.sort(outcomes.rows)


def rows_where(
    column: pd.Series[Any],
    *,
    texts: tuple[str, ...] | None = None,
    between: tuple[float, float] | None = None,
) -> npt.NDArray[np.bool_]:
    """Which cells pass a filter on one column (B).

    Args:
        column: the cells.
        texts: cells whose text is among these pass; "missing" stands for a missing cell.
        between: numbers from the first to the second pass; missing ones do not.
    """
    passing = np.ones(len(column), dtype=bool)
    if texts is not None:
        passing &= _texts(column).isin(texts).to_numpy()
    if between is not None:
        passing &= column.between(*between).to_numpy()
    return passing


def rows_with_text(column: pd.Series[Any], text: str) -> Integers:
    """Row numbers whose cell reads exactly ``text``, blanks around it aside."""
    wanted = text.strip()
    if isinstance(column.dtype, pd.StringDtype):  # texts read as they are: no need to look at a million twice
        return np.flatnonzero((column == wanted).fillna(value=False).to_numpy(dtype=bool)).astype(np.int64)
    return np.flatnonzero(rows_where(column, texts=(wanted,))).astype(np.int64)


def _texts(column: pd.Series[Any]) -> pd.Series[Any]:
    return as_text(column).fillna("missing")
