"""How columns go with a target, and whether they give it away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.profiling.associations import (
    LinearRule,
    correlation,
    correlation_ratio,
    cramers_v,
    determined_share,
    exact_linear_rule,
    level_codes,
)
from tabnet_engine.data.profiling.column_profile import Cells
from tabnet_engine.data.profiling.profile_records import Association
from tabnet_engine.data.schema import FeatureSchema, Kind, Target, Task
from tabnet_engine.data.values import as_numbers, factorise
from tabnet_engine.texts.speaking import msg

__all__ = ["TargetView", "associate", "determined_by", "find_sum", "view_targets"]

_MAX_SUM_COLUMNS = 200
_MAX_ROWS = 20_000
_MAX_CELLS = 40_000_000
_FEWEST_ROWS = 40
_MAX_SUM_ROWS = 5_000

_Floats = npt.NDArray[np.float64]
_Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TargetView:
    """One target as the measures need it.

    ``codes`` are its classes (B), -1 where missing (in a regression 0 where present); ``numbers`` its
    values (B), NaN where missing, or None for classes. ``sample`` are the rows in which leakage is looked
    for, out of ``n_usable`` rows with a target; the measure learns on ``half`` of them.
    """

    target: Target
    codes: _Codes
    numbers: _Floats | None
    n_usable: int
    sample: _Codes
    half: npt.NDArray[np.bool_]

    @property
    def can_be_checked(self) -> bool:
        """Whether there are enough rows to tell knowledge from chance."""
        return self.sample.size >= _FEWEST_ROWS

    @property
    def n_sum_columns(self) -> int:
        """The most columns among which a sum is looked for: a quarter of the rows, at most 200."""
        return min(_MAX_SUM_COLUMNS, self.sample.size // 4)

    @property
    def class_counts(self) -> tuple[int, ...]:
        """Rows of each class; empty for a regression."""
        if self.numbers is not None:
            return ()
        return tuple(np.bincount(self.codes[self.codes >= 0], minlength=len(self.target.classes)).tolist())


def view_targets(frame: pd.DataFrame, schema: FeatureSchema, seed: int) -> tuple[TargetView, ...]:
    """Read each target that is chosen and draw its sample.

    Raises:
        SchemaError: a regression target with a cell that is no number.
    """
    return tuple(_view(frame, target, len(schema.columns), seed) for target in schema.targets)


def _view(frame: pd.DataFrame, target: Target, n_columns: int, seed: int) -> TargetView:
    series = frame[target.name]
    numbers = None
    if target.task is Task.REGRESSION:
        numbers = as_numbers(series)
        codes = np.where(np.isfinite(numbers), 0, -1).astype(np.int64)
    else:
        place = {name: index for index, name in enumerate(target.classes)}
        raw, texts = factorise(series)
        codes = np.array([*(place.get(text, -1) for text in texts), -1], dtype=np.int64)[raw]
    usable = np.flatnonzero(codes >= 0).astype(np.int64)
    n_sampled = min(usable.size, _MAX_ROWS, max(_FEWEST_ROWS, _MAX_CELLS // max(1, n_columns)))
    generator = np.random.default_rng(seed)
    sample = np.sort(generator.choice(usable, size=n_sampled, replace=False))
    half = generator.permutation(n_sampled) < n_sampled // 2
    return TargetView(target, codes, numbers, usable.size, sample, half)


def associate(cells: Cells, target: TargetView) -> Association | None:
    """The usual measure for the two kinds, on all rows; None where one of the two does not vary."""
    if target.numbers is not None and cells.numbers is not None:
        return _named("Pearson correlation (absolute)", correlation(cells.numbers, target.numbers))
    if target.numbers is not None:
        return _named("correlation ratio", correlation_ratio(cells.codes, target.numbers))
    if cells.numbers is not None:
        return _named("correlation ratio", correlation_ratio(target.codes, cells.numbers))
    return _named(msg("Cramér's V"), cramers_v(cells.codes, target.codes))


def _named(measure: str, value: float | None) -> Association | None:
    return None if value is None else Association(measure, value)


def determined_by(cells: Cells, target: TargetView) -> float:
    """Share of the target that one column predicts alone in unseen rows; 0 with too few rows to tell."""
    if not target.can_be_checked:
        return 0.0
    sample = target.sample
    codes = cells.codes[sample] if cells.numbers is None else level_codes(cells.numbers[sample])
    if target.numbers is None:
        return determined_share(codes, target.codes[sample], target.half)
    numbers = target.numbers[sample]
    # Ranks make a curved relation as visible as a straight one; the correlation adds heavy tails.
    share = determined_share(codes, np.asarray(pd.Series(numbers).rank(), dtype=np.float64), target.half)
    if cells.numbers is None:
        return share
    return max(share, (correlation(cells.numbers[sample], numbers) or 0.0) ** 2)


def find_sum(
    frame: pd.DataFrame, schema: FeatureSchema, target: TargetView, strengths: Mapping[str, float]
) -> tuple[LinearRule, tuple[str, ...]] | None:
    """A weighted sum of number columns that equals a regression target, and the names of its columns.

    Args:
        frame: the table.
        schema: its columns.
        target: the target as read from the table; its ``n_sum_columns`` bounds the search.
        strengths: association of each column with the target: the strongest columns are tried.
    """
    names = [column.name for column in schema.features if column.kind is Kind.NUMBER]
    if target.numbers is None or not target.can_be_checked or not names:
        return None
    rows = target.sample[:: max(1, target.sample.size // _MAX_SUM_ROWS)][:_MAX_SUM_ROWS]
    ranked = sorted(names, key=lambda name: -strengths.get(name, 0.0))
    # Only complete rows can be used; fewer columns leave more of them.
    for n_columns in (target.n_sum_columns, target.n_sum_columns // 4, target.n_sum_columns // 16):
        chosen = set(ranked[: max(1, n_columns)])
        tried = [name for name in names if name in chosen]
        rule = exact_linear_rule(
            np.column_stack([as_numbers(frame[name])[rows] for name in tried]), target.numbers[rows]
        )
        if rule is not None:
            return rule, tuple(tried[member] for member in rule.members)
    return None
