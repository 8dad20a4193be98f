"""Outcomes of a run's explained rows from what is stored, without reading the masks themselves.

Shapes: B rows, K outputs. No torch: pages import this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.explain.row_outcomes import RowOutcomes, row_outcomes
from tabnet_engine.explain.store import MASKS
from tabnet_engine.explain.stored_arrays import load_columns

if TYPE_CHECKING:
    from tabnet_engine.runs.artefact import Run

__all__ = ["outcomes_in_order", "stored_outcomes"]


def stored_outcomes(run: Run, frame: pd.DataFrame, target: str) -> RowOutcomes:
    """Prediction and outcome of every row whose masks are stored.

    Args:
        run: the run; it has masks.
        frame: the raw table that it was trained on.
        target: which of its targets.

    Raises:
        DamagedRunError: the stored part cannot be read.
        SchemaError: the table does not hold the target.
    """
    stored = load_columns(run, MASKS, "attention masks", ["row", "logits"])
    codec, place = run.targets.of(target)
    logits = stored["logits"].reshape(len(stored["row"]), -1).astype(np.float64)
    return row_outcomes(codec, run.splits, frame, stored["row"], logits, place=place)


def outcomes_in_order(outcomes: RowOutcomes, rows: npt.NDArray[np.int64]) -> RowOutcomes:
    """The outcomes of some rows in the order of ``rows``; rows that have none are left out."""
    order = np.argsort(outcomes.rows, kind="stable")
    places = np.searchsorted(outcomes.rows, rows, sorter=order)
    found = order[np.minimum(places, len(order) - 1)]
    return outcomes.take(found[outcomes.rows[found] == rows])
