"""Explanations in a run folder: Parquet for arrays, JSON for where they come from. No torch, no shap.

Shapes: B rows, F raw features, S steps, K outputs. A Parquet file has one line a row; matrices lie in
fixed-size lists, so that a table of 5,000 columns is still a handful of Parquet columns. Rows are stored
in groups, and a slice reads only the groups that hold it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import DamagedRunError, ExplanationError
from tabnet_engine.explain.attribution import Attribution, Background
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.explain.masks import MaskExplanation

if TYPE_CHECKING:
    import pyarrow as pa

    from tabnet_engine.runs.artefact import Run

__all__ = [
    "BACKGROUND",
    "IMPORTANCE",
    "MASKS",
    "SHAP",
    "has_explanations",
    "load_attribution",
    "load_background",
    "load_importances",
    "load_masks",
    "save_attribution",
    "save_background",
    "save_importances",
    "save_masks",
    "stored_rows",
]

MASKS, SHAP, BACKGROUND = "explanations/masks", "explanations/shap", "explanations/background"
IMPORTANCE = "explanations/importance.json"
ROW_GROUP = 4_096

_NAMES = {MASKS: "attention masks", SHAP: "SHAP values", BACKGROUND: "background rows", IMPORTANCE: "importances"}

Lists = Mapping[str, npt.NDArray[Any]]


def has_explanations(run: Run, name: str) -> bool:
    """Whether the run holds :data:`MASKS`, :data:`SHAP`, :data:`BACKGROUND` or :data:`IMPORTANCE`."""
    return (name if name == IMPORTANCE else f"{name}.json") in run


def save_masks(run: Run, parts: Iterable[MaskExplanation]) -> Run:
    """Store masks and step contributions, chunk by chunk in bounded memory.

    Args:
        run: the run they belong to.
        parts: explanations of consecutive rows, as :func:`~tabnet_engine.explain.masks.iterate_masks` gives.

    Returns:
        The run with the new parts listed.

    Raises:
        ExplanationError: there is no row.
        StorageError: the disk refuses; the run stays as it was.
    """
    described: dict[str, Any] = {}

    def chunks() -> Iterator[Lists]:
        for part in parts:
            described.setdefault("first", part)
            described["n_rows"] = described.get("n_rows", 0) + part.n_rows
            yield _mask_lists(part)

    def meta() -> dict[str, Any]:
        return _mask_meta(described["first"], described["n_rows"])

    return _save(run, MASKS, chunks(), meta)


def _mask_lists(part: MaskExplanation) -> Lists:
    n_rows = part.n_rows
    contributions = part.contributions.transpose(1, 0, 2).reshape(n_rows, -1)
    masks = {f"mask_{step + 1}": part.masks[step] for step in range(part.n_steps)}
    return {
        "row": part.rows,
        "logits": part.logits,
        "step_sizes": part.step_sizes.T,
        "contributions": contributions,
        **masks,
    }


def _mask_meta(part: MaskExplanation, n_rows: int) -> dict[str, Any]:
    return {
        "features": list(part.features),
        "outputs": list(part.outputs),
        "n_steps": part.n_steps,
        "n_rows": n_rows,
        "base": part.base.tolist(),
        "selection": part.selection,
        "run_id": part.run_id,
    }


def load_masks(run: Run, rows: Sequence[int] | npt.NDArray[np.int64] | None = None) -> MaskExplanation:
    """Stored masks of all rows, or of those of the given row numbers that are stored.

    Raises:
        ExplanationError: the run has no masks, or none for these rows.
        DamagedRunError: what is stored cannot be read.
    """
    meta = _load_meta(run, MASKS)
    lists = _load_lists(run, MASKS, rows)
    with _reading(run, MASKS):
        n_steps, n_outputs = int(meta["n_steps"]), len(meta["outputs"])
        contributions = lists["contributions"].reshape(-1, n_steps, n_outputs).transpose(1, 0, 2)
        return MaskExplanation(
            features=tuple(meta["features"]),
            outputs=tuple(meta["outputs"]),
            rows=lists["row"],
            masks=np.stack([lists[f"mask_{step + 1}"] for step in range(n_steps)]),
            step_sizes=np.ascontiguousarray(lists["step_sizes"].T),
            contributions=np.ascontiguousarray(contributions),
            logits=lists["logits"],
            base=np.asarray(meta["base"], dtype=np.float64),
            selection=str(meta["selection"]),
            run_id=str(meta["run_id"]),
        )


def save_attribution(run: Run, attribution: Attribution) -> Run:
    """Store SHAP values with their provenance.

    Returns:
        The run with the new parts listed.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
    """
    lists = {"row": attribution.rows, "logits": attribution.logits}
    for index in range(len(attribution.outputs)):
        lists[f"value_{index}"] = attribution.values[:, :, index]
        if attribution.standard_error is not None:
            lists[f"error_{index}"] = attribution.standard_error[:, :, index]
    meta = {
        "method": attribution.method,
        "features": list(attribution.features),
        "outputs": list(attribution.outputs),
        "n_rows": attribution.n_rows,
        "base": attribution.base.tolist(),
        "background": attribution.background.to_mapping(),
        "n_evaluations": attribution.n_evaluations,
        "n_permutations": attribution.n_permutations,
        "seed": attribution.seed,
        "additivity_error": attribution.additivity_error,
        "has_standard_error": attribution.standard_error is not None,
        "selection": attribution.selection,
        "run_id": attribution.run_id,
    }
    return _save(run, SHAP, iter([lists]), lambda: meta)


def load_attribution(run: Run, rows: Sequence[int] | npt.NDArray[np.int64] | None = None) -> Attribution:
    """Stored SHAP values of all rows, or of those of the given row numbers that are stored.

    Raises:
        ExplanationError: the run has no SHAP values, or none for these rows.
        DamagedRunError: what is stored cannot be read.
    """
    meta = _load_meta(run, SHAP)
    lists = _load_lists(run, SHAP, rows)
    with _reading(run, SHAP):
        outputs = tuple(meta["outputs"])
        error = [lists[f"error_{k}"] for k in range(len(outputs))] if meta["has_standard_error"] else None
        return Attribution(
            method=str(meta["method"]),
            features=tuple(meta["features"]),
            outputs=outputs,
            rows=lists["row"],
            values=np.stack([lists[f"value_{k}"] for k in range(len(outputs))], axis=2),
            base=np.asarray(meta["base"], dtype=np.float64),
            logits=lists["logits"],
            background=Background.from_mapping(meta["background"]),
            n_evaluations=int(meta["n_evaluations"]),
            n_permutations=int(meta["n_permutations"]),
            seed=int(meta["seed"]),
            additivity_error=float(meta["additivity_error"]),
            standard_error=None if error is None else np.stack(error, axis=2),
            selection=str(meta["selection"]),
            run_id=str(meta["run_id"]),
        )


def save_background(run: Run, sample: BackgroundSample) -> Run:
    """Store the encoded background, so that a run explains new rows without its training table.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
    """
    lists: dict[str, npt.NDArray[Any]] = {
        "row": sample.background.rows,
        "numeric": sample.encoded.numeric,
        "categorical": sample.encoded.categorical,
    }
    present = {name: values for name, values in lists.items() if values.ndim == 1 or values.shape[1]}
    return _save(run, BACKGROUND, iter([present]), sample.background.to_mapping)


def load_background(run: Run) -> BackgroundSample:
    """The stored background.

    Raises:
        ExplanationError: the run has none.
        DamagedRunError: what is stored cannot be read.
    """
    background = _load_meta(run, BACKGROUND)
    lists = _load_lists(run, BACKGROUND, None)
    with _reading(run, BACKGROUND):
        n_rows = len(lists["row"])
        numeric = lists.get("numeric", np.zeros((n_rows, 0), dtype=np.float32))
        categorical = lists.get("categorical", np.zeros((n_rows, 0), dtype=np.int64))
        return BackgroundSample(Background.from_mapping(background), EncodedTable(numeric, categorical))


def save_importances(run: Run, importances: Sequence[GlobalImportance]) -> Run:
    """Store global importances, one for each method.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
    """
    from tabnet_engine.runs.artefact import add_part

    content = {"importances": [importance.to_mapping() for importance in importances]}
    return add_part(run, IMPORTANCE, lambda path: _write_json(path, content))


def load_importances(run: Run) -> tuple[GlobalImportance, ...]:
    """Stored global importances.

    Raises:
        ExplanationError: the run has none.
        DamagedRunError: what is stored cannot be read.
    """
    _require(run, IMPORTANCE)
    with _reading(run, IMPORTANCE):
        content = json.loads(run.read(IMPORTANCE))
        return tuple(GlobalImportance.from_mapping(item) for item in content["importances"])


def stored_rows(run: Run, name: str) -> npt.NDArray[np.int64]:
    """Row numbers for which :data:`MASKS` or :data:`SHAP` are stored; none when the run has no such part."""
    if not has_explanations(run, name):
        return np.zeros(0, dtype=np.int64)
    import pyarrow.parquet as pq

    with _reading(run, name), pq.ParquetFile(run.path(f"{name}.parquet")) as file:
        return _array(file.read(columns=["row"]).column("row"))


def _save(run: Run, name: str, chunks: Iterator[Lists], meta: Any) -> Run:
    """Write the Parquet file, then the JSON whose content may depend on what was written."""
    from tabnet_engine.runs.artefact import add_parts

    return add_parts(
        run,
        {
            f"{name}.parquet": lambda path: _write_lists(path, chunks),
            f"{name}.json": lambda path: _write_json(path, meta()),
        },
    )


def _write_lists(path: Path, chunks: Iterator[Lists]) -> None:
    """Stream chunks of equally named arrays into one Parquet file.

    Raises:
        ExplanationError: there is no chunk.
    """
    import pyarrow.parquet as pq

    first = next(chunks, None)
    if first is None:
        raise ExplanationError("there is no explained row to store")
    table = _arrow_table(first)
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        writer.write_table(table, row_group_size=ROW_GROUP)
        for chunk in chunks:
            writer.write_table(_arrow_table(chunk), row_group_size=ROW_GROUP)


def _arrow_table(lists: Lists) -> pa.Table:
    import pyarrow as pa

    columns = {}
    for name, values in lists.items():
        flat = pa.array(np.ascontiguousarray(values).reshape(-1))
        columns[name] = flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    return pa.table(columns)


def _load_lists(run: Run, name: str, rows: Sequence[int] | npt.NDArray[np.int64] | None) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a part, of all rows or of the stored ones among ``rows``.

    Raises:
        ExplanationError: none of the rows is stored.
        DamagedRunError: the file cannot be read.
    """
    import pyarrow.parquet as pq

    with _reading(run, name), pq.ParquetFile(run.path(f"{name}.parquet")) as file:
        if rows is None:
            table, places = file.read(), None
        else:
            stored = _array(file.read(columns=["row"]).column("row"))
            positions = np.flatnonzero(np.isin(stored, np.asarray(rows, dtype=np.int64)))
            if len(positions) == 0:
                raise ExplanationError(
                    f"this run has no {_NAMES[name]} for {'this row' if len(rows) == 1 else 'these rows'}; "
                    "choose a stored row, or explain the row on its own"
                )
            groups, places = _groups_of(file, positions)
            table = file.read_row_groups(groups)
        arrays = {column: _array(table.column(column)) for column in table.column_names}
    return arrays if places is None else {column: values[places] for column, values in arrays.items()}


def _groups_of(file: Any, positions: npt.NDArray[np.int64]) -> tuple[list[int], npt.NDArray[np.int64]]:
    """Row groups that hold the positions, and the positions' places in what reading those groups gives."""
    sizes = np.array([file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)])
    ends = np.cumsum(sizes)
    owners = np.searchsorted(ends, positions, side="right")
    groups, which = np.unique(owners, return_inverse=True)
    offsets = np.cumsum(sizes[groups]) - sizes[groups]
    return groups.tolist(), positions - (ends - sizes)[owners] + offsets[which]


def _array(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """A column as numpy: (B,) for numbers, (B, size) for fixed-size lists."""
    import pyarrow as pa

    chunks = [chunk.flatten() if pa.types.is_fixed_size_list(column.type) else chunk for chunk in column.chunks]
    parts = [chunk.to_numpy(zero_copy_only=False) for chunk in chunks]
    flat = np.concatenate(parts) if parts else np.zeros(0)
    return flat.reshape(len(column), -1) if pa.types.is_fixed_size_list(column.type) else flat


def _load_meta(run: Run, name: str) -> dict[str, Any]:
    _require(run, name)
    with _reading(run, name):
        meta: dict[str, Any] = json.loads(run.read(f"{name}.json"))
        return meta


def _require(run: Run, name: str) -> None:
    if has_explanations(run, name):
        return
    if not run.manifest.rows.get("train"):
        raise ExplanationError(f"this run was imported without the rows it was trained on and has no {_NAMES[name]}")
    raise ExplanationError(f"this run has no {_NAMES[name]} yet; explain the run first")


@contextmanager
def _reading(run: Run, name: str) -> Iterator[None]:
    """What an explanation file cannot give means a damaged run, not a defect of the caller."""
    import pyarrow as pa

    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, OSError, pa.ArrowException) as error:
        raise DamagedRunError(
            f"the run {run.manifest.title!r} is damaged: its {_NAMES[name]} cannot be read ({error}); "
            "explain the run again"
        ) from error


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
