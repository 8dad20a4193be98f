"""Explanations as one long table, the format of the command line's ``explain``.

One line per value: ``row``, ``feature``, ``method``, ``step`` (masks only; empty for the aggregate over
steps), ``output`` (empty for masks), ``value``, ``standard_error`` (where the method has one). Shapes: B
rows, F raw features, S steps, K outputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.masks import MaskExplanation

__all__ = ["COLUMNS", "attribution_table", "mask_table", "sidecar", "write_long_tables"]

COLUMNS = ("row", "feature", "method", "step", "output", "value", "standard_error")


def mask_table(explanation: MaskExplanation) -> pd.DataFrame:
    """Masks of every step, then their aggregate: ``B * (S + 1) * F`` lines, row by row."""
    n_steps, n_rows, n_features = explanation.masks.shape
    values = np.concatenate([explanation.masks, explanation.aggregate[None]]).transpose(1, 0, 2)
    steps = np.tile(np.repeat(np.arange(1, n_steps + 2), n_features), n_rows)
    return pd.DataFrame(
        {
            "row": np.repeat(explanation.rows, (n_steps + 1) * n_features),
            "feature": np.tile(np.array(explanation.features, dtype=object), n_rows * (n_steps + 1)),
            "method": "masks",
            "step": pd.array(steps, dtype="Int64").astype("Int64"),
            "output": pd.array([pd.NA], dtype="str").repeat(len(steps)),
            "value": values.reshape(-1).astype(np.float64),
            "standard_error": np.nan,
        },
        columns=list(COLUMNS),
    ).assign(step=lambda table: table["step"].mask(table["step"] > n_steps))


def attribution_table(attribution: Attribution) -> pd.DataFrame:
    """Signed values of every output: ``B * K * F`` lines, row by row.

    For each row and output the values plus the base of :func:`sidecar` are the logit.
    """
    n_rows, n_features, n_outputs = attribution.values.shape
    error = attribution.standard_error
    outputs = np.repeat(np.array(attribution.outputs, dtype=object), n_features)
    return pd.DataFrame(
        {
            "row": np.repeat(attribution.rows, n_features * n_outputs),
            "feature": np.tile(np.array(attribution.features, dtype=object), n_rows * n_outputs),
            "method": attribution.method,
            "step": pd.array([pd.NA], dtype="Int64").repeat(attribution.values.size),
            "output": np.tile(outputs, n_rows),
            "value": attribution.values.transpose(0, 2, 1).reshape(-1),
            "standard_error": np.nan if error is None else error.transpose(0, 2, 1).reshape(-1),
        },
        columns=list(COLUMNS),
    )


def write_long_tables(path: Path, tables: Iterable[pd.DataFrame]) -> int:
    """Stream long tables into one Parquet file.

    Returns:
        How many lines were written.

    Raises:
        ExplanationError: there is nothing to write.
        OSError: the disk refuses.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = (pa.int64(), pa.string(), pa.string(), pa.int64(), pa.string(), pa.float64(), pa.float64())
    schema = pa.schema(list(zip(COLUMNS, types, strict=True)))
    n_lines = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(pa.Table.from_pandas(table, schema=schema, preserve_index=False))
            n_lines += len(table)
    if n_lines == 0:
        raise ExplanationError("there is no explained row to write")
    return n_lines


def sidecar(
    *,
    masks: MaskExplanation | None = None,
    attributions: Sequence[Attribution] = (),
    n_mask_rows: int | None = None,
    left_out: Sequence[str] = (),
) -> dict[str, Any]:
    """What a reader needs to know beside the long table, as plain JSON values.

    Args:
        masks: any chunk of the mask explanation.
        attributions: the signed methods.
        n_mask_rows: rows whose masks were written, when ``masks`` is only one chunk of them.
        left_out: one sentence for each reason why rows are not in the table.
    """
    methods: dict[str, Any] = {}
    if masks is not None:
        methods["masks"] = {
            "n_rows": masks.n_rows if n_mask_rows is None else n_mask_rows,
            "n_steps": masks.n_steps,
            "selection": masks.selection,
            "meaning": "what each step read; not signed, not a reason; an empty step is the aggregate over steps",
        }
    for attribution in attributions:
        methods[attribution.method] = _method_facts(attribution)
    runs = [item.run_id for item in (masks, *attributions) if item is not None]
    return {"run_id": runs[0] if runs else "", "methods": methods, "rows_left_out": list(left_out)}


def _method_facts(attribution: Attribution) -> dict[str, Any]:
    return {
        "n_rows": attribution.n_rows,
        "selection": attribution.selection,
        "base": dict(zip(attribution.outputs, attribution.base.tolist(), strict=True)),
        "background": attribution.background.to_mapping(),
        "n_evaluations": attribution.n_evaluations,
        "n_permutations": attribution.n_permutations,
        "seed": attribution.seed,
        "additivity_error": attribution.additivity_error,
        "standard_error": "of the sampling of column orders" if attribution.standard_error is not None else None,
    }
