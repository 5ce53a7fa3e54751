"""The back end's servers during a run: harmed and healed by the plan, watched for other deaths.

A plan may kill a server again while it is still starting: a slow start is no trouble of its own.
"""

import threading
import time
from collections import Counter

from scenarios.backends.base import Ability, Backend, Server
from scenarios.errors import Infrastructure
from scenarios.stages.real.afar import Afar

_START_S = 120.0


class Servers:
    """Knows which servers the plan has killed, and starts them again in the background."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._watched = Ability.KILL in backend.abilities
        self._afar = Afar(backend.servers)
        self._down: set[str] = set()
        self._killed = Counter[str]()  # how often the plan did
        self._changing = threading.Lock()  # of those two
        self._turns = {server.name: threading.Lock() for server in backend.servers}
        self._starting: dict[threading.Thread, int] = {}  # since when
        self._trouble: list[Infrastructure] = []

    def kill(self, server: Server) -> None:
        """Kill a server for the plan."""
        with self._changing:
            self._down.add(server.name)
            self._killed[server.name] += 1
        server.kill()

    def start(self, server: Server) -> None:
        """Start it again; returns at once."""
        if server.name in self._down:
            thread = threading.Thread(target=self._start, args=(server,), daemon=True)
            self._starting[thread] = time.monotonic_ns()
            thread.start()

    def boot(self, at_most_ns: int) -> bool:
        """Whether one is being started, and has been for less than so long."""
        since_ns = time.monotonic_ns() - at_most_ns
        return any(thread.is_alive() and at > since_ns for thread, at in self._starting.items())

    def check(self) -> None:
        """Raise `Infrastructure` if a server died that nobody killed, or does not come back."""
        if self._trouble:
            raise self._trouble[0]
        if not self._watched:
            self._afar.check()
            return
        for server in self.backend.servers:
            if server.name not in self._down and not server.alive:
                how = f": it {server.ending}" if server.ending else ""
                where = f"; its log {server.log_path} ends in\n{server.tail()}"
                raise Infrastructure(
                    f"{server.name} at {server.address} died during the run{how}{where}"
                )

    def wait_until_all_up(self) -> None:
        """Return when every server that was started again serves."""
        for thread in self._starting:
            thread.join(_START_S)
            if thread.is_alive():
                raise Infrastructure(f"a server did not come back within {_START_S:.0f} s")
        self._starting.clear()
        self.check()

    def _start(self, server: Server) -> None:
        with self._turns[server.name]:
            killed = self._killed[server.name]
            trouble = None
            try:
                if not server.alive:
                    server.start()
            except Infrastructure as error:
                trouble = error
            with self._changing:
                if self._killed[server.name] != killed:
                    return  # it was killed again, and whoever did it starts it again
                if trouble is not None:
                    self._trouble.append(trouble)
                else:
                    self._down.discard(server.name)
