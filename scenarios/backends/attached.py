"""Servers that ``wavetank backends up`` of another process owns: used while they are warm.

They can be harmed through their processes; a dead one is started again by its owner.
"""

import fcntl
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from scenarios.backends import state
from scenarios.backends.base import Ability, Address, Backend, Role, Server
from scenarios.backends.state import ServerState, State
from scenarios.backends.supervisor import RESTART
from scenarios.errors import Infrastructure, UsageError

_START_S = 120.0
_LOOK_S = 0.05
_AGAIN_S = 5.0  # an owner that did not hear us is asked once more


class Attached(Server):
    """One server, seen through its owner's state file."""

    def __init__(self, folder: Path, seen: ServerState) -> None:
        super().__init__(seen.name, Role(seen.role), seen.address)
        self.advertised = seen.advertised
        self.log_path = Path(seen.log)
        self._folder = folder
        self._pid = seen.pid

    @property
    def pid(self) -> int | None:
        """The process, while it lives."""
        return self._pid if self.alive else None

    @property
    def alive(self) -> bool:
        """Whether its process runs; a dead one that nobody has waited for yet does not."""
        if self._pid is None:
            return False
        try:
            status = Path(f"/proc/{self._pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return False
        return status.rpartition(")")[2].split()[0] not in {"Z", "X"}

    def start(self) -> None:
        """Have the owner start it again; return when it serves."""
        deadline = time.monotonic() + _START_S
        before, asked_s = self._pid, -_AGAIN_S
        while (now_s := time.monotonic()) < deadline:
            seen = state.read(self._folder)
            if seen is None or not state.owned(self._folder):
                raise Infrastructure(f"the owner of {self._folder} has ended")
            mine = next(each for each in seen.servers if each.name == self.name)
            if mine.pid is not None and mine.pid != before:
                self._pid = mine.pid
                return
            if mine.pid is None and now_s - asked_s >= _AGAIN_S:
                asked_s = now_s
                os.kill(seen.owner.pid, RESTART)
            time.sleep(_LOOK_S)
        raise Infrastructure(f"{self.name} did not come back within {_START_S:.0f} s")

    def kill(self) -> None:
        """Kill it without warning; return when it is dead."""
        self._end(signal.SIGKILL)

    def terminate(self) -> None:
        """Stop it in order; return when it has ended."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Stop it from running."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it run on."""
        self._send(signal.SIGCONT)

    def _send(self, number: int) -> None:
        if self._pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)

    def _end(self, number: int) -> None:
        self._send(number)
        self._send(signal.SIGCONT)
        deadline = time.monotonic() + _START_S
        while self.alive and time.monotonic() < deadline:
            time.sleep(_LOOK_S)


class AttachedBackend(Backend):
    """The servers that are up in `folder`; leaving the block leaves them up."""

    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability) - {Ability.ADVERTISE}

    def __init__(self, folder: Path, seen: State) -> None:
        self.folder = folder
        self.kind = seen.kind  # type: ignore[misc]  # each instance has its owner's
        self._versions = seen.versions
        self._replication = seen.replication
        self._lock = -1
        self.servers: tuple[Server, ...] = tuple(Attached(folder, each) for each in seen.servers)

    @property
    def versions(self) -> Mapping[str, str]:
        """Name and version of each server's software."""
        return self._versions

    @property
    def replication(self) -> int:
        """How many replicas a partition can have, as its owner knows."""
        return self._replication

    def up(self, advertise: Mapping[str, Address] = MappingProxyType({})) -> None:
        """Look whether all of them serve, and have them for us alone."""
        if advertise:
            raise UsageError("servers that are up advertise what they were told to")
        self._lock = os.open(
            self.folder / state.USER_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644
        )
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.down()
            raise Infrastructure(
                f"another run uses the servers in {self.folder}; wait for it, or name another"
                " --folder, where nothing is up, to have servers started for this one"
            ) from None
        for server in self.servers:
            if not server.alive:
                raise Infrastructure(
                    f"{server.name} in {self.folder} has ended; `wavetank backends up --folder"
                    f" {self.folder}` starts it again"
                )

    def warm(self) -> None:
        """Nothing to do: their owner has warmed them."""

    def down(self) -> None:
        """Leave them up, for others."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def find(folder: Path) -> AttachedBackend | None:
    """Return the back end that is up in `folder`, if one is."""
    if not state.owned(folder):
        return None
    seen = state.read(folder)
    if seen is None or seen.phase != "up":
        return None
    return AttachedBackend(folder, seen)
