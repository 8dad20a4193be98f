"""Masks that say little: steps without weight, steps that read one column only, or nearly all of them."""

from __future__ import annotations

import numpy as np

from tabnet_engine.explain.mask_summaries import MaskSummary
from tabnet_engine.explain.wording import column_name, percent

__all__ = ["mask_health"]

_NO_WEIGHT = 0.02  # a step below this share of the decision hardly takes part
_ONE_COLUMN = 0.95  # a column above this share of a step's mask is all that the step reads
_ALL_COLUMNS = 0.8  # above this share of the columns a step hardly selects
_FEW_COLUMNS = 5  # with fewer columns than this, reading all of them means nothing


def mask_health(summary: MaskSummary) -> tuple[str, ...]:
    """One plain sentence for each step whose mask deserves a second look; none when all select.

    Args:
        summary: averages over rows.
    """
    sentences = []
    for step in range(summary.n_steps if summary.n_rows else 0):
        problem = _problem(summary, step)
        if problem:
            sentences.append(f"Step {step + 1} {problem}")
    return tuple(sentences)


def _problem(summary: MaskSummary, step: int) -> str:
    share, n_features = float(summary.mean_step_shares[step]), len(summary.features)
    if share < _NO_WEIGHT:
        return f"makes only {percent(share)} of the decision: what it reads hardly matters, fewer steps may do."
    leading = int(np.argmax(summary.mean_masks[step]))
    held = float(summary.mean_masks[step, leading])
    if held > _ONE_COLUMN and n_features > 1:
        return (
            f"reads {column_name(summary.features[leading])} in nearly every row ({percent(held)} of its mask): "
            "its mask does not tell rows apart."
        )
    if n_features >= _FEW_COLUMNS and summary.columns_read[step] > _ALL_COLUMNS * n_features:
        return (
            f"reads {summary.columns_read[step]:.1f} of {n_features} columns in a row: it hardly selects; "
            "a larger sparsity lambda makes it choose."
        )
    return ""
