"""Scale and bins of one numeric slot, from its training values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["quantile_edges", "standardisation"]

# The fence lies 20 times the 5-95 % range outside it (some 65 standard deviations of a normal column):
# ordinary columns are untouched, one damaged 1e300 no longer flattens all other values to one.
_FENCE = 20.0
# Two edges closer than this would divide by almost nothing in float32.
_SMALLEST_BIN = 1e-6


def standardisation(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation that one damaged value cannot ruin.

    Values beyond a far fence are pulled to it before both are measured; nothing else is altered.

    Args:
        values: training values (B); missing and infinite ones are left out.

    Returns:
        Mean and scale; the scale is 1 where the values do not vary, (0, 1) where there are none.
    """
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return 0.0, 1.0
    if finite.min() == finite.max():
        return float(finite[0]), 1.0
    fenced = _inside_fence(finite)
    largest = float(np.abs(fenced).max())
    shrunk = fenced / largest  # sums of squares of 1e300 would overflow
    mean, scale = float(shrunk.mean()) * largest, float(shrunk.std()) * largest
    return mean, scale if scale > 0 else largest


def _inside_fence(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    low, high = np.quantile(values, [0.05, 0.95], method="inverted_cdf")
    with np.errstate(over="ignore"):  # a fence at infinity lets everything through
        reach = _FENCE * (high - low)
        return np.clip(values, low - reach, high + reach) if reach > 0 else values


def quantile_edges(values: npt.NDArray[np.floating], n_bins: int) -> tuple[float, ...]:
    """Increasing bin edges that hold about equally many training values each.

    A column with at most ``n_bins + 1`` distinct values gets one edge for each. Values so frequent that
    they would claim several quantiles (the zeros of capital gain) become one edge, and the edges this
    frees are spent on the rest of the column.

    Source: piecewise-linear encoding of Gorishniy et al. 2022, "On Embeddings for Numerical Features",
    section 3.2.

    Args:
        values: standardised training values (B); NaN is left out.
        n_bins: the most bins wanted, at least 1.

    Returns:
        Between 2 and ``n_bins + 1`` edges, exactly representable in float32.
    """
    present = values[np.isfinite(values)].astype(np.float32)
    distinct, counts = np.unique(present, return_counts=True)
    if distinct.size <= n_bins + 1:
        return _spaced(distinct)
    frequent = counts > present.size / n_bins
    atoms = distinct[frequent]
    rest = present[~np.isin(present, atoms)]
    n_free = n_bins + 1 - atoms.size
    quantiles = np.quantile(rest, np.linspace(0, 1, n_free), method="inverted_cdf")
    return _spaced(np.unique(np.concatenate([atoms, quantiles])))


def _spaced(edges: npt.NDArray[np.floating]) -> tuple[float, ...]:
    """Drop edges that nearly touch; widen what is left to at least one bin."""
    kept: list[float] = []
    for edge in edges.tolist():
        if not kept or edge - kept[-1] > _SMALLEST_BIN * max(1.0, abs(edge)):
            kept.append(edge)
    if len(kept) >= 2:
        return tuple(kept)
    centre = kept[0] if kept else 0.0
    return (centre - 1.0, centre + 1.0)
