"""How attributions differ between groups: the size of each column's push, and which way it goes. No torch.

Shapes: B rows, G groups, P players, K outputs. Signed values say what moved the score of a group's rows against the
background; a column may push one group more because its cells differ there, not because it is treated otherwise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.estimates import Estimate, student_point
from tabnet_engine.explain.row_parts import RowParts
from tabnet_engine.texts.speaking import say

__all__ = ["FEWEST_EXPLAINED", "AttributionSpread", "attribution_spread"]

FEWEST_EXPLAINED = 10  # rows of a group; the mean of fewer is mostly chance

Floats = npt.NDArray[np.float64]
_ARRAYS = ("mean", "mean_low", "mean_high", "size", "size_low", "size_high")


@dataclass(frozen=True, kw_only=True, eq=False)
class AttributionSpread:
    """Mean value (with sign) and mean absolute value of each column in each group.

    All arrays are (G, P, K), NaN where a group has no explained row (an interval needs two). ``n_rows`` (G) are the
    explained rows of each group, which are fewer than its rows where not all were explained.
    """

    method: str
    groups: tuple[str, ...]
    features: tuple[str, ...]
    outputs: tuple[str, ...]
    n_rows: tuple[int, ...]
    mean: Floats
    mean_low: Floats
    mean_high: Floats
    size: Floats
    size_low: Floats
    size_high: Floats
    provenance: str

    def __post_init__(self) -> None:
        shape = (len(self.groups), len(self.features), len(self.outputs))
        for name in _ARRAYS:
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must have the shape {shape}, got {getattr(self, name).shape}")

    def mean_estimate(self, group: str, feature: str, output: str) -> Estimate:
        """Mean value of a column in a group, with its sign."""
        return self._estimate("mean", group, feature, output)

    def size_estimate(self, group: str, feature: str, output: str) -> Estimate:
        """Mean absolute value of a column in a group."""
        return self._estimate("size", group, feature, output)

    @property
    def solid(self) -> list[int]:
        """Places of the groups with enough explained rows for a mean to say something; all where none has."""
        enough = [place for place, n_rows in enumerate(self.n_rows) if n_rows >= FEWEST_EXPLAINED]
        return enough or list(range(len(self.groups)))

    def order(self, output: int) -> list[int]:
        """Places of the columns, those with the largest mean value in any group first; few rows decide nothing."""
        largest = np.nanmax(np.abs(self.mean[self.solid, :, output]), axis=0, initial=0.0)
        return [int(place) for place in np.argsort(-largest, kind="stable")]

    def table(self) -> pd.DataFrame:
        """One line for each group, column and output: both means with their intervals, and the explained rows."""
        shape = self.mean.shape
        groups, columns, outputs = (place.reshape(-1) for place in np.indices(shape))
        return pd.DataFrame(
            {
                "group": np.array(self.groups, dtype=object)[groups],
                "column": np.array(self.features, dtype=object)[columns],
                "output": np.array(self.outputs, dtype=object)[outputs],
                "rows": np.array(self.n_rows)[groups],
                **{name: getattr(self, name).reshape(-1) for name in _ARRAYS},
            }
        )

    def to_mapping(self) -> dict[str, Any]:
        """The spread as plain JSON values; what is not defined is None."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        lists = {name: _listed(values[name]) for name in _ARRAYS}
        texts = {name: list(values[name]) for name in ("groups", "features", "outputs", "n_rows")}
        return {**values, **lists, **texts}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        arrays = {name: np.asarray(values[name], dtype=np.float64) for name in _ARRAYS}
        return cls(
            method=str(values["method"]),
            groups=tuple(values["groups"]),
            features=tuple(values["features"]),
            outputs=tuple(values["outputs"]),
            n_rows=tuple(map(int, values["n_rows"])),
            provenance=str(values["provenance"]),
            **arrays,
        )

    def _estimate(self, name: str, group: str, feature: str, output: str) -> Estimate:
        number = self.groups.index(group)
        place = (number, self.features.index(feature), self.outputs.index(output))
        value, low, high = (
            None if np.isnan(number) else float(number)
            for number in (getattr(self, key)[place] for key in (name, f"{name}_low", f"{name}_high"))
        )
        how = say("Student's t over the rows") if low is not None else say("too few rows for an interval")
        return Estimate(value=value, low=low, high=high, n=self.n_rows[number], how=how)


def attribution_spread(
    attribution: Attribution, rows: npt.NDArray[np.int64], parts: RowParts, outputs: slice = slice(None)
) -> AttributionSpread:
    """Means of the explained rows among ``rows``, by group.

    Args:
        attribution: values (B', P, K) of some rows of the same table.
        rows: row numbers (B) of ``parts``.
        parts: the group of each of them.
        outputs: which of the K belong to the target looked at.

    Raises:
        ExplanationError: none of the rows is explained.
    """
    place_of = {row: place for place, row in enumerate(rows.tolist())}
    explained = [place for place, row in enumerate(attribution.rows.tolist()) if row in place_of]
    if not explained:
        raise ExplanationError(
            "none of the rows of these groups has signed values; explain rows of the same part of the table first"
        )
    codes = parts.codes[[place_of[row] for row in attribution.rows[explained].tolist()]]
    values = attribution.values[explained][:, :, outputs]
    found = {name: np.full((len(parts), *values.shape[1:]), np.nan) for name in _ARRAYS}
    for group in range(len(parts)):
        members = values[codes == group]
        for name, part in (("mean", members), ("size", np.abs(members))):
            found[name][group], found[f"{name}_low"][group], found[f"{name}_high"][group] = _means(part)
    found["size_low"] = np.maximum(found["size_low"], 0.0)  # a size is never below 0, whatever Student's t says
    counts = np.bincount(codes[codes >= 0], minlength=len(parts)).tolist()
    return AttributionSpread(
        method=attribution.method,
        groups=parts.names,
        features=attribution.features,
        outputs=attribution.outputs[outputs],
        n_rows=tuple(counts),
        provenance=attribution.provenance,
        **found,
    )


def _means(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Means over rows of (B, P, K) with Student's interval; NaN where they are not defined."""
    n, nothing = len(values), np.full(values.shape[1:], np.nan)
    if n == 0:
        return nothing, nothing, nothing
    mean = values.mean(axis=0)
    if n == 1:
        return mean, nothing, nothing
    margin = student_point(n - 1) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return mean, mean - margin, mean + margin


def _listed(values: Floats) -> list[Any]:
    plain = values.astype(object)
    plain[np.isnan(values)] = None
    listed: list[Any] = plain.tolist()
    return listed
