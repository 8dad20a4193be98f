"""Everything the pages read from the workspace, cached by id: contents of an id never change.

Tables are never passed as arguments of cached functions: Streamlit hashes only a sample of a large one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from tabnet_engine.data.kinds import propose_schema
from tabnet_engine.data.profile import TableProfile, profile_table
from tabnet_engine.data.schema import FeatureSchema, Task
from tabnet_engine.data.targets import usable_rows
from tabnet_engine.errors import StorageError, UserError
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.runs.workspace import DatasetInfo, RunSummary, Workspace
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.runs.run import Run

__all__ = [
    "all_run_names",
    "columns_read",
    "dataset_names",
    "datasets",
    "frame",
    "labelled_rows",
    "pretraining_names",
    "profile",
    "queue",
    "root",
    "rows_text",
    "run",
    "run_names",
    "runs",
    "schema",
    "workspace",
]

_DEFAULT_ROOT = Path(__file__).resolve().parents[2] / "workspace"


def root() -> Path:
    """The workspace folder: the environment's ``TABNET_WORKSPACE``, else ``workspace`` beside app.py."""
    return Path(os.environ.get("TABNET_WORKSPACE") or _DEFAULT_ROOT).resolve()


def workspace() -> Workspace:
    """The open workspace."""
    return _workspace(str(root()))


def queue() -> JobQueue:
    """The jobs of the workspace."""
    return _queue(str(root()))


@st.cache_resource(show_spinner=False, max_entries=4)
def _workspace(folder: str) -> Workspace:
    return Workspace.open(Path(folder))


@st.cache_resource(show_spinner=False, max_entries=4)
def _queue(folder: str) -> JobQueue:
    jobs = JobQueue(_workspace(folder))
    jobs.reconcile()
    return jobs


def datasets() -> tuple[DatasetInfo, ...]:
    """The tables of the workspace, newest first."""
    return workspace().list_datasets()


def dataset_names() -> dict[str, str]:
    """Dataset id to the name that choices show."""
    return {info.dataset_id: f"{info.name} · {rows_text(info.n_rows)} × {info.n_columns:,}" for info in datasets()}


def rows_text(n_rows: int) -> str:
    """How many rows, as the names of tables say it."""
    return say_plural("{count} row", "{count:,} rows", n_rows)


def schema(dataset_id: str) -> FeatureSchema:
    """Kinds and roles of a table's columns; proposed from the values where none are stored."""
    stored = workspace().load_schema(dataset_id)
    if stored is None:
        stored = propose_schema(frame(dataset_id))
        workspace().save_schema(dataset_id, stored)
    return stored


def frame(dataset_id: str) -> pd.DataFrame:
    """The rows of a table; shared between visits, so never change it."""
    with st.spinner(say("Opening the table")):
        return _frame(str(root()), dataset_id)


@st.cache_resource(show_spinner=False, max_entries=3)  # a million rows may take 150 MB
def _frame(folder: str, dataset_id: str) -> pd.DataFrame:
    return _workspace(folder).load_frame(dataset_id)


def labelled_rows(dataset_id: str, columns: FeatureSchema) -> int:
    """How many rows of a table have every target; the size that settings should fit."""
    return _labelled_rows(str(root()), dataset_id, columns)


@st.cache_data(show_spinner=False, max_entries=16)
def _labelled_rows(folder: str, dataset_id: str, columns: FeatureSchema) -> int:
    return len(usable_rows(_frame(folder, dataset_id), columns)[0])


def profile(dataset_id: str, columns: FeatureSchema) -> TableProfile:
    """The profile of a table under a schema; computed once, then kept."""
    with st.spinner(say("Profiling the columns")):
        return _profile(str(root()), dataset_id, columns)


@st.cache_resource(show_spinner=False, max_entries=8)
def _profile(folder: str, dataset_id: str, columns: FeatureSchema) -> TableProfile:
    space = _workspace(folder)
    stored = space.load_profile(dataset_id)  # saving another schema drops it
    if stored is None:
        stored = profile_table(_frame(folder, dataset_id), columns)
        space.save_profile(dataset_id, stored)
    return stored


def runs() -> tuple[RunSummary, ...]:
    """The runs of the workspace, newest first, damaged ones with their reason."""
    return workspace().list_runs()


def run_names() -> dict[str, str]:
    """Run id to the name that choices show; trained models that can be opened, newest first."""
    return {item.run_id: _run_name(item) for item in runs() if item.manifest and not _is_pretraining(item)}


def pretraining_names() -> dict[str, str]:
    """The same of pretrained encoders, which predict nothing yet."""
    return {item.run_id: _run_name(item) for item in runs() if item.manifest and _is_pretraining(item)}


def all_run_names() -> dict[str, str]:
    """Trained models and pretrained encoders together, newest first."""
    return {item.run_id: _run_name(item) for item in runs() if item.manifest}


def _run_name(item: RunSummary) -> str:
    kind = f" · {say('pretraining')}" if _is_pretraining(item) else ""
    return f"{item.title}{kind} · {item.created[:16].replace('T', ' ')}"


def _is_pretraining(item: RunSummary) -> bool:
    return item.manifest is not None and item.manifest.task is Task.PRETRAINING


def run(run_id: str) -> Run:
    """A run, its parts verified once for each version of it.

    Raises:
        UserError: there is no such run.
        DamagedRunError: a part is missing or was changed.
    """
    with st.spinner(say("Opening the run")):
        return _run(str(root()), run_id, workspace().run_version(run_id))


def columns_read(run_id: str) -> frozenset[str]:
    """Names of the columns that a run reads; those of a run that cannot be opened fit no table."""
    try:
        return _columns_read(str(root()), run_id, workspace().run_version(run_id))
    except (UserError, StorageError):
        return frozenset({""})


@st.cache_resource(show_spinner=False, max_entries=256)
def _columns_read(folder: str, run_id: str, version: str) -> frozenset[str]:
    return frozenset(_run(folder, run_id, version).encoder.layout.feature_names)


@st.cache_resource(show_spinner=False, max_entries=8)
def _run(folder: str, run_id: str, version: str) -> Run:  # noqa: ARG001 - the version is the cache's key
    return _workspace(folder).run(run_id)
