"""One row to begin with: a usual case of the outcome that is asked about, and why it was taken. No torch.

Shapes: B rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.row_outcomes import SPLIT_NAMES, RowOutcomes
from tabnet_engine.texts.speaking import msg, say

__all__ = ["ExampleRow", "code_asked", "example_row"]

_HIGH = 0.75  # of numbers: a prediction that is high without being extreme
_USUAL = 0.5
_TEST = SPLIT_NAMES.index("test")

Booleans = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

_ONE = {
    "right": msg("Row {row:,} is the one test row that is rightly given “{outcome}”; it was never seen in training."),
    "test": msg("Row {row:,} is the one test row that is given “{outcome}”, though wrongly as far as is known."),
    "learned": msg(
        "No test row is given “{outcome}”. Row {row:,} is the one row that is; the model may have learned from it."
    ),
    "number": msg("Row {row:,} is the one row to choose from."),
    "none": msg("No row is given “{outcome}”. Row {row:,} is the one row there is."),
}
_MANY = {
    "right": msg(
        "Row {row:,} is a usual case among the {count:,} test rows that are rightly given “{outcome}”: about half of "
        "them with more certainty, half with less. Test rows were never seen in training."
    ),
    "test": msg(
        "Row {row:,} is a usual case among the {count:,} test rows that are given “{outcome}”, though none of them "
        "rightly as far as is known: about half of them with more certainty, half with less."
    ),
    "learned": msg(
        "No test row is given “{outcome}”. Row {row:,} is a usual case among the {count:,} other rows that are; the "
        "model may have learned from it."
    ),
    "number": msg(
        "Row {row:,} has a high prediction, but no extreme one: of {count:,} rows about a quarter are given more."
    ),
    "none": msg("No row is given “{outcome}”. Row {row:,} is the one of {count:,} whose answer is least certain."),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class ExampleRow:
    """The row, the rows like it, and why it was taken.

    ``alike`` (B) are the row numbers it was taken from in the table's order, ``ready`` those of them whose
    explanations are stored; ``outcome`` names the class that was asked about, empty for a number; ``case`` is the rule
    by which the row was found.
    """

    row: int
    alike: Integers
    ready: Integers
    outcome: str
    case: str

    def others(self, most: int) -> list[int]:
        """At most so many rows to look at next: those alike, where there are any those that are ready at once."""
        rows = self.ready if len(self.ready) else self.alike
        return [row for row in rows[: most + 1].tolist() if row != self.row][:most]

    @property
    def why(self) -> str:
        """Why this row, in one or two sentences."""
        sentences = _ONE if len(self.alike) == 1 else _MANY
        return say(sentences[self.case], row=self.row, outcome=self.outcome, count=len(self.alike))


def code_asked(task: Task, place: slice, output: int) -> int:
    """The class that an output asks about: of two classes the second, whose log-odds it is; 0 for a number.

    Args:
        task: the target's.
        place: which of all outputs are the target's.
        output: the one of them that is looked at.
    """
    if task is Task.MULTICLASS:
        return output - int(place.start)
    return 1 if task is Task.BINARY else 0


def example_row(outcomes: RowOutcomes, *, code: int = 0, ready: npt.ArrayLike = ()) -> ExampleRow | None:
    """Choose a row that a newcomer should look at first.

    For classes it is one of the test rows that are rightly given the class, the one of median certainty; where there
    are none, a test row that is given it at all, then any row, then the least certain one. For numbers it is a test
    row whose prediction lies at the upper quartile.

    Args:
        outcomes: prediction and outcome of the rows to choose from.
        code: the class that is asked about; of no meaning for numbers.
        ready: numbers of rows whose explanations are stored: one of them is taken where there is any alike.

    Returns:
        The row; None where there are no rows.
    """
    if not len(outcomes.rows):
        return None
    is_number = outcomes.task is Task.REGRESSION
    case, members = _numbers(outcomes) if is_number else _of_class(outcomes, code)
    values = outcomes.predicted if is_number else outcomes.confidence
    order, wanted = values[members], _HIGH if is_number else 0.0 if case == "none" else _USUAL
    prepared = np.isin(outcomes.rows[members], np.asarray(ready, dtype=np.int64))
    away = np.abs(order - np.quantile(order, wanted))
    if prepared.any():
        away = np.where(prepared, away, np.inf)
    row = int(outcomes.rows[members[int(away.argmin())]])
    outcome = "" if is_number else outcomes.classes[code]
    alike = outcomes.rows[members]
    return ExampleRow(row=row, alike=np.sort(alike), ready=np.sort(alike[prepared]), outcome=outcome, case=case)


def _numbers(outcomes: RowOutcomes) -> tuple[str, Integers]:
    """The test rows, else all; of a number no prediction is right or wrong."""
    members = np.flatnonzero(outcomes.split == _TEST)
    return "number", members if len(members) else np.arange(len(outcomes.rows))


def _of_class(outcomes: RowOutcomes, code: int) -> tuple[str, Integers]:
    given: Booleans = outcomes.predicted == code
    of_test: Booleans = given & (outcomes.split == _TEST)
    cases = {"right": of_test & (outcomes.actual == code), "test": of_test, "learned": given}
    for case, found in cases.items():
        if found.any():
            return case, np.flatnonzero(found)
    return "none", np.arange(len(outcomes.rows))
