"""Which of many found rows are shown: near, sparse, plausible, and unlike each other.

Shapes: n found rows, F raw features. No torch: pages import this.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.counterfactual.probe import Probe

__all__ = ["most_diverse", "nearest_of_each_kind"]

LIKENESS_COST = 0.2  # what being unlike all training rows costs, against being as usual as any
SIMILARITY_COST = 0.5  # what making the same changes as a row already chosen costs
MIN_SAVING = 0.2  # of another's distance: what further changes must save to be worth showing

Floats = npt.NDArray[np.float64]
Token = tuple[int, float]


def nearest_of_each_kind(probe: Probe, rows: Floats, limit: int) -> Floats:
    """The cheapest row of each kind, at most ``limit``; a kind is which columns move, which way, to which category."""
    cost = probe.cost(rows)
    best: dict[frozenset[Token], int] = {}
    for index in np.argsort(cost, kind="stable").tolist():
        best.setdefault(_tokens(probe, rows[index]), index)
        if len(best) == limit:
            break
    chosen: Floats = rows[list(best.values())]
    return chosen


def most_diverse(probe: Probe, rows: Floats, usual: Floats, n: int) -> list[int]:
    """Places of at most ``n`` rows, the best first, each next one the cheapest that does not repeat those before it.

    Args:
        probe: the question.
        rows: found rows (n, F).
        usual: the share of training rows that are less usual (n).
        n: how many are wanted.
    """
    tokens = [_tokens(probe, row) for row in rows]
    cost = probe.cost(rows) + LIKENESS_COST * (1 - usual)
    apart = probe.by_column(rows)
    order = np.argsort(cost, kind="stable").tolist()
    left = [index for index in order if not any(_is_more_of(tokens, apart, index, other) for other in order)]
    chosen: list[int] = []
    while left and len(chosen) < n:
        repeated = [max((_overlap(tokens[i], tokens[j]) for j in chosen), default=0.0) for i in left]
        best = int(np.argmin([cost[i] + SIMILARITY_COST * r for i, r in zip(left, repeated, strict=True)]))
        taken = left.pop(best)
        chosen.append(taken)
        left = [index for index in left if tokens[index] != tokens[taken]]
    return chosen


def _tokens(probe: Probe, row: Floats) -> frozenset[Token]:
    """The changes of a row without their size: column and direction, or column and category."""
    places = np.flatnonzero(probe.moves.changed(row[None])[0])
    own, is_category = probe.moves.own, probe.space.is_category
    kinds = np.where(is_category[places], row[places], np.sign(row[places] - own[places]))
    # A cell that is filled or emptied has no direction; NaN would differ from itself.
    return frozenset(
        (int(place), float(kind)) for place, kind in zip(places, np.nan_to_num(kinds, nan=-9.0), strict=True)
    )


def _overlap(first: frozenset[Token], second: frozenset[Token]) -> float:
    """Jaccard overlap of two sets of changes."""
    return len(first & second) / max(1, len(first | second))


def _is_more_of(tokens: list[frozenset[Token]], apart: Floats, index: int, other: int) -> bool:
    """Whether a row makes all changes of another, hardly smaller, and more: it only asks for more."""
    if not tokens[other] < tokens[index]:
        return False
    places = [place for place, _ in tokens[other]]
    return bool(apart[index, places].sum() > (1 - MIN_SAVING) * apart[other, places].sum())
