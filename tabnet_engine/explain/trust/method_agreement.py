"""How far two methods say the same of the same rows. numpy and pandas only: pages import this.

Masks say what was read and signed values what moved the score, so they are compared by size; only two signed
methods can be compared by sign. Shapes: B rows, P players.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.trust.finding import Family, Finding, measure_rows
from tabnet_engine.explain.trust.row_values import RowValues, random_values
from tabnet_engine.explain.trust.similarity import (
    RBO_PERSISTENCE,
    row_jaccard,
    row_rank_biased_overlap,
    row_sign_agreement,
    row_spearman,
)
from tabnet_engine.texts.speaking import msg, say

__all__ = ["RANDOM_COLUMNS", "PairAgreement", "agreement_findings", "compare_rows"]

RANDOM_COLUMNS = msg("values dealt out at random")
_N_DEALS = 10  # averaged for each row, so that the control's own noise is small beside that of the rows

Floats = npt.NDArray[np.float64]

_NAMES = {
    "spearman": msg("Spearman's rank correlation"),
    "rank_biased_overlap": msg("rank-biased overlap"),
    "jaccard": msg("overlap of the leading columns (Jaccard)"),
    "sign": msg("agreement in sign of the leading columns"),
}

_HOW = {
    "spearman": msg(
        "For each row the rank correlation of the sizes over all columns; the median over rows, its interval by their "
        "order statistics."
    ),
    "rank_biased_overlap": msg(
        "For each row the extrapolated rank-biased overlap (Webber et al. 2010) with persistence {persistence} of the "
        "used columns in the order of their sizes; the median over rows, its interval by their order statistics."
    ),
    "jaccard": msg(
        "For each row the columns that both place among their {top_k} largest, divided by those that either does; the "
        "median over rows, its interval by their order statistics."
    ),
    "sign": msg(
        "For each row the share of the columns among the {top_k} largest of either whose signs are equal; the median "
        "over rows, its interval by their order statistics."
    ),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class PairAgreement:
    """Agreement of two methods on every row that both explain; NaN where a row does not define a measure.

    Each of the measures is (B,); ``sign`` is None unless both methods are signed. ``target`` says whose output is
    explained.
    """

    first: str
    second: str
    rows: npt.NDArray[np.int64]
    top_k: int
    spearman: Floats
    rank_biased_overlap: Floats
    jaccard: Floats
    sign: Floats | None
    target: str = ""

    def measures(self) -> dict[str, Floats]:
        """The measures that there are, by key."""
        found = {"spearman": self.spearman, "rank_biased_overlap": self.rank_biased_overlap, "jaccard": self.jaccard}
        return found if self.sign is None else {**found, "sign": self.sign}

    def to_mapping(self) -> dict[str, Any]:
        """The agreement of every row as plain JSON values."""
        return {
            "first": self.first,
            "second": self.second,
            "target": self.target,
            "top_k": self.top_k,
            "rows": self.rows.tolist(),
            "measures": {
                key: [value if np.isfinite(value) else None for value in values.tolist()]
                for key, values in self.measures().items()
            },
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        measures = {key: np.array(found, dtype=np.float64) for key, found in values["measures"].items()}
        return cls(
            first=str(values["first"]),
            second=str(values["second"]),
            target=str(values["target"]),
            top_k=int(values["top_k"]),
            rows=np.asarray(values["rows"], dtype=np.int64),
            spearman=measures["spearman"],
            rank_biased_overlap=measures["rank_biased_overlap"],
            jaccard=measures["jaccard"],
            sign=measures.get("sign"),
        )


def compare_rows(first: RowValues, second: RowValues, *, top_k: int, target: str = "") -> PairAgreement:
    """Compare two methods on the rows that both explain.

    Raises:
        ValueError: the two are not about the same columns, or share no row.
    """
    if first.features != second.features:
        raise ValueError("two methods can only be compared on the same columns in the same order")
    rows, mine, yours = np.intersect1d(first.rows, second.rows, return_indices=True)
    if len(rows) == 0:
        raise ValueError(f"{first.method} and {second.method} explain no row in common")
    first, second = first.take(mine), second.take(yours)
    both_signed = first.is_signed and second.is_signed
    return PairAgreement(
        first=first.method,
        second=second.method,
        rows=rows,
        top_k=top_k,
        target=target,
        spearman=row_spearman(first.sizes, second.sizes),
        rank_biased_overlap=row_rank_biased_overlap(first.sizes, second.sizes),
        jaccard=row_jaccard(first.sizes, second.sizes, top_k),
        sign=row_sign_agreement(first.values, second.values, top_k) if both_signed else None,
    )


def agreement_findings(
    first: RowValues,
    second: RowValues,
    *,
    subject: str,
    top_k: int,
    seed: int,
    useless: Mapping[str, RowValues] | None = None,
) -> tuple[Finding, ...]:
    """How far two methods agree, beside random values and other useless explanations in the second's place.

    Args:
        first: one method's values.
        second: another's, of the same columns.
        subject: what the findings say that they are about.
        top_k: how many leading columns are compared.
        seed: of the random deals.
        useless: by name further explanations to put in the second's place, as one of a network with random weights.
    """
    measured = compare_rows(first, second, top_k=top_k)
    controls = {RANDOM_COLUMNS: _average_of_deals(first, second, top_k, seed)}
    for name, other in (useless or {}).items():
        controls[name] = compare_rows(first, other, top_k=top_k).measures()
    return tuple(
        measure_rows(
            values,
            {name: found[key] for name, found in controls.items()},
            median=True,
            bounds=(-1.0, 1.0) if key == "spearman" else (0.0, 1.0),
            family=Family.AGREEMENT,
            key=key,
            name=say(_NAMES[key]),
            subject=subject,
            how=say(_HOW[key], top_k=top_k, persistence=RBO_PERSISTENCE),
            seed=seed,
            best=1.0,
        )
        for key, values in measured.measures().items()
    )


def _average_of_deals(first: RowValues, second: RowValues, top_k: int, seed: int) -> dict[str, Floats]:
    deals = [
        compare_rows(first, random_values(second, seed=seed + deal), top_k=top_k).measures() for deal in range(_N_DEALS)
    ]
    return {key: np.mean([deal[key] for deal in deals], axis=0) for key in deals[0]}
