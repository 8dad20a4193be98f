"""Whether each method names the columns that really decide, how far the score hangs on them, whether methods agree.

Shapes: B explained rows, F columns, O orders.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import numpy.typing as npt
from explain_tables import Known

from tabnet_engine.config import ExplainConfig
from tabnet_engine.explain.effects.permutation import permutation_importance
from tabnet_engine.explain.estimates import mean_estimate
from tabnet_engine.explain.masks import explain_masks
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed.methods import SignedMethod, explain_rows
from tabnet_engine.explain.trust.curves import GameRows, orders_of, random_orders, walk_orders
from tabnet_engine.explain.trust.similarity import row_spearman

Floats = npt.NDArray[np.float64]

SIGNED = ("shap", "gradients", "integrated_gradients", "ablation")
PATHS = ("gradients", "integrated_gradients")
METHODS = ("masks", *SIGNED, "permutation")
RANDOM = "random"
N_RANDOM = 10


def measure(known: Known) -> dict[str, Any]:
    """One table: for each method the true columns found, the deletion area, and the agreement with the others.

    Per row, the leading t columns are compared with the t that decide the row; globally, the leading columns of the
    mean over rows with those that decide any row. Equals are ordered at random. Permutation importance knows no
    rows. ``deletion`` is how far the logit moves while columns are replaced in the method's order, as a multiple of
    random orders of the same row.
    """
    sizes, seconds = _row_sizes(known)
    overall = {name: values.mean(axis=0) for name, values in sizes.items()}
    started = time.process_time()
    found = permutation_importance(known.subject, known.run.targets, known.chosen, known.y, seed=0)
    seconds["permutation"] = time.process_time() - started
    overall["permutation"] = found.importance().values
    sizes[RANDOM] = np.random.default_rng(0).random(known.relevant.shape)
    overall[RANDOM] = np.full(known.relevant.shape[1], np.nan)
    deletion, areas = _deletion(known, sizes)
    return {
        "table": known.name,
        "rows": len(known.new),
        "test_auc": known.run.manifest.metrics["test"]["auc"],
        "chance": {
            "per_row": float(known.relevant.mean()),
            "overall": float(known.relevant.any(axis=0).mean()),
        },
        "seconds": seconds,
        "found_per_row": {name: _per_row(known, values) for name, values in sizes.items()},
        "found_overall": {
            name: _overall(known, values) for name, values in overall.items() if np.isfinite(values).all()
        },
        "deletion": deletion,
        "deletion_area": areas,
        "agreement": _agreement(sizes),
    }


def _row_sizes(known: Known) -> tuple[dict[str, Floats], dict[str, float]]:
    """How much each column counts in each row (B, F), by method, and the seconds it took."""
    sizes: dict[str, Floats] = {}
    seconds: dict[str, float] = {}
    for name in ("masks", *SIGNED):
        started = time.process_time()
        if name == "masks":
            sizes[name] = explain_masks(known.subject, known.chosen).aggregate.astype(np.float64)
        else:
            # What a run's own explanations spend on paths; sampling spends its default budget.
            path_error = ExplainConfig().path_error if name in PATHS else None
            method = SignedMethod(name=name, path_error=path_error)
            sizes[name] = np.abs(explain_rows(known.subject, known.chosen, known.background, method).values[:, :, 0])
        seconds[name] = time.process_time() - started
    return sizes, seconds


def _per_row(known: Known, sizes: Floats) -> dict[str, Any]:
    """The share of each row's deciding columns among its leading ones, with its interval over rows."""
    orders = orders_of(sizes, known.chosen.rows, seed=0)
    leads = np.take_along_axis(known.relevant, orders, axis=1)
    shares = [row[: row.sum()].mean() for row in leads]
    return dataclasses.asdict(mean_estimate(shares))


def _overall(known: Known, importance: Floats) -> float:
    deciding = known.relevant.any(axis=0)
    return float(deciding[np.argsort(-importance, kind="stable")[: deciding.sum()]].mean())


def _deletion(known: Known, sizes: dict[str, Floats]) -> tuple[dict[str, Any], dict[str, float]]:
    """The deletion area as a multiple of that of random orders, with its interval, and the areas themselves."""
    rows, n_columns = known.chosen.rows, known.relevant.shape[1]
    own = [orders_of(values, rows, seed=0) for name, values in sizes.items() if name != RANDOM]
    random = random_orders(rows, n_columns, N_RANDOM, seed=0)
    game = GameRows(
        model=known.subject,
        players=Players.columns(known.subject.layout.feature_names),
        chosen=known.chosen,
        background=known.background.encoded,
    )
    outputs = np.zeros(len(rows), dtype=np.int64)
    walks = walk_orders(game, np.concatenate([np.stack(own, axis=1), random], axis=1), outputs, top_k=1)
    areas = walks.area(walks.moved)
    chance = areas[:, len(own) :].mean(axis=1)
    names = [name for name in sizes if name != RANDOM]
    # Row by row against its own random orders: rows differ far more than orders do.
    gains = {name: (areas[:, place] - chance) / chance.mean() for place, name in enumerate(names)}
    ratios = {name: mean_estimate(1 + gain) for name, gain in gains.items()}
    sums = {name: float(areas[:, place].mean()) for place, name in enumerate(names)}
    return {name: dataclasses.asdict(ratio) for name, ratio in ratios.items()}, sums | {RANDOM: float(chance.mean())}


def _agreement(sizes: dict[str, Floats]) -> dict[str, dict[str, float]]:
    """Median over rows of Spearman's correlation of the sizes, for each two methods."""
    return {
        first: {
            second: float(np.nanmedian(row_spearman(sizes[first], sizes[second])))
            for second in sizes
            if second != first
        }
        for first in sizes
    }
