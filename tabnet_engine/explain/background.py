"""Which rows stand for "unknown", and which rows are explained: stratified draws that say what they are.

Shapes: B rows of a table, M rows drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Background
from tabnet_engine.explain.subject import ChosenRows
from tabnet_engine.texts.speaking import say

__all__ = [
    "BackgroundSample",
    "choose_rows",
    "draw_background",
    "strata",
    "stratified_positions",
    "substitute_background",
]


@dataclass(frozen=True)
class BackgroundSample:
    """Background rows (M) with their encoded cells."""

    background: Background
    encoded: EncodedTable

    def __post_init__(self) -> None:
        if len(self.encoded) != self.background.n_rows:
            raise ValueError(f"{len(self.encoded)} encoded rows for a background of {self.background.n_rows}")


def draw_background(
    table: EncodedTable,
    rows: npt.NDArray[np.int64],
    y: npt.NDArray[np.generic],
    *,
    task: Task,
    n_rows: int,
    seed: int,
    target: str = "",
    name: str = "training rows",
) -> BackgroundSample:
    """A stratified sample of training rows.

    Args:
        table: the whole encoded table.
        rows: positions of the training rows in it (B).
        y: their targets (B), class codes or numbers; of several targets the one that :func:`strata` gives.
        task: decides the strata: classes, or ranges of the target.
        n_rows: how many to draw; all rows when there are fewer.
        seed: of the draw.
        target: which of several targets ``y`` holds; empty when there is one.
        name: what ``rows`` are.

    Raises:
        ExplanationError: there is no row to draw from, or none is wanted.
    """
    if n_rows < 1:
        raise ExplanationError(
            f"the background must have at least one row, got {n_rows}; set n_background to 1 or more"
        )
    if len(rows) == 0:
        raise ExplanationError(f"there are no {name} to draw a background from")
    drawn = np.asarray(rows, dtype=np.int64)[stratified_positions(y, n_rows, task=task, seed=seed)]
    description = _draw_text(len(drawn), len(rows), name, task, target)
    return BackgroundSample(Background(description=description, rows=drawn, n_population=len(rows)), table.take(drawn))


def substitute_background(table: EncodedTable, *, n_rows: int, seed: int) -> BackgroundSample:
    """Rows of the explained table itself, for a run that knows no training rows; which the description says."""
    n_table = len(table)
    drawn = stratified_positions(np.zeros(n_table), n_rows, task=Task.BINARY, seed=seed)
    if len(drawn) == n_table:
        description = say(
            "all {n_rows:,} rows of the explained table, since the run was imported without its training rows",
            n_rows=n_table,
        )
    else:
        description = say(
            "{n_drawn:,} of {n_rows:,} rows, drawn at random, of the explained table, since the run was imported "
            "without its training rows",
            n_drawn=len(drawn),
            n_rows=n_table,
        )
    background = Background(description=description, rows=drawn, n_population=n_table, kind="explained")
    return BackgroundSample(background, table.take(drawn))


def strata(targets: TargetCodecs, y: npt.NDArray[np.generic]) -> tuple[npt.NDArray[np.generic], Task, str]:
    """What a draw is spread over: the only target, or of several the first that has classes, else the first.

    Args:
        targets: all targets of the model.
        y: their values, (B,) for one target or (B, T).

    Returns:
        The values (B), their task, and the target's name where it is one of several.
    """
    if len(targets.codecs) == 1:
        return y, targets.only.task, ""
    tasks = [codec.task for codec in targets.codecs]
    place = next((index for index, task in enumerate(tasks) if task is not Task.REGRESSION), 0)
    return targets.column(y, place), tasks[place], targets.names[place]


def choose_rows(
    table: EncodedTable,
    rows: npt.NDArray[np.int64],
    y: npt.NDArray[np.generic],
    *,
    task: Task,
    n_rows: int,
    seed: int,
    name: str,
    target: str = "",
) -> ChosenRows:
    """A stratified sample of the rows to explain, as :func:`draw_background` draws.

    ``name`` says what ``rows`` are ("test rows").
    """
    drawn = np.asarray(rows, dtype=np.int64)[stratified_positions(y, n_rows, task=task, seed=seed)]
    return ChosenRows.from_table(table, drawn, _draw_text(len(drawn), len(rows), name, task, target))


def stratified_positions(y: npt.NDArray[np.generic], n_rows: int, *, task: Task, seed: int) -> npt.NDArray[np.int64]:
    """Draw positions (ascending) whose targets are spread as in ``y`` (B).

    Classes get rows in proportion to their size, by largest remainders. A regression target is cut into
    as many equally filled ranges as rows are drawn, and each range gives one.
    """
    if n_rows >= len(y):
        return np.arange(len(y), dtype=np.int64)
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    if task is Task.REGRESSION:
        groups = np.array_split(order, n_rows)
        return np.sort(np.array([generator.choice(group) for group in groups], dtype=np.int64))
    _, counts = np.unique(y, return_counts=True)
    taken = _proportional(counts, n_rows)
    # Within a class the order is random already: its first rows are a random draw.
    starts = np.cumsum(counts) - counts
    parts = [order[start : start + size] for start, size in zip(starts, taken, strict=True)]
    return np.sort(np.concatenate(parts)).astype(np.int64)


def _proportional(counts: npt.NDArray[np.int64], n_rows: int) -> npt.NDArray[np.int64]:
    exact = counts * (n_rows / counts.sum())
    taken: npt.NDArray[np.int64] = np.floor(exact).astype(np.int64)
    rest = n_rows - int(taken.sum())
    taken[np.argsort(-(exact - taken), kind="stable")[:rest]] += 1
    return taken


def _draw_text(n_drawn: int, n_rows: int, name: str, task: Task, target: str) -> str:
    facts = {"n_drawn": n_drawn, "n_rows": n_rows, "rows": name}
    if n_drawn == n_rows:
        return say("all {n_rows:,} {rows}", n_rows=n_rows, rows=name)
    if task is Task.REGRESSION and not target:
        return say("{n_drawn:,} of {n_rows:,} {rows}, drawn over the range of the target", **facts)
    if task is Task.REGRESSION:
        return say("{n_drawn:,} of {n_rows:,} {rows}, drawn over the range of '{target}'", target=target, **facts)
    if not target:
        return say("{n_drawn:,} of {n_rows:,} {rows}, drawn in the shares of the classes", **facts)
    return say(
        "{n_drawn:,} of {n_rows:,} {rows}, drawn in the shares of the classes of '{target}'", target=target, **facts
    )
