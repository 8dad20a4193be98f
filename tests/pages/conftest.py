"""A workspace of its own for each test, and the application without a browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.tables import read_table
from tabnet_engine.jobs.launcher import LocalLauncher
from tabnet_engine.jobs.pipeline import Source, train_run
from tabnet_engine.jobs.processes import ProcessIdentity
from tabnet_engine.runs.artefact import DatasetRef
from tabnet_engine.runs.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
QUICK = {
    "max_epochs": 2,
    "n_shap_rows": 6,
    "n_background": 5,
    "n_effect_columns": 1,
    "n_d": 4,
    "n_a": 4,
    "n_steps": 2,
    "n_bins": 4,
}


@dataclass(frozen=True)
class Stored:
    """What a prepared workspace holds."""

    dataset_id: str
    run_id: str


def applicants(n_rows: int = 120) -> pd.DataFrame:
    """A small table with every encodable kind, some missing cells, and a target that can be learned."""
    generator = np.random.default_rng(7)
    age = generator.integers(20, 70, n_rows).astype(float)
    job = np.array(["cook", "clerk", "nurse"])[generator.integers(0, 3, n_rows)]
    frame = pd.DataFrame(
        {
            "age": age,
            "job": job,
            "member": generator.random(n_rows) < 0.5,
            "joined": pd.date_range("2020-01-01", periods=n_rows, freq="D"),
            "approved": np.where(age + 10 * (job == "nurse") > 45, "yes", "no"),
        }
    )
    frame.loc[::9, "age"] = np.nan
    return frame


def store_table(space: Workspace, frame: pd.DataFrame, folder: Path, name: str, target: str | None) -> str:
    """Write the table as a CSV file and bring it in as an upload would be."""
    path = folder / "table.csv"
    frame.to_csv(path, index=False)
    table = read_table(path, name=name)
    schema = propose_schema(table.frame)
    if target is not None:
        schema = set_target(schema, table.frame, target)
    return space.add_dataset(table, path, schema=schema).dataset_id


def train_stored(space: Workspace, dataset_id: str, *, title: str, settings: dict[str, Any] | None = None) -> Stored:
    """Train on a stored table as a job does, at once and with explanations; settings are :data:`QUICK` and these."""
    schema, info = space.load_schema(dataset_id), space.dataset(dataset_id)
    assert schema is not None
    run_id, run_folder = space.new_run_folder()
    reference = DatasetRef(info.sha256, info.name, info.n_rows, info.n_columns, dataset_id)
    source = Source(space.load_frame(dataset_id), schema, reference, info.options, notes=info.notes)
    train_run(source, run_folder, {**QUICK, **(settings or {})}, title=title)
    return Stored(dataset_id, run_id)


def forget_caches() -> None:
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture(autouse=True)
def workspace_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty workspace that the pages use; cached accessors of the test before are forgotten."""
    root = tmp_path / "workspace"
    monkeypatch.setenv("TABNET_WORKSPACE", str(root))
    forget_caches()
    yield root
    forget_caches()


@pytest.fixture(autouse=True)
def served_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run app.py at once, as a server does after its first visit.

    AppTest pretends before each run that the server is fresh; then Streamlit runs the page without app.py,
    the page's guard starts over, and the click that the test made is gone.
    """
    monkeypatch.setattr(PagesManager, "main_script_parent", property(lambda self: Path("/nowhere")))


@pytest.fixture
def space(workspace_root: Path) -> Iterator[Workspace]:
    opened = Workspace.open(workspace_root)
    yield opened
    opened.close()


@pytest.fixture
def add_table(space: Workspace, tmp_path: Path) -> Callable[..., str]:
    """Add a table to the workspace; returns its id."""

    def add(frame: pd.DataFrame | None = None, name: str = "applicants.csv", target: str | None = None) -> str:
        return store_table(space, applicants() if frame is None else frame, tmp_path, name, target)

    return add


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Stored]:
    """One workspace with a table and a trained, explained run, made once."""
    folder = tmp_path_factory.mktemp("trained")
    space = Workspace.open(folder / "workspace")
    dataset_id = store_table(space, applicants(), folder, "applicants.csv", "approved")
    stored = train_stored(space, dataset_id, title="First try")
    space.close()
    return space.root, stored


@pytest.fixture
def with_run(trained: tuple[Path, Stored], workspace_root: Path) -> Stored:
    """The workspace of the test holds a table and a run."""
    shutil.copytree(trained[0], workspace_root)
    return trained[1]


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are marked as started, but no process is; the test plays the worker."""

    def start(self: LocalLauncher, workspace_root: Path, job_id: str) -> ProcessIdentity:
        return ProcessIdentity.own()

    monkeypatch.setattr(LocalLauncher, "start", start)


@pytest.fixture
def open_page() -> Callable[..., AppTest]:
    """Open a page through app.py, as the navigation does, with ids in its address."""

    def open_one(name: str, **ids: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for key, value in ids.items():
            app.query_params[key] = value
        app.switch_page(str(ROOT / "pages" / f"{name}.py"))
        return checked(app.run())

    return open_one


def checked(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    return app


def texts(app: AppTest) -> str:
    """Everything a page says in Markdown, messages and plain text, as one text."""
    kinds: tuple[Any, ...] = (app.markdown, app.caption, app.text, app.error, app.info, app.success, app.subheader)
    return "\n".join(str(element.value) for kind in kinds for element in kind)
