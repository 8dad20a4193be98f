from __future__ import annotations

import pytest

from tabnet_engine.jobs import worker
from tabnet_engine.jobs.checkpoints import checkpoint_folder, sweep_checkpoints
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.records import JobState
from tests.jobs.conftest import FAKE_TASKS, explain
from tests.jobs.test_queue import change


def keep(queue: JobQueue, job_id: str) -> None:
    folder = checkpoint_folder(queue.workspace, job_id)
    folder.mkdir(parents=True)
    (folder / "checkpoint.safetensors").write_bytes(b"state")


@pytest.mark.parametrize("state", list(JobState))
def test_a_checkpoint_is_kept_as_long_as_its_job_may_go_on(queue: JobQueue, state: JobState) -> None:
    job_id = queue.submit(explain())
    keep(queue, job_id)
    change(queue, job_id, state=state)
    sweep_checkpoints(queue.workspace)
    kept = checkpoint_folder(queue.workspace, job_id).exists()
    assert kept == (state not in {JobState.SUCCEEDED, JobState.CANCELLED})


def test_a_checkpoint_of_nobody_is_swept_and_files_beside_it_are_left(queue: JobQueue) -> None:
    keep(queue, "gone")
    note = checkpoint_folder(queue.workspace, "gone").parent / "note.txt"
    note.write_text("mine")
    sweep_checkpoints(queue.workspace)
    assert not checkpoint_folder(queue.workspace, "gone").exists()
    assert note.exists()


def test_a_workspace_without_checkpoints_is_nothing_to_sweep(queue: JobQueue) -> None:
    sweep_checkpoints(queue.workspace)


@pytest.mark.parametrize(("title", "left"), [("quick", False), ("give_up", False), ("user_mistake", True)])
def test_the_worker_sweeps_when_its_job_has_ended(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch, title: str, left: bool
) -> None:
    monkeypatch.setattr(worker.logging, "basicConfig", lambda **_: None)
    monkeypatch.setattr(worker.faulthandler, "enable", lambda: None)
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)
    job_id = queue.submit(explain(title))
    keep(queue, job_id)
    worker.main([job_id, "--workspace", str(queue.workspace.root), "--tasks", FAKE_TASKS])
    assert checkpoint_folder(queue.workspace, job_id).exists() == left
