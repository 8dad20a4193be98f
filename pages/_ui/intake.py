"""Bring a table into the workspace: an uploaded file, a sample, or the same file read in another way."""

from __future__ import annotations

import dataclasses
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pages._ui import data_access
from tabnet_engine.data.kinds import propose_schema
from tabnet_engine.data.reading.options import ReadOptions
from tabnet_engine.data.samples import load_sample, sample_schema
from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.data.tables import read_table_isolated
from tabnet_engine.errors import StorageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["add_file", "add_sample", "read_again"]


def add_file(name: str, stream: BinaryIO) -> str:
    """Store an uploaded file as a table and return its id; a file that was stored before keeps its id.

    Raises:
        TableError: the file cannot be read as a table; nothing was stored.
    """
    with tempfile.TemporaryDirectory(prefix="tabnet-upload-") as folder:
        path = Path(folder) / f"upload{_endings(name)}"
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file, length=1024 * 1024)
        return _store(path, ReadOptions(), name)


def add_sample(name: str) -> str:
    """Store one of the built-in samples, its target already chosen, and return its id."""
    sample = load_sample(name)
    with tempfile.TemporaryDirectory(prefix="tabnet-sample-") as folder:
        path = Path(folder) / f"{name}.csv"
        sample.frame.to_csv(path, index=False)
        return _store(
            path,
            ReadOptions(),
            sample.title,
            columns=lambda frame: sample_schema(dataclasses.replace(sample, frame=frame)),
        )


def read_again(dataset_id: str, options: ReadOptions) -> str:
    """Read the stored file with other options; the table read before goes unless a run was trained on it.

    Raises:
        TableError: the file cannot be read that way; the table stays as it was.
        StorageError: the file is no longer there.
    """
    space = data_access.workspace()
    info, original = space.dataset(dataset_id), space.original_file(dataset_id)
    if original is None:
        raise StorageError(f"the file of {info.name!r} was not kept; upload it again to read it in another way")
    new_id = _store(original, options, info.name)
    used = {item.manifest.dataset.dataset_id for item in data_access.runs() if item.manifest}
    if new_id != dataset_id and dataset_id not in used:
        space.delete_dataset(dataset_id)
    return new_id


def _store(
    path: Path, options: ReadOptions, name: str, *, columns: Callable[[pd.DataFrame], FeatureSchema] = propose_schema
) -> str:
    table = read_table_isolated(path, options, name=name)
    return data_access.workspace().add_dataset(table, path, schema=columns(table.frame)).dataset_id


def _endings(name: str) -> str:
    """The last two endings of a file name, such as ".csv.gz", without anything that is not a plain letter."""
    return "".join(re.findall(r"\.[A-Za-z0-9]{1,8}(?=\.|$)", name)[-2:])
