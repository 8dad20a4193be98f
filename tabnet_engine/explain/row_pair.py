"""One row by both methods: what was read of it beside what moved its score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.explain.agreement import RankAgreement, RowAgreement, rank_agreement
from tabnet_engine.explain.attribution import Attribution, position_of
from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.trust.row_values import RowValues
from tabnet_engine.explain.wording import column_name, percent
from tabnet_engine.texts.speaking import say

__all__ = ["least_agreeing", "pair_table", "row_pair", "row_pair_sentences"]

_CLEAR = 0.15  # shares that differ by less are not worth a sentence


def row_pair(masks: MaskExplanation, attribution: Attribution, row: int, *, output: int = 0) -> RankAgreement:
    """The row's aggregated mask beside its |SHAP values| for one output.

    Raises:
        KeyError: one of the two does not include the row.
    """
    at_masks, at_values = position_of(masks.rows, row), position_of(attribution.rows, row)
    if at_masks is None or at_values is None:
        raise KeyError(f"row {row} is not explained by both methods")
    # Columns that move together as one by SHAP are read as one too.
    players = Players.grouped(masks.features, attribution.groups)
    read = RowValues.of_masks(masks.take([at_masks]), players).values[0]
    moved = np.abs(attribution.values[at_values, :, output])
    return rank_agreement(
        _one_row("masks", players.names, read), _one_row(attribution.method, attribution.features, moved), top_k=3
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
    places = {"column": name, "read": percent(read), "moved": percent(moved)}
    if read > moved:
        return say("{column} got {read} of the reading, but only {moved} of what moved the score.", **places)
    return say("{column} got only {read} of the reading, yet made {moved} of what moved the score.", **places)


def pair_table(pair: RankAgreement) -> pd.DataFrame:
    """One line for each column: its share and rank by either."""
    return pd.DataFrame(
        {
            "column": pair.features,
            f"share by {pair.first}": pair.first_share,
            f"share by {pair.second}": pair.second_share,
            f"rank by {pair.first}": pair.first_rank,
            f"rank by {pair.second}": pair.second_rank,
        }
    )


def least_agreeing(agreement: RowAgreement) -> npt.NDArray[np.int64]:
    """Positions (B) of the compared rows, the least agreement first, rows without any last."""
    return np.argsort(np.nan_to_num(agreement.spearman, nan=2.0), kind="stable").astype(np.int64)
