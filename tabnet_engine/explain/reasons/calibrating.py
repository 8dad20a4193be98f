"""How well the model's scores fit what really came, in the rows that no weight was fitted to.

Shapes: B held-out rows, K outputs. Where there are none, that is said; nothing is measured on rows that trained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tabnet_engine.data.schema import Task
from tabnet_engine.errors import SchemaError
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.evaluation import has_evaluation, held_out, load_evaluation
from tabnet_engine.explain.groups.calibration import calibration
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.explain.reasons.measuring import CaseModel
    from tabnet_engine.runs.artefact import Run

__all__ = ["held_out_calibration"]

MAX_ROWS = 5_000  # the intervals are narrow by then, and their resampling slow

NOT_HELD_OUT = msg("no row was held out that the model could be judged on, so its calibration is not known")
OTHER_TABLE = msg(
    "the rows that were held out from training are not in the given table, so the calibration is not known"
)
NO_OUTCOME = msg("the outcome of the held-out rows is not in the table, so the calibration is not known")


def held_out_calibration(run: Run, frame: pd.DataFrame | None, model: CaseModel) -> tuple[dict[str, Estimate], str]:
    """Measures of calibration by name, and which rows they are of, in English; no measure where there are no rows.

    Args:
        run: its stored evaluation rows are taken, else its held-out rows of the table.
        frame: the table of the run; None where only another one is there.
        model: of the run.
    """
    codec, place = model.score.codec, model.score.place
    if has_evaluation(run):
        stored = load_evaluation(run)
        y = stored.of_target(run.targets, run.targets.names.index(codec.name))
        logits = model.subject.logits(stored.chosen.table)[:, place]
        return calibration(codec, y, logits, seed=model.config.seed), stored.description
    rows, name = held_out(run)
    if not len(rows):
        return {}, say(NOT_HELD_OUT)
    if frame is None or len(frame) != run.manifest.dataset.n_rows or int(rows.max()) >= len(frame):
        return {}, say(OTHER_TABLE)
    if codec.name not in frame.columns:
        return {}, say(NO_OUTCOME)
    n_all = len(rows)
    if n_all > MAX_ROWS:
        rows = np.sort(np.random.default_rng([model.config.seed, 6]).permutation(rows)[:MAX_ROWS])
    try:
        y = codec.encode(frame, rows=rows)
    except SchemaError:  # an outcome that is missing, or none of the target's
        return {}, say(NO_OUTCOME)
    logits = model.subject.logits(run.encoder.transform(frame.iloc[rows]))[:, place]
    if codec.task is Task.REGRESSION:
        y = y.astype(np.float64)
    words = say("{n_drawn:,} of {n_rows:,} {rows}", n_drawn=len(rows), n_rows=n_all, rows=say(name))
    return calibration(codec, y, logits, seed=model.config.seed), words
