"""One incarnation of a program as a process of this machine."""

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from scenarios.backends.processes import Child


class Place:
    """Where one program runs here; the power is lost for it alone."""

    powered = True


class Program:
    """A running program; `poll` notices its end, once, and tells those in `on_death`."""

    def __init__(self, name: str, incarnation: int, child: Child, log: Path, now_ns: int) -> None:
        self.name = name
        self.incarnation = incarnation
        self.label = f"{name}#{incarnation}"
        self.started_at = now_ns
        self.on_death: list[Callable[[], None]] = []
        self.exit_code: int | None = None
        self.paused = False
        self._booted = False
        self._child = child
        self._log = log

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether it runs, as far as `poll` has seen."""
        return self.exit_code is None

    @property
    def stderr(self) -> list[str]:
        """What it wrote to standard error so far."""
        return self._log.read_text(encoding="utf-8", errors="replace").splitlines()

    def said(self, event: str) -> int:
        """Return how often it logged `event`."""
        return self._log.read_bytes().count(f'"event":"{event}"'.encode())

    @property
    def boots(self) -> bool:
        """Whether it has not come to its first line yet."""
        self._booted = self._booted or self.said("starting") > 0
        return self.alive and not self.paused and not self._booted

    def poll(self) -> None:
        """Look whether it has ended."""
        if self.alive and self._child.code is not None:
            self.exit_code = self._child.code
            for call in self.on_death:
                call()

    def send(self, number: int) -> None:
        """Send a signal."""
        if self.alive:
            self._child.send(number)

    def kill(self) -> None:
        """Kill it without warning and wait until it is gone; `on_death` is told here."""
        self._child.end(signal.SIGKILL)
        self.poll()

    def pause(self) -> None:
        """Stop it where it is (SIGSTOP)."""
        self.paused = True
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on (SIGCONT)."""
        self.paused = False
        self.send(signal.SIGCONT)

    def ask_to_stop(self) -> None:
        """Ask it to end (SIGTERM); nobody in `on_death` is told."""
        self.on_death.clear()
        self.send(signal.SIGTERM)

    def stop(self, timeout_s: float) -> bool:
        """Wait until it has ended on request; kill it if it does not, and return False then."""
        if not self.alive:
            return True
        self.exit_code = self._child.end(signal.SIGTERM, timeout_s)
        return self.exit_code != -signal.SIGKILL


def in_environment(root: Path, command: Sequence[str]) -> tuple[str, ...]:
    """Return `command` run in our environment, without what would change a configuration."""
    foreign = [name for name in os.environ if name.startswith("WAVETANK_")]
    unset = [word for name in ("PYTHONHASHSEED", *foreign) for word in ("-u", name)]
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH", ""))))
    return ("env", *unset, f"PYTHONPATH={path}", *command)
