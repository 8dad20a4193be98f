"""Signed values of many rows, arranged for a beeswarm or bars. numpy and pandas only.

Shapes: B rows, F raw features, K outputs, N columns shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.explain.attribution import Attribution

__all__ = ["ShapSummary", "relative_values", "shap_summary"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ShapSummary:
    """Values of one output, the columns that move the score most first.

    ``order`` (N) are the columns' positions among all F features. ``values`` (B, N) are signed.
    ``colours`` (B, N) say how high the row's own cell stands among these rows, from 0 (lowest) to 1
    (highest); NaN where a cell has no order (categories) or is missing. ``mean_absolute`` and its
    ``standard_error`` (N) are over rows. ``n_columns_left_out`` columns moved the score least and are not
    shown; ``left_out`` is the sum of their mean |values|. ``note`` says how the values were made.
    """

    output: str
    features: tuple[str, ...]
    order: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    colours: npt.NDArray[np.float64]
    mean_absolute: npt.NDArray[np.float64]
    standard_error: npt.NDArray[np.float64] | None
    n_columns_left_out: int
    left_out: float
    note: str


def shap_summary(
    attribution: Attribution,
    *,
    output: str | None = None,
    frame: pd.DataFrame | None = None,
    max_features: int = 20,
) -> ShapSummary:
    """Arrange one output's values.

    Args:
        attribution: the explained rows.
        output: which output; the first by default.
        frame: the raw cells of exactly these rows (B), for the colours; none without it.
        max_features: the most columns to show; the others are counted.

    Raises:
        ValueError: the frame does not have one line for each explained row.
    """
    if frame is not None and len(frame) != attribution.n_rows:
        raise ValueError(f"the cells of {attribution.n_rows} rows are needed, got {len(frame)}")
    output = output or attribution.outputs[0]
    values = attribution.for_output(output)
    mean = np.abs(values).mean(axis=0) if len(values) else np.zeros(len(attribution.features))
    shown = np.argsort(-mean, kind="stable")[:max_features]
    names = [attribution.features[index] for index in shown]
    error = np.abs(values).std(axis=0, ddof=1)[shown] / np.sqrt(len(values)) if len(values) > 1 else None
    hidden = np.setdiff1d(np.arange(len(mean)), shown)
    return ShapSummary(
        output=output,
        features=tuple(names),
        order=shown.astype(np.int64),
        rows=attribution.rows,
        values=values[:, shown],
        colours=np.full((len(values), len(names)), np.nan) if frame is None else relative_values(frame[names]),
        mean_absolute=mean[shown],
        standard_error=error,
        n_columns_left_out=len(hidden),
        left_out=float(mean[hidden].sum()),
        note=attribution.provenance,
    )


def relative_values(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    """How high each cell stands among its column's cells, from 0 to 1 (B, F).

    Equal cells share a place, so an outlier does not press all others together. A column without order,
    or without two different values, and a missing cell give NaN.
    """
    placed = np.full(frame.shape, np.nan)
    for index in range(frame.shape[1]):
        column = frame.iloc[:, index]
        if _has_order(column) and column.nunique() > 1:
            ranks = column.rank(method="average").to_numpy(dtype=np.float64)
            low, high = np.nanmin(ranks), np.nanmax(ranks)
            placed[:, index] = (ranks - low) / (high - low)
    return placed


def _has_order(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype)
