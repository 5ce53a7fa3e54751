"""A connection of the driver whose transport is the simulated network."""

import errno
import os
from typing import Any

from cassandra import cluster
from cassandra.connection import Connection as RealConnection
from cassandra.connection import ConnectionBusy, ConnectionShutdown
from cassandra.connection import Timer as DriverTimer

from sim.connection import End
from sim.doors.cassandra import reactor
from sim.doors.cassandra.messages import message_of, request_of
from sim.doors.subjects import subject_of
from sim.process import running
from sim.scylla.wire import Prepared, Request, Response

_real_class = cluster.Cluster.connection_class


class Choice:
    """The default connection class: the simulated one inside a world, the real one outside."""

    def __get__(self, instance: object, owner: object = None) -> Any:
        return _real_class if running() is None else Connection


class _Header:
    """The header of a frame that stayed an object."""

    __slots__ = ("flags", "opcode", "stream", "version")

    def __init__(self, version: int, stream: int) -> None:
        self.version = version
        self.stream = stream
        self.flags = 0
        self.opcode = 0


class Connection(RealConnection):  # type: ignore[misc]
    """See `sim.doors.cassandra`."""

    is_closed: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        process = running()
        if process is None:
            raise RuntimeError("a simulated connection outside a simulated process")
        self._process = process
        self._reactor = reactor.of(process)
        self._preparing: dict[int, str] = {}  # stream -> text, while a node prepares it
        self._end: End | None = None
        self._connect_end()
        self._send_options_message()

    def _connect_end(self) -> None:
        """Connect and block for it, as the driver's constructors do."""
        process = self._process
        done = process.kernel.event()
        address, port = self.endpoint.resolve()

        def connected(end: End) -> None:
            if done.triggered:
                end.abort()
                return
            self._end = end
            end.on_message = lambda response: self._reactor.post(self._arrived, response)
            end.on_close = lambda error: self._reactor.post(self._lost, error)
            done.succeed(None)

        def failed(error: OSError) -> None:
            if not done.triggered:
                done.succeed(error)

        process.host.network.connect(
            process.host.name, address, port, connected, failed, process, "cql"
        )
        timeout = None if self.connect_timeout is None else round(self.connect_timeout * 1e9)
        in_time = process.kernel.wait(done, timeout)
        if not in_time:
            done.succeed(None)
        error = done.value if in_time else TimeoutError(errno.ETIMEDOUT, "timed out")
        if error is not None:
            why = error.strerror or os.strerror(error.errno or 0)
            tried = f"Tried connecting to [({address!r}, {port})]. Last error: {why}"
            raise OSError(error.errno, tried)

    @classmethod
    def create_timer(cls, timeout: float, callback: Any) -> Any:
        """Have the reactor call back after `timeout` seconds."""
        process = running()
        assert process is not None
        timer = _Timer(timeout, callback)
        reactor.of(process).add_timer(timer)
        return timer

    def send_msg(
        self,
        msg: Any,
        request_id: int,
        cb: Any,
        encoder: Any = None,
        decoder: Any = None,
        result_metadata: Any = None,
    ) -> int:
        """Send a request; `cb` gets the response in the reactor's thread."""
        if self.is_defunct:
            raise ConnectionShutdown(f"Connection to {self.endpoint} is defunct")
        if self.is_closed:
            raise ConnectionShutdown(f"Connection to {self.endpoint} is closed")
        if not self._socket_writable:
            raise ConnectionBusy(f"Connection {self.endpoint} is overloaded")
        self._requests[request_id] = (cb, _decode, result_metadata)
        request = request_of(msg, request_id, self.protocol_version)
        if request.kind == "PREPARE":
            self._preparing[request_id] = request.text
        process = running()
        if process is not None and process.moments and request.kind in {"EXECUTE", "QUERY"}:
            strike = process.strike("cql.execute", self._subject(request))
            if strike is not None:
                before = strike.part == 0
                if not before:
                    self._push(request)
                strike.hit()
                if not before:
                    return request.size
        self._push(request)
        return request.size

    def _push(self, request: Request) -> None:
        if self._end is not None:
            self._end.send(request, request.size)

    def _subject(self, request: Request) -> str:
        if request.kind == "EXECUTE":
            return self._reactor.subjects.get(request.query_id, "EXECUTE")
        return subject_of(request.text)

    def _arrived(self, response: Response) -> None:
        body, stream = response.body, response.stream
        if self.is_closed:
            return
        if stream < 0:
            self.handle_pushed(message_of(body))
            return
        text = self._preparing.pop(stream, None)
        if text is not None and isinstance(body, Prepared):
            self._reactor.subjects[body.query_id] = subject_of(text)
        self.process_msg(_Header(self.protocol_version, stream), body)

    def _lost(self, error: OSError | None) -> None:
        if error is None:
            self.close()
        else:
            self.defunct(error)

    def close(self) -> None:
        """Close, and end with an error whatever waits for an answer."""
        with self.lock:
            if self.is_closed:
                return
            self.is_closed = True
        if self._end is not None:
            self._end.close()
        if not self.is_defunct:
            closed = f"Connection to {self.endpoint} was closed"
            self.error_all_requests(ConnectionShutdown(closed))
            if not self.connected_event.is_set():
                self.last_error = ConnectionShutdown(closed)
            self.connected_event.set()


class _Timer(DriverTimer):  # type: ignore[misc]
    """A timer of the driver's that lets go of its request once nobody waits for it.

    Else the two hold each other, and as the collector is off, every answered request stays.
    """

    def cancel(self) -> None:
        """Never call back."""
        super().cancel()
        self.callback = None


def _decode(*args: Any) -> Any:
    """Stand where the driver decodes a frame: (version, types, stream, flags, opcode, body ...)."""
    return message_of(args[5])
