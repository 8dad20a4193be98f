"""A small pretraining with a measured worth, made once and shared by the tests of the pages that show it."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import tempfile
from pathlib import Path

from tabnet_engine.jobs.pretraining import WORTH, pretrain_run
from tabnet_engine.jobs.source import Source
from tabnet_engine.runs.artefact import DatasetRef, add_part
from tabnet_engine.runs.workspace import Workspace
from tabnet_engine.training.pretraining_worth import PretrainingWorth, WorthRecord
from tests.pages.conftest import Stored, applicants, store_table

QUICK = {"max_epochs": 2, "n_d": 4, "n_a": 4, "n_steps": 2, "n_bins": 4}
TITLE = "Filled in"


def measured(metric: str = "auc", *, seeds: int = 3) -> PretrainingWorth:
    """Two budgets; with pretraining the scores are higher by .02 and .01, and vary a little by seed."""
    records = [
        WorthRecord(budget=budget, seed=seed, with_pretraining=0.8 + gain + 0.002 * seed, without=0.8 + 0.001 * seed)
        for budget, gain in ((100, 0.02), (500, 0.01))
        for seed in range(seeds)
    ]
    return PretrainingWorth(
        target="approved",
        metric=metric,
        greater_is_better=metric == "auc",
        n_test=40,
        test_rows_unseen=True,
        records=tuple(records),
        notes=("early stopping watched <b>x</b>",),
    )


@functools.cache
def _template() -> tuple[Path, Stored]:
    folder = Path(tempfile.mkdtemp(prefix="pretrained-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    space = Workspace.open(folder / "workspace")
    frame = applicants()
    frame["same"] = "always"
    dataset_id = store_table(space, frame, folder, "applicants.csv", None)
    schema, info = space.load_schema(dataset_id), space.dataset(dataset_id)
    assert schema is not None
    run_id, run_folder = space.new_run_folder()
    reference = DatasetRef(info.sha256, info.name, info.n_rows, info.n_columns, dataset_id)
    source = Source(space.load_frame(dataset_id), schema, reference, info.options)
    pretrain_run(source, run_folder, QUICK, ignore=("approved",), title=TITLE)
    space.close()
    return space.root, Stored(dataset_id, run_id)


def install_pretraining(workspace_root: Path) -> Stored:
    """Put a pretraining on the applicants, which did not read ``approved``, into the workspace of the test."""
    root, stored = _template()
    shutil.copytree(root, workspace_root)
    return stored


def add_worth(space: Workspace, stored: Stored, worth: PretrainingWorth) -> None:
    """Store a measurement with the pretraining, as the job does."""
    content = json.dumps(worth.to_mapping())
    add_part(space.run(stored.run_id), WORTH, lambda path: path.write_text(content) and None)
