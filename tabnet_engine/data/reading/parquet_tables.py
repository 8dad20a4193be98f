"""Parquet, read with suspicion: a footer may promise little and the pages decode to gigabytes.

Rows, columns and values are bounded from the metadata before anything is decoded, row groups are read in
batches with a running count, and text stays dictionary-encoded until its real length is known.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tabnet_engine.config import TableLimits
from tabnet_engine.data.reading.headers import unique_names
from tabnet_engine.data.reading.options import ReadOptions
from tabnet_engine.data.reading.raw import RawTable, check_size
from tabnet_engine.data.reading.source import Source
from tabnet_engine.errors import TableError

__all__ = ["read_parquet"]

_BATCH_CELLS = 2_000_000
_THRIFT_LIMIT = 64 * 1024 * 1024


def read_parquet(source: Source, options: ReadOptions, limits: TableLimits) -> RawTable:
    """Read a Parquet file.

    Args:
        source: the file.
        options: only its missing tokens matter here.
        limits: bounds on rows, columns, cells and decoded bytes.

    Raises:
        TableError: damaged, encrypted, empty, or larger than the limits once decoded.
    """
    try:
        columns, names = _read(source, limits)
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        detail = " ".join(str(error).split())[:200]
        raise TableError(
            f"{source.name} is a damaged or incomplete Parquet file ({detail}); copy or export it again"
        ) from error
    unique, naming = unique_names(names)
    resolved = ReadOptions(format="parquet", header="first", missing_tokens=options.missing_tokens)
    return RawTable(unique, columns, resolved, [*source.notes, *naming], text="kept")


def _read(source: Source, limits: TableLimits) -> tuple[list[pa.ChunkedArray], list[str]]:
    buffer = pa.BufferReader(source.data)
    limit = {"thrift_string_size_limit": _THRIFT_LIMIT, "thrift_container_size_limit": 4_000_000}
    with pq.ParquetFile(buffer, **limit) as plain:
        metadata, schema = plain.metadata, plain.schema_arrow
    _check_promises(metadata, len(schema.names), source.name, limits)
    texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
    with pq.ParquetFile(pa.BufferReader(source.data), read_dictionary=texts, pre_buffer=False, **limit) as file:
        batches = _batches(file, len(schema.names), source.name, limits)
        table = pa.Table.from_batches(batches, file.schema_arrow if not batches else batches[0].schema)
    if table.num_rows == 0:
        raise TableError(f"{source.name} has columns and no rows; choose a file with rows")
    return [_dense(column, source.name, limits) for column in table.columns], list(table.column_names)


def _check_promises(metadata: pq.FileMetaData, n_columns: int, name: str, limits: TableLimits) -> None:
    """What the footer says of rows and columns.

    The statistics of single columns are left alone: on a damaged footer pyarrow ends the whole process there.
    """
    if n_columns == 0:
        raise TableError(f"{name} has no columns; choose a file with a table")
    check_size(metadata.num_rows, max(n_columns, metadata.num_columns), name, limits)


def _batches(file: pq.ParquetFile, n_columns: int, name: str, limits: TableLimits) -> list[pa.RecordBatch]:
    """All rows, counted as they come, not as the footer says."""
    batches: list[pa.RecordBatch] = []
    n_rows = n_bytes = 0
    for batch in file.iter_batches(batch_size=max(1, _BATCH_CELLS // n_columns), use_threads=False):
        n_rows += batch.num_rows
        n_bytes += batch.nbytes
        check_size(n_rows, n_columns, name, limits)
        _check_bytes(n_bytes, name, limits)
        batches.append(batch)
    return batches


def _check_bytes(n_bytes: int, name: str, limits: TableLimits) -> None:
    # Half: the frame is built beside what was decoded.
    if n_bytes * 2 > limits.max_parse_bytes:
        limit = f"{limits.max_parse_bytes:,} bytes"
        raise TableError(f"{name} unpacks to more memory than the {limit} that reading may take; use fewer rows")


def _dense(column: pa.ChunkedArray, name: str, limits: TableLimits) -> pa.ChunkedArray:
    """Text cell by cell, after adding up how long it would be: one long text may stand in millions of cells.

    Parquet is read without a look at whether its text is UTF-8; the cast back from bytes looks.
    """
    if pa.types.is_dictionary(column.type):
        n_bytes = 0
        for chunk in column.chunks:
            lengths = pc.binary_length(chunk.dictionary).cast(pa.int64())
            n_bytes += pc.sum(lengths.take(chunk.indices)).as_py() or 0
        _check_bytes(n_bytes, name, limits)
        column = column.cast(pa.large_string())
    elif not pa.types.is_string_view(column.type):
        return column
    return column.cast(pa.large_binary()).cast(pa.large_string())
