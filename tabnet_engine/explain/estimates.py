"""A measured number with its 95 % interval and the rows it rests on. numpy only: pages import this.

Every figure that decides how far to trust an explanation is one of these, so that none can be shown without its
error.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.texts.speaking import msg

__all__ = [
    "CONFIDENCE",
    "ENDS",
    "NORMAL_POINT",
    "Estimate",
    "bootstrap_estimate",
    "mean_estimate",
    "proportion_estimate",
    "student_point",
]

CONFIDENCE = 0.95
ENDS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)  # the quantiles at both ends of an interval
NORMAL_POINT = 1.959963984540054  # the upper one of the standard normal distribution

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """``value`` with its 95 % interval from ``low`` to ``high``, from ``n`` observations.

    The three numbers are None where they are not defined: a mean of nothing, an interval of one observation.
    ``how`` says how the interval was made.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    how: str = ""

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise ValueError(f"{name} of an estimate must be finite or None, got {number}")

    def to_mapping(self) -> dict[str, Any]:
        """The estimate as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        numbers = {name: None if values[name] is None else float(values[name]) for name in ("value", "low", "high")}
        return cls(**numbers, n=int(values["n"]), how=str(values["how"]))


def student_point(freedom: npt.ArrayLike) -> Floats:
    """The upper end of Student's t with so many degrees of freedom, in the shape of ``freedom``."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(freedom, ENDS[1]), dtype=np.float64)


def mean_estimate(values: npt.ArrayLike) -> Estimate:
    """The mean of independent observations (n,) with its interval by Student's t; NaN are left out."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    n = len(known)
    if n == 0:
        return Estimate(value=None, n=0, how="no observation")
    mean = float(known.mean())
    if n == 1:
        return Estimate(value=mean, n=1, how="one observation has no interval")
    margin = float(student_point(n - 1) * known.std(ddof=1) / math.sqrt(n))
    return Estimate(value=mean, low=mean - margin, high=mean + margin, n=n, how="Student's t over the observations")


def proportion_estimate(n_true: int, n: int) -> Estimate:
    """A share with its interval by Wilson's score (Wilson 1927), which holds for few rows and for 0 and 1 too."""
    if n == 0:
        return Estimate(value=None, n=0, how="no row")
    share, z2 = n_true / n, NORMAL_POINT**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    margin = NORMAL_POINT / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low, high = max(0.0, centre - margin), min(1.0, centre + margin)
    return Estimate(value=share, low=min(low, share), high=max(high, share), n=n, how=msg("Wilson score"))


def bootstrap_estimate(
    statistic: Callable[[npt.NDArray[np.int64]], float | None], n: int, *, n_resamples: int = 200, seed: int = 0
) -> Estimate:
    """A statistic of n rows with its percentile interval over resampled rows (Efron & Tibshirani 1993, chapter 13).

    Args:
        statistic: the value for some row positions; None where these do not define it.
        n: rows.
        n_resamples: draws with replacement; those that do not define the statistic are left out.
        seed: of the draws.
    """
    value = statistic(np.arange(n, dtype=np.int64)) if n else None
    if value is None:
        return Estimate(value=None, n=n, how="not defined by these rows")
    generator = np.random.default_rng(seed)
    draws = [statistic(generator.integers(0, n, n)) for _ in range(n_resamples)] if n > 1 else []
    defined = np.array([draw for draw in draws if draw is not None], dtype=np.float64)
    if len(defined) < 2:
        return Estimate(value=float(value), n=n, how="too few rows for an interval")
    low, high = np.quantile(defined, ENDS)
    how = f"bootstrap over rows, {len(defined):,} resamples"
    return Estimate(value=float(value), low=float(low), high=float(high), n=n, how=how)
