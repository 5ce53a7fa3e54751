"""A closed loop of HTTP requests over raw sockets: cheap, so that one core keeps another busy.

Each connection has one request under way; the next leaves when its answer is there.
"""

import selectors
import socket
import time
from collections.abc import Callable
from typing import NamedTuple

_RECEIVE = 65_536


class Load(NamedTuple):
    """What came of a load."""

    answered: int
    seconds: float
    median_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Answers a second by the clock on the wall."""
        return self.answered / self.seconds


class _Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_s = 0.0
        self._come = b""

    def send(self, request: bytes) -> None:
        self._come = b""
        self.sent_s = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """Take what has come; return the answer once it is whole."""
        self._come += self.socket.recv(_RECEIVE)
        head, end, body = self._come.partition(b"\r\n\r\n")
        length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return self._come if end and len(body) >= int(length) else None


def closed_loop(
    port: int, connections: int, seconds: float, request: Callable[[], bytes], expected: bytes
) -> Load:
    """Send for so long; raise if an answer does not begin with `expected`."""
    took_s: list[float] = []
    clients = [_Client(port) for _ in range(connections)]
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.send(request())
        began_s = time.perf_counter()
        while time.perf_counter() < began_s + seconds:
            for key, _ in selector.select(0.1):
                client = key.data
                answer = client.receive()
                if answer is None:
                    continue
                if not answer.startswith(expected):
                    raise RuntimeError(f"not the answer that was expected: {answer[:500]!r}")
                took_s.append(time.perf_counter() - client.sent_s)
                client.send(request())
        ended_s = time.perf_counter()
    for client in clients:
        client.socket.close()
    took_s.sort()
    middle, late = (took_s[int(len(took_s) * share)] * 1000 for share in (0.5, 0.99))
    return Load(len(took_s), ended_s - began_s, middle, late)
