"""Partial dependence with the curves of single rows (PDP and ICE).

At each point of a column every row gets that value and the scores are averaged (Friedman 2001, section 8.2); the
curves of single rows beside it show what the average hides (Goldstein et al. 2015). Each row's curve is centred at
its own mean over the column's distribution, so that the interval is that of the effect and not that of the level.

Shapes: B rows averaged over, G points, K outputs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.effects.band import Band
from tabnet_engine.explain.effects.curve import EffectCurve, RowCurves
from tabnet_engine.explain.effects.grid import column_grid
from tabnet_engine.explain.effects.source import EffectSource, ScoredRows
from tabnet_engine.explain.effects.support import off_data_shares
from tabnet_engine.explain.estimates import student_point
from tabnet_engine.texts.speaking import msg, say

__all__ = ["centred", "mean_band", "partial_dependence"]

DEFAULT_POINTS = 20
DEFAULT_ROWS = 500
DEFAULT_ROW_CURVES = 50
_TOO_FEW = msg("Too few rows to tell whether combinations lie away from the data.")
_REAL_ROWS = 2_000  # looked at to tell what is away from the data

Floats = npt.NDArray[np.float64]


def partial_dependence(
    source: EffectSource,
    feature: str,
    *,
    n_points: int = DEFAULT_POINTS,
    n_rows: int = DEFAULT_ROWS,
    n_row_curves: int = DEFAULT_ROW_CURVES,
    seed: int = 0,
) -> EffectCurve:
    """The partial dependence of every output on one column.

    Args:
        source: the model and the rows to average over.
        feature: the column.
        n_points: the most points of a number or a date; missing comes on top where cells are missing.
        n_rows: the most rows to average over, drawn at random.
        n_row_curves: how many of them to hand on as curves of their own.
        seed: of the draws.

    Raises:
        ExplanationError: a column that the model does not read or that holds no value to draw, or no row.
    """
    place = source.position(feature)
    if n_points < 2:
        raise ExplanationError(f"an effect needs at least 2 points, got {n_points}")
    grid = column_grid(source.encoder, source.frame, feature, n_points)
    if not len(grid.points):
        raise ExplanationError(f"these rows hold no value of {feature!r} that the model knows; choose other rows")
    chosen = source.sample(n_rows, seed)
    table = ScoredRows(chosen)
    scores = table.with_each((place,), grid.cells).swapaxes(0, 1)
    effects, means = centred(scores, grid.points.weights)
    real = source.sample(_REAL_ROWS, seed).encoded()
    off_data = off_data_shares(source.encoder.layout, real, place, grid.cells, seed=seed)
    shown = np.random.default_rng(seed).permutation(len(table))[: max(0, n_row_curves)]
    position = {int(row): index for index, row in enumerate(source.rows)}
    return EffectCurve(
        method="pdp",
        points=grid.points,
        outputs=source.model.outputs,
        scale=source.scale,
        effect=mean_band(effects),
        level=mean_band(means),
        n_rows=len(table),
        selection=chosen.selection,
        seed=seed,
        run_id=source.model.run_id,
        how=say("95 % intervals by Student's t over the rows"),
        off_data=None if off_data is None else off_data[0],
        judged_with=() if off_data is None else tuple(source.features[other] for other in off_data[1]),
        row_curves=RowCurves(
            rows=chosen.rows[shown],
            scores=scores[shown],
            own=np.array([grid.nearest[position[int(row)]] for row in chosen.rows[shown]], dtype=np.int64),
        ),
        note=say(_TOO_FEW) if off_data is None else "",
    )


def centred(scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Each row's curve (B, G, K) less its mean over the points, and that mean (B, K)."""
    # Taken from the first point, so that a flat curve is exactly zero.
    rise = scores - scores[:, :1]
    mean: Floats = np.einsum("g,bgk->bk", weights, rise)
    return rise - mean[:, None, :], mean + scores[:, 0]


def mean_band(values: Floats) -> Band:
    """The mean over rows (B, ...) with its interval; without one for a single row."""
    mean = values.mean(axis=0)
    n_rows = len(values)
    if n_rows < 2:
        return Band.around(mean, np.full(mean.shape, np.nan))
    return Band.around(mean, student_point(n_rows - 1) * values.std(axis=0, ddof=1) / np.sqrt(n_rows))
