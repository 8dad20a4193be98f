"""Accumulated local effects (ALE): the effect of a column where its rows really are.

Apley & Zhu 2020: between two neighbouring points the score's difference is averaged over the rows that lie there,
and the differences are added up. No row is asked about a value far from its own, so that correlated columns do not
lead the model off the data, as partial dependence does. For a linear model the curve is its slope.

Shapes: B rows, G points, J = G - 1 steps between them, K outputs, R resamples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.data.schema import CATEGORICAL, Column
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.effects.band import Band
from tabnet_engine.explain.effects.curve import EffectCurve
from tabnet_engine.explain.effects.grid import encode_values, level_codes, numbers_of, ordered_points, point_labels
from tabnet_engine.explain.effects.ordering import order_by_likeness
from tabnet_engine.explain.effects.points import GridPoints
from tabnet_engine.explain.effects.source import EffectSource, ScoredRows
from tabnet_engine.texts.speaking import msg, say

__all__ = ["accumulated_effects"]

DEFAULT_POINTS = 20
DEFAULT_ROWS = 2_000
_N_RESAMPLES = 400
_ALIKE = msg("Neighbouring categories are those whose rows are most alike in other columns.")

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Steps:
    """Differences of the score from one point to the next: ``rows``, ``steps`` and ``changes`` (N, K) of each."""

    points: GridPoints
    rows: Integers
    steps: Integers
    changes: Floats
    note: str = ""


def accumulated_effects(
    source: EffectSource, feature: str, *, n_points: int = DEFAULT_POINTS, n_rows: int = DEFAULT_ROWS, seed: int = 0
) -> EffectCurve:
    """The accumulated local effects of one column on every output.

    Rows whose cell is missing or a category unknown to training lie at no point: they are counted, not drawn.
    Categories are put in an order by :func:`~tabnet_engine.explain.effects.ordering.order_by_likeness`.

    Args:
        source: the model and the rows.
        feature: the column.
        n_points: the most points of a number or a date.
        n_rows: the most rows to use, drawn at random.
        seed: of the draws.

    Raises:
        ExplanationError: a column that the model does not read, fewer than two different values, or no row.
    """
    place = source.position(feature)
    if n_points < 2:
        raise ExplanationError(f"an effect needs at least 2 points, got {n_points}")
    chosen = source.sample(n_rows, seed)
    table, column = ScoredRows(chosen), source.encoder.schema.features[place]
    if column.kind in CATEGORICAL:
        steps = _category_steps(chosen, table, place, column)
    else:
        steps = _number_steps(chosen, table, place, column, n_points)
    generator = np.random.default_rng(seed)
    n_used = int(steps.points.counts.sum())
    # Weights of the Bayesian bootstrap (Rubin 1981): no row ever drops out, so no step is ever without rows.
    weights = generator.exponential(size=(_N_RESAMPLES, len(table)))
    effect = _accumulate(steps, np.ones((1, len(table))))[0]
    draws = _accumulate(steps, weights)
    means = weights @ table.scores / weights.sum(axis=1, keepdims=True)
    level = Band.of_draws(table.scores.mean(axis=0), means)
    return EffectCurve(
        method="ale",
        points=steps.points,
        outputs=source.model.outputs,
        scale=source.scale,
        effect=Band.of_draws(effect, draws),
        level=level,
        n_rows=len(table),
        selection=chosen.selection,
        seed=seed,
        run_id=source.model.run_id,
        how=say("95 % intervals by a bootstrap over the rows, {n:,} resamples", n=_N_RESAMPLES),
        n_without_place=len(table) - n_used,
        note=steps.note,
    )


def _number_steps(source: EffectSource, table: ScoredRows, place: int, column: Column, n_points: int) -> _Steps:
    numbers = numbers_of(source.frame, column)
    rows = np.flatnonzero(np.isfinite(numbers))
    edges = ordered_points(numbers[rows], n_points)
    if len(edges) < 2:
        raise _too_few(column.name)
    cells = encode_values(source.encoder, source.frame, column, edges)
    # A row lies in the step (low, high]; the smallest value lies in the first one.
    steps = np.maximum(np.searchsorted(edges, numbers[rows], side="left") - 1, 0)
    changes = _changes(table, place, cells, rows, steps)
    nearest = np.searchsorted((edges[1:] + edges[:-1]) / 2, numbers[rows], side="left")
    points = GridPoints(
        feature=column.name,
        kind=column.kind,
        labels=point_labels(edges, column),
        places=edges,
        counts=np.bincount(nearest, minlength=len(edges)).astype(np.int64),
    )
    return _Steps(points, rows, steps, changes)


def _category_steps(source: EffectSource, table: ScoredRows, place: int, column: Column) -> _Steps:
    """Rows of two neighbouring categories, each moved to the other."""
    codes, levels, left_out = level_codes(source.frame, column)
    if len(levels) < 2:
        raise _too_few(column.name)
    order = order_by_likeness(source.encoder.layout, table.table, place, codes, len(levels))
    at = np.full(len(levels) + 2, -1, dtype=np.int64)
    at[order] = np.arange(len(levels))
    position = np.where(codes >= 0, at[codes], -1)
    up = np.flatnonzero((position >= 0) & (position < len(levels) - 1))
    down = np.flatnonzero(position > 0)
    rows, steps = np.concatenate([up, down]), np.concatenate([position[up], position[down] - 1])
    named = tuple(levels[index] for index in order)
    cells = encode_values(source.encoder, source.frame, column, np.array(named, dtype=object))
    points = GridPoints(
        feature=column.name,
        kind=column.kind,
        labels=named,
        places=np.arange(float(len(named))),
        counts=np.bincount(position[position >= 0], minlength=len(named)).astype(np.int64),
        left_out=left_out,
    )
    note = "" if len(named) == 2 else say(_ALIKE)
    return _Steps(points, rows, steps, _changes(table, place, cells, rows, steps), note)


def _changes(table: ScoredRows, place: int, cells: EncodedTable, rows: Integers, steps: Integers) -> Floats:
    """What the score (N, K) of each row gains from the point after its step over the point before it."""
    low = table.with_own((place,), cells, rows, steps)
    return table.with_own((place,), cells, rows, steps + 1) - low


def _accumulate(steps: _Steps, weights: Floats) -> Floats:
    """The curve (R, G, K) for each weighting of the rows (R, B), centred at its mean over the rows."""
    n_points, n_outputs = len(steps.points), steps.changes.shape[1]
    used = weights[:, steps.rows]
    member = np.zeros((len(steps.rows), n_points - 1))
    member[np.arange(len(member)), steps.steps] = 1.0
    total = used @ member
    curves = np.zeros((len(weights), n_points, n_outputs))
    for output in range(n_outputs):
        added = used @ (member * steps.changes[:, output, None])
        curves[:, 1:, output] = np.cumsum(np.divide(added, total, out=np.zeros_like(added), where=total > 0), axis=1)
    mean: Floats = np.einsum("g,rgk->rk", steps.points.weights, curves)
    return curves - mean[:, None, :]


def _too_few(name: str) -> ExplanationError:
    return ExplanationError(
        f"accumulated local effects need at least two different values of {name!r} that the model knows; "
        "choose other rows or another column"
    )
