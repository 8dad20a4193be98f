"""Which reasons changed from one run to another on the same rows. numpy and pandas only.

Reasons are a row's leading columns: by the masks, which say what was read, or by signed values, which say what moved
the score. The two are never mixed. Shapes: B rows, F columns that either run reads.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.comparison.metrics import paired_share_difference
from tabnet_engine.explain.estimates import Estimate, mean_estimate, proportion_estimate
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.trust.similarity import leading, row_jaccard

__all__ = [
    "LeadingShare",
    "PairedReasons",
    "ReasonChanges",
    "paired_masks",
    "paired_values",
    "reason_changes",
    "reason_rows",
]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedReasons:
    """One row's columns by both runs: ``first`` and ``second`` (B, F), signed for a signed method.

    ``features`` (F) are the columns that either run reads; one that a run does not read is zero in it. ``rows`` (B)
    are row numbers. ``method`` is ``masks`` or a signed method. ``notes`` say what a reader must know beside it.
    """

    method: str
    features: tuple[str, ...]
    rows: Integers
    first: Floats
    second: Floats
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.rows), len(self.features))
        if self.first.shape != shape or self.second.shape != shape:
            raise ValueError(f"reasons must have the shape {shape}, got {self.first.shape} and {self.second.shape}")

    @property
    def is_signed(self) -> bool:
        """Whether values push up or down."""
        return self.method != "masks"

    @property
    def n_rows(self) -> int:
        """B, how many rows both explain."""
        return len(self.rows)

    def take(self, positions: npt.ArrayLike) -> Self:
        """Some of the rows, by position or by a mask."""
        chosen = np.asarray(positions)
        parts = {name: getattr(self, name)[chosen] for name in ("rows", "first", "second")}
        return dataclasses.replace(self, **parts)

    def leaders(self) -> tuple[Integers, Integers]:
        """The leading column (B) by each run, by position; -1 where no column is used."""
        return _leader(np.abs(self.first)), _leader(np.abs(self.second))

    def changed(self, top_k: int) -> npt.NDArray[np.bool_]:
        """Rows (B) whose leading columns are not the same set in both runs."""
        mine, yours = (leading(np.abs(values), top_k) for values in (self.first, self.second))
        return np.asarray((mine != yours).any(axis=1))


@dataclass(frozen=True, kw_only=True)
class LeadingShare:
    """The share of rows that a column leads by each run, and the paired difference, second minus first."""

    feature: str
    first: float
    second: float
    difference: Estimate


@dataclass(frozen=True, kw_only=True, eq=False)
class ReasonChanges:
    """How far the reasons of the same rows changed.

    ``same_first`` is the share of rows whose leading column is the same, ``overlap`` the mean share of the leading
    columns (at most ``top_k``) of either that both name, ``same_set`` the share of rows where all are the same.
    ``opposite`` is the share of rows in which a column that leads in both pushes the other way; None for masks.
    ``shares`` are by column, the largest difference first. ``moves`` are (leading column of the first, of the
    second, rows), the most frequent first.
    """

    method: str
    n_rows: int
    top_k: int
    same_first: Estimate
    same_set: Estimate
    overlap: Estimate
    opposite: Estimate | None
    shares: tuple[LeadingShare, ...]
    moves: tuple[tuple[str, str, int], ...]
    notes: tuple[str, ...] = ()

    def to_mapping(self) -> dict[str, Any]:
        """The changes as plain JSON values."""
        return {
            "method": self.method,
            "n_rows": self.n_rows,
            "top_k": self.top_k,
            "same_first": self.same_first.to_mapping(),
            "same_set": self.same_set.to_mapping(),
            "overlap": self.overlap.to_mapping(),
            "opposite": None if self.opposite is None else self.opposite.to_mapping(),
            "shares": [
                {"feature": share.feature, "first": share.first, "second": share.second,
                 "difference": share.difference.to_mapping()} for share in self.shares
            ],
            "moves": [list(move) for move in self.moves],
            "notes": list(self.notes),
        }  # fmt: skip

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        estimates = {name: Estimate.from_mapping(values[name]) for name in ("same_first", "same_set", "overlap")}
        opposite = values["opposite"]
        shares = tuple(
            LeadingShare(**{**item, "difference": Estimate.from_mapping(item["difference"])})
            for item in values["shares"]
        )
        own = {
            **values,
            **estimates,
            "opposite": None if opposite is None else Estimate.from_mapping(opposite),
            "shares": shares,
            "moves": tuple((str(first), str(second), int(count)) for first, second, count in values["moves"]),
            "notes": tuple(values["notes"]),
        }
        return cls(**own)


def paired_masks(first: MaskExplanation, second: MaskExplanation) -> PairedReasons | None:
    """The aggregated masks of the rows that both explain; None when they share no row."""
    rows, at_first, at_second = np.intersect1d(first.rows, second.rows, assume_unique=True, return_indices=True)
    if not len(rows):
        return None
    features = _union(first.features, second.features)
    mine = _placed(first.take(at_first).aggregate, first.features, features)
    yours = _placed(second.take(at_second).aggregate, second.features, features)
    return PairedReasons(method="masks", features=features, rows=rows, first=mine, second=yours)


def paired_values(
    first: Attribution, second: Attribution, *, outputs: tuple[tuple[int, int], tuple[int, int]]
) -> PairedReasons | None:
    """The signed values of the rows that both explain; None when they share no row.

    Args:
        first: values of the first run.
        second: values of the second, by the same method.
        outputs: for each run the output to look at, and the sign with which it counts, as
            :meth:`~tabnet_engine.explain.comparison.targets.SharedTarget.output` gives them.

    Raises:
        ValueError: the methods differ.
    """
    if first.method != second.method:
        raise ValueError(f"values by {first.method!r} and by {second.method!r} cannot be compared row by row")
    rows, at_first, at_second = np.intersect1d(first.rows, second.rows, assume_unique=True, return_indices=True)
    if not len(rows):
        return None
    features = _union(first.features, second.features)
    parts = [
        sign * _placed(found.values[places, :, output], found.features, features)
        for found, places, (output, sign) in zip((first, second), (at_first, at_second), outputs, strict=True)
    ]
    return PairedReasons(method=first.method, features=features, rows=rows, first=parts[0], second=parts[1])


def reason_changes(pair: PairedReasons, *, top_k: int = 3) -> ReasonChanges:
    """Compare the leading columns of the same rows.

    Args:
        pair: the rows by both runs.
        top_k: how many columns lead a row at most; one of size zero never does.
    """
    sizes = np.abs(pair.first), np.abs(pair.second)
    flags = leading(sizes[0], top_k), leading(sizes[1], top_k)
    leaders = pair.leaders()
    overlap = row_jaccard(sizes[0], sizes[1], top_k)
    return ReasonChanges(
        method=pair.method,
        n_rows=pair.n_rows,
        top_k=top_k,
        same_first=proportion_estimate(int((leaders[0] == leaders[1]).sum()), pair.n_rows),
        same_set=proportion_estimate(int((flags[0] == flags[1]).all(axis=1).sum()), pair.n_rows),
        overlap=mean_estimate(overlap),
        opposite=_opposite(pair, flags) if pair.is_signed else None,
        shares=_shares(pair.features, flags),
        moves=_moves(pair.features, leaders),
        notes=pair.notes,
    )


def reason_rows(pair: PairedReasons, positions: npt.ArrayLike, *, top_k: int = 3) -> pd.DataFrame:
    """Some rows with the leading columns of each run in words: columns ``row``, ``first``, ``second``, ``shared``."""
    chosen = pair.take(positions)
    return pd.DataFrame(
        {
            "row": chosen.rows,
            "first": _named(chosen.first, chosen.features, top_k, signed=chosen.is_signed),
            "second": _named(chosen.second, chosen.features, top_k, signed=chosen.is_signed),
            "shared": row_jaccard(np.abs(chosen.first), np.abs(chosen.second), top_k),
        }
    )


def _opposite(pair: PairedReasons, flags: Sequence[npt.NDArray[np.bool_]]) -> Estimate:
    turned = flags[0] & flags[1] & (np.sign(pair.first) != np.sign(pair.second))
    return proportion_estimate(int(turned.any(axis=1).sum()), pair.n_rows)


def _shares(features: tuple[str, ...], flags: Sequence[npt.NDArray[np.bool_]]) -> tuple[LeadingShare, ...]:
    found = [
        LeadingShare(
            feature=name,
            first=float(flags[0][:, place].mean()),
            second=float(flags[1][:, place].mean()),
            difference=paired_share_difference(flags[0][:, place], flags[1][:, place]),
        )
        for place, name in enumerate(features)
        if flags[0][:, place].any() or flags[1][:, place].any()
    ]
    return tuple(sorted(found, key=lambda share: (-abs(share.second - share.first), -share.first)))


def _moves(features: tuple[str, ...], leaders: tuple[Integers, Integers]) -> tuple[tuple[str, str, int], ...]:
    """Rows by the leading column of each run; rows without one are left out."""
    used = (leaders[0] >= 0) & (leaders[1] >= 0)
    pairs = leaders[0][used] * len(features) + leaders[1][used]
    found, counts = np.unique(pairs, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return tuple(
        (features[pair // len(features)], features[pair % len(features)], int(count))
        for pair, count in zip(found[order].tolist(), counts[order].tolist(), strict=True)
    )


def _leader(sizes: Floats) -> Integers:
    if not sizes.shape[1]:
        return np.full(len(sizes), -1, dtype=np.int64)
    return np.where(sizes.max(axis=1) > 0, sizes.argmax(axis=1), -1).astype(np.int64)


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _placed(values: npt.NDArray[Any], own: tuple[str, ...], features: tuple[str, ...]) -> Floats:
    """Values (B, own) in the places of all features (B, F); zero where the run does not read a column."""
    placed = np.zeros((len(values), len(features)))
    placed[:, [features.index(name) for name in own]] = values
    return placed


def _named(values: Floats, features: tuple[str, ...], top_k: int, *, signed: bool) -> list[str]:
    """Each row's leading columns, the largest first, with the direction of signed ones."""
    order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :top_k]
    sizes = np.take_along_axis(values, order, axis=1)
    return [
        ", ".join(
            _with_sign(features[place], size, signed=signed) for place, size in zip(places, row, strict=True) if size
        )
        for places, row in zip(order.tolist(), sizes.tolist(), strict=True)
    ]


def _with_sign(name: str, value: float, *, signed: bool) -> str:
    return f"{'+' if value > 0 else '−'} {name}" if signed else name
