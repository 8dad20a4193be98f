"""One row by every method: the shares, ranks and signs that each gives its columns, and where they differ.

Shapes: P players (raw columns, or groups of them), M methods, K outputs. No torch: pages import this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.explain.attribution import Attribution, position_of
from tabnet_engine.explain.importance import METHOD_NAMES
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.trust.row_values import MASKS
from tabnet_engine.explain.trust.similarity import leading, row_jaccard, row_rank_biased_overlap, row_spearman
from tabnet_engine.explain.wording import column_name, joined, percent, signed
from tabnet_engine.texts.speaking import msg, say

__all__ = ["MethodReading", "RowMethods", "compare_methods", "method_sentences"]

Floats = npt.NDArray[np.float64]

_STRONG, _MODERATE = 0.8, 0.5  # as for the masks beside SHAP
_AGREEMENT = {
    "strong": msg("The {n_methods} methods largely agree on this row (median Spearman {spearman} over all pairs)."),
    "moderate": msg("The {n_methods} methods agree in part on this row (median Spearman {spearman} over all pairs)."),
    "weak": msg("The {n_methods} methods agree little on this row (median Spearman {spearman} over all pairs)."),
    "none": msg("The {n_methods} methods do not agree on this row (median Spearman {spearman} over all pairs)."),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class MethodReading:
    """What one method says of the row.

    ``values`` (P) are signed unless the method is the masks. ``algorithm`` says how they were computed,
    ``is_stored`` whether they were computed with those of all rows or just now.
    """

    method: str
    features: tuple[str, ...]
    values: Floats
    algorithm: str
    is_stored: bool

    @property
    def name(self) -> str:
        """The method as a reader knows it."""
        return say(METHOD_NAMES.get(self.method, self.method))

    @property
    def is_signed(self) -> bool:
        """Whether a value says which way it pushed; a mask does not."""
        return self.method != MASKS

    @property
    def shares(self) -> Floats:
        """Sizes (P) divided by their sum; zeros where all are zero."""
        sizes = np.abs(self.values)
        total = float(sizes.sum())
        return sizes / total if total else sizes

    @property
    def ranks(self) -> npt.NDArray[np.int64]:
        """Rank (P), 1 for the largest size; equal sizes share the better rank."""
        return pd.Series(np.abs(self.values)).rank(ascending=False, method="min").to_numpy().astype(np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class RowMethods:
    """Every method's reading of the same row and output, the masks first.

    ``spearman``, ``overlap`` and ``rank_biased`` (M, M) compare the sizes that two methods give: rank correlation,
    the share of the leading ``top_k`` columns that both name of those that either names, and rank-biased overlap;
    NaN where undefined.
    """

    row: int
    output: str
    features: tuple[str, ...]
    readings: tuple[MethodReading, ...]
    top_k: int
    spearman: Floats
    overlap: Floats
    rank_biased: Floats

    @property
    def order(self) -> npt.NDArray[np.int64]:
        """Positions (P) of the columns, the largest mean share first."""
        shares = np.mean([reading.shares for reading in self.readings], axis=0)
        return np.argsort(-shares, kind="stable").astype(np.int64)

    @property
    def median_spearman(self) -> float | None:
        """The median over all pairs that have a rank correlation; None when none has."""
        known = self.spearman[np.triu_indices(len(self.readings), 1)]
        known = known[np.isfinite(known)]
        return float(np.median(known)) if len(known) else None

    def table(self) -> pd.DataFrame:
        """One line for each column and method: value, share of the method's sizes, rank."""
        parts = [
            pd.DataFrame(
                {
                    "column": [self.features[index] for index in self.order],
                    "method": reading.name,
                    "value": reading.values[self.order],
                    "share": reading.shares[self.order],
                    "rank": reading.ranks[self.order],
                }
            )
            for reading in self.readings
        ]
        return pd.concat(parts, ignore_index=True)

    def rank_table(self) -> pd.DataFrame:
        """One line for each column, its rank by every method."""
        ranks = {reading.name: reading.ranks[self.order] for reading in self.readings}
        return pd.DataFrame({"column": [self.features[index] for index in self.order], **ranks})

    def pairs(self) -> pd.DataFrame:
        """One line for each pair of methods: how alike their orders of the columns are."""
        lines = [
            {
                "first": self.readings[one].name,
                "second": self.readings[other].name,
                "spearman": self.spearman[one, other],
                "overlap": self.overlap[one, other],
                "rank_biased": self.rank_biased[one, other],
            }
            for one, other in combinations(range(len(self.readings)), 2)
        ]
        return pd.DataFrame(lines, columns=["first", "second", "spearman", "overlap", "rank_biased"])


def compare_methods(
    masks: MaskExplanation,
    attributions: Sequence[Attribution],
    row: int,
    *,
    output: int = 0,
    stored: Mapping[str, bool] | None = None,
    top_k: int = 3,
) -> RowMethods:
    """The row by the masks and by signed methods, side by side.

    Args:
        masks: masks that include the row.
        attributions: values of the row by different methods, all of the same columns.
        row: its row number in the table.
        output: place of the output among the K.
        stored: by method whether its values were stored.
        top_k: how many leading columns the overlap looks at.

    Raises:
        KeyError: one of them does not include the row.
        ValueError: methods about different columns.
    """
    features = attributions[0].features if attributions else masks.features
    if any(attribution.features != features for attribution in attributions):
        raise ValueError("every method must be about the same columns in the same order")
    groups = attributions[0].groups if attributions else {}
    readings = [_mask_reading(masks, row, Players.grouped(masks.features, groups))]
    for attribution in attributions:
        values = attribution.values[_position(attribution.rows, row), :, output]
        readings.append(
            MethodReading(
                method=attribution.method,
                features=features,
                values=values.astype(np.float64),
                algorithm=attribution.algorithm,
                is_stored=(stored or {}).get(attribution.method, False),
            )
        )
    sizes = np.abs(np.stack([reading.values for reading in readings]))
    return RowMethods(
        row=row,
        output=masks.outputs[output],
        features=features,
        readings=tuple(readings),
        top_k=min(top_k, len(features)),
        spearman=_all_pairs(sizes, row_spearman),
        overlap=_all_pairs(sizes, lambda first, second: row_jaccard(first, second, top_k)),
        rank_biased=_all_pairs(sizes, row_rank_biased_overlap),
    )


def _mask_reading(masks: MaskExplanation, row: int, players: Players) -> MethodReading:
    read = masks.take([_position(masks.rows, row)]).aggregate[0].astype(np.float64)
    values = np.array([read[list(owned)].sum() for owned in players.members])
    return MethodReading(
        method=MASKS,
        features=players.names,
        values=values,
        algorithm=say("read from the forward pass, exact"),
        is_stored=True,
    )


def _position(rows: npt.NDArray[np.int64], row: int) -> int:
    position = position_of(rows, row)
    if position is None:
        raise KeyError(f"row {row} is not explained by every method")
    return position


def _all_pairs(sizes: Floats, measure: Callable[[Floats, Floats], Floats]) -> Floats:
    """A measure of likeness (M, M) of every two of the M lines of ``sizes`` (M, P)."""
    n_methods = len(sizes)
    first, second = np.repeat(sizes, n_methods, axis=0), np.tile(sizes, (n_methods, 1))
    return measure(first, second).reshape(n_methods, n_methods)


def method_sentences(methods: RowMethods) -> tuple[str, ...]:
    """How far the methods agree on the row, which column each puts first, and where two push opposite ways."""
    if len(methods.readings) < 2:
        return ()
    return (_agreement(methods), *_first_columns(methods), *_opposite_signs(methods), *_least_alike(methods))


def _agreement(methods: RowMethods) -> str:
    median = methods.median_spearman
    if median is None:
        return say("The methods cannot be compared on this row: none of them gives its columns an order.")
    key = "strong" if median >= _STRONG else "moderate" if median >= _MODERATE else "weak" if median > 0 else "none"
    return say(_AGREEMENT[key], n_methods=len(methods.readings), spearman=_correlation(median))


def _first_columns(methods: RowMethods) -> tuple[str, ...]:
    """Which column leads by which methods: one sentence where all agree, else one a column."""
    owners: dict[int, list[str]] = {}
    for reading in methods.readings:
        if np.any(reading.values):
            owners.setdefault(int(np.argmax(np.abs(reading.values))), []).append(reading.name)
    if len(owners) == 1:
        only = column_name(methods.features[next(iter(owners))])
        return (say("All of them put {column} first.", column=only),)
    return tuple(
        say("{column} comes first by {methods}.", column=column_name(methods.features[index], start=True),
            methods=joined(names))
        for index, names in sorted(owners.items(), key=lambda item: -len(item[1]))
    )  # fmt: skip


def _opposite_signs(methods: RowMethods) -> tuple[str, ...]:
    """Columns that lead by two signed methods which push them opposite ways, or a sentence that there is none."""
    signed_ones = [reading for reading in methods.readings if reading.is_signed]
    if len(signed_ones) < 2:
        return ()
    values = np.stack([reading.values for reading in signed_ones])
    leads = leading(np.abs(values), methods.top_k)
    differing = np.flatnonzero((leads & (values > 0)).any(axis=0) & (leads & (values < 0)).any(axis=0))
    if not len(differing):
        return (say("No leading column is pushed up by one method and down by another."),)
    found = []
    for index in differing.tolist():
        up = [reading.name for reading, value in zip(signed_ones, values[:, index], strict=True) if value > 0]
        down = [reading.name for reading, value in zip(signed_ones, values[:, index], strict=True) if value < 0]
        found.append(
            say(
                "{column} pushes up by {up}, but down by {down}: do not rely on its direction here.",
                column=column_name(methods.features[index], start=True),
                up=joined(up),
                down=joined(down),
            )
        )
    return tuple(found)


def _least_alike(methods: RowMethods) -> tuple[str, ...]:
    """The two methods whose orders differ most, with the column that they weigh most differently."""
    pairs = [pair for pair in combinations(range(len(methods.readings)), 2) if np.isfinite(methods.spearman[pair])]
    if not pairs:
        return ()
    one, other = min(pairs, key=lambda pair: float(methods.spearman[pair]))
    if methods.spearman[one, other] >= _STRONG:
        return ()
    first, second = methods.readings[one], methods.readings[other]
    index = int(np.argmax(np.abs(first.shares - second.shares)))
    return (
        say(
            "The largest difference is between {first} and {second} (Spearman {spearman}): {column} makes "
            "{first_share} of the one and {second_share} of the other.",
            first=first.name,
            second=second.name,
            spearman=_correlation(float(methods.spearman[one, other])),
            column=column_name(methods.features[index]),
            first_share=percent(float(first.shares[index])),
            second_share=percent(float(second.shares[index])),
        ),
    )


def _correlation(value: float) -> str:
    return signed(value) if value < 0 else f"{value:.2f}"
