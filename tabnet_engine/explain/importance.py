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
from tabnet_engine.explain.masks import MaskExplanation

__all__ = ["METHOD_NAMES", "GlobalImportance", "from_attribution", "from_masks"]

METHOD_NAMES = {"masks": "attention masks", "shap": "SHAP"}


@dataclass(frozen=True, kw_only=True, eq=False)
class GlobalImportance:
    """Importance of each column (F), how it was measured and on how many rows.

    ``standard_error`` (F) is that of the mean over rows; None with fewer than two rows. ``note`` is one
    plain sentence that belongs beside every figure of these values.
    """

    method: str
    features: tuple[str, ...]
    values: npt.NDArray[np.float64]
    standard_error: npt.NDArray[np.float64] | None
    n_rows: int
    note: str

    def __post_init__(self) -> None:
        shape = (len(self.features),)
        if self.values.shape != shape or (self.standard_error is not None and self.standard_error.shape != shape):
            raise ValueError(f"an importance must have one value for each of its {shape[0]} features")
        if not np.isfinite(self.values).all() or (self.values < 0).any():
            raise ValueError("importances must be finite and not negative")

    @property
    def name(self) -> str:
        """The method as a reader knows it."""
        return METHOD_NAMES.get(self.method, self.method)

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """Values (F) divided by their sum, so that methods can stand side by side; zeros if all are zero."""
        total = self.values.sum()
        return self.values / total if total > 0 else np.zeros_like(self.values)

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
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        error = values["standard_error"]
        return cls(
            method=str(values["method"]),
            features=tuple(values["features"]),
            values=np.asarray(values["values"], dtype=np.float64),
            standard_error=None if error is None else np.asarray(error, dtype=np.float64),
            n_rows=int(values["n_rows"]),
            note=str(values["note"]),
        )


def from_masks(explanation: MaskExplanation) -> GlobalImportance:
    """Mean of M_agg over rows.

    DIFF(pytorch-tabnet): its global importance adds un-normalised rows, so that rows with large
    activations dominate; here every row counts the same. Rows in which no step was active are left out.
    """
    active = ~explanation.silent
    per_row = explanation.aggregate[active].astype(np.float64)
    n_silent = int((~active).sum())
    note = f"Mean of the aggregated masks over {len(per_row):,} rows, each row counting the same."
    if n_silent:
        note += f" Left out: {n_silent:,} rows in which no step was active."
    return _mean_importance("masks", explanation.features, per_row, note)


def from_attribution(attribution: Attribution, targets: TargetCodecs | None = None) -> GlobalImportance:
    """Mean of |value| over rows; with several outputs, first averaged over them.

    Several targets stand in different units, euro beside log-odds: each target's values are then divided by their
    sum over the columns, so that every target counts the same.

    Args:
        attribution: values of all outputs, or of one.
        targets: which output belongs to which target; without it all outputs are taken for those of one.
    """
    size = np.abs(attribution.values)
    n_targets = 1 if targets is None else len(targets.codecs)
    if targets is None or n_targets == 1:
        per_row = size.mean(axis=2)
        over = f" and {len(attribution.outputs)} outputs" if len(attribution.outputs) > 1 else ""
    else:
        per_row = np.mean([_in_shares(size[:, :, place].mean(axis=2)) for place in targets.slices], axis=0)
        over = f" and {n_targets} targets, each target counting the same"
    note = (
        f"Mean absolute SHAP value over {attribution.n_rows:,} rows{over}; "
        f"background: {attribution.background.n_rows:,} rows, {attribution.background.description}; "
        f"{attribution.n_evaluations:,} evaluations a row."
    )
    return _mean_importance(attribution.method, attribution.features, per_row, note)


def _in_shares(per_row: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Values (B, F) divided by the sum over columns of their mean over rows; zeros stay zeros."""
    total = per_row.mean(axis=0).sum() if len(per_row) else 0.0
    return per_row / total if total > 0 else per_row


def _mean_importance(
    method: str, features: tuple[str, ...], per_row: npt.NDArray[np.float64], note: str
) -> GlobalImportance:
    """Mean over rows of (B, F) with its standard error."""
    n_rows = len(per_row)
    error = per_row.std(axis=0, ddof=1) / np.sqrt(n_rows) if n_rows > 1 else None
    values = per_row.mean(axis=0) if n_rows else np.zeros(len(features))
    return GlobalImportance(
        method=method, features=features, values=values, standard_error=error, n_rows=n_rows, note=note
    )
