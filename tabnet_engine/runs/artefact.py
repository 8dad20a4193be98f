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
from tabnet_engine.data.schema import Task
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
    RECONSTRUCTION,
    SCHEMA,
    SPLIT_NAMES,
    SPLITS,
    WEIGHTS,
    Run,
    pack_splits,
)

if TYPE_CHECKING:
    from torch import nn

    from tabnet_engine.training.experiment import TrainedModel
    from tabnet_engine.training.pretrain import PretrainedModel

__all__ = [
    "DatasetRef",
    "Run",
    "RunManifest",
    "add_part",
    "add_parts",
    "load_run",
    "rename_run",
    "save_pretraining",
    "save_run",
]


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
    config = {"model": model.model_config.to_mapping(), "training": model.training_config.to_mapping()}
    described = {"encoder": model.encoder.to_mapping(), "target": model.targets.to_mapping()}
    return _write_run(
        _core_parts(model, model.network, config, described, read_options),
        folder,
        _common(model, folder, title, dataset, notes),
        task=model.targets.task,
        target=", ".join(model.targets.names),
        outputs=model.targets.outputs,
        metrics={split: {k: finite_or_none(v) for k, v in scores.items()} for split, scores in model.metrics.items()},
    )


def save_pretraining(
    model: PretrainedModel,
    folder: Path,
    *,
    dataset: DatasetRef,
    read_options: Mapping[str, Any],
    title: str,
    notes: Sequence[str] = (),
) -> Run:
    """Write a pretrained encoder, with its decoder, as a new run folder, whole or not at all.

    Arguments and errors are those of :func:`save_run`; ``model`` is what pretraining returned.
    """
    config = {"model": model.model_config.to_mapping(), "pretraining": model.config.to_mapping()}
    described = {"encoder": model.encoder.to_mapping(), "target": None}
    parts = _core_parts(model, model.network, config, described, read_options)
    return _write_run(
        {**parts, RECONSTRUCTION: json_bytes(model.reconstruction.to_mapping(), indent=1)},
        folder,
        _common(model, folder, title, dataset, notes),
        task=Task.PRETRAINING,
        target="",
        outputs=(),
        metrics={"validation": {"reconstruction_error": finite_or_none(model.reconstruction.overall)}},
    )


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
        if check_part_name(name) in {*CORE_PARTS, RECONSTRUCTION}:
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


def _core_parts(
    model: TrainedModel | PretrainedModel,
    network: nn.Module,
    config: Mapping[str, Any],
    described: Mapping[str, Any],
    read_options: Mapping[str, Any],
) -> dict[str, bytes]:
    """The bytes of the parts that every run has."""
    from tabnet_engine.runs.weights import pack_weights

    return {
        CONFIG: json_bytes(config, indent=1),
        SCHEMA: json_bytes(described, indent=1),
        WEIGHTS: pack_weights(network),
        HISTORY: model.history.to_json_lines().encode(),
        SPLITS: pack_splits(model.splits),
        READ_OPTIONS: json_bytes(dict(read_options), indent=1),
    }


def _common(
    model: TrainedModel | PretrainedModel, folder: Path, title: str, dataset: DatasetRef, notes: Sequence[str]
) -> dict[str, Any]:
    """What the manifest says of either kind of run."""
    return {
        "run_id": folder.name,
        "title": tidy_title(title)[:MAX_TITLE] or folder.name,
        "created": utc_now(),
        "n_features": model.encoder.layout.n_features,
        "rows": {name: len(getattr(model.splits, name)) for name in SPLIT_NAMES},
        "dataset": dataset,
        "device": model.device,
        "seconds": model.seconds,
        "best_epoch": model.history.best_epoch,
        "notes": (*notes, *model.notes),
        "versions": {"engine": __version__, "python": platform.python_version(), "torch": version("torch")},
    }


def _write_run(contents: Mapping[str, bytes], folder: Path, common: Mapping[str, Any], **own: Any) -> Run:
    """Write parts and manifest to a temporary folder that gets its name once complete."""
    parts = {name: sha256_bytes(content) for name, content in contents.items()}
    manifest = RunManifest(**common, **own, parts=parts)
    with storage_errors(f"write the run {manifest.title!r}"):
        try:
            with folder_written_whole(folder) as temporary:
                for name, content in contents.items():
                    write_bytes(temporary / name, content)
                manifest.write(temporary)
        except FileExistsError as error:
            raise UserError(f"{str(folder)!r} exists already and is not overwritten; choose another folder") from error
    return Run(folder, manifest)
