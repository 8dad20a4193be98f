"""Explanations as one long table, the format of the command line's ``explain``.

One line per value: ``row``, ``feature``, ``method``, ``step`` (masks only; empty for the aggregate over
steps), ``output`` (empty for masks), ``value``, ``standard_error`` (where the method has one). A method about the
whole table has no ``row``. Shapes: B rows, F raw features, P players, S steps, K outputs, T targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.effects.permutation_result import PermutationImportance
from tabnet_engine.explain.estimates import NORMAL_POINT
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.signed.methods import METHODS

__all__ = [
    "COLUMNS",
    "attribution_table",
    "mask_facts",
    "mask_table",
    "method_facts",
    "permutation_facts",
    "permutation_table",
    "sidecar",
    "write_long_tables",
]

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


def permutation_table(found: PermutationImportance) -> pd.DataFrame:
    """Permutation importance of every target: ``T * P`` lines without a row, since it is about all of them."""
    n_players = len(found.features)
    bands = [found.of(target).loss_increase for target in found.target_names]
    n_lines = n_players * len(bands)
    errors = [(band.high - band.low) / (2 * NORMAL_POINT) for band in bands]
    return pd.DataFrame(
        {
            "row": pd.array([pd.NA], dtype="Int64").repeat(n_lines),
            "feature": np.tile(np.array(found.features, dtype=object), len(bands)),
            "method": "permutation",
            "step": pd.array([pd.NA], dtype="Int64").repeat(n_lines),
            "output": np.repeat(np.array(found.target_names, dtype=object), n_players),
            "value": np.concatenate([band.values for band in bands]),
            "standard_error": np.concatenate(errors),
        },
        columns=list(COLUMNS),
    )


def sidecar(run_id: str, methods: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What a reader needs to know beside the long table, as plain JSON values.

    Args:
        run_id: the run.
        methods: the facts of each method, as the functions below give them.
    """
    left_out = [f"{name}: {reason}" for name, facts in methods.items() for reason in facts["rows_left_out"]]
    return {"run_id": run_id, "methods": dict(methods), "rows_left_out": left_out}


def mask_facts(part: MaskExplanation, n_rows: int, left_out: Sequence[str] = ()) -> dict[str, Any]:
    """Facts of the masks: ``part`` is any chunk of them, ``n_rows`` how many rows all chunks have."""
    return {
        "n_rows": n_rows,
        "n_steps": part.n_steps,
        "selection": part.selection,
        "meaning": "what each step read; not signed, not a reason; an empty step is the aggregate over steps",
        "rows_left_out": list(left_out),
    }


def method_facts(
    stored: Mapping[str, Any], left_out: Sequence[str] = (), standard_error: str | None = None
) -> dict[str, Any]:
    """Facts of a signed method.

    Args:
        stored: what is stored beside its values.
        left_out: one sentence for each reason why rows are not in the table.
        standard_error: what the standard error covers; None where the method has none.
    """
    kept = ("n_rows", "selection", "algorithm", "background", "n_evaluations", "n_permutations", "target_error",
            "seed", "additivity_error", "is_complete", "groups")  # fmt: skip
    method = METHODS.get(str(stored["method"]))
    return {
        **{name: stored[name] for name in kept},
        "base": dict(zip(stored["outputs"], stored["base"], strict=True)),
        "standard_error": standard_error,
        "meaning": "" if method is None else f"{method.what} {method.what_not}",
        "rows_left_out": list(left_out),
    }


def permutation_facts(found: PermutationImportance, left_out: Sequence[str] = ()) -> dict[str, Any]:
    """Facts of permutation importance, with the loss that each target had before anything was permuted."""
    targets = {target: found.of(target) for target in found.target_names}
    return {
        "n_rows": len(found.rows),
        "selection": found.selection,
        "n_repeats": found.n_repeats,
        "seed": found.seed,
        "loss": {name: {"name": item.loss, "before": item.loss_before} for name, item in targets.items()},
        "standard_error": "the width of the 95 % interval divided by 3.92",
        "meaning": " ".join(found.sentences),
        "groups": {name: list(columns) for name, columns in found.groups.items()},
        "rows_left_out": list(left_out),
    }
