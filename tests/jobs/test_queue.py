from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Task
from tabnet_engine.errors import ConfigError, JobCancelledError, JobError, UserError
from tabnet_engine.jobs import queue as module
from tabnet_engine.jobs.processes import ProcessIdentity
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.records import JobProgress, JobState, stored_jobs
from tabnet_engine.jobs.spec import JobSpec, PretrainPayload, TrainPayload
from tabnet_engine.runs.database import writing
from tabnet_engine.runs.workspace import Workspace
from tests.jobs.conftest import NoLauncher, explain
from tests.jobs.fake_tasks import epoch

SCHEMA = FeatureSchema(
    columns=(Column(name="x", kind=Kind.NUMBER), Column(name="y", kind=Kind.NUMBER, role=Role.TARGET)),
    task=Task.REGRESSION,
)
NOBODY = ProcessIdentity(ProcessIdentity.own().host, 2**22 + 1, 1.0)


def states(queue: JobQueue) -> list[str]:
    return [record.state for record in reversed(queue.list())]


def change(queue: JobQueue, job_id: str, **values: Any) -> None:
    with writing(queue.workspace.engine) as connection:
        connection.execute(update(stored_jobs).where(stored_jobs.c.job_id == job_id).values(**values))


def test_a_job_goes_from_queued_to_done(queue: JobQueue, launcher: NoLauncher) -> None:
    job_id = queue.submit(explain())
    record = queue.job(job_id)
    assert (record.state, record.attempt, record.pid) == ("running", 1, launcher.process.pid)
    claim = queue.claim(job_id)
    claim.set_progress(JobProgress(phase="Masks", fraction=0.25, message="row 5"))
    assert queue.job(job_id).progress == JobProgress(phase="Masks", fraction=0.25, message="row 5")
    claim.add_epoch(epoch(1))
    claim.add_epoch(epoch(2))
    assert queue.epochs(job_id) == (epoch(1), epoch(2))
    claim.finish(JobProgress(phase="SHAP", fraction=0.9))
    record = queue.job(job_id)
    assert (record.state, record.error, record.ended) == ("succeeded", None, True)
    assert record.progress == JobProgress(phase="SHAP", fraction=1.0, seconds_left=0.0)
    assert record.started is not None
    assert record.finished is not None
    assert record.created <= record.started <= record.finished
    assert [event.kind for event in queue.events(job_id)] == ["queued", "started", "succeeded"]


def test_one_slot_lets_one_job_run_and_the_oldest_waits_least(queue: JobQueue, launcher: NoLauncher) -> None:
    first, second, third = (queue.submit(explain()) for _ in range(3))
    assert states(queue) == ["running", "queued", "queued"]
    queue.claim(first).finish()
    queue.reconcile()
    assert states(queue) == ["succeeded", "running", "queued"]
    assert launcher.started == [first, second]
    queue.claim(second).fail("no")
    queue.reconcile()
    assert launcher.started == [first, second, third]


def test_more_slots_let_more_jobs_run(workspace: Workspace, launcher: NoLauncher) -> None:
    queue = JobQueue(workspace, launcher=launcher, slots=2)
    for _ in range(3):
        queue.submit(explain())
    assert states(queue) == ["running", "running", "queued"]
    with pytest.raises(ValueError, match="slots must be at least 1, got 0"):
        JobQueue(workspace, slots=0)


def test_a_double_click_gives_one_job(queue: JobQueue) -> None:
    jobs: list[str] = []

    def click() -> None:
        jobs.append(queue.submit(explain(), idempotency_key="form-1"))

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert len(set(jobs)) == 1
    assert len(queue.list()) == 1
    assert queue.submit(explain(), idempotency_key="form-2") != jobs[0]


def test_two_pages_that_start_waiting_jobs_at_once_fill_a_slot_once(queue: JobQueue, launcher: NoLauncher) -> None:
    first = queue.submit(explain())
    for _ in range(3):
        queue.submit(explain())
    queue.claim(first).finish()
    pages = [threading.Thread(target=JobQueue(queue.workspace, launcher=launcher).reconcile) for _ in range(4)]
    for page in pages:
        page.start()
    for page in pages:
        page.join()
    assert states(queue).count("running") == 1
    assert len(launcher.started) == 2


def test_a_waiting_job_is_cancelled_at_once_and_lets_go(
    queue: JobQueue, add_dataset: Callable[[str], str], workspace: Workspace
) -> None:
    queue.submit(explain())
    waiting = queue.submit(explain(run_id="run-2", dataset_id=add_dataset("d")))
    with pytest.raises(UserError, match="is used by the job"):
        workspace.delete_dataset("d")
    queue.request_cancel(waiting)
    assert queue.job(waiting).state == "cancelled"
    workspace.delete_dataset("d")


def test_a_running_job_learns_that_it_should_stop(queue: JobQueue) -> None:
    job_id = queue.submit(explain())
    claim = queue.claim(job_id)
    assert not claim.cancel_requested
    queue.request_cancel(job_id)
    assert queue.job(job_id).cancel_requested
    assert claim.cancel_requested
    claim.cancelled()
    assert queue.job(job_id).state == "cancelled"
    queue.request_cancel(job_id)
    assert queue.job(job_id).state == "cancelled", "cancelling what has ended changes nothing"


@pytest.mark.parametrize("ask", ["job", "request_cancel", "retry", "claim", "log_text"])
def test_an_unknown_job_is_the_users_mistake(queue: JobQueue, ask: str) -> None:
    with pytest.raises(JobError, match=r"there is no job '\.\./x'"):
        getattr(queue, ask)("../x")


def test_a_dead_process_is_tried_again_and_then_fails_with_a_sentence(queue: JobQueue, launcher: NoLauncher) -> None:
    launcher.process = NOBODY
    job_id = queue.submit(explain())
    queue.claim(job_id, NOBODY).add_epoch(epoch(1))
    assert len(queue.epochs(job_id)) == 1
    queue.reconcile()
    record = queue.job(job_id)
    assert (record.state, record.attempt, record.error) == ("running", 2, None)
    assert queue.epochs(job_id) == (), "the second attempt has a curve of its own"
    queue.reconcile()
    record = queue.job(job_id)
    assert record.state == "failed"
    assert record.error is not None
    assert record.error.startswith("the process ended unexpectedly 2 times")
    assert f"logs/{job_id}.log" in record.error
    assert [event.kind for event in queue.events(job_id)].count("process ended unexpectedly") == 2


def test_a_living_process_is_left_alone(queue: JobQueue) -> None:
    job_id = queue.submit(explain())
    queue.claim(job_id)
    change(queue, job_id, heartbeat=time.time() - 3_600)
    queue.reconcile()
    assert queue.job(job_id).attempt == 1, "it is silent, yet the process is there: a laptop may have slept"


def test_a_number_that_another_process_has_by_now_is_not_our_worker(queue: JobQueue, launcher: NoLauncher) -> None:
    launcher.process = replace(ProcessIdentity.own(), created=ProcessIdentity.own().created - 60)
    job_id = queue.submit(explain())
    queue.reconcile()
    assert queue.job(job_id).attempt == 2


def test_a_worker_elsewhere_is_judged_by_its_heartbeat(queue: JobQueue, launcher: NoLauncher) -> None:
    launcher.process = ProcessIdentity("another-machine", 1, 1.0)
    job_id = queue.submit(explain())
    queue.reconcile()
    assert queue.job(job_id).attempt == 1
    change(queue, job_id, heartbeat=time.time() - module.SILENT_SECONDS - 1)
    queue.reconcile()
    assert queue.job(job_id).attempt == 2


def test_the_curve_goes_on_where_the_second_attempt_does(queue: JobQueue, launcher: NoLauncher) -> None:
    launcher.process = NOBODY
    job_id = queue.submit(explain())
    first = queue.claim(job_id, NOBODY)
    for number in (1, 2, 3):
        first.add_epoch(epoch(number))
    queue.reconcile()
    second = queue.claim(job_id, NOBODY)
    second.add_event("resumed", {"epoch": 2})
    assert queue.epochs(job_id) == (epoch(1), epoch(2)), "the third epoch was not kept and is done again"
    second.add_epoch(epoch(3))
    assert queue.epochs(job_id) == (epoch(1), epoch(2), epoch(3))
    assert [event.body for event in queue.events(job_id) if event.kind == "resumed"] == [{"epoch": 2}]


def test_a_third_attempt_that_begins_anew_has_a_new_curve(queue: JobQueue, launcher: NoLauncher) -> None:
    launcher.process = NOBODY
    job_id = queue.submit(explain())
    queue.claim(job_id, NOBODY).add_epoch(epoch(1))
    queue.reconcile()
    second = queue.claim(job_id, NOBODY)
    second.add_event("resumed", {"epoch": 1})
    second.add_epoch(epoch(2))
    queue.reconcile()
    queue.retry(job_id)
    third = queue.claim(job_id, NOBODY)
    third.add_epoch(epoch(1))
    assert queue.epochs(job_id) == (epoch(1),)


@pytest.mark.parametrize("kind", ["train", "worth"])
def test_a_job_without_a_target_is_refused_and_a_pretraining_is_not(
    queue: JobQueue, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, add_dataset: Callable[[str], str], kind: str
) -> None:
    columns = (Column(name="x", kind=Kind.NUMBER), Column(name="z", kind=Kind.NUMBER))
    monkeypatch.setattr(workspace, "load_schema", lambda _: FeatureSchema(columns=columns))
    dataset_id = add_dataset("d")
    with pytest.raises(JobError, match="no target is chosen"):
        queue.submit(JobSpec(kind, dataset_id, "r", "t"))
    job_id = queue.submit(PretrainPayload(dataset_id=dataset_id).to_spec("r"))
    assert PretrainPayload.of(queue.job(job_id).spec).schema == FeatureSchema(columns=columns)


def test_a_pretraining_is_kept_while_a_training_from_it_waits(
    queue: JobQueue, workspace: Workspace, add_dataset: Callable[[str], str]
) -> None:
    payload = TrainPayload(dataset_id=add_dataset("d"), schema=SCHEMA, pretrained_run_id="old")
    queue.submit(payload.to_spec("new"))
    workspace.run_folder("old").mkdir()
    with pytest.raises(UserError, match="is used by the job"):
        workspace.delete_run("old")


def test_a_start_that_nobody_recorded_is_found(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = queue.submit(explain())
    change(queue, job_id, pid=None, pid_created=None)
    queue.reconcile()
    assert queue.job(job_id).attempt == 1, "it may still come up"
    change(queue, job_id, heartbeat=time.time() - module.START_SECONDS - 1)
    queue.reconcile()
    assert queue.job(job_id).attempt == 2


def test_a_dead_process_of_a_cancelled_job_is_a_cancelled_job(queue: JobQueue, launcher: NoLauncher) -> None:
    launcher.process = NOBODY
    job_id = queue.submit(explain())
    queue.request_cancel(job_id)
    queue.reconcile()
    assert queue.job(job_id).state == "cancelled"


def test_a_job_that_moved_on_meanwhile_is_not_buried(queue: JobQueue, launcher: NoLauncher) -> None:
    launcher.process = NOBODY
    job_id = queue.submit(explain())
    (seen,) = queue._running()
    queue.claim(job_id, NOBODY).finish()
    queue._bury(seen)
    assert queue.job(job_id).state == "succeeded"


def test_who_ignores_a_cancel_is_asked_and_then_made_to_end(queue: JobQueue, launcher: NoLauncher) -> None:
    job_id = queue.submit(explain())
    queue.claim(job_id)
    queue.request_cancel(job_id)
    queue.reconcile()
    assert launcher.stopped == []
    change(queue, job_id, cancel_requested=time.time() - module.CANCEL_GRACE_SECONDS - 1)
    queue.reconcile()
    assert launcher.stopped == [(launcher.process.pid, False)]
    change(queue, job_id, cancel_requested=time.time() - 2 * module.CANCEL_GRACE_SECONDS - 1)
    queue.reconcile()
    assert launcher.stopped[-1] == (launcher.process.pid, True)


def test_a_worker_that_was_given_up_changes_nothing_any_more(queue: JobQueue, launcher: NoLauncher) -> None:
    launcher.process = NOBODY
    job_id = queue.submit(explain())
    lost = queue.claim(job_id, NOBODY)
    queue.reconcile()
    launcher.process = ProcessIdentity.own()
    current = queue.claim(job_id, NOBODY)
    assert lost.cancel_requested
    for say in (
        lost.heartbeat,
        lost.finish,
        lambda: lost.fail("x"),
        lambda: lost.add_epoch(epoch(9)),
        lambda: lost.set_progress(JobProgress(phase="lost")),
    ):
        with pytest.raises(JobCancelledError, match="was taken from this worker"):
            say()
    lost.cancelled()
    record = queue.job(job_id)
    assert (record.state, record.attempt, record.progress.phase) == ("running", 2, "")
    assert queue.epochs(job_id) == ()
    current.finish()
    assert queue.job(job_id).state == "succeeded"


def test_a_job_has_one_worker(queue: JobQueue) -> None:
    job_id = queue.submit(explain())
    with pytest.raises(JobError, match="is running and not waiting for this worker"):
        queue.claim(job_id, NOBODY)
    queue.claim(job_id)
    with pytest.raises(JobError, match="is running and not waiting"):
        queue.claim(job_id)
    waiting = queue.submit(explain())
    assert queue.claim(waiting, NOBODY).attempt == 1, "a worker started by hand may take a job that waits"
    queue.request_cancel(queue.submit(explain()))
    with pytest.raises(JobError, match="is cancelled and not waiting"):
        queue.claim(queue.list()[0].job_id)


def test_what_failed_can_be_tried_again_with_all_its_chances(queue: JobQueue, launcher: NoLauncher) -> None:
    launcher.process = NOBODY
    job_id = queue.submit(explain())
    with pytest.raises(JobError, match="this one is running"):
        queue.retry(job_id)
    queue.reconcile()
    queue.reconcile()
    assert queue.job(job_id).state == "failed"
    queue.retry(job_id)
    record = queue.job(job_id)
    assert (record.state, record.error, record.attempt) == ("running", None, 3)
    queue.reconcile()
    assert queue.job(job_id).state == "running"


def test_a_process_that_cannot_be_started_fails_its_job_and_not_the_next(
    queue: JobQueue, launcher: NoLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_root: Path, _job_id: str) -> ProcessIdentity:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(launcher, "start", refuse)
        job_id = queue.submit(explain())
    assert queue.job(job_id).error == (
        "could not start the job's process: the disk is full; free some space and try again"
    )
    assert queue.job(queue.submit(explain())).state == "running"


def test_a_training_keeps_the_columns_it_was_queued_with(
    queue: JobQueue, add_dataset: Callable[[str], str], workspace: Workspace
) -> None:
    spec = JobSpec("train", add_dataset("d"), "r", "t", {"settings": {}})
    with pytest.raises(JobError, match="no target is chosen for this dataset"):
        queue.submit(spec)
    workspace.save_schema("d", SCHEMA)
    job_id = queue.submit(spec)
    workspace.save_schema("d", SCHEMA.with_column("x", role=Role.IGNORED))
    assert TrainPayload.of(queue.job(job_id).spec).schema == SCHEMA


def test_mistakes_are_refused_before_anything_is_queued(queue: JobQueue, add_dataset: Callable[[str], str]) -> None:
    payload = TrainPayload(dataset_id="gone", schema=SCHEMA)
    with pytest.raises(JobError, match="is not in this workspace any more"):
        queue.submit(payload.to_spec("r"))
    with pytest.raises(UserError, match="there is no dataset 'gone'"):
        queue.submit(JobSpec("train", "gone", "r", "t"))
    with pytest.raises(JobError, match="a training needs a dataset"):
        queue.submit(JobSpec("train", None, "r", "t"))
    with pytest.raises(ConfigError, match="unknown setting"):
        queue.submit(JobSpec("explain", None, "r", "t", {"settings": {"x": 1}}))
    assert queue.list() == ()


def test_a_retry_needs_its_dataset(queue: JobQueue, add_dataset: Callable[[str], str], workspace: Workspace) -> None:
    job_id = queue.submit(explain(dataset_id=add_dataset("d")))
    queue.claim(job_id).fail("no")
    workspace.delete_dataset("d")
    with pytest.raises(JobError, match="upload it again"):
        queue.retry(job_id)
    assert queue.job(job_id).state == "failed"


def test_the_list_is_newest_first_and_can_be_narrowed(queue: JobQueue) -> None:
    first, second, third = (queue.submit(explain()) for _ in range(3))
    assert [record.job_id for record in queue.list()] == [third, second, first]
    assert [record.job_id for record in queue.list(states=[JobState.QUEUED], limit=1)] == [third]


def test_the_end_of_the_log(queue: JobQueue) -> None:
    job_id = queue.submit(explain())
    assert queue.log_text(job_id) == ""
    (queue.workspace.logs_folder / f"{job_id}.log").write_bytes(b"x" * 50 + b"\xff the end")
    assert queue.log_text(job_id, max_bytes=9) == "\ufffd the end"


def test_progress_survives_odd_numbers() -> None:
    assert JobProgress(fraction=1.0000001).fraction == 1.0
    assert JobProgress(fraction=float("nan"), seconds_left=float("inf")) == JobProgress()


def test_an_idle_reconcile_takes_no_write_lock(queue: JobQueue) -> None:
    for _ in range(2):
        queue.submit(explain())
    with writing(queue.workspace.engine):
        started = time.monotonic()
        queue.reconcile()
        assert time.monotonic() - started < 5
