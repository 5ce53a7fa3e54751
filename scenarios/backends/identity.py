"""Which process is meant by a number kept in a file: numbers are given again to others."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A process of one boot of this machine; no two have the same number and time of start."""

    pid: int
    started: int  # clock ticks since the machine was booted
    boot: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """Return the identity of a living process; None if there is none with this number."""
        try:
            stat = Path("/proc", str(pid), "stat").read_text(encoding="utf-8", errors="replace")
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()  # a name may contain anything, also a bracket
        return None if fields[0] in "ZX" else cls(pid=pid, started=int(fields[19]), boot=boot)

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return Identity.of(self.pid) == self

    def end(self, number: int, timeout_s: float) -> bool:
        """Signal it, if it is still itself; return whether it has ended in time."""
        deadline = time.monotonic() + timeout_s
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
        while self.alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def kill(self) -> bool:
        """Kill it, if it is still itself; return whether it was there to be killed."""
        there = self.alive
        self.end(signal.SIGKILL, timeout_s=10)
        return there
