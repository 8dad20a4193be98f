"""Pairs of columns whose joint effect is more than the sum of both, and the surface of one pair.

Friedman & Popescu 2008, section 8.1: with partial dependences centred at their mean, H squared of two columns is the
mean square of PD_jk - PD_j - PD_k over the rows' own values, divided by that of PD_jk. All of them are averaged over
the same rows, so that for columns that only add up the difference is zero, not only small.

Shapes: B rows, which are both the points and the rows averaged over, N pairs, K outputs, R resamples.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.effects.band import Band
from tabnet_engine.explain.effects.grid import ColumnGrid, column_grid
from tabnet_engine.explain.effects.interaction_result import EffectSurface, Interactions
from tabnet_engine.explain.effects.partial import centred, mean_band
from tabnet_engine.explain.effects.source import EffectSource, ScoredRows
from tabnet_engine.explain.effects.swaps import slots_of
from tabnet_engine.explain.subject import Steering

__all__ = ["effect_surface", "pairwise_interactions"]

DEFAULT_ROWS = 100
DEFAULT_SURFACE_ROWS = 200
DEFAULT_SURFACE_POINTS = 10
_N_RESAMPLES = 400
_FEWEST_ROWS = 5
_NOTHING = 1e-5  # of the score's own spread: a joint effect below it may be rounding

Floats = npt.NDArray[np.float64]


def pairwise_interactions(
    source: EffectSource,
    columns: Sequence[str],
    *,
    only_with: str | None = None,
    n_rows: int = DEFAULT_ROWS,
    seed: int = 0,
    steering: Steering | None = None,
) -> Interactions:
    """How strongly each pair of the columns acts together on each output.

    Forwards ``n_rows`` squared rows for each column and each pair.

    Args:
        source: the model and the rows.
        columns: the leading columns, two or more.
        only_with: one of them, of which alone the pairs are measured; all pairs when absent.
        n_rows: the most rows, drawn at random.
        seed: of the draws.
        steering: told the columns and pairs done.

    Raises:
        ExplanationError: fewer than two columns, one twice or that the model does not read, or too few rows.
        JobCancelledError: the steering asked to stop.
    """
    steering = steering or Steering()
    places = [source.position(column) for column in columns]
    if len(set(places)) < max(2, len(places)):
        raise ExplanationError(f"interactions need two or more different columns, got {', '.join(columns) or 'none'}")
    chosen = source.sample(n_rows, seed)
    if len(chosen.rows) < _FEWEST_ROWS:
        raise ExplanationError(f"interactions need at least {_FEWEST_ROWS} rows, got {len(chosen.rows)}")
    table = ScoredRows(chosen)
    # Even weights first, then those of the Bayesian bootstrap (Rubin 1981).
    drawn = np.random.default_rng(seed).exponential(size=(_N_RESAMPLES, len(table)))
    weights = np.vstack([np.ones(len(table)), drawn])
    weights /= weights.sum(axis=1, keepdims=True)
    centre = None if only_with is None else source.position(only_with)
    pairs = [pair for pair in combinations(places, 2) if centre is None or centre in pair]
    if not pairs:
        raise ExplanationError(f"{only_with!r} is none of the columns whose pairs are measured; name it among them")
    total = len(places) + len(pairs)
    own: dict[int, Floats] = {}
    for place in places:
        steering.step(len(own), total)
        own[place] = _centred(table.with_each((place,), table.table), weights)
    spread = table.scores.std(axis=0)
    found: list[tuple[Floats, Floats]] = []
    for first, second in pairs:
        steering.step(len(own) + len(found), total)
        joint = _centred(table.with_each((first, second), table.table), weights)
        found.append(_strength(joint, own[first], own[second], weights, spread))
    steering.step(total, total)
    return Interactions(
        columns=tuple(columns),
        pairs=tuple((source.features[first], source.features[second]) for first, second in pairs),
        outputs=source.model.outputs,
        scale=source.scale,
        size=_drawn_band(np.stack([size for size, _ in found], axis=1)),
        share=_drawn_band(np.stack([share for _, share in found], axis=1)),
        rows=chosen.rows,
        selection=chosen.selection,
        n_resamples=_N_RESAMPLES,
        seed=seed,
        run_id=source.model.run_id,
    )


def _centred(scores: Floats, weights: Floats) -> Floats:
    """Partial dependence at the rows' own values (R, B, K), centred, from scores (B points, B rows, K)."""
    dependence = np.einsum("rb,gbk->rgk", weights, scores)
    mean: Floats = np.einsum("rg,rgk->rk", weights, dependence)
    return np.asarray(dependence - mean[:, None, :])


def _strength(joint: Floats, first: Floats, second: Floats, weights: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Size and share (R, K) of what the joint effect adds to both."""
    beyond = np.einsum("rb,rbk->rk", weights, np.square(joint - first - second))
    whole = np.einsum("rb,rbk->rk", weights, np.square(joint))
    moved = np.sqrt(whole) > _NOTHING * np.maximum(spread, _NOTHING)
    share = np.divide(beyond, whole, out=np.full_like(whole, np.nan), where=moved)
    return np.sqrt(beyond), share


def _drawn_band(values: Floats) -> Band:
    """The first of (R, N, K) with the interval of the others; no interval where a draw is not defined."""
    return Band.of_draws(values[0], values[1:])


def effect_surface(
    source: EffectSource,
    pair: tuple[str, str],
    *,
    n_points: int = DEFAULT_SURFACE_POINTS,
    n_rows: int = DEFAULT_SURFACE_ROWS,
    seed: int = 0,
) -> EffectSurface:
    """The joint partial dependence of two columns on every output.

    Args:
        source: the model and the rows.
        pair: two different columns.
        n_points: the most points of each number or date; missing comes on top.
        n_rows: the most rows to average over, drawn at random.
        seed: of the draw.

    Raises:
        ExplanationError: a column that the model does not read or that holds no value to draw, or no row.
    """
    places = [source.position(column) for column in pair]
    if places[0] == places[1]:
        raise ExplanationError(f"a surface needs two different columns, got {pair[0]!r} twice")
    if n_points < 2:
        raise ExplanationError(f"a surface needs at least 2 points a column, got {n_points}")
    grids = [column_grid(source.encoder, source.frame, column, n_points) for column in pair]
    for column, grid in zip(pair, grids, strict=True):
        if not len(grid.points):
            raise ExplanationError(f"these rows hold no value of {column!r} that the model knows; choose other rows")
    chosen = source.sample(n_rows, seed)
    table = ScoredRows(chosen)
    n_first, n_second = (len(grid.points) for grid in grids)
    both = table.with_each(places, _pairs(source, places, grids)).swapaxes(0, 1)
    joint = both.reshape(len(table), n_first, n_second, -1)
    joint = joint - np.einsum("g,h,bghk->bk", grids[0].points.weights, grids[1].points.weights, joint)[:, None, None]
    own = [_own(table, place, grid) for place, grid in zip(places, grids, strict=True)]
    return EffectSurface(
        first=grids[0].points,
        second=grids[1].points,
        outputs=source.model.outputs,
        scale=source.scale,
        joint=mean_band(joint),
        interaction=mean_band(joint - own[0][:, :, None] - own[1][:, None, :]),
        counts=_counts(grids),
        n_rows=len(table),
        selection=chosen.selection,
        seed=seed,
        run_id=source.model.run_id,
    )


def _pairs(source: EffectSource, places: Sequence[int], grids: Sequence[ColumnGrid]) -> EncodedTable:
    """Cells of every pair of points (G * H rows), the second column's points running fastest."""
    first, second = (grid.cells for grid in grids)
    cells = first.take(np.repeat(np.arange(len(first)), len(second)))
    other = second.take(np.tile(np.arange(len(second)), len(first)))
    numeric, categorical = slots_of(source.encoder.layout, (places[1],))
    cells.numeric[:, numeric] = other.numeric[:, numeric]
    cells.categorical[:, categorical] = other.categorical[:, categorical]
    return cells


def _own(table: ScoredRows, place: int, grid: ColumnGrid) -> Floats:
    """Each row's own curve of one column (B, G, K), centred at its mean."""
    scores = table.with_each((place,), grid.cells).swapaxes(0, 1)
    return centred(scores, grid.points.weights)[0]


def _counts(grids: Sequence[ColumnGrid]) -> npt.NDArray[np.int64]:
    first, second = grids
    counts = np.zeros((len(first.points), len(second.points)), dtype=np.int64)
    known = (first.nearest >= 0) & (second.nearest >= 0)
    np.add.at(counts, (first.nearest[known], second.nearest[known]), 1)
    return counts
