"""One dataset's folder: the file as received, the table as read, and what is known about it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabnet_engine.errors import StorageError
from tabnet_engine.runs.parts import confirm, is_regular_file, sha256_bytes, storage_errors, write_json

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.data.tables import Table

__all__ = [
    "PROFILE",
    "SCHEMA",
    "TABLE",
    "DatasetInfo",
    "dataset_id_of",
    "original_of",
    "read_frame",
    "write_dataset_folder",
]

TABLE, TABLE_NOTES, SCHEMA, PROFILE = "table.parquet", "table.json", "schema.json", "profile.json"
ORIGINAL = "original"
_SUFFIXES = re.compile(r"(\.[a-z0-9]{1,8}){1,2}$")


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """A table in the workspace.

    ``sha256`` is that of the file as received; the same file read with other options is another
    dataset. ``options`` and ``notes`` say how it was read.
    """

    dataset_id: str
    name: str
    sha256: str
    n_rows: int
    n_columns: int
    n_bytes: int
    created: str
    options: dict[str, Any]
    notes: tuple[str, ...]


def dataset_id_of(table: Table) -> str:
    """The id that follows from a file's bytes and the options it was read with."""
    options = json.dumps(table.options.to_mapping(), sort_keys=True)
    return sha256_bytes(f"{table.sha256}\n{options}".encode())


def write_dataset_folder(folder: Path, table: Table, original: Path | None) -> None:
    """Fill an empty folder.

    Raises:
        OSError: the disk refused.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with (folder / TABLE).open("xb") as file:
        columns = pa.Table.from_pandas(table.frame, preserve_index=False)
        # Page checksums: a flipped bit is an error when it is read, not a wrong number.
        pq.write_table(columns, file, compression="zstd", write_page_checksum=True)
    about = {"name": table.name, "sha256": table.sha256, "notes": list(table.notes)}
    write_json(folder / TABLE_NOTES, {**about, "options": table.options.to_mapping()})
    if original is not None:
        suffix = _SUFFIXES.search(table.name.lower())
        shutil.copyfile(original, folder / f"{ORIGINAL}{suffix.group() if suffix else ''}")
    for path in folder.iterdir():
        confirm(path)


def original_of(folder: Path) -> Path | None:
    """The file as received, if it was kept."""
    return next((path for path in folder.glob(f"{ORIGINAL}*") if is_regular_file(path)), None)


def read_frame(folder: Path, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The table, or some of its columns in the order asked for.

    Raises:
        StorageError: the stored table is missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    damaged = f"the stored table of {name!r} is damaged or gone; delete the dataset and upload its file again"
    if not is_regular_file(folder / TABLE):
        raise StorageError(damaged)
    with storage_errors(f"read the table {name!r}"):
        content = pa.memory_map(str(folder / TABLE))
    try:
        with content, pq.ParquetFile(content, page_checksum_verification=True) as file:
            table = file.read(columns=None if columns is None else list(columns))
            # A name with a dot in it also matches as a path: take exactly what was asked for.
            frame: pd.DataFrame = (table if columns is None else table.select(list(columns))).to_pandas()
            return frame
    except (pa.ArrowException, OSError) as error:
        raise StorageError(damaged) from error
