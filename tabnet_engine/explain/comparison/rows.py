"""The same rows as two runs score them, and what really came. No torch: pages import this.

Shapes: B rows, K outputs in the common form, C classes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.comparison.targets import SharedTarget
from tabnet_engine.explain.evaluation import has_evaluation, load_evaluation
from tabnet_engine.explain.store import MASKS
from tabnet_engine.explain.stored_arrays import has_part, load_columns
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.data.targets import TargetCodec
    from tabnet_engine.runs.run import Run

__all__ = ["FEWEST_TEST_ROWS", "PairedScores", "outcomes_of", "same_table", "seen_by", "stored_scores"]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FEWEST_TEST_ROWS = 100  # with fewer in the test parts of both, the validation rows are taken too
_WORDS = "attention masks"


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedScores:
    """Rows that both runs score, for one target.

    ``rows`` (B) are row numbers in the table. ``y`` (B) holds class numbers (-1 where the outcome is not known), of
    a quantity its values (NaN where not known). ``first`` and ``second`` (B, K) are logits in the common form of
    ``target``. ``seen`` (B) are rows that at least one of the runs learned from; ``tested`` (B) are test rows of
    both. ``origin`` says in a sentence where the rows come from.
    """

    target: SharedTarget
    rows: Integers
    y: Floats
    first: Floats
    second: Floats
    seen: Flags
    tested: Flags
    origin: str

    def __post_init__(self) -> None:
        n_rows = len(self.rows)
        for name in ("y", "seen", "tested"):
            if getattr(self, name).shape != (n_rows,):
                raise ValueError(f"{name} must have one value for each of the {n_rows} rows")
        if self.first.shape != self.second.shape or len(self.first) != n_rows:
            raise ValueError(f"logits of {self.first.shape} and {self.second.shape} do not pair on {n_rows} rows")

    @property
    def n_rows(self) -> int:
        """B, how many rows there are."""
        return len(self.rows)

    @property
    def known(self) -> Flags:
        """Rows (B) whose outcome is known."""
        found = np.isfinite(self.y) if self.target.task is Task.REGRESSION else self.y >= 0
        return np.asarray(found)

    def take(self, positions: npt.ArrayLike) -> Self:
        """Some of the rows, by position or by a mask."""
        chosen = np.asarray(positions)
        names = ("rows", "y", "first", "second", "seen", "tested")
        return dataclasses.replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def held_out(self) -> tuple[Self, str]:
        """The rows on which both runs are judged fairly, and a sentence that says which these are.

        The test rows of both; where these are fewer than :data:`FEWEST_TEST_ROWS`, every row that neither learned
        from; in a table that neither was trained on, all.
        """
        n_tested = int(self.tested.sum())
        if n_tested >= FEWEST_TEST_ROWS or (n_tested and n_tested == int((~self.seen).sum())):
            words = say_plural(
                "Measured on {count} row that is a test row of both runs.",
                "Measured on {count:,} rows that are test rows of both runs.",
                n_tested,
            )
            return self.take(self.tested), words
        unseen = ~self.seen
        n_unseen = int(unseen.sum())
        if not self.seen.any() and not n_tested:
            return self, say(
                "Measured on all {n_rows:,} rows of a table that neither run was trained on.", n_rows=self.n_rows
            )
        words = say(
            "Measured on {n_rows:,} rows that neither run learned from. Only {n_tested:,} of them are test rows of "
            "both, so validation rows are among them, by which a run chose its epoch: they flatter that run a little.",
            n_rows=n_unseen,
            n_tested=n_tested,
        )
        return self.take(unseen), words


def same_table(first: Run, second: Run) -> bool:
    """Whether both runs were trained on the same file, so that a row number means the same row."""
    mine, yours = first.manifest.dataset, second.manifest.dataset
    if mine.n_rows != yours.n_rows:
        return False
    return mine.sha256 == yours.sha256 and bool(mine.sha256)


def stored_scores(
    first: Run, second: Run, target: SharedTarget, frame: pd.DataFrame | None = None
) -> PairedScores | None:
    """The rows whose scores both runs stored when they were explained; None when they share none.

    Args:
        first: a trained run.
        second: another one, of the same table.
        target: what both predict.
        frame: that table; without it outcomes are known of the stored evaluation rows only.
    """
    if not same_table(first, second) or not all(has_part(run, MASKS) for run in (first, second)):
        return None
    mine, yours = (load_columns(run, MASKS, _WORDS, ("row", "logits")) for run in (first, second))
    rows, at_mine, at_yours = np.intersect1d(mine["row"], yours["row"], assume_unique=True, return_indices=True)
    if not len(rows):
        return None
    seen, tested = seen_by(first, second, len(rows), rows)
    return PairedScores(
        target=target,
        rows=rows.astype(np.int64),
        y=_outcomes(first, second, target, rows, frame),
        first=target.common(first.targets, mine["logits"][at_mine]),
        second=target.common(second.targets, yours["logits"][at_yours]),
        seen=seen,
        tested=tested,
        origin=say(
            "{n_rows:,} of {n_table:,} rows of the table are explained in both runs.",
            n_rows=len(rows),
            n_table=first.manifest.dataset.n_rows,
        ),
    )


def seen_by(first: Run, second: Run, n_rows: int, rows: Integers) -> tuple[Flags, Flags]:
    """Which of ``rows`` (B) at least one run learned from, and which are test rows of both."""
    size = int(max(rows.max(initial=0) + 1, n_rows, *(_reach(run) for run in (first, second))))
    learned, tested = np.zeros(size, dtype=bool), np.ones(size, dtype=bool)
    for run in (first, second):
        learned[run.splits.train] = True
        own = np.zeros(size, dtype=bool)
        own[run.splits.test] = True
        tested &= own
    return learned[rows], tested[rows]


def _reach(run: Run) -> int:
    """One more than the largest row number that a run's split names."""
    parts = (run.splits.train, run.splits.validation, run.splits.test)
    return max((int(part.max(initial=-1)) + 1 for part in parts), default=0)


def _outcomes(first: Run, second: Run, target: SharedTarget, rows: Integers, frame: pd.DataFrame | None) -> Floats:
    """The outcome of each row (B) from the table, else from the evaluation rows that the runs keep."""
    codec, _ = first.targets.of(target.name)
    if frame is not None and len(frame) == first.manifest.dataset.n_rows:
        return outcomes_of(codec, target, frame, rows)
    y = np.full(len(rows), np.nan if target.task is Task.REGRESSION else -1.0)
    for run in (first, second):
        if has_evaluation(run):
            _fill_in(run, target, rows, y)
    return y


def _fill_in(run: Run, target: SharedTarget, rows: Integers, y: Floats) -> None:
    """Write the outcomes that a run's evaluation rows know into ``y`` (B)."""
    evaluation = load_evaluation(run)
    codec, _ = run.targets.of(target.name)
    own = evaluation.of_target(run.targets, run.targets.names.index(target.name)).astype(np.float64)
    _, places, theirs = np.intersect1d(rows, evaluation.chosen.rows, assume_unique=True, return_indices=True)
    y[places] = _in_order(codec, target, own[theirs])


def outcomes_of(codec: TargetCodec, target: SharedTarget, frame: pd.DataFrame, rows: Integers) -> Floats:
    """What really came in some rows (B) of a table: codes in the classes' common order, or numbers."""
    y = np.full(len(rows), np.nan if codec.task is Task.REGRESSION else -1.0)
    if codec.name in frame:
        known = frame[codec.name].notna().to_numpy()[rows]
        y[known] = _in_order(codec, target, codec.encode(frame, rows=rows[known]).astype(np.float64))
    return y


def _in_order(codec: TargetCodec, target: SharedTarget, values: Floats) -> Floats:
    """A codec's class numbers as those of the common order."""
    if target.task is Task.REGRESSION or codec.classes == target.classes:
        return values
    places: npt.NDArray[Any] = np.array([target.classes.index(name) for name in codec.classes], dtype=np.float64)
    return np.asarray(places[values.astype(np.int64)])
