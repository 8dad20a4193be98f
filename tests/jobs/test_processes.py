from __future__ import annotations

import subprocess
import sys
import time

import psutil
import pytest

from tabnet_engine.jobs.processes import ProcessIdentity

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


def test_this_process_is_alive_and_a_namesake_is_not() -> None:
    own = ProcessIdentity.own()
    assert own.is_alive
    assert not ProcessIdentity(own.host, own.pid, own.created - 10).is_alive
    with pytest.raises(ProcessLookupError, match="there is no process"):
        ProcessIdentity.of(2**22 + 1)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("own_group", [False, True])
def test_stopping_ends_the_worker_and_a_zombie_is_dead(force: bool, own_group: bool) -> None:
    with subprocess.Popen(SLEEP, stdout=subprocess.PIPE, start_new_session=own_group) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        identity = ProcessIdentity.of(process.pid)
        ProcessIdentity("another-machine", identity.pid, identity.created).stop(force=force)
        time.sleep(0.05)
        assert identity.is_alive
        identity.stop(force=force)
        deadline = time.monotonic() + 5
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not identity.is_alive
        identity.stop(force=force)
    assert process.returncode == (-9 if force else -15)


def test_stopping_a_group_ends_the_children_too() -> None:
    # The child writes nowhere: a closed pipe would end it, whatever becomes of the group.
    program = f"import subprocess as s; p = s.Popen({SLEEP!r}, stdout=s.DEVNULL); print(p.pid, flush=True); p.wait()"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        ProcessIdentity.of(parent.pid).stop(force=True)
    deadline = time.monotonic() + 5
    while not _has_ended(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _has_ended(child)


def _has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
