"""One number per column for a whole table, by what was read and by what moved the score.

Shapes: B rows, F raw features, K outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.estimates import NORMAL_POINT
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.signed.methods import METHODS
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import msg, say

__all__ = [
    "METHOD_NAMES",
    "SIGNED_IMPORTANCES",
    "GlobalImportance",
    "attribution_note",
    "from_attribution",
    "from_masks",
    "mean_importance",
    "row_importances",
]

METHOD_NAMES = {
    "masks": msg("attention masks"),
    **{name: facts.name for name, facts in METHODS.items()},
    "permutation": msg("permutation importance"),
}

# What was averaged, by whether it is SHAP and over what besides the rows.
_AVERAGED = {
    (True, "rows"): msg("Mean absolute SHAP value over {n_rows:,} rows;"),
    (True, "outputs"): msg("Mean absolute SHAP value over {n_rows:,} rows and {n:,} outputs;"),
    (True, "targets"): msg(
        "Mean absolute SHAP value over {n_rows:,} rows and {n:,} targets, each target counting the same;"
    ),
    (False, "rows"): msg("Mean absolute value by {method} over {n_rows:,} rows;"),
    (False, "outputs"): msg("Mean absolute value by {method} over {n_rows:,} rows and {n:,} outputs;"),
    (False, "targets"): msg(
        "Mean absolute value by {method} over {n_rows:,} rows and {n:,} targets, each target counting the same;"
    ),
}

SIGNED_IMPORTANCES = frozenset({"permutation"})  # methods whose values may be below zero


@dataclass(frozen=True, kw_only=True, eq=False)
class GlobalImportance:
    """Importance of each column (F), how it was measured and on how many rows.

    ``standard_error`` (F) is that of the mean over rows; None with fewer than two rows. ``low`` and ``high`` (F) are
    the 95 % interval where a method has one of its own; read :attr:`interval`, which serves all. Only a method of
    :data:`SIGNED_IMPORTANCES` may be below zero: permuting a column that says nothing may lower the loss by chance.
    ``note`` is one plain sentence that belongs beside every figure of these values.
    """

    method: str
    features: tuple[str, ...]
    values: npt.NDArray[np.float64]
    standard_error: npt.NDArray[np.float64] | None
    n_rows: int
    note: str
    low: npt.NDArray[np.float64] | None = None
    high: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        shape = (len(self.features),)
        held = (self.values, self.standard_error, self.low, self.high)
        if any(array is not None and array.shape != shape for array in held):
            raise ValueError(f"an importance must have one value for each of its {shape[0]} features")
        if (self.low is None) != (self.high is None):
            raise ValueError("an importance must have both ends of its interval or none")
        if not np.isfinite(self.values).all():
            raise ValueError("importances must be finite")
        if (self.values < 0).any() and self.method not in SIGNED_IMPORTANCES:
            raise ValueError(f"importances by {self.method!r} must not be negative")

    @property
    def name(self) -> str:
        """The method as a reader knows it."""
        return say(METHOD_NAMES.get(self.method, self.method))

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """Values (F) divided by their sum, so that methods can stand side by side; zeros if all are zero.

        A value below zero counts as zero here: a column cannot have less than nothing of the whole.
        """
        positive = np.maximum(self.values, 0.0)
        total = positive.sum()
        return np.asarray(positive / total) if total > 0 else np.zeros_like(positive)

    @property
    def interval(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
        """Both ends (F) of the 95 % interval of each value; None where there is none."""
        if self.low is not None and self.high is not None:
            return self.low, self.high
        if self.standard_error is None:
            return None
        margin = NORMAL_POINT * self.standard_error
        low = self.values - margin
        return low if self.method in SIGNED_IMPORTANCES else np.maximum(low, 0.0), self.values + margin

    @property
    def order(self) -> npt.NDArray[np.int64]:
        """Feature positions (F), the most important first; equals keep the table's order."""
        return np.argsort(-self.values, kind="stable").astype(np.int64)

    def to_mapping(self) -> dict[str, Any]:
        """The importance as plain JSON values."""
        return {
            "method": self.method,
            "features": list(self.features),
            "values": self.values.tolist(),
            "standard_error": None if self.standard_error is None else self.standard_error.tolist(),
            "n_rows": self.n_rows,
            "note": self.note,
            "low": None if self.low is None else self.low.tolist(),
            "high": None if self.high is None else self.high.tolist(),
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            method=str(values["method"]),
            features=tuple(values["features"]),
            values=np.asarray(values["values"], dtype=np.float64),
            standard_error=_array(values["standard_error"]),
            n_rows=int(values["n_rows"]),
            note=str(values["note"]),
            low=_array(values.get("low")),  # runs of before have none
            high=_array(values.get("high")),
        )


def _array(values: Any) -> npt.NDArray[np.float64] | None:
    return None if values is None else np.asarray(values, dtype=np.float64)


def from_masks(explanation: MaskExplanation) -> GlobalImportance:
    """Mean of M_agg over rows.

    DIFF(pytorch-tabnet): its global importance adds un-normalised rows, so that rows with large
    activations dominate; here every row counts the same. Rows in which no step was active are left out.
    """
    active = ~explanation.silent
    per_row = row_importances(explanation)[active]
    n_silent = int((~active).sum())
    told = [say("Mean of the aggregated masks over {n_rows:,} rows, each row counting the same.", n_rows=len(per_row))]
    if n_silent:
        told.append(say("Left out: {n_silent:,} rows in which no step was active.", n_silent=n_silent))
    return mean_importance("masks", explanation.features, per_row, one_text(told))


def from_attribution(attribution: Attribution, targets: TargetCodecs | None = None) -> GlobalImportance:
    """Mean of |value| over rows; with several outputs, first averaged over them.

    Several targets stand in different units, euro beside log-odds: each target's values are then divided by their
    sum over the columns, so that every target counts the same.

    Args:
        attribution: values of all outputs, or of one.
        targets: which output belongs to which target; without it all outputs are taken for those of one.
    """
    note = attribution_note(attribution, targets)
    per_row = row_importances(attribution, targets)
    return mean_importance(attribution.method, attribution.features, per_row, note)


def row_importances(
    source: MaskExplanation | Attribution, targets: TargetCodecs | None = None
) -> npt.NDArray[np.float64]:
    """What each row adds to the mean that is an importance (B, F): its aggregated mask, or the size of its values.

    Args:
        source: masks, or signed values of all outputs or of one.
        targets: of signed values, which output belongs to which of several targets; see :func:`from_attribution`.
    """
    if isinstance(source, MaskExplanation):
        return source.aggregate.astype(np.float64)
    size = np.abs(source.values)
    if targets is None or len(targets.codecs) == 1:
        return np.asarray(size.mean(axis=2))
    per_target = [_in_shares(size[:, :, place].mean(axis=2)) for place in targets.slices]
    return np.asarray(np.mean(per_target, axis=0))


def attribution_note(attribution: Attribution, targets: TargetCodecs | None = None) -> str:
    """What was averaged, against which background and at what cost, for beside the figure."""
    n_targets = 1 if targets is None else len(targets.codecs)
    n_outputs = len(attribution.outputs)
    over = "targets" if n_targets > 1 else "outputs" if n_outputs > 1 else "rows"
    method, background = attribution.method, attribution.background
    averaged = say(
        _AVERAGED[method == "shap", over],
        n_rows=attribution.n_rows,
        n=n_targets if n_targets > 1 else n_outputs,
        method=say(METHOD_NAMES.get(method, method)),
    )
    against = say(
        "background: {n_rows:,} rows, {which};", n_rows=background.n_rows, which=recalled(background.description)
    )
    n_evaluations = attribution.n_evaluations
    if attribution.algorithm:
        algorithm = recalled(attribution.algorithm)
        cost = say(
            "{algorithm}: {n_evaluations:,} evaluations a row.", algorithm=algorithm, n_evaluations=n_evaluations
        )
    else:
        cost = say("{n_evaluations:,} evaluations a row.", n_evaluations=n_evaluations)
    return f"{averaged} {against} {cost}"


def _in_shares(per_row: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Values (B, F) divided by the sum over columns of their mean over rows; zeros stay zeros."""
    total = per_row.mean(axis=0).sum() if len(per_row) else 0.0
    return per_row / total if total > 0 else per_row


def mean_importance(
    method: str, features: tuple[str, ...], per_row: npt.NDArray[np.float64], note: str
) -> GlobalImportance:
    """Mean over rows of (B, F) with its standard error."""
    n_rows = len(per_row)
    error = per_row.std(axis=0, ddof=1) / np.sqrt(n_rows) if n_rows > 1 else None
    values = per_row.mean(axis=0) if n_rows else np.zeros(len(features))
    return GlobalImportance(
        method=method, features=features, values=values, standard_error=error, n_rows=n_rows, note=note
    )
