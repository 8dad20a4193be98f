"""How alike two rankings of the same players are, row by row. numpy and pandas only: pages import this.

Shapes: B rows, P players. Sizes are not negative; a player of size zero was not used and never leads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = [
    "RBO_PERSISTENCE",
    "leading",
    "row_jaccard",
    "row_rank_biased_overlap",
    "row_sign_agreement",
    "row_spearman",
]

RBO_PERSISTENCE = 0.9  # the first ten places make 86 % of the weight (Webber et al. 2010, section 4.3)

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def row_spearman(first: Floats, second: Floats) -> Floats:
    """Spearman's rank correlation (B,) of two (B, P); equal values get their mean rank; NaN where undefined."""
    ranks = [pd.DataFrame(values).rank(axis=1, method="average").to_numpy() for values in (first, second)]
    centred = [rank - rank.mean(axis=1, keepdims=True) for rank in ranks]
    covariance = (centred[0] * centred[1]).sum(axis=1)
    spread = np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))
    correlation: Floats = np.divide(covariance, spread, out=np.full(len(spread), np.nan), where=spread > 0)
    return correlation


def leading(sizes: Floats, top_k: int) -> Flags:
    """Which players (B, P) are among each row's ``top_k`` largest; one of size zero never is.

    Equals keep the players' order.
    """
    chosen = np.zeros(sizes.shape, dtype=bool)
    np.put_along_axis(chosen, np.argsort(-sizes, axis=1, kind="stable")[:, :top_k], values=True, axis=1)
    flags: Flags = chosen & (sizes > 0)
    return flags


def row_jaccard(first: Floats, second: Floats, top_k: int) -> Floats:
    """Leading players that both name, divided by those that either names (B,); NaN where neither names any."""
    mine, yours = leading(first, top_k), leading(second, top_k)
    either = (mine | yours).sum(axis=1)
    return _ratio((mine & yours).sum(axis=1), either)


def row_sign_agreement(first: Floats, second: Floats, top_k: int) -> Floats:
    """Share of the players that lead by either method whose signs agree (B,); NaN where none leads.

    A player that only one method uses at all counts as disagreement.
    """
    either = leading(np.abs(first), top_k) | leading(np.abs(second), top_k)
    same = np.sign(first) == np.sign(second)
    return _ratio((either & same).sum(axis=1), either.sum(axis=1))


def row_rank_biased_overlap(first: Floats, second: Floats, persistence: float = RBO_PERSISTENCE) -> Floats:
    """Extrapolated rank-biased overlap (B,) of the orders by size (Webber, Moffat & Zobel 2010, equation 32).

    1 for equal orders, 0 for orders of disjoint players; leading places count most. Only players that a row uses
    are ranked, so the two lists may be of different lengths; NaN where one of them is empty.

    Raises:
        ValueError: a persistence outside (0, 1).
    """
    if not 0 < persistence < 1:
        raise ValueError(f"the persistence must lie between 0 and 1, got {persistence}")
    rows = zip(np.asarray(first), np.asarray(second), strict=True)
    return np.array([_rank_biased_overlap(mine, yours, persistence) for mine, yours in rows], dtype=np.float64)


def _rank_biased_overlap(first: Floats, second: Floats, p: float) -> float:
    used = [int((values > 0).sum()) for values in (first, second)]
    short, long = sorted(used)
    if short == 0:
        return float("nan")
    ranks = [_places(values) for values in (first, second)]
    both = (first > 0) & (second > 0)
    # A player enters the overlap at the depth at which the second list names it too.
    entry = np.maximum(ranks[0], ranks[1])[both]
    shared = np.cumsum(np.bincount(entry, minlength=long + 1)[1 : long + 1]).astype(np.float64)
    depth = np.arange(1, long + 1)
    weights = p ** depth.astype(np.float64)
    total = float((shared / depth * weights).sum())
    beyond = depth > short
    total += float((shared[short - 1] * (depth - short) / (short * depth) * weights)[beyond].sum())
    rest = (shared[long - 1] - shared[short - 1]) / long + shared[short - 1] / short
    return float((1 - p) / p * total + rest * p**long)


def _places(values: Floats) -> npt.NDArray[np.int64]:
    """Places from 1, the largest first; equals keep the players' order."""
    places = np.empty(len(values), dtype=np.int64)
    places[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1)
    return places


def _ratio(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> Floats:
    share: Floats = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return share
