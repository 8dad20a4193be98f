"""A run folder: complete, portable and checked.

Every part is JSON, safetensors or Parquet; nothing in it can run. It is written to a temporary folder
that gets its name once complete, and every read compares the part with its SHA-256 in the manifest.
Files that the manifest does not list are never read (see :attr:`Run.unlisted`).
"""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabnet_engine import __version__
from tabnet_engine.errors import UserError
from tabnet_engine.runs.manifest import (
    MANIFEST,
    MAX_TITLE,
    DatasetRef,
    RunManifest,
    check_part_name,
    clean_title,
    finite_or_none,
    tidy_title,
    utc_now,
)
from tabnet_engine.runs.parts import (
    confirm,
    folder_lock,
    folder_written_whole,
    json_bytes,
    sha256_bytes,
    storage_errors,
    sweep_leftovers,
    temporary_folder,
    write_bytes,
    write_whole,
)
from tabnet_engine.runs.run import (
    CONFIG,
    CORE_PARTS,
    HISTORY,
    READ_OPTIONS,
    SCHEMA,
    SPLIT_NAMES,
    SPLITS,
    WEIGHTS,
    Run,
    pack_splits,
)

if TYPE_CHECKING:
    from tabnet_engine.training.experiment import TrainedModel

__all__ = ["DatasetRef", "Run", "RunManifest", "add_part", "add_parts", "load_run", "rename_run", "save_run"]


def save_run(
    model: TrainedModel,
    folder: Path,
    *,
    dataset: DatasetRef,
    read_options: Mapping[str, Any],
    title: str,
    notes: Sequence[str] = (),
) -> Run:
    """Write a trained model as a new run folder, whole or not at all.

    Args:
        model: what training returned.
        folder: the folder to make; its name becomes the run's id.
        dataset: the table that it was trained on.
        read_options: how that table's file was read.
        title: the run's name for people; shortened to one line.
        notes: sentences to keep before the model's own, such as those of reading the table.

    Raises:
        UserError: the folder exists.
        StorageError: the disk refuses; nothing is left behind.
    """
    shown = tidy_title(title)[:MAX_TITLE] or folder.name
    with storage_errors(f"write the run {shown!r}"):
        try:
            with folder_written_whole(folder) as temporary:
                parts = _write_core_parts(model, temporary, read_options)
                manifest = _describe(model, folder, shown, dataset, parts, notes)
                manifest.write(temporary)
        except FileExistsError as error:
            raise UserError(f"{str(folder)!r} exists already and is not overwritten; choose another folder") from error
    return Run(folder, manifest)


def load_run(folder: Path) -> Run:
    """Open a run folder and verify the SHA-256 of every part.

    Raises:
        UserError: there is no folder.
        DamagedRunError: a part is missing or changed; the text names it.
        StorageError: written by a newer version, or the disk refuses.
    """
    if not folder.is_dir():
        return Run(folder, RunManifest.read(folder))
    # The lock keeps a part and its hash together while another process replaces both.
    with storage_errors(f"open the run {folder.name!r}"), folder_lock(folder, exclusive=False):
        run = Run(folder, RunManifest.read(folder))
        run.verify()
    return run


def add_part(run: Run, name: str, writer: Callable[[Path], None]) -> Run:
    """Add or replace one part, as :func:`add_parts` does."""
    return add_parts(run, {name: writer})


def add_parts(run: Run, writers: Mapping[str, Callable[[Path], None]]) -> Run:
    """Add or replace parts of a run, all of them or none.

    A replaced part is taken off the manifest before its file changes and listed again after, so that a
    process killed in between leaves a sound run without that part, not a damaged one.

    Args:
        run: the run.
        writers: for each part's name a function that writes the part to the path it is handed.

    Returns:
        The run with the parts listed.

    Raises:
        StorageError: the disk refuses; nothing is half-written and the run stays sound.
    """
    for name in writers:
        if check_part_name(name) in CORE_PARTS:
            raise ValueError(f"{name!r} belongs to the training and is never replaced")
    with storage_errors(f"write into the run {run.manifest.title!r}"):
        sweep_leftovers(run.folder)
        with temporary_folder(run.folder) as temporary:
            digests = {name: write_whole(temporary / name, writer) for name, writer in writers.items()}
            with folder_lock(run.folder, exclusive=True):
                manifest = _move_in(run.folder, temporary, digests)
    return Run(run.folder, manifest)


def rename_run(run: Run, title: str) -> Run:
    """Give a run another title.

    Raises:
        UserError: the title is empty or too long.
        StorageError: the disk refuses; the old title stays.
    """
    shown = clean_title(title)
    with storage_errors(f"rename the run {run.manifest.title!r}"), folder_lock(run.folder, exclusive=True):
        manifest = dataclasses.replace(RunManifest.read(run.folder), title=shown)
        manifest.write(run.folder)
    return Run(run.folder, manifest)


def _move_in(folder: Path, temporary: Path, digests: Mapping[str, str]) -> RunManifest:
    """Give complete parts their names; everything that needs space is written before the first rename."""
    before = RunManifest.read(folder)
    kept = {name: digest for name, digest in before.parts.items() if name not in digests}
    after = dataclasses.replace(before, parts={**kept, **digests})
    after.write(temporary)
    for name in digests:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    if len(kept) < len(before.parts):
        dataclasses.replace(before, parts=kept).write(folder)
    for name in digests:
        (temporary / name).replace(folder / name)
    (temporary / MANIFEST).replace(folder / MANIFEST)
    confirm(folder)
    return after


def _write_core_parts(model: TrainedModel, folder: Path, read_options: Mapping[str, Any]) -> dict[str, str]:
    """Write all parts but the manifest and return their digests."""
    from tabnet_engine.runs.weights import pack_weights

    config = {"model": model.model_config.to_mapping(), "training": model.training_config.to_mapping()}
    contents = {
        CONFIG: json_bytes(config, indent=1),
        SCHEMA: json_bytes({"encoder": model.encoder.to_mapping(), "target": model.codec.to_mapping()}, indent=1),
        WEIGHTS: pack_weights(model.network),
        HISTORY: model.history.to_json_lines().encode(),
        SPLITS: pack_splits(model.splits),
        READ_OPTIONS: json_bytes(dict(read_options), indent=1),
    }
    for name, content in contents.items():
        write_bytes(folder / name, content)
    return {name: sha256_bytes(content) for name, content in contents.items()}


def _describe(
    model: TrainedModel, folder: Path, title: str, dataset: DatasetRef, parts: dict[str, str], notes: Sequence[str]
) -> RunManifest:
    versions = {"engine": __version__, "python": platform.python_version(), "torch": version("torch")}
    metrics = {split: {k: finite_or_none(v) for k, v in scores.items()} for split, scores in model.metrics.items()}
    return RunManifest(
        run_id=folder.name,
        title=title,
        created=utc_now(),
        task=model.codec.task,
        target=model.codec.name,
        outputs=model.codec.outputs,
        n_features=model.encoder.layout.n_features,
        rows={name: len(getattr(model.splits, name)) for name in SPLIT_NAMES},
        dataset=dataset,
        parts=parts,
        metrics=metrics,
        device=model.device,
        seconds=model.seconds,
        best_epoch=model.history.best_epoch,
        notes=(*notes, *model.notes),
        versions=versions,
    )
