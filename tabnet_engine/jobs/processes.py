"""Which process is which: a pid alone may by now belong to somebody else."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import psutil

__all__ = ["ProcessIdentity", "this_host"]

# The clock may have been set a little between two looks at the same process.
_CLOCK_TOLERANCE_SECONDS = 2.0


def this_host() -> str:
    """The name of this machine."""
    return socket.gethostname()


@dataclass(frozen=True)
class ProcessIdentity:
    """One process for all time: machine, number, and when it was created (seconds since 1970)."""

    host: str
    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> Self:
        """The process that now has the number ``pid`` on this machine.

        Raises:
            ProcessLookupError: there is none.
        """
        try:
            return cls(this_host(), pid, psutil.Process(pid).create_time())
        except psutil.Error as error:
            raise ProcessLookupError(f"there is no process {pid}") from error

    @classmethod
    def own(cls) -> Self:
        """This very process."""
        return cls.of(os.getpid())

    @property
    def is_alive(self) -> bool:
        """Whether it still runs on this machine; a zombie has ended."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < _CLOCK_TOLERANCE_SECONDS
            return same and process.status() not in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
        except psutil.Error:
            return False

    def stop(self, *, force: bool) -> None:
        """Ask it (SIGTERM) or make it (SIGKILL) end, and with it the processes it started.

        Does nothing when it has ended already.
        """
        if self.host != this_host() or not self.is_alive:
            return
        chosen = signal.SIGKILL if force else signal.SIGTERM
        with suppress(ProcessLookupError):
            # A worker started by hand shares the group of its shell, which must not be stopped with it.
            if os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, chosen)
            else:
                os.kill(self.pid, chosen)
