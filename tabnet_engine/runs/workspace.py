"""One folder that holds everything: the database, the datasets, the runs and the logs."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, select

from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.errors import StorageError, UserError
from tabnet_engine.runs.database import open_database, reading, refuse_if_held, stored_datasets, writing
from tabnet_engine.runs.dataset_folder import (
    PROFILE,
    SCHEMA,
    TABLE,
    DatasetInfo,
    dataset_id_of,
    original_of,
    read_frame,
    write_dataset_folder,
)
from tabnet_engine.runs.manifest import MANIFEST, RunManifest, utc_now
from tabnet_engine.runs.parts import (
    is_regular_file,
    parse_json,
    remove_folder,
    storage_errors,
    sweep_leftovers,
    temporary_folder,
    write_json,
)

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.data.profiling.profile_records import TableProfile
    from tabnet_engine.data.tables import Table
    from tabnet_engine.runs.artefact import Run

__all__ = ["DatasetInfo", "RunSummary", "Workspace"]

# Ids come back from the address bar: nothing in them may lead out of the workspace.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """A run folder as a list shows it; ``problem`` says why a damaged one cannot be opened."""

    run_id: str
    title: str
    created: str
    manifest: RunManifest | None = None
    problem: str | None = None


class Workspace:
    """Datasets, runs and logs under one root; any number of processes may have it open."""

    def __init__(self, root: Path, engine: Engine) -> None:
        self.root = root
        self.engine = engine
        self.datasets_folder = root / "datasets"
        self.runs_folder = root / "runs"
        self.logs_folder = root / "logs"

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """Open the workspace at ``root``, making it on first use.

        Raises:
            StorageError: the folder cannot be made or its database not used.
        """
        root = root.expanduser().absolute()
        with storage_errors(f"open the workspace {str(root)!r}"):
            if root.exists() and not root.is_dir():
                raise StorageError(f"the workspace {str(root)!r} is a file; choose a folder")
            for name in ("datasets", "runs", "logs"):
                (root / name).mkdir(parents=True, exist_ok=True)
            sweep_leftovers(root / "datasets")
            sweep_leftovers(root / "runs")
            return cls(root, open_database(root))

    def close(self) -> None:
        """Let go of the database's connections; the workspace opens them again when it is used."""
        self.engine.dispose()

    # Datasets

    def add_dataset(
        self, table: Table, original: Path | None = None, *, schema: FeatureSchema | None = None
    ) -> DatasetInfo:
        """Keep a table; the same file read with the same options is kept once.

        Args:
            table: the table as read.
            original: the file as received, copied beside it.
            schema: its columns, stored with a table that is new; one that is known keeps its own.

        Raises:
            StorageError: the disk refuses; nothing is left behind.
        """
        dataset_id = dataset_id_of(table)
        with reading(self.engine) as connection:
            known = self._whole_dataset(connection, dataset_id)
        if known is not None:
            return known
        with storage_errors(f"keep the table {table.name!r}"), temporary_folder(self.datasets_folder) as temporary:
            write_dataset_folder(temporary, table, original)
            if schema is not None:
                write_json(temporary / SCHEMA, schema.to_mapping())
            return self._register(_info(dataset_id, table, temporary), temporary)

    def _register(self, info: DatasetInfo, temporary: Path) -> DatasetInfo:
        """Give a complete folder its name and its line in the database: both or neither."""
        folder = self.datasets_folder / info.dataset_id
        named = False
        try:
            with writing(self.engine) as connection:
                known = self._whole_dataset(connection, info.dataset_id)
                if known is not None:
                    return known
                connection.execute(stored_datasets.delete().where(stored_datasets.c.dataset_id == info.dataset_id))
                connection.execute(stored_datasets.insert().values(**_row(info)))
                if os.path.lexists(folder):
                    remove_folder(folder)
                temporary.rename(folder)
                named = True
        except BaseException:
            if named:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        return info

    def list_datasets(self) -> tuple[DatasetInfo, ...]:
        """All datasets, newest first."""
        newest_first = (stored_datasets.c.created.desc(), stored_datasets.c.dataset_id)
        with reading(self.engine) as connection:
            rows = connection.execute(select(stored_datasets).order_by(*newest_first)).mappings().all()
        return tuple(map(_from_row, rows))

    def dataset(self, dataset_id: str) -> DatasetInfo:
        """What is known about one dataset.

        Raises:
            UserError: there is none of that id.
        """
        with reading(self.engine) as connection:
            info = _find_dataset(connection, dataset_id)
        if info is None:
            raise UserError(
                f"there is no dataset {dataset_id!r} in this workspace; choose one from the list or upload one"
            )
        return info

    def load_frame(self, dataset_id: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The table, or some of its columns.

        Raises:
            UserError: there is no such dataset.
            StorageError: its stored table is damaged or gone.
        """
        info = self.dataset(dataset_id)
        return read_frame(self.datasets_folder / info.dataset_id, info.name, columns)

    def original_file(self, dataset_id: str) -> Path | None:
        """The file as it was received, if it was kept.

        Raises:
            UserError: there is no such dataset.
        """
        return original_of(self.datasets_folder / self.dataset(dataset_id).dataset_id)

    def save_schema(self, dataset_id: str, schema: FeatureSchema) -> None:
        """Keep the columns' kinds and roles; a stored profile that described others is dropped.

        Raises:
            UserError: there is no such dataset.
            StorageError: the disk refuses; the old schema stays.
        """
        if schema == self.load_schema(dataset_id):
            return
        with storage_errors("save the columns"):
            (self.datasets_folder / dataset_id / PROFILE).unlink(missing_ok=True)
            write_json(self.datasets_folder / dataset_id / SCHEMA, schema.to_mapping())

    def load_schema(self, dataset_id: str) -> FeatureSchema | None:
        """The columns' kinds and roles, or None before they were saved.

        Raises:
            UserError: there is no such dataset.
            StorageError: the stored schema is damaged.
        """
        info = self.dataset(dataset_id)
        try:
            values = self._load_json(info, SCHEMA)
            return None if values is None else FeatureSchema.from_mapping(values)
        except (ValueError, UserError) as error:
            raise StorageError(
                f"the stored columns of {info.name!r} are damaged ({error}); delete the dataset and upload it again"
            ) from error

    def save_profile(self, dataset_id: str, profile: TableProfile) -> None:
        """Keep the profile of the dataset with its present schema.

        Raises:
            UserError: there is no such dataset.
            StorageError: the disk refuses.
        """
        info = self.dataset(dataset_id)
        with storage_errors("save the profile"):
            write_json(self.datasets_folder / info.dataset_id / PROFILE, profile.to_mapping())

    def load_profile(self, dataset_id: str) -> TableProfile | None:
        """The profile, or None when it has to be computed: there is none, or none that this version reads.

        Raises:
            UserError: there is no such dataset.
            StorageError: the disk refuses.
        """
        from tabnet_engine.data.profiling.profile_records import TableProfile

        info = self.dataset(dataset_id)
        try:
            values = self._load_json(info, PROFILE)
            return None if values is None else TableProfile.from_mapping(values)
        except (ValueError, UserError):
            return None

    def delete_dataset(self, dataset_id: str) -> None:
        """Forget a dataset and remove its files; runs trained on it stay.

        Raises:
            UserError: there is no such dataset, or a job uses it.
            StorageError: the disk refuses.
        """
        info = self.dataset(dataset_id)
        with storage_errors(f"delete the dataset {info.name!r}"):
            with writing(self.engine) as connection:
                refuse_if_held(connection, "dataset", dataset_id, info.name)
                connection.execute(stored_datasets.delete().where(stored_datasets.c.dataset_id == dataset_id))
            if (self.datasets_folder / dataset_id).is_dir():
                remove_folder(self.datasets_folder / dataset_id)

    def _load_json(self, info: DatasetInfo, name: str) -> Any:
        path = self.datasets_folder / info.dataset_id / name
        if not is_regular_file(path):
            return None
        with storage_errors(f"read {name} of the dataset {info.name!r}"):
            return parse_json(path.read_bytes())

    def _whole_dataset(self, connection: Connection, dataset_id: str) -> DatasetInfo | None:
        """The dataset if its table is there too: somebody may have removed the folder by hand."""
        whole = is_regular_file(self.datasets_folder / dataset_id / TABLE)
        return _find_dataset(connection, dataset_id) if whole else None

    # Runs

    def new_run_folder(self) -> tuple[str, Path]:
        """An id that no run has, which sorts by time, and the folder to save that run in."""
        run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
        return run_id, self.runs_folder / run_id

    def run_folder(self, run_id: str) -> Path:
        """The folder that the run ``run_id`` has, or will have once it is saved.

        Raises:
            UserError: no run can be called that.
        """
        if not _ID.fullmatch(run_id):
            raise UserError(f"there is no run {run_id!r} in this workspace; choose one from the list or train one")
        return self.runs_folder / run_id

    def _existing_run(self, run_id: str) -> Path:
        folder = self.run_folder(run_id)
        if not folder.is_dir():
            raise UserError(f"there is no run {run_id!r} in this workspace; choose one from the list or train one")
        return folder

    def list_runs(self) -> tuple[RunSummary, ...]:
        """All runs, newest first; reads manifests only. A damaged run is listed with its problem."""
        with storage_errors("list the runs"), os.scandir(self.runs_folder) as entries:
            folders = [Path(entry.path) for entry in entries if _ID.fullmatch(entry.name) and entry.is_dir()]
        return tuple(sorted(map(_summary, folders), key=lambda run: (run.created, run.run_id), reverse=True))

    def run(self, run_id: str) -> Run:
        """Open a run and verify its parts.

        Raises:
            UserError: there is none of that id.
            DamagedRunError: a part is missing or changed.
        """
        from tabnet_engine.runs.artefact import load_run

        return load_run(self._existing_run(run_id))

    def run_version(self, run_id: str) -> str:
        """A short text that changes whenever the run's parts or title change: a key for caches.

        Raises:
            UserError: there is none of that id.
            StorageError: its manifest is gone.
        """
        with storage_errors(f"look at the run {run_id!r}"):
            status = (self._existing_run(run_id) / MANIFEST).stat()
        return f"{status.st_ino}-{status.st_mtime_ns}-{status.st_size}"

    def rename_run(self, run_id: str, title: str) -> None:
        """Give a run another title.

        Raises:
            UserError: there is no such run, or the title is empty or too long.
            StorageError: the run is damaged or the disk refuses.
        """
        from tabnet_engine.runs.artefact import Run, rename_run

        folder = self._existing_run(run_id)
        rename_run(Run(folder, RunManifest.read(folder)), title)

    def delete_run(self, run_id: str) -> None:
        """Remove a run and everything in it, damaged or not.

        Raises:
            UserError: there is no such run, or a job uses it.
            StorageError: the disk refuses.
        """
        folder = self._existing_run(run_id)
        with storage_errors(f"delete the run {run_id!r}"), writing(self.engine) as connection:
            refuse_if_held(connection, "run", run_id, _summary(folder).title)
            remove_folder(folder)


def _find_dataset(connection: Connection, dataset_id: str) -> DatasetInfo | None:
    chosen = select(stored_datasets).where(stored_datasets.c.dataset_id == dataset_id)
    row = connection.execute(chosen).mappings().one_or_none()
    return None if row is None else _from_row(row)


def _info(dataset_id: str, table: Table, folder: Path) -> DatasetInfo:
    n_rows, n_columns = table.frame.shape
    return DatasetInfo(
        dataset_id=dataset_id,
        name=table.name,
        sha256=table.sha256,
        n_rows=n_rows,
        n_columns=n_columns,
        n_bytes=sum(path.stat().st_size for path in folder.iterdir()),
        created=utc_now(),
        options=table.options.to_mapping(),
        notes=table.notes,
    )


def _row(info: DatasetInfo) -> dict[str, Any]:
    return {**vars(info), "notes": list(info.notes)}


def _from_row(row: Mapping[Any, Any]) -> DatasetInfo:
    return DatasetInfo(**{**row, "notes": tuple(row["notes"])})


def _summary(folder: Path) -> RunSummary:
    try:
        manifest = RunManifest.read(folder)
    except (StorageError, UserError) as error:
        changed = datetime.fromtimestamp(folder.stat().st_mtime if folder.exists() else 0, UTC)
        created = changed.isoformat(timespec="microseconds")
        return RunSummary(run_id=folder.name, title=folder.name, created=created, problem=str(error))
    return RunSummary(run_id=folder.name, title=manifest.title, created=manifest.created, manifest=manifest)
