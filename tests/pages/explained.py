"""Small explained runs of the other tasks, and ways to read a page, shared by the tests of the explaining pages."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest

from tabnet_engine.data.kinds import set_targets
from tabnet_engine.data.schema import Role
from tabnet_engine.jobs.pipeline import Source, train_run
from tabnet_engine.runs.artefact import DatasetRef
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import QUICK, Stored, store_table

GRAPES = ("Barbera", "![](http://evil.example/x.png)", "<b>$x$</b>")


def bottles(target: str, n_rows: int = 90) -> pd.DataFrame:
    """Bottles with an id: the grape is a class of three, the price a number; "grape,price" keeps both."""
    generator = np.random.default_rng(11)
    acid = generator.normal(3, 1, n_rows).round(2)
    place = np.digitize(acid, [2.5, 3.5])
    frame = pd.DataFrame(
        {
            "label": [f"B-{number:03d}" for number in range(n_rows)],
            "acid $x$": acid,
            "colour": np.array(["red", "white"])[generator.integers(0, 2, n_rows)],
            "grape": np.array(GRAPES)[place],
            "price": (10 + 5 * acid + generator.normal(0, 1, n_rows)).round(2),
        }
    )
    return frame.drop(columns={"grape", "price"} - set(target.split(",")))


@functools.cache
def _template(target: str) -> tuple[Path, Stored]:
    """A workspace with one trained and explained run, made once for all tests."""
    folder = Path(tempfile.mkdtemp(prefix="explained-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    space = Workspace.open(folder / "workspace")
    dataset_id = store_table(space, bottles(target), folder, "bottles.csv", None)
    schema, info = space.load_schema(dataset_id), space.dataset(dataset_id)
    assert schema is not None
    schema = set_targets(schema, space.load_frame(dataset_id), target.split(","))
    schema = schema.with_column("label", role=Role.ROW_ID)
    space.save_schema(dataset_id, schema)
    run_id, run_folder = space.new_run_folder()
    reference = DatasetRef(info.sha256, info.name, info.n_rows, info.n_columns, dataset_id)
    source = Source(space.load_frame(dataset_id), schema, reference, info.options)
    train_run(source, run_folder, QUICK, title=f"bottles: {target}")
    space.close()
    return space.root, Stored(dataset_id, run_id)


def install(target: str, workspace_root: Path) -> Stored:
    """Put a run that predicts ``target`` ("grape", "price" or both) into the workspace of the test."""
    root, stored = _template(target)
    shutil.copytree(root, workspace_root)
    return stored


def drop_explanations(root: Path, stored: Stored, *names: str) -> None:
    """Take explanations out of a run, as if they had never been computed: all of them, or those that start so."""
    from tabnet_engine.runs.manifest import RunManifest

    folder = root / "runs" / stored.run_id
    manifest = RunManifest.read(folder)
    for part in [part for part in manifest.parts if part.startswith(names or "explanations/")]:
        del manifest.parts[part]
    manifest.write(folder)


def figures(app: AppTest) -> dict[str, Any]:
    """The Plotly figures of a page in order, as plain JSON."""
    return {chart.proto.id.rsplit("-", 1)[-1]: json.loads(chart.proto.spec) for chart in app.get("plotly_chart")}
