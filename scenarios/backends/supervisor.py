"""The one process that owns a back end: starts its servers, watches them, stops them at its end."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Literal

from scenarios.backends import state
from scenarios.backends.identity import Identity
from scenarios.backends.started import StartedBackend
from scenarios.backends.state import ServerState, State
from scenarios.errors import Infrastructure

WATCH_S = 0.05
RESTART = signal.SIGUSR1  # asks an owner to start again what has ended
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, RESTART)

Say = Callable[[str], None]


class Supervisor:
    """Owns `backend` until it is told to stop, by Ctrl-C or SIGTERM, or nothing is left of it."""

    def __init__(self, backend: StartedBackend, say: Say) -> None:
        self.backend = backend
        self.say = say
        backend.say = say
        self._stopping = False
        self._restart = False
        self._reported: set[str] = set()

    def run(self, when_up: Callable[[State], None]) -> None:
        """Start, watch until told to stop, and stop.

        Raises `KeyboardInterrupt` if told to stop before all servers serve, and `Infrastructure`
        if one cannot be started or all of them end by themselves.
        """
        with state.owning(self.backend.folder):
            before = {number: signal.signal(number, self._signalled) for number in _SIGNALS}
            try:
                for name in self.backend.sweep():
                    self.say(f"{name} was left running by an earlier crash, and is killed")
                self._write("starting")
                began_s = time.monotonic()
                self.backend.up()
                self.say(f"all servers serve after {time.monotonic() - began_s:.1f} s")
                with suppress(KeyboardInterrupt):
                    when_up(self._write("up"))
                    self._watch()
            finally:
                self._end()
                for number, handler in before.items():
                    signal.signal(number, handler)

    def _signalled(self, number: int, _: object) -> None:
        if number == RESTART:
            self._restart = True
        elif self._stopping:
            self.backend.kill()
        else:
            self._stopping = True
            raise KeyboardInterrupt

    def _watch(self) -> None:
        folder = self.backend.folder  # whoever uses it may have killed all, to start them again
        while any(server.alive for server in self.backend.servers) or state.used(folder):
            time.sleep(WATCH_S)
            self._report_deaths()
            if self._restart:
                self._restart = False
                self._start_again()
        raise Infrastructure(f"no server in {folder} is left")

    def _report_deaths(self) -> None:
        for server in self.backend.servers:
            if server.alive:
                self._reported.discard(server.name)
            elif server.name not in self._reported:
                self._reported.add(server.name)
                self._write("up")
                self.say(
                    f"{server.name} {server.ending or 'has ended'}; `wavetank backends up` starts"
                    f" it again. {server.log_path} ends in\n{server.tail()}"
                )

    def _start_again(self) -> None:
        """Start what has ended, all at once; one that is killed meanwhile is reported as dead."""
        ended = [server for server in self.backend.servers if not server.alive]
        for server in ended:
            self.say(f"starting {server.name} again")
        with ThreadPoolExecutor() as pool:
            started = [pool.submit(server.start) for server in ended]
        for one in started:
            error = one.exception()
            if isinstance(error, Infrastructure):
                self.say(str(error))
            elif error is not None:
                raise error
        self._write("up")

    def _end(self) -> None:
        self._stopping = True
        if any(server.alive for server in self.backend.servers):
            self._write("stopping")
            self.say("stopping the servers; once more Ctrl-C kills them")
        self.backend.down()
        (self.backend.folder / state.FILE).unlink(missing_ok=True)

    def _write(self, phase: Literal["starting", "up", "stopping"]) -> State:
        owner = Identity.of(os.getpid())
        assert owner is not None
        seen = State(
            kind=self.backend.kind,
            phase=phase,
            owner=owner,
            bootstrap=self.backend.bootstrap,
            contact_points=self.backend.contact_points,
            cql_port=self.backend.cql_port,
            replication=self.backend.replication,
            versions=dict(self.backend.versions),
            servers=tuple(
                ServerState(
                    name=server.name,
                    role=server.role,
                    address=server.address,
                    advertised=server.advertised,
                    log=str(server.log_path),
                    pid=server.pid,
                )
                for server in self.backend.servers
            ),
        )
        state.write(self.backend.folder, seen)
        return seen
