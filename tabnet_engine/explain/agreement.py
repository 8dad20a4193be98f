"""How far two importances, or the two readings of one row, agree, and where they differ in plain words.

Masks say what was read, SHAP says what moved the score. They answer different questions, so agreement
is reported, never assumed. Shapes: B rows, F raw features, K outputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.trust.similarity import leading, row_spearman
from tabnet_engine.explain.wording import column_name, percent
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = [
    "RankAgreement",
    "RowAgreement",
    "agreement_sentence",
    "disagreement_sentences",
    "largest_difference_sentence",
    "rank_agreement",
    "row_agreement",
    "row_agreement_sentence",
]

_STRONG, _MODERATE = 0.8, 0.5
_CLEAR_RATIO, _CLEAR_SHARE = 1.5, 0.05  # of shares: what counts as different even one place apart


@dataclass(frozen=True, kw_only=True, eq=False)
class RankAgreement:
    """Two rankings of the same F columns. Ranks count from 1, the most important; equals share a rank.

    ``spearman`` is None where it is undefined: fewer than two columns, or all columns equal.
    ``n_shared`` of the ``top_k`` leading columns are named by both.
    """

    first: str
    second: str
    features: tuple[str, ...]
    first_rank: npt.NDArray[np.int64]
    second_rank: npt.NDArray[np.int64]
    first_share: npt.NDArray[np.float64]
    second_share: npt.NDArray[np.float64]
    spearman: float | None
    top_k: int
    n_shared: int

    @property
    def overlap(self) -> float:
        """Share of the leading columns that both methods name."""
        return self.n_shared / self.top_k

    @property
    def rank_difference(self) -> npt.NDArray[np.int64]:
        """How many places (F) the second method puts a column lower (positive) than the first."""
        return self.second_rank - self.first_rank


@dataclass(frozen=True, kw_only=True, eq=False)
class RowAgreement:
    """Agreement of M_agg with |SHAP| row by row; NaN where a row's rank correlation is undefined.

    ``overlap`` (B) is the share of each row's leading columns, at most ``top_k``, that both name.
    """

    output: str
    rows: npt.NDArray[np.int64]
    spearman: npt.NDArray[np.float64]
    top_k: int
    overlap: npt.NDArray[np.float64]

    @property
    def median_spearman(self) -> float | None:
        """The median over the rows that have a rank correlation; None when none has."""
        defined = self.spearman[np.isfinite(self.spearman)]
        return float(np.median(defined)) if len(defined) else None


def rank_agreement(first: GlobalImportance, second: GlobalImportance, *, top_k: int = 5) -> RankAgreement:
    """Compare two importances of the same columns.

    Args:
        first: usually the masks.
        second: usually SHAP.
        top_k: how many leading columns the overlap looks at; fewer when there are fewer columns.

    Raises:
        ValueError: the two are not about the same columns.
    """
    if first.features != second.features:
        raise ValueError("both importances must be about the same columns in the same order")
    spearman = row_spearman(first.values[None], second.values[None])[0]
    shared, size = _row_overlap(first.values[None], second.values[None], top_k)
    return RankAgreement(
        first=first.method,
        second=second.method,
        features=first.features,
        first_rank=_ranks(first.values),
        second_rank=_ranks(second.values),
        first_share=first.shares,
        second_share=second.shares,
        spearman=float(spearman) if np.isfinite(spearman) else None,
        top_k=int(size[0]),
        n_shared=int(shared[0]),
    )


def row_agreement(
    masks: MaskExplanation, attribution: Attribution, *, output: str | None = None, top_k: int = 3
) -> RowAgreement:
    """Compare M_agg with |SHAP| on every row that both explain, for one output (the first by default).

    Raises:
        ValueError: the two are not about the same columns.
    """
    if masks.features != attribution.features:
        raise ValueError("masks and attribution must be about the same columns in the same order")
    rows, at_masks, at_values = np.intersect1d(masks.rows, attribution.rows, return_indices=True)
    output = output or attribution.outputs[0]
    read = masks.take(at_masks).aggregate.astype(np.float64)
    moved = np.abs(attribution.for_output(output)[at_values])
    n_shared, size = _row_overlap(read, moved, top_k)
    return RowAgreement(
        output=output, rows=rows, spearman=row_spearman(read, moved), top_k=top_k, overlap=n_shared / size
    )


def agreement_sentence(agreement: RankAgreement) -> str:
    """Overall agreement in one plain sentence."""
    top = say_plural(
        "{count} of the {top_k} leading columns is the same",
        "{count} of the {top_k} leading columns are the same",
        agreement.n_shared,
        top_k=agreement.top_k,
    )
    if agreement.spearman is None:
        return say("The two orders cannot be correlated, because one of them has no order; {top}.", top=top)
    facts = {"spearman": f"{agreement.spearman:.2f}", "n_columns": len(agreement.features), "top": top}
    return say(_strength(agreement.spearman), **facts)


def row_agreement_sentence(agreement: RowAgreement, score: str | None = None) -> str:
    """Agreement row by row in one plain sentence; ``score`` is what the output is called in it."""
    median = agreement.median_spearman
    if median is None:
        return say("No single row can be compared: none has both masks and SHAP values with an order.")
    defined = int(np.isfinite(agreement.spearman).sum())
    low = float(np.mean(agreement.spearman[np.isfinite(agreement.spearman)] < _MODERATE))
    return say(
        "Row by row, masks and SHAP for {output} have a median Spearman of {median} over {n_rows:,} rows; it is below "
        "{moderate} in {share} of them.",
        output=score or agreement.output,
        median=f"{median:.2f}",
        n_rows=defined,
        moderate=_MODERATE,
        share=percent(low),
    )


def disagreement_sentences(
    agreement: RankAgreement, *, limit: int = 5, least_difference: int | None = None
) -> tuple[str, ...]:
    """Where masks and SHAP differ, the largest differences among leading columns first.

    A column differs if its places lie ``least_difference`` apart, or if they differ at all and one of its
    shares, at least 5 %, is half as large again as the other. Only columns that lead by at least one
    method count: places among columns that nobody uses mean nothing. An empty tuple means that no column
    differs enough.

    Args:
        agreement: masks first, SHAP second.
        limit: the most sentences.
        least_difference: places that count as different; by default a quarter of the columns, at least 2.
    """
    n_features = len(agreement.features)
    least = max(2, n_features // 4) if least_difference is None else least_difference
    leading = np.minimum(agreement.first_rank, agreement.second_rank) <= max(agreement.top_k, n_features // 4)
    distance = np.abs(agreement.rank_difference)
    weight = np.maximum(agreement.first_share, agreement.second_share)
    candidates = np.flatnonzero(leading & ((distance >= least) | _shares_differ(agreement)))
    order = sorted(candidates.tolist(), key=lambda i: (-distance[i], -weight[i]))
    return tuple(_difference_sentence(agreement, feature) for feature in order[:limit])


def largest_difference_sentence(agreement: RankAgreement) -> str:
    """The one column whose places lie farthest apart, for where none differs enough for a warning."""
    distance = np.abs(agreement.rank_difference)
    if not distance.any():
        return say("Every column has the same place by both.")
    feature = int(np.argmax(distance))
    name = agreement.features[feature]
    return say(
        "No leading column is placed much differently. The largest difference is {column}: rank {read} by the masks, "
        "rank {moved} by SHAP.",
        column=column_name(name) if name.isdecimal() else repr(name),
        read=int(agreement.first_rank[feature]),
        moved=int(agreement.second_rank[feature]),
    )


def _shares_differ(agreement: RankAgreement) -> npt.NDArray[np.bool_]:
    """Columns (F) whose shares are clearly different, in the direction of their places."""
    shares = np.stack([agreement.first_share, agreement.second_share])
    clear = (shares.max(axis=0) >= _CLEAR_SHARE) & (shares.max(axis=0) >= _CLEAR_RATIO * shares.min(axis=0))
    same_direction = np.sign(agreement.rank_difference) * (shares[0] - shares[1]) > 0
    return np.asarray(clear & same_direction)


def _difference_sentence(agreement: RankAgreement, feature: int) -> str:
    read, moved = int(agreement.first_rank[feature]), int(agreement.second_rank[feature])
    name = agreement.features[feature]
    degrees = (_degree(read, moved, agreement.top_k), _degree(moved, read, agreement.top_k))
    return say(
        _DIFFERENCES[degrees],
        column=column_name(name, start=True) if name.isdecimal() else repr(name),
        read=read,
        read_share=percent(agreement.first_share[feature]),
        moved=moved,
        moved_share=percent(agreement.second_share[feature]),
    )


def _degree(rank: int, other: int, top_k: int) -> str:
    """The key of one rank beside the other one."""
    if rank == 1:
        return "most"
    if rank < other:
        return "much"
    return "less" if rank <= top_k else "little"


# How a column is read, and how it moves the score.
_DIFFERENCES = {
    ("most", "less"): msg(
        "{column} is read most (rank {read}, {read_share} of the masks) but moves the score less (rank {moved}, "
        "{moved_share} of the mean absolute SHAP values)."
    ),
    ("most", "little"): msg(
        "{column} is read most (rank {read}, {read_share} of the masks) but moves the score little (rank {moved}, "
        "{moved_share} of the mean absolute SHAP values)."
    ),
    ("much", "less"): msg(
        "{column} is read much (rank {read}, {read_share} of the masks) but moves the score less (rank {moved}, "
        "{moved_share} of the mean absolute SHAP values)."
    ),
    ("much", "little"): msg(
        "{column} is read much (rank {read}, {read_share} of the masks) but moves the score little (rank {moved}, "
        "{moved_share} of the mean absolute SHAP values)."
    ),
    ("less", "most"): msg(
        "{column} is read less (rank {read}, {read_share} of the masks) yet moves the score most (rank {moved}, "
        "{moved_share} of the mean absolute SHAP values)."
    ),
    ("little", "most"): msg(
        "{column} is read little (rank {read}, {read_share} of the masks) yet moves the score most (rank {moved}, "
        "{moved_share} of the mean absolute SHAP values)."
    ),
    ("less", "much"): msg(
        "{column} is read less (rank {read}, {read_share} of the masks) yet moves the score much (rank {moved}, "
        "{moved_share} of the mean absolute SHAP values)."
    ),
    ("little", "much"): msg(
        "{column} is read little (rank {read}, {read_share} of the masks) yet moves the score much (rank {moved}, "
        "{moved_share} of the mean absolute SHAP values)."
    ),
}


def _strength(spearman: float) -> str:
    """The sentence for a correlation, to be filled."""
    if spearman >= _STRONG:
        return msg(
            "What was read and what moved the score largely agree (Spearman {spearman} over {n_columns} columns); "
            "{top}."
        )
    if spearman >= _MODERATE:
        return msg(
            "What was read and what moved the score agree in part (Spearman {spearman} over {n_columns} columns); "
            "{top}."
        )
    if spearman > 0:
        return msg(
            "What was read and what moved the score agree little (Spearman {spearman} over {n_columns} columns); {top}."
        )
    return msg(
        "What was read and what moved the score do not agree (Spearman {spearman} over {n_columns} columns); {top}."
    )


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Rank 1 for the largest; equal values share the better rank."""
    return pd.Series(values).rank(ascending=False, method="min").to_numpy().astype(np.int64)


def _row_overlap(
    first: npt.NDArray[np.float64], second: npt.NDArray[np.float64], size: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Leading columns that both rows name, and how many there are to share, (B) each.

    At most ``size`` columns lead; a column with the value zero never leads, so a sparse row is not
    compared by columns that it did not use. Equals keep the table's order.
    """
    mine, yours = leading(first, size), leading(second, size)
    most = np.maximum(mine.sum(axis=1), yours.sum(axis=1))
    return (mine & yours).sum(axis=1), np.maximum(most, 1)
