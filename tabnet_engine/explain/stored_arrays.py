"""Arrays and facts in a run folder: Parquet for what has rows, JSON for where it comes from.

Shapes: B rows. A Parquet file has one line a row; matrices lie in fixed-size lists, so that a table of 5,000
columns is still a handful of Parquet columns. Rows are stored in groups, and a slice reads only the groups that
hold it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.errors import DamagedRunError, ExplanationError, StorageError

if TYPE_CHECKING:
    import pyarrow as pa

    from tabnet_engine.runs.artefact import Run

__all__ = [
    "FOLDER",
    "ROW_GROUP",
    "Arrays",
    "has_json",
    "has_part",
    "iterate_arrays",
    "load_arrays",
    "load_columns",
    "load_facts",
    "load_json",
    "read_arrays",
    "reading",
    "save_arrays",
    "save_json",
    "stored_row_numbers",
    "write_arrays",
]

ROW_GROUP = 4_096
FOLDER = "explanations"
_FACTS = b"tabnet_engine"
_GROUPS_AT_ONCE, _MOST_THREADS = 32, 4

Arrays = Mapping[str, npt.NDArray[Any]]
Stacks = Mapping[str, Sequence[str]]


def has_part(run: Run, name: str) -> bool:
    """Whether the run lists the Parquet file and the JSON of a part."""
    return f"{name}.json" in run and f"{name}.parquet" in run


def save_arrays(run: Run, name: str, chunks: Iterator[Arrays], facts: Callable[[], Mapping[str, Any]]) -> Run:
    """Write the Parquet file chunk by chunk, then the JSON, whose content may depend on what was written.

    Args:
        run: the run.
        name: the part's name without its suffix.
        chunks: equally named arrays of consecutive rows.
        facts: what the JSON says; asked once every chunk was written.

    Returns:
        The run with both parts listed.

    Raises:
        ExplanationError: there is no chunk.
        StorageError: the disk refuses; the run stays as it was.
    """
    from tabnet_engine.runs.artefact import add_parts

    return add_parts(
        run,
        {
            f"{name}.parquet": lambda path: write_arrays(path, chunks),
            f"{name}.json": lambda path: _write_json(path, facts()),
        },
    )


def load_facts(run: Run, name: str, what: str) -> dict[str, Any]:
    """The JSON beside the arrays.

    Raises:
        ExplanationError: the run has no such part; ``what`` names it.
        DamagedRunError: it cannot be read.
    """
    if not has_part(run, name):
        raise _absent(run, what)
    with reading(run, what):
        facts: dict[str, Any] = json.loads(run.read(f"{name}.json"))
        return facts


def load_arrays(
    run: Run,
    name: str,
    what: str,
    rows: Sequence[int] | npt.NDArray[np.int64] | None = None,
    *,
    stacks: Stacks | None = None,
) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a part, of all rows or of the stored ones among ``rows``.

    Args:
        run: the run.
        name: the part's name without its suffix.
        what: what a reader calls it.
        rows: row numbers; all rows when absent.
        stacks: by a name of their own, arrays of one shape that are handed over as one, the first axis naming them;
            they are decoded into it, so that a million rows are held once.

    Raises:
        ExplanationError: none of the rows is stored.
        DamagedRunError: the file cannot be read.
    """
    with reading(run, what):
        arrays = _read(run.path(f"{name}.parquet"), rows, stacks or {})
    if arrays is None:
        wanted = "this row" if rows is not None and len(rows) == 1 else "these rows"
        raise ExplanationError(
            f"this run has no {what} for {wanted}; choose a stored row, or explain the row on its own"
        )
    return arrays


def load_columns(run: Run, name: str, what: str, columns: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Some arrays of a part, of all its rows: what is not asked for is not read.

    Raises:
        DamagedRunError: the file cannot be read.
    """
    import pyarrow.parquet as pq

    with reading(run, what), pq.ParquetFile(run.path(f"{name}.parquet")) as file:
        table = file.read(columns=list(columns))
        return {column: _array(table.column(column)) for column in columns}


def iterate_arrays(run: Run, name: str, what: str) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """The arrays of a part, one group of rows after the other, in bounded memory.

    Raises:
        DamagedRunError: the file cannot be read.
    """
    import pyarrow.parquet as pq

    with reading(run, what), pq.ParquetFile(run.path(f"{name}.parquet")) as file:
        for index in range(file.num_row_groups):
            yield _arrays(file.read_row_group(index))


def stored_row_numbers(run: Run, name: str, what: str) -> npt.NDArray[np.int64]:
    """Row numbers (B) that a part holds; none when the run has no such part."""
    if not has_part(run, name):
        return np.zeros(0, dtype=np.int64)
    import pyarrow.parquet as pq

    with reading(run, what), pq.ParquetFile(run.path(f"{name}.parquet")) as file:
        return _array(file.read(columns=["row"]).column("row"))


def save_json(run: Run, name: str, content: Mapping[str, Any]) -> Run:
    """Store a small result as ``explanations/NAME.json``.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
    """
    from tabnet_engine.runs.artefact import add_part

    return add_part(run, _json_part(name), lambda path: _write_json(path, content))


def has_json(run: Run, name: str) -> bool:
    """Whether the run has ``explanations/NAME.json``."""
    return _json_part(name) in run


def load_json(run: Run, name: str, what: str = "") -> dict[str, Any]:
    """What :func:`save_json` stored; ``what`` is what a reader calls it, the name itself when empty.

    Raises:
        ExplanationError: the run has none.
        DamagedRunError: it cannot be read.
    """
    if not has_json(run, name):
        raise _absent(run, what or name)
    with reading(run, what or name):
        content: dict[str, Any] = json.loads(run.read(_json_part(name)))
        return content


@contextmanager
def reading(run: Run, what: str, remedy: str = "explain the run again") -> Iterator[None]:
    """What a stored part cannot give means a damaged run, not a defect of the caller; ``remedy`` says what mends it.

    Raises:
        DamagedRunError: the block could not read or understand the part.
    """
    import pyarrow as pa

    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OSError, pa.ArrowException) as error:
        if not run.folder.exists():
            raise StorageError(f"the run {run.manifest.title!r} was deleted meanwhile; choose another one") from error
        raise DamagedRunError(
            f"the run {run.manifest.title!r} is damaged: its {what} cannot be read ({error}); {remedy}"
        ) from error


def write_arrays(path: Path, chunks: Iterator[Arrays], facts: Mapping[str, Any] | None = None) -> None:
    """Stream chunks of equally named arrays into one Parquet file, with facts inside it where there are any.

    Raises:
        ExplanationError: there is no chunk.
        OSError: the disk refuses.
    """
    import pyarrow.parquet as pq

    first = next(chunks, None)
    if first is None:
        raise ExplanationError("there is no explained row to store")
    table = _arrow_table(first)
    if facts is not None:
        table = table.replace_schema_metadata({_FACTS: json.dumps(facts, allow_nan=False).encode()})
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        writer.write_table(table, row_group_size=ROW_GROUP)
        for chunk in chunks:
            writer.write_table(_arrow_table(chunk), row_group_size=ROW_GROUP)


def read_arrays(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Arrays and facts of a file of :func:`write_arrays`.

    Raises:
        ValueError, KeyError, OSError: it is not such a file.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        facts: dict[str, Any] = json.loads((file.schema_arrow.metadata or {})[_FACTS])
        return _arrays(file.read()), facts


def _read(
    path: Path, rows: Sequence[int] | npt.NDArray[np.int64] | None, stacks: Stacks
) -> dict[str, npt.NDArray[Any]] | None:
    """All rows, or those of ``rows`` that are stored; None when none of them is."""
    import pyarrow.parquet as pq

    if rows is None:
        return _read_whole(path, stacks)
    with pq.ParquetFile(path) as file:
        stored = _array(file.read(columns=["row"]).column("row"))
        positions = np.flatnonzero(np.isin(stored, np.asarray(rows, dtype=np.int64)))
        if len(positions) == 0:
            return None
        groups, places = _groups_of(file, positions)
        found = {column: values[places] for column, values in _arrays(file.read_row_groups(groups)).items()}
        return _stacked(found, stacks)


def _stacked(arrays: dict[str, npt.NDArray[Any]], stacks: Stacks) -> dict[str, npt.NDArray[Any]]:
    members = {name for names in stacks.values() for name in names}
    whole = {stack: np.stack([arrays[name] for name in names]) for stack, names in stacks.items()}
    return whole | {name: values for name, values in arrays.items() if name not in members}


def _read_whole(path: Path, stacks: Stacks) -> dict[str, npt.NDArray[Any]]:
    """Every array, filled in place by several threads: a million rows are decoded once and held once."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        sizes = np.array([file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)], dtype=int)
        if len(sizes) <= _GROUPS_AT_ONCE:
            return _stacked(_arrays(file.read()), stacks)
        first = _arrays(file.read_row_groups([0]))
    whole, places = _space(first, int(sizes.sum()), stacks)
    starts = np.cumsum(sizes) - sizes

    def fill(groups: npt.NDArray[np.int64]) -> None:
        with pq.ParquetFile(path) as part:
            for some in np.array_split(groups, -(-len(groups) // _GROUPS_AT_ONCE)):
                arrays = _arrays(part.read_row_groups(some.tolist(), use_threads=False))
                for name, values in arrays.items():
                    places[name][starts[some[0]] : starts[some[0]] + len(values)] = values

    n_threads = min(os.cpu_count() or 1, _MOST_THREADS)
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(fill, np.array_split(np.arange(len(sizes)), n_threads)))
    return whole


def _space(
    like: Arrays, n_rows: int, stacks: Stacks
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, npt.NDArray[Any]]]:
    """Empty arrays of all rows, and where in them each of the stored arrays belongs."""
    whole = {name: np.empty((n_rows, *values.shape[1:]), values.dtype) for name, values in like.items()}
    for stack, names in stacks.items():
        members = [whole.pop(name) for name in names]
        whole[stack] = np.empty((len(names), *members[0].shape), members[0].dtype)
    parts = {name: part for stack, names in stacks.items() for name, part in zip(names, whole[stack], strict=True)}
    return whole, whole | parts


def _groups_of(file: Any, positions: npt.NDArray[np.int64]) -> tuple[list[int], npt.NDArray[np.int64]]:
    """Row groups that hold the positions, and the positions' places in what reading those groups gives."""
    sizes = np.array([file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)])
    ends = np.cumsum(sizes)
    owners = np.searchsorted(ends, positions, side="right")
    groups, which = np.unique(owners, return_inverse=True)
    offsets = np.cumsum(sizes[groups]) - sizes[groups]
    return groups.tolist(), positions - (ends - sizes)[owners] + offsets[which]


def _arrow_table(arrays: Arrays) -> pa.Table:
    import pyarrow as pa

    columns = {}
    for name, values in arrays.items():
        flat = pa.array(np.ascontiguousarray(values).reshape(-1))
        columns[name] = flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    return pa.table(columns)


def _arrays(table: pa.Table) -> dict[str, npt.NDArray[Any]]:
    return {column: _array(table.column(column)) for column in table.column_names}


def _array(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """A column as numpy: (B,) for numbers, (B, size) for fixed-size lists."""
    import pyarrow as pa

    chunks = [chunk.flatten() if pa.types.is_fixed_size_list(column.type) else chunk for chunk in column.chunks]
    parts = [chunk.to_numpy(zero_copy_only=False) for chunk in chunks]
    flat = np.concatenate(parts) if parts else np.zeros(0)
    return flat.reshape(len(column), -1) if pa.types.is_fixed_size_list(column.type) else flat


def _absent(run: Run, what: str) -> ExplanationError:
    if not run.manifest.rows.get("train"):
        return ExplanationError(f"this run was imported without the rows it was trained on and has no {what}")
    return ExplanationError(f"this run has no {what} yet; explain the run first")


def _json_part(name: str) -> str:
    return f"{FOLDER}/{name}.json"


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
