"""A client's connection to a gateway over a real socket."""

import socket
import time
from collections.abc import Callable, Sequence

from scenarios import http
from scenarios.http import Incoming, Response

_SECOND = 10**9


class Connection:
    """One keep-alive connection to a gateway, for one request at a time.

    `where` knows the address of a gateway. The first of `gateways` comes first; a connection that
    is made anew goes to the next one.
    """

    def __init__(self, where: Callable[[str], tuple[str, int]], gateways: Sequence[str]) -> None:
        self._where = where
        self._gateways = tuple(gateways)
        self._host = ""
        self._socket: socket.socket | None = None

    def request(
        self, method: str, path: str, key: str, body: bytes, patience_ns: int
    ) -> Response | None:
        """Send one request; None if no answer came within `patience_ns`."""
        deadline_s = time.monotonic() + patience_ns / _SECOND
        try:
            line = self._connected(deadline_s)
            message = http.request(method, path, host=self._host, key=key, body=body)
            line.settimeout(_left(deadline_s))
            line.sendall(message)
            answer = _answer(line, deadline_s)
        except OSError:
            answer = None
        if answer is None:
            self.hang_up()
        return answer

    def hang_up(self) -> None:
        """Close the connection; an answer that comes later is never seen."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self, deadline_s: float) -> socket.socket:
        if self._socket is None:
            next_, *others = self._gateways
            self._gateways = (*others, next_)
            address = self._where(next_)
            self._host = address[0]
            self._socket = socket.create_connection(address, _left(deadline_s))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket


def _left(deadline_s: float) -> float:
    left = deadline_s - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _answer(line: socket.socket, deadline_s: float) -> Response | None:
    incoming = Incoming()
    while True:
        line.settimeout(_left(deadline_s))
        data = line.recv(65536)
        if not data:
            return None
        answer = incoming.feed(data)
        if answer is not None:
            return answer
