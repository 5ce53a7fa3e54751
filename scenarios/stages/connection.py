"""A client's connection to a gateway in a simulated world, and the clock it lives by."""

from collections.abc import Sequence

from scenarios import http
from scenarios.http import Incoming, Response
from sim.connection import End
from sim.kernel import MILLISECOND, Kernel
from sim.process import Process


class Clock:
    """The time of a simulated host's clients."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @property
    def now(self) -> int:
        """Nanoseconds since the start of the world."""
        return self._process.kernel.now

    def sleep(self, ns: int) -> None:
        """Let time pass."""
        self._process.kernel.sleep(ns)

    def wall_ms(self) -> int:
        """Milliseconds since 1970, by the host's clock."""
        return self._process.host.clock.wall_ns() // MILLISECOND


class Connection:
    """One keep-alive connection to a gateway, for one request at a time.

    The first of `hosts` comes first; a connection that is made anew goes to the next one.
    """

    def __init__(self, process: Process, hosts: Sequence[str], port: int) -> None:
        self.process = process
        self.kernel: Kernel = process.kernel
        self.hosts, self.port = tuple(hosts), port
        self.host = self.hosts[0]
        self.end: End | None = None
        self._incoming = Incoming()
        self._done = self.kernel.event()

    def request(
        self, method: str, path: str, key: str, body: bytes, patience_ns: int
    ) -> Response | None:
        """Send one request; None if no answer came within `patience_ns`."""
        deadline = self.kernel.now + patience_ns
        if self.end is None and not self._connect(deadline):
            return None
        assert self.end is not None
        self._incoming, self._done = Incoming(), self.kernel.event()
        message = http.request(method, path, host=self.host, key=key, body=body)
        self.end.send(message, len(message))
        self.kernel.wait(self._done, max(deadline - self.kernel.now, 0))
        if self._incoming.answer is None:
            self.hang_up()
        return self._incoming.answer

    def hang_up(self) -> None:
        """Close the connection; an answer that comes later is never seen."""
        if self.end is not None:
            self.end.close()
            self.end = None

    def _connect(self, deadline: int) -> bool:
        self.host, self.hosts = self.hosts[0], (*self.hosts[1:], self.hosts[0])
        done = self.kernel.event()
        alive = True

        def connected(end: End) -> None:
            if not alive:
                end.close()
                return
            self.end = end
            end.on_message, end.on_close = self._received, self._lost
            done.succeed()

        def failed(_: OSError) -> None:
            done.succeed()

        self.process.host.network.connect(
            self.process.host.name,
            self.host,
            self.port,
            connected,
            failed,
            self.process,
            "http",
        )
        self.kernel.wait(done, max(deadline - self.kernel.now, 0))
        alive = False
        return self.end is not None

    def _received(self, data: bytes) -> None:
        if self._incoming.feed(data) is not None and not self._done.triggered:
            self._done.succeed()

    def _lost(self, _: OSError | None) -> None:
        self.end = None
        if not self._done.triggered:
            self._done.succeed()
