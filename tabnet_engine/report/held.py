"""What somebody who verifies an evidence pack has beside it: the run, its table, the champion of a comparison."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tabnet_engine.errors import StorageError, UserError
from tabnet_engine.report.document import Identity
from tabnet_engine.report.pack_checks import NOT_READABLE, document_of
from tabnet_engine.runs.database import DATABASE
from tabnet_engine.runs.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.report.pack_reading import Pack
    from tabnet_engine.runs.run import Run

__all__ = ["Held", "champion_id", "held_in", "table_named", "workspace_of"]

_LONGEST_ID = 200  # of a run; far more than any has


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """What is at hand; None what is not. ``table_sha256`` is that of the file that ``frame`` was read from."""

    run: Run | None = None
    frame: pd.DataFrame | None = None
    table_sha256: str = ""
    baseline: Run | None = None


def table_named(identity: Identity) -> str:
    """The SHA-256 of the table that a report was made from: another that it names, else the run's own."""
    return str(identity.hashes.get("table", identity.hashes.get("data", "")))


def champion_id(pack: Pack) -> str:
    """The run id of the champion that a comparison names.

    Raises:
        KeyError, TypeError, ValueError: the pack holds no comparison.
    """
    run_id = str(pack.json("comparison.json")["first"]["run_id"])
    if len(run_id) > _LONGEST_ID:  # a forged one would fill every sentence about it
        raise ValueError(f"no run has an id of {len(run_id):,} characters")
    return run_id


def held_in(workspace: Workspace, pack: Pack, *, own: Run | None = None, has_table: bool = True) -> Held:
    """What a workspace has of the run, the table and the champion that a pack names.

    Args:
        workspace: where to look.
        pack: the evidence; one that cannot be read names nothing.
        own: the run, where it is at hand already.
        has_table: whether the table is wanted from there too.

    Raises:
        DamagedRunError: the run or the champion is there and damaged.
        StorageError: the disk refuses.
    """
    try:
        identity = document_of(pack).identity
    except NOT_READABLE:
        return Held(run=own)
    try:
        champion = champion_id(pack) if identity.kind == "comparison" else ""
    except NOT_READABLE:  # that is a finding, and none that spares the run and the table from being looked for
        champion = ""
    run = own or _run(workspace, identity.run_id)
    held = Held(run=run, baseline=_run(workspace, champion) if champion else None)
    if not has_table:
        return held
    digest = table_named(identity)
    known = {info.dataset_id: info.sha256 for info in workspace.list_datasets()}
    first = None if run is None else run.manifest.dataset.dataset_id
    for dataset_id in sorted(known, key=lambda one: (one != first, one)):  # the run's own, among those of one file
        if known[dataset_id] == digest:
            return dataclasses.replace(held, frame=workspace.load_frame(dataset_id), table_sha256=digest)
    return held


def workspace_of(folder: Path) -> Workspace | None:
    """The workspace that a run's folder lies in; None where it lies in none."""
    runs = folder.resolve().parent
    if runs.name != "runs" or not (runs.parent / DATABASE).is_file():
        return None
    try:
        return Workspace.open(runs.parent)
    except StorageError:  # nobody asked for it: one that may only be read is none
        return None


def _run(workspace: Workspace, run_id: str) -> Run | None:
    try:
        there = workspace.run_folder(run_id).is_dir()
    except UserError:  # no run can be called that
        return None
    return workspace.run(run_id) if there else None
