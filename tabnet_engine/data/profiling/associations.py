"""How strongly one column goes with another; every measure lies between 0 and 1.

Codes number the levels of a category, -1 where the cell is missing. Missing cells are left out pair by
pair, except in :func:`determined_share`, where being missing is a level of its own: a date of death that
is filled in only for the dead gives the target away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = [
    "LinearRule",
    "correlation",
    "correlation_ratio",
    "cramers_v",
    "determined_share",
    "exact_linear_rule",
    "level_codes",
]

_Floats = npt.NDArray[np.float64]
_Codes = npt.NDArray[np.int64]

_MAX_LEVELS = 64
_ROWS_PER_LEVEL = 10
_EXACT = 1e-6  # unexplained share of the variance that counts as rounding
_NEGLIGIBLE = 1e-4


def correlation(x: _Floats, y: _Floats) -> float | None:
    """Pearson's |r| over the rows where both are finite; None where one of them does not vary."""
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < 3:
        return None
    a, b = _centred(x[both]), _centred(y[both])
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return min(1.0, abs(float(a @ b)) / norm) if norm > 0 else None


def _centred(values: _Floats) -> _Floats:
    # Divided by the largest first: squares of 1e300 would overflow.
    if values.min() == values.max():
        return np.zeros_like(values)
    shrunk: _Floats = values / np.abs(values).max()
    return shrunk - float(shrunk.mean())


def correlation_ratio(codes: _Codes, y: _Floats) -> float | None:
    """Eta: the square root of the share of y's variance between the levels, corrected for their number.

    The correction is Kelley's epsilon squared, 1 - (1 - eta^2)(n - 1)/(n - k): without it a category with
    a level for every row would explain everything.
    """
    both = (codes >= 0) & np.isfinite(y)
    if both.sum() < 3:
        return None
    group, counts = _occurring(codes[both])
    values = _centred(y[both])
    total = float(values @ values)
    n, k = values.size, counts.size
    if total == 0 or k < 2 or n <= k:
        return None
    sums = np.bincount(group, weights=values)
    eta_squared = float((sums**2 / counts).sum()) / total
    corrected = 1 - (1 - eta_squared) * (n - 1) / (n - k)
    return float(np.sqrt(np.clip(corrected, 0.0, 1.0)))


def cramers_v(a: _Codes, b: _Codes) -> float | None:
    """Cramer's V with the bias correction of Bergsma (2013), which keeps rare levels from pretending."""
    both = (a >= 0) & (b >= 0)
    n = int(both.sum())
    if n < 3:
        return None
    (rows, row_counts), (columns, column_counts) = _occurring(a[both]), _occurring(b[both])
    r, k = row_counts.size, column_counts.size
    if r < 2 or k < 2:
        return None
    cells, counts = _cells(rows * k + columns, r * k)
    phi_squared = float((counts**2 / (row_counts[cells // k] * column_counts[cells % k])).sum()) - 1
    corrected = max(0.0, phi_squared - (r - 1) * (k - 1) / (n - 1))
    width = min(r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)) - 1
    return min(1.0, float(np.sqrt(corrected / width))) if width > 0 else None


def _occurring(codes: _Codes) -> tuple[_Codes, _Codes]:
    """Codes renumbered without the levels that do not occur (B), and the rows of each level that does.

    Counted, not sorted: codes are small, and a million rows are counted thirty times faster than sorted.
    """
    counts = np.bincount(codes)
    occurs = counts > 0
    if occurs.all():
        return codes, counts
    return (np.cumsum(occurs) - 1)[codes], counts[occurs]


def _cells(cells: _Codes, n_cells: int) -> tuple[_Codes, _Codes]:
    """The cells of a cross table that occur, ascending, and the rows in each."""
    if n_cells > cells.size:  # a table of 100,000 levels by 100 classes is never built
        return np.unique(cells, return_counts=True)
    counts = np.bincount(cells, minlength=n_cells)
    found = np.flatnonzero(counts)
    return found, counts[found]


def level_codes(values: _Floats) -> _Codes:
    """A number as levels: its values where they are few, else bins of equally many rows; -1 if missing."""
    codes: _Codes = np.full(values.shape, -1, dtype=np.int64)
    present = np.isfinite(values)
    numbers = values[present]
    if numbers.size == 0:
        return codes
    n_levels = int(np.clip(numbers.size // (2 * _ROWS_PER_LEVEL), 2, _MAX_LEVELS))
    distinct = np.unique(numbers)
    if distinct.size > n_levels:
        distinct = np.unique(np.quantile(numbers, np.linspace(0, 1, n_levels + 1)[1:-1], method="inverted_cdf"))
    codes[present] = np.searchsorted(distinct, numbers)
    return codes


def determined_share(codes: _Codes, target: _Codes | _Floats, half: npt.NDArray[np.bool_]) -> float:
    """Share of the target's variance that the levels of one column predict in rows they did not see.

    The mean of the target in each level is learned on one half of the rows and tested on the other, so a
    column with a different value in each row predicts nothing. For classes the variance is that of their
    indicators (one minus the ratio of Brier scores).

    Args:
        codes: levels of the column (B), -1 where missing.
        target: class codes as integers, or numbers (B); no missing values.
        half: the rows to learn on (B).

    Returns:
        At most 1; 0 where the column says nothing or misleads.
    """
    groups = codes + 1
    if np.issubdtype(target.dtype, np.integer):
        error, total = _class_errors(groups, target.astype(np.int64), half)
    else:
        error, total = _number_errors(groups, _centred(target.astype(np.float64)), half)
    return max(0.0, 1 - error / total) if total > 0 else 0.0


def _class_errors(groups: _Codes, target: _Codes, half: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Brier score times rows on the other half, by the levels' shares and by the overall shares."""
    n_groups, n_classes = int(groups.max()) + 1, int(target.max()) + 1
    cells = groups * n_classes + target
    seen, unseen = (
        np.bincount(cells[rows], minlength=n_groups * n_classes).reshape(n_groups, n_classes) for rows in (half, ~half)
    )
    base = seen.sum(axis=0) / max(1, seen.sum())
    shares = (seen + base) / (seen.sum(axis=1, keepdims=True) + 1)  # one imagined row at the base tames rare levels
    return _brier(unseen, shares), _brier(unseen, np.broadcast_to(base, shares.shape))


def _brier(counts: npt.NDArray[np.int64], shares: _Floats) -> float:
    """Sum over rows of sum over classes of (indicator - share)^2, from the rows counted in each cell."""
    squares = (shares**2).sum(axis=1)
    return float((counts * (1 - 2 * shares)).sum() + (counts.sum(axis=1) * squares).sum())


def _number_errors(groups: _Codes, target: _Floats, half: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Squared error on the other half, by the levels' means and by the overall mean."""
    n_groups = int(groups.max()) + 1
    base = float(target[half].mean())
    sums = np.bincount(groups[half], weights=target[half], minlength=n_groups)
    means = (sums + base) / (np.bincount(groups[half], minlength=n_groups) + 1)
    rest = target[~half]
    return float(((rest - means[groups[~half]]) ** 2).sum()), float(((rest - base) ** 2).sum())


@dataclass(frozen=True)
class LinearRule:
    """A target that is a weighted sum of columns; ``members`` are their positions, ascending."""

    members: tuple[int, ...]
    weights: tuple[float, ...]
    intercept: float
    n_rows: int

    @property
    def is_plain_sum(self) -> bool:
        """Whether every weight is one and nothing is added."""
        scale = max(map(abs, self.weights))
        return all(abs(weight - 1) < 1e-3 for weight in self.weights) and abs(self.intercept) < 1e-3 * scale


def exact_linear_rule(columns: _Floats, y: _Floats) -> LinearRule | None:
    """The smallest weighted sum of columns found that gives the target up to rounding, if there is one.

    Args:
        columns: numbers (B, P); rows with a missing cell are left out.
        y: the target (B).
    """
    complete = np.isfinite(columns).all(axis=1) & np.isfinite(y)
    x, target = columns[complete], y[complete]
    n, p = x.shape
    if p == 0 or n < 3 * (p + 1) or target.min() == target.max():
        return None
    scale = np.abs(x).max(axis=0)
    scale[scale == 0] = 1.0
    y_scale = float(np.abs(target).max())
    system = np.column_stack([np.ones(n), x / scale, target / y_scale])
    centred = system[:, -1] - system[:, -1].mean()
    small = np.asarray(np.linalg.qr(system, mode="r"))  # the same least squares with P + 2 rows
    allowed = _EXACT * float(centred @ centred)
    members = _smallest_exact(small, allowed)
    if not members:
        return None
    solution = _solve(small, members)[0]
    weights = solution[1:] * y_scale / scale[members]
    return LinearRule(tuple(members), tuple(weights.tolist()), float(solution[0]) * y_scale, n)


def _solve(small: _Floats, members: list[int]) -> tuple[_Floats, float]:
    """Least squares of the last column on the first and the members: weights and squared error."""
    design = small[:, [0, *(member + 1 for member in members)]]
    solution: _Floats = np.linalg.lstsq(design, small[:, -1], rcond=None)[0].astype(np.float64)
    residual = small[:, -1] - design @ solution
    return solution, float(residual @ residual)


def _smallest_exact(small: _Floats, allowed: float) -> list[int]:
    members = list(range(small.shape[1] - 2))
    solution, error = _solve(small, members)
    if error > allowed:
        return []
    spread = np.linalg.norm(small[1:, 1:-1], axis=0)  # without the first row: without the mean
    strength = np.abs(solution[1:]) * spread
    likely = [member for member in members if strength[member] > _NEGLIGIBLE * strength.max()]
    if _solve(small, likely)[1] <= allowed:
        members = likely
    for member in sorted(members, key=lambda index: strength[index]):
        rest = [other for other in members if other != member]
        if rest and _solve(small, rest)[1] <= allowed:
            members = rest
    return members
