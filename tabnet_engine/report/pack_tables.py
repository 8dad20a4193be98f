"""Small tables of an evidence pack, read so that a hostile one cannot exhaust the memory."""

from __future__ import annotations

import io
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ATTRIBUTIONS", "RECEIVED", "REFERENCE", "refuse_bomb", "small_table"]

RECEIVED, REFERENCE, ATTRIBUTIONS = "received.parquet", "reference.parquet", "attributions.parquet"
_MOST_ROWS, _MOST_COLUMNS, _MOST_BYTES = 10_000, 20_000, 2 * 1024**3
_ONE_AT_A_TIME = Lock()  # the bound is one of the process: two threads would restore each other's


def small_table(content: bytes) -> pd.DataFrame:
    """A small table of the pack; one that says it is large, or that unpacks to far more than it says, is refused.

    Raises:
        ValueError: it is no table, or a large one.
        MemoryError: its pages hold more than its footer says.
    """
    import pyarrow.parquet as pq

    with _memory_bounded():
        file = pq.ParquetFile(io.BytesIO(content), pre_buffer=False, memory_map=False)
        facts = file.metadata
        if facts.num_rows > _MOST_ROWS or facts.num_columns > _MOST_COLUMNS:
            raise ValueError(f"a table of {facts.num_rows:,} rows and {facts.num_columns:,} columns is in no pack")
        table = file.read(use_threads=False)
    # Not under the bound: where memory is refused to it, this step of Arrow ends the whole process.
    if table.nbytes > _MOST_BYTES // 8:
        raise MemoryError(f"a table of {table.nbytes:,} bytes is in no pack")
    frame: pd.DataFrame = table.to_pandas(use_threads=False)
    return frame


def refuse_bomb(content: bytes) -> None:
    """Read a table that another reader will read without a bound, however many rows it has.

    Raises:
        ValueError: it is no table.
        MemoryError: it unpacks to more than any such table does.
    """
    import pyarrow.parquet as pq

    with _memory_bounded():
        pq.ParquetFile(io.BytesIO(content), pre_buffer=False, memory_map=False).read(use_threads=False)


@contextmanager
def _memory_bounded() -> Iterator[None]:
    """So much more memory than now and no more: the footer of a hostile table may promise little."""
    with _ONE_AT_A_TIME:
        yield from _bounded()


def _bounded() -> Iterator[None]:
    import pyarrow as pa

    pa.allocate_buffer(1)  # with its first one, Arrow reserves a gigabyte that it never uses
    before = resource.getrlimit(resource.RLIMIT_AS)
    reserved = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    bound = reserved + _MOST_BYTES
    if before[1] != resource.RLIM_INFINITY:
        bound = min(bound, before[1])
    resource.setrlimit(resource.RLIMIT_AS, (bound, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
