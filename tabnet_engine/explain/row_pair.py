"""One row by both methods: what was read of it beside what moved its score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.agreement import RankAgreement, RowAgreement, rank_agreement
from tabnet_engine.explain.attribution import Attribution, position_of
from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.wording import column_name, percent

__all__ = ["least_agreeing", "row_pair", "row_pair_sentences"]

_CLEAR = 0.15  # shares that differ by less are not worth a sentence


def row_pair(masks: MaskExplanation, attribution: Attribution, row: int, *, output: int = 0) -> RankAgreement:
    """The row's aggregated mask beside its |SHAP values| for one output.

    Raises:
        KeyError: one of the two does not include the row.
    """
    at_masks, at_values = position_of(masks.rows, row), position_of(attribution.rows, row)
    if at_masks is None or at_values is None:
        raise KeyError(f"row {row} is not explained by both methods")
    read = masks.take([at_masks]).aggregate[0].astype(np.float64)
    moved = np.abs(attribution.values[at_values, :, output])
    return rank_agreement(
        _one_row("masks", masks.features, read), _one_row(attribution.method, attribution.features, moved), top_k=3
    )


def _one_row(method: str, features: tuple[str, ...], values: npt.NDArray[np.float64]) -> GlobalImportance:
    return GlobalImportance(
        method=method, features=features, values=values, standard_error=None, n_rows=1, note="One row."
    )


def row_pair_sentences(pair: RankAgreement, *, limit: int = 3) -> tuple[str, ...]:
    """Where the two differ in this row, the largest difference of shares first; none where they agree.

    Args:
        pair: masks first, SHAP second.
        limit: the most sentences.
    """
    difference = pair.first_share - pair.second_share
    order = np.argsort(-np.abs(difference), kind="stable")[:limit]
    return tuple(_sentence(pair, int(index)) for index in order if abs(difference[index]) >= _CLEAR)


def _sentence(pair: RankAgreement, index: int) -> str:
    name = column_name(pair.features[index], start=True)
    read, moved = float(pair.first_share[index]), float(pair.second_share[index])
    if read > moved:
        return f"{name} got {percent(read)} of the reading, but only {percent(moved)} of what moved the score."
    return f"{name} got only {percent(read)} of the reading, yet made {percent(moved)} of what moved the score."


def least_agreeing(agreement: RowAgreement) -> npt.NDArray[np.int64]:
    """Positions (B) of the compared rows, the least agreement first, rows without any last."""
    return np.argsort(np.nan_to_num(agreement.spearman, nan=2.0), kind="stable").astype(np.int64)
