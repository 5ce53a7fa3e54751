"""Servers that others run, watched from afar: nobody tells us that one has died, so we ask."""

import threading
import time
from collections.abc import Sequence

from scenarios.backends.base import Server
from scenarios.errors import Infrastructure

_EVERY_S = 2.0
PATIENCE_S = 20.0  # a restart is theirs to do, and no trouble


class Afar:
    """Asks every server now and then whether somebody listens at its address."""

    def __init__(self, servers: Sequence[Server], patience_s: float = PATIENCE_S) -> None:
        self._servers = servers
        self._patience_s = patience_s
        self._asking: threading.Thread | None = None
        self._asked_s = 0.0
        self.away: dict[Server, float] = {}  # since when

    def check(self) -> None:
        """Raise `Infrastructure` if a server has been away for too long; returns at once."""
        now_s = time.monotonic()
        for server, since_s in list(self.away.items()):
            if now_s - since_s > self._patience_s:
                raise Infrastructure(
                    f"{server.name} at {server.address} is gone: nobody has listened there for"
                    f" {self._patience_s:.0f} s; whoever runs it has to start it again"
                )
        if now_s - self._asked_s > _EVERY_S and not (self._asking and self._asking.is_alive()):
            self._asked_s = now_s
            self._asking = threading.Thread(target=self._ask, name="afar", daemon=True)
            self._asking.start()

    def _ask(self) -> None:
        for server in self._servers:
            if server.alive:
                self.away.pop(server, None)
            else:
                self.away.setdefault(server, time.monotonic())
