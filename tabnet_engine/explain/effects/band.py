"""Arrays of numbers with their 95 % intervals, place by place. numpy only: pages import this.

Shapes: whatever the holder says; the three arrays share one shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.estimates import ENDS, Estimate, mean_estimate

__all__ = ["Band", "mean_bands"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Band:
    """``values`` with their intervals from ``low`` to ``high``; NaN where a number or an interval is not defined."""

    values: Floats
    low: Floats
    high: Floats

    def __post_init__(self) -> None:
        if not self.values.shape == self.low.shape == self.high.shape:
            raise ValueError(f"a band's arrays must share one shape, got {self.values.shape} and {self.low.shape}")
        if np.isinf([self.values, self.low, self.high]).any():
            raise ValueError("a band must not hold infinite numbers")
        known = np.isfinite(self.low) | np.isfinite(self.high)
        with np.errstate(invalid="ignore"):
            outside = known & ~((self.low <= self.values) & (self.values <= self.high))
        if outside.any():
            raise ValueError("a band's values must lie within their intervals")

    @classmethod
    def around(cls, values: Floats, margin: Floats) -> Self:
        """The symmetric interval ``values`` ± ``margin``; a margin of NaN is no interval."""
        return cls(values=values, low=values - margin, high=values + margin)

    @classmethod
    def of_draws(cls, values: Floats, draws: Floats) -> Self:
        """The percentile interval of resampled values (R, ...), widened to hold the value itself."""
        low, high = np.quantile(draws, ENDS, axis=0)
        return cls(values=values, low=np.minimum(low, values), high=np.maximum(high, values))

    def estimate(self, place: tuple[int, ...] | int, *, n: int, how: str) -> Estimate:
        """One place as an :class:`Estimate` of ``n`` rows."""
        numbers = (_number(array[place]) for array in (self.values, self.low, self.high))
        value, low, high = numbers
        return Estimate(value=value, low=low, high=high, n=n, how=how)

    def take(self, places: npt.ArrayLike, axis: int = 0) -> Self:
        """Some places along an axis."""
        chosen = np.asarray(places)
        arrays = {name: np.take(getattr(self, name), chosen, axis=axis) for name in ("values", "low", "high")}
        return type(self)(**arrays)

    def to_mapping(self) -> dict[str, Any]:
        """The band as plain JSON values; what is not defined is None."""
        return {name: _plain(getattr(self, name)) for name in ("values", "low", "high")}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(**{name: np.asarray(values[name], dtype=np.float64) for name in ("values", "low", "high")})


def mean_bands(groups: Sequence[Floats]) -> Band:
    """The mean of each group of observations (n,) with its interval by Student's t; NaN where there are too few."""
    estimates = [mean_estimate(group) for group in groups]
    values, low, high = (
        np.array([getattr(estimate, name) for estimate in estimates], dtype=np.float64)
        for name in ("value", "low", "high")
    )
    return Band(values=values, low=low, high=high)


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _plain(array: Floats) -> Any:
    plain = array.astype(object)
    plain[~np.isfinite(array)] = None
    return plain.tolist()
