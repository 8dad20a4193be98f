"""A worker that is killed while it trains: the next one goes on where it was."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import psutil
import pytest

from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.data.tables import read_table
from tabnet_engine.jobs.checkpoints import checkpoint_folder
from tabnet_engine.jobs.launcher import LocalLauncher
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.records import JobRecord, JobState
from tabnet_engine.jobs.spec import JobSpec, PretrainPayload, TrainPayload
from tabnet_engine.runs.workspace import Workspace
from tests.jobs.conftest import wait_for

EPOCHS = 15
SETTINGS = {"max_epochs": EPOCHS, "n_steps": 2, "n_d": 4, "n_a": 4, "patience": 0, "device": "cpu"}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def dataset(workspace: Workspace, tmp_path: Path) -> str:
    path = tmp_path / "credit.csv"
    credit_applications(n_rows=300, seed=4)[0].to_csv(path, index=False)
    table = read_table(path)
    schema = set_target(propose_schema(table.frame), table.frame, "decision")
    return workspace.add_dataset(table, path, schema=schema).dataset_id


def training(dataset_id: str, run_id: str) -> JobSpec:
    settings = {**SETTINGS, "n_shap_rows": 2, "n_background": 3}
    return TrainPayload(dataset_id=dataset_id, settings=settings, title=run_id).to_spec(run_id)


def pretraining(dataset_id: str, run_id: str) -> JobSpec:
    return PretrainPayload(dataset_id=dataset_id, settings=SETTINGS, title=run_id).to_spec(run_id)


def kill_in_the_middle(queue: JobQueue, job_id: str) -> None:
    """Kill the worker once a checkpoint of some epochs is on disk, and start the next."""
    kept = checkpoint_folder(queue.workspace, job_id)
    record = wait_for(queue, job_id, lambda job: bool(list(kept.glob("*.safetensors"))), seconds=120)
    assert record.pid is not None
    os.kill(record.pid, signal.SIGKILL)
    wait_for(queue, job_id, lambda _: not psutil.pid_exists(record.pid or 0))
    queue.reconcile()


def ended(record: JobRecord) -> bool:
    return record.ended


def killed_and_resumed(workspace: Workspace, spec: JobSpec) -> JobQueue:
    queue = JobQueue(workspace, launcher=LocalLauncher(tasks="tests.jobs.eager_tasks:TASKS"))
    job_id = queue.submit(spec)
    kill_in_the_middle(queue, job_id)
    record = wait_for(queue, job_id, ended, seconds=300)
    assert record.state is JobState.SUCCEEDED, queue.log_text(job_id)
    assert record.attempt == 2
    (resumed,) = [event.body["epoch"] for event in queue.events(job_id) if event.kind == "resumed"]
    assert resumed >= 1
    assert [item.epoch for item in queue.epochs(job_id)] == list(range(1, EPOCHS + 1)), "one curve without a gap"
    assert not checkpoint_folder(workspace, job_id).exists(), "it is not needed any more"
    return queue


def test_a_killed_training_goes_on_and_its_run_is_the_same_to_the_last_bit(workspace: Workspace, dataset: str) -> None:
    queue = killed_and_resumed(workspace, training(dataset, "killed"))
    whole = queue.submit(training(dataset, "whole"))
    assert wait_for(queue, whole, ended, seconds=300).state is JobState.SUCCEEDED, queue.log_text(whole)
    first, second = workspace.run("killed"), workspace.run("whole")
    assert first.read("weights.safetensors") == second.read("weights.safetensors")
    losses = [[record.train_loss for record in run.history.records] for run in (first, second)]
    np.testing.assert_array_equal(losses[0], losses[1])
    assert first.manifest.metrics == second.manifest.metrics


def test_a_killed_pretraining_goes_on_too(workspace: Workspace, dataset: str) -> None:
    killed_and_resumed(workspace, pretraining(dataset, "killed"))
    assert len(workspace.run("killed").history) == EPOCHS
