"""What the steps read over many rows that are in memory. numpy only: pages import this."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.mask_stream import MaskSummary, MaskTotals
from tabnet_engine.explain.masks import MaskExplanation

__all__ = ["MaskSummary", "summarise_masks"]


def summarise_masks(explanation: MaskExplanation, positions: npt.NDArray[np.int64] | None = None) -> MaskSummary:
    """Averages of masks and step shares over the rows of an explanation.

    Args:
        explanation: the rows.
        positions: of the rows wanted, all when absent.
    """
    totals = MaskTotals(explanation.features, explanation.n_steps)
    for part in explanation.chunks(positions):
        totals.add(part)
    return totals.summary()
