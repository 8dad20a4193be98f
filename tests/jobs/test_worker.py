"""The worker program: in this process where that shows enough, as a real process where it matters."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tabnet_engine.errors import StorageError
from tabnet_engine.jobs import context as context_module
from tabnet_engine.jobs import worker
from tabnet_engine.jobs.claim import Claim
from tabnet_engine.jobs.context import JobContext
from tabnet_engine.jobs.launcher import LocalLauncher
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.records import JobProgress, JobRecord, JobState
from tabnet_engine.runs.workspace import Workspace
from tests.jobs import fake_tasks
from tests.jobs.conftest import FAKE_TASKS, explain, wait_for


def run(queue: JobQueue, title: str, **changes: Any) -> JobRecord:
    job_id = queue.submit(explain(title))
    worker.run_job(queue, queue.claim(job_id), changes.pop("tasks", fake_tasks.TASKS), **changes)
    return queue.job(job_id)


def ended(record: JobRecord) -> bool:
    return record.ended


# In this process


def test_a_task_that_ends_well(queue: JobQueue) -> None:
    record = run(queue, "quick")
    assert record.state == "succeeded"
    assert record.progress == JobProgress(phase="Training", fraction=1.0, message="half way", seconds_left=0.0)
    assert queue.epochs(record.job_id) == (fake_tasks.epoch(1),)
    assert [event.body for event in queue.events(record.job_id) if event.kind == "note"] == [{"text": "a word"}]


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        ("user_mistake", "the target 'y' is missing in every row; choose another target"),
        ("disk_full", "could not finish 'disk_full': the disk is full; free some space and try again"),
        ("memory", worker.OUT_OF_MEMORY),
        ("own_fault", worker.INTERNAL_ERROR),
        ("no_such_task", worker.INTERNAL_ERROR),
    ],
)
def test_a_task_that_fails_says_why_in_one_sentence(
    queue: JobQueue, title: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    record = run(queue, title)
    assert (record.state, record.error) == ("failed", sentence)
    assert "Traceback" in caplog.text, "the log has what the user is spared"


def test_a_task_that_was_cancelled(queue: JobQueue) -> None:
    assert run(queue, "give_up").state == "cancelled"


def test_tasks_are_found_by_name_and_a_wrong_name_is_our_own_fault(queue: JobQueue) -> None:
    assert run(queue, "quick", tasks=FAKE_TASKS).state == "succeeded"
    assert run(queue, "quick", tasks="tests.jobs.no_such:TASKS").error == worker.INTERNAL_ERROR


def test_a_job_that_was_given_to_another_worker_ends_quietly(queue: JobQueue) -> None:
    job_id = queue.submit(explain())
    claim = queue.claim(job_id)
    lost = Claim(claim.engine, job_id, claim.attempt + 1, claim.spec)
    assert worker.run_job(queue, lost, {"explain": lambda _context: None}) is JobState.CANCELLED
    assert queue.job(job_id).state == "running"


def test_reporting_costs_the_task_nothing(queue: JobQueue) -> None:
    def chatty(context: JobContext) -> None:
        started = time.perf_counter()
        for number in range(20_000):
            context.report(JobProgress(fraction=number / 20_000))
            context.raise_if_cancelled()
        assert time.perf_counter() - started < 5

    assert run(queue, "quick", tasks={"explain": chatty}).state == "succeeded"


def test_the_pulse_beats_and_survives_a_moment_without_database(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context_module, "HEARTBEAT_SECONDS", 0.0)
    real, beats = Claim.heartbeat, []

    def flaky(self: Claim, progress: JobProgress | None = None) -> None:
        beats.append(progress)
        if len(beats) == 1:
            raise StorageError("locked")
        real(self, progress)

    monkeypatch.setattr(Claim, "heartbeat", flaky)

    def waits(context: JobContext) -> None:
        context.report(JobProgress(phase="here"))
        deadline = time.monotonic() + 5
        while queue.job(context.claim.job_id).progress.phase != "here" and time.monotonic() < deadline:
            time.sleep(0.02)

    assert run(queue, "quick", tasks={"explain": waits}).state == "succeeded"
    assert len(beats) >= 2


def test_a_task_that_ignores_a_cancel_is_ended_from_within(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_module, "STUBBORN_SECONDS", 0.1)
    calls: list[str] = []

    def stubborn(context: JobContext) -> None:
        queue.request_cancel(context.claim.job_id)
        deadline = time.monotonic() + 5
        while not calls and time.monotonic() < deadline:
            time.sleep(0.02)

    run(queue, "quick", tasks={"explain": stubborn}, end_process=lambda: calls.append("end"))
    assert calls


def test_a_task_learns_that_its_job_was_given_away(queue: JobQueue) -> None:
    from tests.jobs.test_queue import change

    def watches(context: JobContext) -> None:
        change(queue, context.claim.job_id, attempt=7)
        context.report(JobProgress(phase="lost"))
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            context.raise_if_cancelled()
            time.sleep(0.02)

    record = run(queue, "quick", tasks={"explain": watches})
    assert (record.state, record.attempt, record.progress.phase) == ("running", 7, "")


# The program, called here


@pytest.fixture
def quiet_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calling main must not change this process's logging and signals."""
    monkeypatch.setattr(worker.logging, "basicConfig", lambda **_: None)
    monkeypatch.setattr(worker.faulthandler, "enable", lambda: None)
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)


@pytest.mark.usefixtures("quiet_main")
@pytest.mark.parametrize(("title", "code"), [("quick", 0), ("give_up", 0), ("user_mistake", 1)])
def test_the_exit_code_says_how_it_went(queue: JobQueue, title: str, code: int) -> None:
    job_id = queue.submit(explain(title))
    arguments = [job_id, "--workspace", str(queue.workspace.root), "--tasks", FAKE_TASKS]
    assert worker.main(arguments) == code
    assert worker.main(arguments) == 2, "it has ended"


@pytest.mark.usefixtures("quiet_main")
def test_an_unknown_job_or_workspace_is_exit_code_2(workspace: Workspace, tmp_path: Path) -> None:
    assert worker.main(["nobody", "--workspace", str(workspace.root)]) == 2
    (tmp_path / "file").write_bytes(b"")
    assert worker.main(["nobody", "--workspace", str(tmp_path / "file")]) == 2


def test_ending_by_signal_unwinds(monkeypatch: pytest.MonkeyPatch, queue: JobQueue) -> None:
    with pytest.raises(SystemExit) as caught:
        worker._leave(signal.SIGTERM, None)
    assert caught.value.code == 143


@pytest.mark.parametrize("leads_group", [True, False])
def test_ending_the_process_records_the_cancel_first(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch, leads_group: bool
) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(worker.os, "getpgrp", lambda: os.getpid() + (not leads_group))
    monkeypatch.setattr(worker.os, "killpg", lambda *call: calls.append(call))
    monkeypatch.setattr(worker.os, "_exit", calls.append)
    job_id = queue.submit(explain())
    worker._end_process(queue.claim(job_id))
    assert queue.job(job_id).state == "cancelled"
    assert calls == [(os.getpid(), signal.SIGKILL), 1][not leads_group :]


# Real processes


def test_progress_shows_while_it_runs_and_a_cancel_takes_less_than_a_second(real_queue: JobQueue) -> None:
    job_id = real_queue.submit(explain("slow"))
    record = wait_for(real_queue, job_id, lambda job: job.progress.epoch is not None and job.progress.epoch >= 2)
    assert (record.state, record.progress.max_epochs, record.progress.phase) == ("running", 300, "Training")
    assert record.heartbeat is not None
    assert len(real_queue.epochs(job_id)) >= 1
    asked = time.monotonic()
    real_queue.request_cancel(job_id)
    wait_for(real_queue, job_id, ended)
    assert time.monotonic() - asked < 1.0
    assert real_queue.job(job_id).state == "cancelled"


def test_a_killed_worker_is_found_tried_again_and_then_given_up(real_queue: JobQueue) -> None:
    job_id = real_queue.submit(explain("slow"))
    for attempt in (1, 2):
        record = wait_for(
            real_queue, job_id, lambda job, n=attempt: job.attempt == n and job.progress.epoch is not None
        )
        assert record.pid is not None
        os.kill(record.pid, signal.SIGKILL)
        wait_for(real_queue, job_id, lambda job, pid=record.pid: not psutil.pid_exists(pid))
        assert real_queue.job(job_id).state == "running", "nobody has looked yet"
        real_queue.reconcile()
    record = real_queue.job(job_id)
    assert record.state == "failed"
    assert record.error is not None
    assert "the process ended unexpectedly 2 times" in record.error


SUBMIT_AND_EXIT = """
import sys
from pathlib import Path
from tabnet_engine.jobs.launcher import LocalLauncher
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.runs.workspace import Workspace
from tests.jobs.conftest import FAKE_TASKS, explain
queue = JobQueue(Workspace.open(Path(sys.argv[1])), launcher=LocalLauncher(tasks=FAKE_TASKS))
for title in sys.argv[2:]:
    print(queue.submit(explain(title)))
"""


def test_jobs_outlive_whoever_started_them_and_the_next_starts_when_a_slot_frees(real_queue: JobQueue) -> None:
    """The program that submitted is gone, and nobody reconciles here: the first worker starts the second."""
    command = [sys.executable, "-c", SUBMIT_AND_EXIT, str(real_queue.workspace.root), "slow", "quick"]
    first, second = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    record = wait_for(real_queue, first, lambda job: job.progress.epoch is not None)
    assert record.pid is not None
    assert os.getpgid(record.pid) == record.pid, "it is in a session of its own"
    assert psutil.Process(record.pid).ppid() != os.getpid()
    assert real_queue.job(second).state == "queued"
    real_queue.request_cancel(first)
    assert wait_for(real_queue, second, ended).state == "succeeded"
    assert real_queue.job(first).state == "cancelled"


def test_the_traceback_is_in_the_log_and_only_there(real_queue: JobQueue) -> None:
    job_id = real_queue.submit(explain("own_fault"))
    record = wait_for(real_queue, job_id, ended)
    assert record.error == worker.INTERNAL_ERROR
    deadline = time.monotonic() + 10
    while "ZeroDivisionError: secret detail" not in real_queue.log_text(job_id) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert "ZeroDivisionError: secret detail" in real_queue.log_text(job_id)


def test_a_process_that_does_not_come_up_is_dead_not_running(real_queue: JobQueue) -> None:
    real_queue.launcher = LocalLauncher(tasks="--no-such-option")
    job_id = real_queue.submit(explain())
    identity = real_queue.job(job_id)
    assert identity.pid is not None
    wait_for(real_queue, job_id, lambda job: not psutil.pid_exists(identity.pid or 0))
    real_queue.reconcile()
    assert real_queue.job(job_id).attempt == 2


def test_a_running_job_keeps_its_dataset(real_queue: JobQueue, add_dataset: Callable[[str], str]) -> None:
    from tabnet_engine.errors import UserError

    job_id = real_queue.submit(explain("quick", dataset_id=add_dataset("d")))
    if not real_queue.job(job_id).ended:
        with pytest.raises(UserError, match="is used by the job 'quick'"):
            real_queue.workspace.delete_dataset("d")
    wait_for(real_queue, job_id, ended)
    real_queue.workspace.delete_dataset("d")
