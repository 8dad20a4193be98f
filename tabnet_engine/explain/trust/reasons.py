"""Whether a row's leading reasons stay when the explanation is made again under slightly other conditions.

What "again" means is said by the cause: slightly perturbed cells, other background rows, other seeds of the
training. Shapes: B rows, P players, k leading players of a row, R repetitions. numpy only: pages import this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.trust.row_values import MASKS, RowValues, random_values
from tabnet_engine.explain.trust.similarity import leading
from tabnet_engine.explain.wording import column_name, percent
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say_plural

__all__ = ["KeptReasons", "kept_reasons", "kept_share", "random_repetitions"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class KeptReasons:
    """For each row its leading columns, and in which share of the repetitions each leads again.

    ``leaders`` (B, k) are positions in ``features``, the largest first, -1 where a row has fewer; ``values`` (B, k)
    what the method gave them. ``kept`` (B, k) is the share of repetitions that place the column among the leading
    k again, ``sign_kept`` those that also keep its sign (equal to ``kept`` for masks); NaN beside -1, and where a
    row was not repeated: ``repetitions`` (B,) counts.
    """

    cause: str
    method: str
    target: str
    features: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    leaders: npt.NDArray[np.int64]
    values: Floats
    kept: Floats
    sign_kept: Floats
    repetitions: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        shape = self.leaders.shape
        for name in ("values", "kept", "sign_kept"):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must have the shape {shape}, got {getattr(self, name).shape}")
        if len(self.rows) != len(self.leaders) or len(self.repetitions) != len(self.rows):
            raise ValueError("every row must have its leaders and its number of repetitions")
        if (self.sign_kept > self.kept + 1e-12).any():
            raise ValueError("a column cannot keep its sign more often than its place")

    @property
    def row_share(self) -> Floats:
        """Mean share of repetitions that keep a row's leading columns with their sign (B,)."""
        return _mean_over_known(self.sign_kept)

    def sentences(self, row: int) -> tuple[str, ...]:
        """One sentence for each leading column of a table row; none when the row is not among them."""
        found = np.flatnonzero(self.rows == row)
        if not len(found):
            return ()
        place = int(found[0])
        return tuple(
            self._sentence(place, index, leader)
            for index, leader in enumerate(self.leaders[place].tolist())
            if leader >= 0 and np.isfinite(self.kept[place, index])
        )

    def _sentence(self, place: int, index: int, leader: int) -> str:
        facts = {
            "column": column_name(self.features[leader], start=True),
            "share": percent(self.kept[place, index]),
            "cause": recalled(self.cause),
        }
        count = int(self.repetitions[place])
        if self.method == MASKS:  # masks have no sign
            return say_plural(
                "{column} stayed among the leading columns in {share} of {count} repetition ({cause}).",
                "{column} stayed among the leading columns in {share} of {count:,} repetitions ({cause}).",
                count,
                **facts,
            )
        return say_plural(
            "{column} stayed among the leading columns in {share} of {count} repetition ({cause}), with its sign in "
            "{sign_share}.",
            "{column} stayed among the leading columns in {share} of {count:,} repetitions ({cause}), with its sign in "
            "{sign_share}.",
            count,
            sign_share=percent(self.sign_kept[place, index]),
            **facts,
        )

    def to_mapping(self) -> dict[str, Any]:
        """The shares as plain JSON values."""
        return {
            "cause": self.cause,
            "method": self.method,
            "target": self.target,
            "features": list(self.features),
            "rows": self.rows.tolist(),
            "leaders": self.leaders.tolist(),
            "values": _listed(self.values),
            "kept": _listed(self.kept),
            "sign_kept": _listed(self.sign_kept),
            "repetitions": self.repetitions.tolist(),
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        n_rows = len(values["rows"])
        return cls(
            cause=str(values["cause"]),
            method=str(values["method"]),
            target=str(values["target"]),
            features=tuple(map(str, values["features"])),
            rows=np.asarray(values["rows"], dtype=np.int64),
            leaders=np.asarray(values["leaders"], dtype=np.int64).reshape(n_rows, -1),
            values=np.array(values["values"], dtype=np.float64).reshape(n_rows, -1),
            kept=np.array(values["kept"], dtype=np.float64).reshape(n_rows, -1),
            sign_kept=np.array(values["sign_kept"], dtype=np.float64).reshape(n_rows, -1),
            repetitions=np.asarray(values["repetitions"], dtype=np.int64),
        )


def kept_reasons(
    original: RowValues, repetitions: Sequence[RowValues], *, cause: str, target: str, top_k: int
) -> KeptReasons:
    """In which share of the repetitions each leading column of a row leads again.

    Args:
        original: the explanation whose reasons are looked at.
        repetitions: explanations of the same rows, or of some of them, of the same columns.
        cause: what differs between repetitions, in words.
        target: whose output is explained.
        top_k: how many columns lead.
    """
    n_rows, k = len(original.rows), min(top_k, len(original.features))
    leaders = np.argsort(-original.sizes, axis=1, kind="stable")[:, :k].astype(np.int64)
    values = np.take_along_axis(original.values, leaders, axis=1)
    counted, place, sign = np.zeros(n_rows), np.zeros((n_rows, k)), np.zeros((n_rows, k))
    for repetition in repetitions:
        _, at, source = np.intersect1d(original.rows, repetition.rows, return_indices=True)
        again = repetition.take(source)
        led = np.take_along_axis(leading(again.sizes, k), leaders[at], axis=1)
        same = np.sign(np.take_along_axis(again.values, leaders[at], axis=1)) == np.sign(values[at])
        counted[at] += 1
        place[at] += led
        sign[at] += led & same
    defined = (counted > 0)[:, None] & (values != 0)
    shares = [
        np.divide(part, counted[:, None], out=np.full((n_rows, k), np.nan), where=defined) for part in (place, sign)
    ]
    return KeptReasons(
        cause=cause,
        method=original.method,
        target=target,
        features=original.features,
        rows=original.rows,
        leaders=np.where(values != 0, leaders, -1),
        values=values,
        kept=shares[0],
        sign_kept=shares[1],
        repetitions=counted.astype(np.int64),
    )


def kept_share(original: RowValues, repetitions: Sequence[RowValues], *, top_k: int) -> Floats:
    """Mean share of repetitions that keep a row's leading columns, with their sign (B,); NaN where undefined."""
    return kept_reasons(original, repetitions, cause="", target="", top_k=top_k).row_share


def random_repetitions(repetitions: Sequence[RowValues], *, seed: int) -> list[RowValues]:
    """The same repetitions by a useless explanation: each deals its values out to the columns at random."""
    return [random_values(repetition, seed=seed + index) for index, repetition in enumerate(repetitions)]


def _mean_over_known(shares: Floats) -> Floats:
    known = np.isfinite(shares)
    count = known.sum(axis=1)
    total = np.where(known, shares, 0).sum(axis=1)
    mean: Floats = np.divide(total, count, out=np.full(len(shares), np.nan), where=count > 0)
    return mean


def _listed(values: Floats) -> list[list[float | None]]:
    return [[value if np.isfinite(value) else None for value in row] for row in values.tolist()]
