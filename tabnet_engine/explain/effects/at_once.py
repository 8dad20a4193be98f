"""Effects of one column while a reader waits: its curves, and how it acts together with others.

A run stores the effects of its leading columns. Those of any other are measured here, on the same held-out rows.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tabnet_engine.explain.effects.interactions import DEFAULT_ROWS
from tabnet_engine.explain.effects.source import EffectSource, ScoredRows
from tabnet_engine.explain.evaluation import load_evaluation

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.explain.subject import Subject
    from tabnet_engine.runs.artefact import Run

__all__ = ["N_PARTNERS", "interaction_seconds", "partners_of", "source_of"]

N_PARTNERS = 8  # columns that a column is tried with, the most important ones
_PROBE_ROWS = 40


def source_of(run: Run, frame: pd.DataFrame, subject: Subject) -> EffectSource:
    """A loaded network over the held-out rows that the run's stored effects rest on.

    Raises:
        ExplanationError: the run stores no such rows.
        DamagedRunError: the stored rows cannot be read.
    """
    evaluation = load_evaluation(run)
    rows = evaluation.chosen.rows
    return EffectSource(
        model=subject,
        encoder=run.encoder,
        targets=run.targets,
        frame=frame.iloc[rows],
        rows=rows,
        selection=evaluation.description,
    )


def partners_of(column: str, ranked: Sequence[str], n_partners: int = N_PARTNERS) -> tuple[str, ...]:
    """The columns that one is tried with: the most important other ones, in their order."""
    return tuple(name for name in ranked if name != column)[:n_partners]


def interaction_seconds(source: EffectSource, n_partners: int) -> float:
    """About how long it takes here to measure one column with so many others, judging by a small part of it."""
    table = ScoredRows(source.sample(_PROBE_ROWS, 0))
    table.with_each((0,), table.table)  # the first pass warms the machine up
    start = time.perf_counter()
    table.with_each((0,), table.table)
    per_score = (time.perf_counter() - start) / len(table) ** 2
    n_rows = min(DEFAULT_ROWS, len(source.rows))
    return float(per_score * np.square(n_rows) * (2 * n_partners + 1))
