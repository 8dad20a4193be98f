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
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, store_table, train_stored

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
    stored = train_bottles(space, target, folder)
    space.close()
    return space.root, stored


def train_bottles(space: Workspace, target: str, folder: Path) -> Stored:
    """Add the bottles to a workspace, and a run that predicts ``target``; the file is written into ``folder``."""
    dataset_id = store_table(space, bottles(target), folder, "bottles.csv", None)
    schema = space.load_schema(dataset_id)
    assert schema is not None
    schema = set_targets(schema, space.load_frame(dataset_id), target.split(","))
    space.save_schema(dataset_id, schema.with_column("label", role=Role.ROW_ID))
    return train_stored(space, dataset_id, title=f"bottles: {target}")


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
