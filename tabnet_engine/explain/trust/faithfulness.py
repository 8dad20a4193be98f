"""Deletion, insertion, sufficiency and necessity of each method's order, as findings and as curves to draw.

Shapes: B rows, P players, O orders, G points of a curve.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.estimates import Estimate, mean_estimate
from tabnet_engine.explain.subject import Steering
from tabnet_engine.explain.trust.curves import GameRows, Walks, orders_of, random_orders, walk_orders
from tabnet_engine.explain.trust.finding import Family, Finding, measure_rows, subject_of
from tabnet_engine.explain.trust.row_values import RowValues
from tabnet_engine.texts.speaking import msg, say

__all__ = ["RANDOM_ORDER", "RANDOM_WEIGHTS", "Curve", "Measured", "WalkSettings", "measure_faithfulness"]

RANDOM_ORDER = msg("random orders")
RANDOM_WEIGHTS = msg("a network with random weights")

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """How far the explained logit is from the row's own along an order, mean over rows at each share of columns.

    ``method`` is empty for random orders. ``kind`` is ``deletion`` (shares are replaced) or ``insertion`` (known).
    """

    method: str
    target: str
    kind: str
    shares: tuple[float, ...]
    distances: tuple[Estimate, ...]

    def __post_init__(self) -> None:
        if len(self.shares) != len(self.distances):
            raise ValueError(f"{len(self.shares)} shares cannot carry {len(self.distances)} distances")

    def to_mapping(self) -> dict[str, Any]:
        """The curve as plain JSON values."""
        return {
            "method": self.method,
            "target": self.target,
            "kind": self.kind,
            "shares": list(self.shares),
            "distances": [distance.to_mapping() for distance in self.distances],
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            method=str(values["method"]),
            target=str(values["target"]),
            kind=str(values["kind"]),
            shares=tuple(map(float, values["shares"])),
            distances=tuple(Estimate.from_mapping(item) for item in values["distances"]),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """What the walks of one target gave.

    ``areas`` holds for each method the deletion area of every row (B,), and under the empty name that of random
    orders: how far to trust a single row.
    """

    findings: tuple[Finding, ...]
    curves: tuple[Curve, ...]
    areas: Mapping[str, Floats]


@dataclass(frozen=True, kw_only=True)
class WalkSettings:
    """``top_k`` columns are "the leading few"; ``n_orders`` random orders of each row, an even number."""

    top_k: int = 3
    n_orders: int = 10
    seed: int = 0


def measure_faithfulness(
    rows: GameRows,
    methods: Sequence[RowValues],
    outputs: Ints,
    settings: WalkSettings,
    *,
    target: str,
    of_target: str = "",
    randomised: Mapping[str, RowValues] | None = None,
    steering: Steering | None = None,
) -> Measured:
    """Walk the rows along the order of each method, along random orders and along those of useless explanations.

    Args:
        rows: the rows (B), and what replaces their cells.
        methods: what each method says of these rows in their order, P values each.
        outputs: the explained output of each row (B,).
        settings: how many orders, how many leading columns, which seed.
        target: the target that the outputs belong to.
        of_target: whose values these are, for several targets.
        randomised: by method what it says of a network with random weights.
        steering: follows the work.

    Raises:
        ExplanationError: a network that contradicts itself by more than rounding.
        JobCancelledError: the steering asked to stop.
    """
    numbers, n_players = rows.chosen.rows, len(rows.players)
    places, orders = _orders(methods, randomised or {}, numbers, settings.seed)
    random = random_orders(numbers, n_players, settings.n_orders, seed=settings.seed)
    everything = np.concatenate([np.stack(orders, axis=1), random], axis=1)
    top_k = min(settings.top_k, n_players)
    walks = walk_orders(rows, everything, outputs, top_k=top_k, steering=steering)
    reader = _Reader(walks, places, len(orders), top_k, settings.seed, of_target)
    names, area = [method.method for method in methods], walks.area(walks.moved)
    return Measured(
        findings=tuple(finding for method in methods for finding in reader.findings(method)),
        curves=tuple(reader.curve(name, target, kind) for name in (*names, "") for kind in ("deletion", "insertion")),
        areas={name: reader.row_values(area, (name, "size", True) if name else None) for name in (*names, "")},
    )


_Key = tuple[str, str, bool]  # method, order by "size" or "value", of the trained network or of the random one


def _orders(
    methods: Sequence[RowValues], randomised: Mapping[str, RowValues], rows: Ints, seed: int
) -> tuple[dict[_Key, int], list[Ints]]:
    """Every order (B, P) to walk, and where each stands."""
    places: dict[_Key, int] = {}
    orders: list[Ints] = []
    for method in methods:
        for is_trained, given in ((True, method), (False, randomised.get(method.method))):
            if given is None:
                continue
            for by, values in (("size", given.sizes), ("value", given.values)):
                if by == "size" or given.is_signed:
                    places[method.method, by, is_trained] = len(orders)
                    orders.append(orders_of(values, rows, seed=seed))
    return places, orders


@dataclass(frozen=True)
class _Reader:
    """Takes measures of single orders out of the walks of all of them."""

    walks: Walks
    places: Mapping[_Key, int]
    n_own: int
    top_k: int
    seed: int
    target: str

    def row_values(self, measured: Floats, key: _Key | None) -> Floats:
        """A measure (B, O) of one order, or its mean over the random orders (B,)."""
        return measured[:, self.places[key]] if key else measured[:, self.n_own :].mean(axis=1)

    def curve(self, method: str, target: str, kind: str) -> Curve:
        """The mean over rows of the distance from the row's own logit."""
        distance = self.walks.moved if kind == "deletion" else self.walks.missing
        key = (method, "size", True) if method else None
        per_row = [self.row_values(distance[:, :, point], key) for point in range(len(self.walks.counts))]
        shares = self.walks.counts / self.walks.counts[-1]
        return Curve(
            method=method,
            target=target,
            kind=kind,
            shares=tuple(shares.tolist()),
            distances=tuple(mean_estimate(values) for values in per_row),
        )

    def findings(self, method: RowValues) -> list[Finding]:
        """All measures of one method beside random orders and the network with random weights."""
        return [
            self._finding(method.method, measure) for measure in _MEASURES if measure.by == "size" or method.is_signed
        ]

    def _finding(self, method: str, measure: _Measure) -> Finding:
        measured = measure.take(self.walks, self.top_k)
        controls = {RANDOM_ORDER: self.row_values(measured, None)}
        if (method, measure.by, False) in self.places:
            controls[RANDOM_WEIGHTS] = self.row_values(measured, (method, measure.by, False))
        return measure_rows(
            self.row_values(measured, (method, measure.by, True)),
            controls,
            family=Family.FAITHFULNESS,
            key=measure.key,
            name=say(measure.name, k=self.top_k),
            subject=subject_of(method, self.target),
            how=say(measure.how, k=self.top_k),
            seed=self.seed,
            bounds=(0.0, math.inf) if measure.by == "size" else None,
            higher_is_better=measure.higher_is_better,
            best=None if measure.higher_is_better else 0.0,
        )


@dataclass(frozen=True, kw_only=True)
class _Measure:
    """One number (B, O) of each walk: along orders ``by`` size or by signed value."""

    key: str
    name: str
    by: str
    higher_is_better: bool
    take: Callable[[Walks, int], Floats]
    how: str


_MEASURES = (
    _Measure(
        key="deletion",
        name=msg("deletion area"),
        by="size",
        higher_is_better=True,
        take=lambda walks, _: walks.area(walks.moved),
        how=msg(
            "How far the score moves while columns are replaced by background values, the largest first. Mean over the "
            "shares of columns and over rows, in the unit of the score."
        ),
    ),
    _Measure(
        key="insertion",
        name=msg("insertion area"),
        by="size",
        higher_is_better=False,
        take=lambda walks, _: walks.area(walks.missing),
        how=msg(
            "How far the score is from the row's own while columns become known, the largest first. Mean over the "
            "shares of columns and over rows, in the unit of the score."
        ),
    ),
    _Measure(
        key="necessity",
        name=msg("necessity of the leading {k}"),
        by="size",
        higher_is_better=True,
        take=lambda walks, k: walks.at(walks.moved, k),
        how=msg(
            "How far the score moves once the {k} leading columns are replaced by background values. Mean over rows, "
            "in the unit of the score."
        ),
    ),
    _Measure(
        key="sufficiency",
        name=msg("gap left by the leading {k} alone"),
        by="size",
        higher_is_better=False,
        take=lambda walks, k: walks.at(walks.missing, k),
        how=msg(
            "How far the score is from the row's own when only the {k} leading columns are known: small means that "
            "they suffice. Mean over rows, in the unit of the score."
        ),
    ),
    _Measure(
        key="signed_deletion",
        name=msg("signed deletion area"),
        by="value",
        higher_is_better=True,
        take=lambda walks, _: walks.area(walks.logit[:, None, None] - walks.deleted),
        how=msg(
            "How far the score falls while columns are replaced by background values, the most supporting first. Mean "
            "over the shares of columns and over rows, in the unit of the score."
        ),
    ),
    _Measure(
        key="signed_insertion",
        name=msg("signed insertion area"),
        by="value",
        higher_is_better=True,
        take=lambda walks, _: walks.area(walks.inserted - walks.base[:, None, None]),
        how=msg(
            "How far the score rises while columns become known, the most supporting first. Mean over the shares of "
            "columns and over rows, in the unit of the score."
        ),
    ),
)
