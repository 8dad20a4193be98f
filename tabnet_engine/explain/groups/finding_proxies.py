"""Measuring how well columns tell a protected one, each alone and all together, in rows they were not fitted to.

Shapes: B rows, G groups of the protected column, V candidate columns. Strength is 1 - (Brier score of the out-of-fold
group probabilities) / (Brier score of the groups' shares): the share of the variance of the groups' indicators.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.schema import FeatureSchema, Kind, Role
from tabnet_engine.data.values import as_numbers, as_timestamps, distinct_values
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.estimates import NORMAL_POINT, Estimate
from tabnet_engine.explain.groups.proxies import Proxy, ProxyReport
from tabnet_engine.explain.row_parts import RowParts
from tabnet_engine.texts.speaking import msg, say

__all__ = ["find_proxies"]

_FOLDS = 5
_FEWEST_ROWS = 50
_MAX_ROWS = 10_000  # a proxy worth the name shows on fewer; more rows only make the trees slow
_MAX_GROUPS = 10  # the smaller groups are taken together
_MAX_LEVELS = 250  # of one category; the rarer are taken together
_UNIQUE = 0.5  # a text or category with more different values a row than this names rows
_TREES = 40
_LEAF_ROWS = 10  # of a tree: with fewer, the shares of the groups in it are mostly chance
_TRIED_COLUMNS = 20  # at a split: a bound on the work for wide tables
_LEVELS = 16  # ranges that a number is cut into on its own
_PRIOR_ROWS = 5  # imagined rows at the overall shares, which tame rare levels
_OTHERS = msg("all smaller groups")
_HOW = msg(
    "Strength: share of the groups' variance told in rows not learned from ({n_folds} folds), each column by its "
    "levels, all together by a random forest."
)

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

_NOT_MEASURED = Estimate(value=None, how="not measured")


def find_proxies(
    frame: pd.DataFrame,
    schema: FeatureSchema,
    parts: RowParts,
    *,
    selection: str = "",
    seed: int = 0,
    is_joint: bool = True,
) -> ProxyReport:
    """Rank all other columns of a table by how well they tell the groups of a protected one.

    Each column alone: the groups' shares in each of its levels (numbers in bins of equally many rows), learned on
    four fifths of the rows and tested on the rest, five times. All together: a random forest in the same
    folds. Targets are not candidates; texts that name rows are left out by name.

    Args:
        frame: the raw table (B); read or not by the model, every column of it is a candidate.
        schema: the run's columns: their kinds and roles.
        parts: the groups of one protected column, from
            :func:`~tabnet_engine.explain.groups.membership.groups_of_column`; rows in none take no part.
        selection: which rows these are.
        seed: of the folds and of the draw where there are more than 10,000 rows.
        is_joint: whether to measure all columns together too, which takes most of the time.

    Raises:
        ExplanationError: groups of several columns, fewer than two groups, or too few rows.
    """
    if len(parts.columns) != 1:
        raise ExplanationError("proxies are looked for of one protected column at a time; choose one")
    column = parts.columns[0]
    if len(parts.codes) != len(frame):
        raise ValueError(f"the groups of {len(parts.codes)} rows are not those of a table of {len(frame)} rows")
    rows, names, codes = _chosen_rows(parts, seed)
    if len(names) < 2 or len(rows) < _FEWEST_ROWS:
        raise ExplanationError(
            f"column {column!r} has {len(names)} groups in {len(rows):,} rows; proxies need at least 2 groups and "
            f"{_FEWEST_ROWS} rows"
        )
    candidates, left_out = _candidates(frame.iloc[rows], schema, column)
    fold = np.random.default_rng([seed, 1]).permutation(len(rows)) % _FOLDS
    base = _brier(codes, _by_level(np.zeros(len(rows), dtype=np.int64), codes, fold, len(names)))
    read = set(schema.feature_names)
    proxies = [
        Proxy(
            column=candidate.name,
            strength=_strength(_brier(codes, _by_level(candidate.levels, codes, fold, len(names))), base),
            is_read=candidate.name in read,
        )
        for candidate in candidates
    ]
    of_read = [candidate for candidate in candidates if candidate.name in read]
    joint_read = _joint(of_read, codes, fold, base, seed) if is_joint else _NOT_MEASURED
    is_all_read = len(of_read) == len(candidates) or not is_joint
    return ProxyReport(
        column=column,
        groups=names,
        proxies=tuple(sorted(proxies, key=lambda proxy: -(proxy.strength.value or 0.0))),
        joint_read=joint_read,
        joint_all=joint_read if is_all_read else _joint(candidates, codes, fold, base, seed),
        left_out=left_out,
        is_feature=column in schema.feature_names,
        n_rows=len(rows),
        how=say(_HOW, n_folds=_FOLDS),
        selection=selection
        or say("{n_chosen:,} of {n_rows:,} rows of the table", n_chosen=len(rows), n_rows=len(frame)),
        seed=seed,
    )


def _chosen_rows(parts: RowParts, seed: int) -> tuple[Codes, tuple[str, ...], Codes]:
    """Row positions, the groups kept apart, and the rows' codes among them."""
    rows = np.flatnonzero(parts.codes >= 0)
    if len(rows) > _MAX_ROWS:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:_MAX_ROWS])
    occurring = parts.take(rows).occurring()
    if len(occurring) <= _MAX_GROUPS:
        return rows, occurring.names, occurring.codes
    largest = np.argsort(-occurring.sizes, kind="stable")[: _MAX_GROUPS - 1]
    place = np.full(len(occurring), _MAX_GROUPS - 1, dtype=np.int64)
    place[largest] = np.arange(_MAX_GROUPS - 1)
    return rows, (*(occurring.names[group] for group in largest), _OTHERS), place[occurring.codes]


@dataclass(frozen=True, eq=False)
class _Candidate:
    """One column: its levels (B) on its own, its values (B) for the trees."""

    name: str
    levels: Codes
    values: Floats


def _candidates(frame: pd.DataFrame, schema: FeatureSchema, protected: str) -> tuple[list[_Candidate], dict[str, str]]:
    """What can be looked at, and why the others cannot."""
    found: list[_Candidate] = []
    left_out: dict[str, str] = {}
    targets = {column.name for column in schema.columns if column.role is Role.TARGET}
    kinds = {column.name: column.kind for column in schema.columns}
    for name in map(str, frame.columns):
        if name == protected or name in targets:
            continue
        cells, kind = frame[name], kinds.get(name)
        if kind is Kind.DATETIME or pd.api.types.is_datetime64_any_dtype(cells.dtype):
            found.append(_quantity(name, _seconds(cells)))
        elif _is_number(cells, kind):
            found.append(_quantity(name, as_numbers(cells)))
        else:
            codes, distinct = distinct_values(cells)
            if len(distinct) > max(2.0, _UNIQUE * int((codes >= 0).sum())):
                left_out[name] = say("a different value in most rows")
                continue
            levels = _most_common(codes)
            found.append(_Candidate(name, levels, levels.astype(np.float64)))
    return found, left_out


def _quantity(name: str, values: Floats) -> _Candidate:
    known = np.where(np.isfinite(values), values, np.nan)
    return _Candidate(name, _ranges(known), known)


def _ranges(values: Floats) -> Codes:
    """Levels from 0 (missing): the values where they are few, else ranges of about equally many rows."""
    present = np.isfinite(values)
    edges = np.unique(values[present])
    if len(edges) > _LEVELS:
        inner = np.linspace(0, 1, _LEVELS + 1)[1:-1]
        edges = np.unique(np.quantile(values[present], inner, method="inverted_cdf"))
    return np.where(present, np.searchsorted(edges, values) + 1, 0).astype(np.int64)


def _is_number(cells: pd.Series[Any], kind: Kind | None) -> bool:
    is_number = pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype)
    return kind is Kind.NUMBER or (is_number and kind not in {Kind.CATEGORY, Kind.BOOLEAN})


def _seconds(cells: pd.Series[Any]) -> Floats:
    moments = as_timestamps(cells)
    seconds: Floats = moments.astype("datetime64[s]").astype(np.int64).astype(np.float64)
    seconds[np.isnat(moments)] = np.nan
    return seconds


def _most_common(codes: Codes) -> Codes:
    """Levels from 0 (missing), the rarest taken together in the last."""
    counts = np.bincount(codes + 1)
    if len(counts) <= _MAX_LEVELS:
        return codes + 1
    kept = np.argsort(-counts[1:], kind="stable")[: _MAX_LEVELS - 2] + 1
    place = np.full(len(counts), _MAX_LEVELS - 1, dtype=np.int64)
    place[0], place[kept] = 0, np.arange(1, len(kept) + 1)
    return place[codes + 1]


def _by_level(level: Codes, codes: Codes, fold: Codes, n_groups: int) -> Floats:
    """Out-of-fold shares of the groups (B, G) in each row's level; a level not seen gets the shares of all rows."""
    n_levels = int(level.max()) + 1
    cell = level * n_groups + codes
    shares = np.empty((len(codes), n_groups))
    for part in range(_FOLDS):
        inside = fold != part
        seen = np.bincount(cell[inside], minlength=n_levels * n_groups).reshape(n_levels, n_groups)
        base = seen.sum(axis=0) / max(1, int(inside.sum()))
        expected = (seen + _PRIOR_ROWS * base) / (seen.sum(axis=1, keepdims=True) + _PRIOR_ROWS)
        shares[~inside] = expected[level[~inside]]
    return shares


def _brier(codes: Codes, shares: Floats) -> Floats:
    """Squared error of each row's group probabilities (B)."""
    return np.asarray((shares**2).sum(axis=1) - 2 * shares[np.arange(len(codes)), codes] + 1)


def _strength(error: Floats, base: Floats) -> Estimate:
    """1 - mean error / mean base, with its interval by the influence of each row on the ratio."""
    n, mean = len(base), float(base.mean())
    ratio = float(error.mean()) / mean
    margin = NORMAL_POINT * math.sqrt(float(((error - ratio * base) ** 2).sum()) / (n * max(1, n - 1))) / mean
    return Estimate(
        value=1 - ratio,
        low=1 - ratio - margin,
        high=1 - ratio + margin,
        n=n,
        how=say("ratio of means, normal, over rows"),
    )


def _joint(candidates: Sequence[_Candidate], codes: Codes, fold: Codes, base: Floats, seed: int) -> Estimate:
    """Strength of a random forest (Breiman 2001) over all the columns."""
    from sklearn.ensemble import RandomForestClassifier

    if not candidates:
        return Estimate(value=None, n=len(codes), how=say("no column to tell it by"))
    x = np.column_stack([candidate.values for candidate in candidates])
    # Missing below all others: a split tells it apart, whichever release of the library reads missing cells.
    x = np.where(np.isnan(x), np.nanmin(x, axis=0, initial=0.0) - 1.0, x)
    shares = np.zeros((len(codes), int(codes.max()) + 1))
    for part in range(_FOLDS):
        inside = fold != part
        forest = RandomForestClassifier(
            _TREES,
            min_samples_leaf=_LEAF_ROWS,
            max_features=min(x.shape[1], _TRIED_COLUMNS),
            random_state=seed,
        )
        forest.fit(x[inside], codes[inside])
        shares[np.ix_(~inside, forest.classes_)] = forest.predict_proba(x[~inside])
    return _strength(_brier(codes, shares), base)
