"""Held-out rows with what really happened in them: the rows on which a run is judged without its table.

Shapes: B rows, T targets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.explain.background import choose_rows, strata
from tabnet_engine.explain.stored_arrays import FOLDER, has_part, load_arrays, load_facts, reading, save_arrays
from tabnet_engine.explain.subject import ChosenRows
from tabnet_engine.texts.speaking import msg

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.runs.artefact import Run

__all__ = [
    "EVALUATION",
    "EvaluationRows",
    "draw_evaluation",
    "has_evaluation",
    "held_out",
    "load_evaluation",
    "save_evaluation",
]

EVALUATION = f"{FOLDER}/evaluation"
_WORDS = "evaluation rows"


@dataclass(frozen=True, kw_only=True, eq=False)
class EvaluationRows:
    """Encoded held-out rows (B) and their targets.

    ``y`` is what :meth:`TargetCodecs.encode` gives: (B,) class codes (int64) or numbers (float64) for one target,
    (B, T) float64 for several. ``description`` says which rows these are and how they were drawn.
    """

    chosen: ChosenRows
    y: npt.NDArray[Any]
    description: str

    def __post_init__(self) -> None:
        if len(self.y) != len(self.chosen) or self.y.ndim not in {1, 2}:
            raise ValueError(f"targets of shape {self.y.shape} cannot belong to {len(self.chosen)} rows")
        if len(self.chosen) == 0:
            raise ValueError("evaluation rows must hold at least one row")

    @property
    def n_rows(self) -> int:
        """B, how many rows there are."""
        return len(self.chosen)

    def of_target(self, targets: TargetCodecs, place: int) -> npt.NDArray[Any]:
        """One target's values (B,): class codes, or numbers."""
        return targets.column(self.y, place)

    def take(self, positions: npt.ArrayLike) -> EvaluationRows:
        """Some of the rows, by position within these."""
        chosen = np.asarray(positions)
        rows = ChosenRows(self.chosen.table.take(chosen), self.chosen.rows[chosen], self.chosen.selection)
        return EvaluationRows(chosen=rows, y=self.y[chosen], description=self.description)


def held_out(run: Run) -> tuple[npt.NDArray[np.int64], str]:
    """The rows that no weight was fitted to, and what they are called: the test rows, else the validation rows."""
    test = run.splits.test
    return (test, msg("test rows")) if len(test) else (run.splits.validation, msg("validation rows"))


def draw_evaluation(run: Run, frame: pd.DataFrame, encoded: EncodedTable, *, n_rows: int, seed: int) -> EvaluationRows:
    """A stratified sample of the run's held-out rows.

    Args:
        run: the run, which knows its splits.
        frame: the table it was trained on.
        encoded: the same table, encoded.
        n_rows: how many rows at most.
        seed: of the draw.

    Raises:
        SchemaError: ``frame`` is not the run's table.
    """
    rows, name = held_out(run)
    everything = run.targets.encode(frame, rows=rows)
    y, task, target = strata(run.targets, everything)
    chosen = choose_rows(encoded, rows, y, task=task, n_rows=n_rows, seed=seed, name=name, target=target)
    places = np.searchsorted(rows, chosen.rows)
    return EvaluationRows(chosen=chosen, y=everything[places], description=chosen.selection)


def save_evaluation(run: Run, evaluation: EvaluationRows) -> Run:
    """Store evaluation rows with the run.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
    """
    table = evaluation.chosen.table
    arrays: dict[str, npt.NDArray[Any]] = {"row": evaluation.chosen.rows, "y": evaluation.y}
    slots: dict[str, npt.NDArray[Any]] = {"numeric": table.numeric, "categorical": table.categorical}
    arrays |= {name: values for name, values in slots.items() if values.shape[1]}
    return save_arrays(run, EVALUATION, iter([arrays]), lambda: {"description": evaluation.description})


def has_evaluation(run: Run) -> bool:
    """Whether the run holds evaluation rows."""
    return has_part(run, EVALUATION)


def load_evaluation(run: Run) -> EvaluationRows:
    """The stored evaluation rows.

    Raises:
        ExplanationError: the run has none.
        DamagedRunError: what is stored cannot be read.
    """
    facts = load_facts(run, EVALUATION, _WORDS)
    arrays = load_arrays(run, EVALUATION, _WORDS)
    with reading(run, _WORDS):
        n_rows, description = len(arrays["row"]), str(facts["description"])
        numeric = arrays.get("numeric", np.zeros((n_rows, 0), dtype=np.float32))
        categorical = arrays.get("categorical", np.zeros((n_rows, 0), dtype=np.int64))
        chosen = ChosenRows(EncodedTable(numeric, categorical), arrays["row"], description)
        return EvaluationRows(chosen=chosen, y=arrays["y"], description=description)
