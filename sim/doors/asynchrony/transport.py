"""``asyncio.Transport`` over the world's network: a TCP connection as a protocol sees it.

**Faithful**: what arrived together is received together; reading can be paused, and then the
sender's buffer fills until its protocol is told to pause; data before a reset is still read;
closing with unread data resets; writing to a peer that has closed is answered by a reset.
**Simplified**: the window is fixed (`_WINDOW` bytes in flight or unread) and opens without delay;
half-closing works only between two such transports.
"""

import asyncio
import errno
import os
import sys
from asyncio import transports
from collections import deque
from collections.abc import Callable
from typing import Any

from sim.connection import End
from sim.doors.asynchrony.sockets import Address, Socket
from sim.doors.threads import state
from sim.errors import Unmodelled

_WINDOW = 256 * 1024
_AT_ONCE = 256 * 1024  # the most that one `data_received` gets


class HalfClose:
    """The message that says: nothing more will come from here."""

    kind = "FIN"
    size = 0

    def fingerprint(self) -> bytes:
        """Return what identifies the message."""
        return b""


class Transport(transports._FlowControlMixin, transports.Transport):
    """One end of a connection, on its event loop."""

    _extra: dict[str, Any]
    _maybe_pause_protocol: Callable[[], None]  # of the mixin, by the high-water mark
    _maybe_resume_protocol: Callable[[], None]

    def __init__(
        self, loop: Any, end: End, local: Address, remote: Address, server: Any = None
    ) -> None:
        super().__init__({"peername": remote, "sockname": local}, loop)
        self._extra["socket"] = Socket(local, remote)
        self._loop = loop
        self._end = end
        self._server = server
        self._protocol: Any = None
        self._buffered = False  # whether the protocol takes data into buffers of its own
        self._incoming: deque[bytes | HalfClose | OSError | None] = deque()
        self._buffer: deque[bytes] = deque()
        self._buffer_size = 0
        self._in_flight = 0
        self._paused = self._closing = self._eof = self._lost = self._scheduled = False
        self._reader = asyncio.Handle(self._read, (), loop)
        if server is not None:
            server._attach(*self._as_client())
        end.on_message = end.on_close = self._arrived

    __hash__ = state.ordinal

    def _as_client(self) -> tuple[Any, ...]:
        return (self,) if sys.version_info >= (3, 13) else ()  # servers count, or know, clients

    # From the network, in the kernel's loop:

    def _arrived(self, message: Any) -> None:
        self._incoming.append(message)
        self._schedule_read()
        if self._scheduled:
            self._loop._selector.wake()

    def _schedule_read(self) -> None:
        if self._protocol is not None and not (self._scheduled or self._paused or self._lost):
            self._scheduled = True
            self._loop._ready.append(self._reader)

    # In the event loop:

    def begin(self, protocol: Any) -> None:
        """Give the connection to `protocol`."""
        self.set_protocol(protocol)
        protocol.connection_made(self)
        if self._incoming:
            self._schedule_read()

    def set_protocol(self, protocol: Any) -> None:
        """Let `protocol` have what arrives from now on."""
        self._protocol = protocol
        self._buffered = isinstance(protocol, asyncio.BufferedProtocol)

    def get_protocol(self) -> Any:
        """Return the present protocol."""
        return self._protocol

    def _read(self) -> None:
        self._scheduled = False
        if self._paused or self._lost or (self._closing and not self._buffer):
            return
        incoming, chunks, size = self._incoming, [], 0
        while incoming and type(incoming[0]) is bytes and size < _AT_ONCE:
            chunk = incoming.popleft()
            assert isinstance(chunk, bytes)
            chunks.append(chunk)
            size += len(chunk)
        if chunks:
            self._consumed(size)
            self._pass_on(chunks[0] if len(chunks) == 1 else b"".join(chunks))
            if incoming:
                self._schedule_read()
        elif incoming:
            self._ended(incoming.popleft())

    def _pass_on(self, data: bytes) -> None:
        if self._closing:
            return
        try:
            if self._buffered:
                self._fill(data)
            else:
                self._protocol.data_received(data)
        except Exception as error:  # noqa: BLE001 - as asyncio: the connection is closed
            self._fatal(error, "Fatal error: protocol.data_received() call failed.")

    def _fill(self, data: bytes) -> None:
        while data:
            buffer = self._protocol.get_buffer(len(data))
            taken = min(len(buffer), len(data))
            if not taken:
                raise RuntimeError("get_buffer() returned an empty buffer")
            memoryview(buffer).cast("B")[:taken] = data[:taken]
            self._protocol.buffer_updated(taken)
            data = data[taken:]

    def _ended(self, how: Any) -> None:
        if isinstance(how, OSError):
            self._fatal(how, "Fatal read error on socket transport")
            return
        if self._closing:
            return
        try:
            keep_open = self._protocol.eof_received()
        except Exception as error:  # noqa: BLE001 - as asyncio: the connection is closed
            self._fatal(error, "Fatal error: protocol.eof_received() call failed.")
            return
        if not keep_open:
            self.close()

    def _consumed(self, size: int) -> None:
        """Open the sender's window again."""
        sender = _transport_of(self._end.peer)
        if sender is not None:
            sender._in_flight -= size
            if sender._buffer:
                process = sender._loop.process
                process.after(0, sender._window_opened)

    # Writing:

    def write(self, data: Any) -> None:
        """Send `data`, or keep it until the peer has room."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(
                f"data argument must be a bytes-like object, not {type(data).__name__!r}"
            )
        if self._eof:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not len(data) or self._lost:
            return
        if self._buffer or self._is_full():
            self._buffer.append(bytes(data))
            self._buffer_size += len(data)
            self._maybe_pause_protocol()
        else:
            self._send(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        """Send all of them as one."""
        self.write(b"".join(list_of_data))

    def _is_full(self) -> bool:
        return self._in_flight >= _WINDOW and _transport_of(self._end.peer) is not None

    def _send(self, data: bytes) -> None:
        if self._end.closed:  # the peer has closed: what we send is answered by a reset
            process = self._loop.process
            delay = 2 * process.host.network.link.base_ns
            process.after(delay, self._arrived, _error(errno.ECONNRESET))
            return
        self._in_flight += len(data)
        self._end.send(data, len(data))

    def _window_opened(self) -> None:
        self._loop.inject(self._flush)

    def _flush(self) -> None:
        while self._buffer and not self._is_full() and not self._lost:
            data = self._buffer.popleft()
            self._buffer_size -= len(data)
            self._send(data)
        self._maybe_resume_protocol()
        if not self._buffer and not self._lost:
            if self._closing:
                self._finish(None)
            elif self._eof:
                self._say_eof()

    def write_eof(self) -> None:
        """Say that nothing more will be written, behind what is buffered."""
        if self._closing or self._eof:
            return
        self._eof = True
        if not self._buffer:
            self._say_eof()

    def _say_eof(self) -> None:
        if _transport_of(self._end.peer) is None:
            raise Unmodelled("half-closing a connection whose peer is not an asyncio transport")
        self._end.send(HalfClose(), 0)

    def can_write_eof(self) -> bool:
        """Whether `write_eof` is possible."""
        return True

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait for the peer to have room."""
        return self._buffer_size

    # Reading:

    def is_reading(self) -> bool:
        """Whether the protocol gets what arrives."""
        return not self._closing and not self._paused

    def pause_reading(self) -> None:
        """Leave what arrives where it is."""
        if self.is_reading():
            self._paused = True

    def resume_reading(self) -> None:
        """Take again what arrives."""
        if not self._closing and self._paused:
            self._paused = False
            if self._incoming:
                self._schedule_read()

    # Ending:

    def is_closing(self) -> bool:
        """Whether the connection is closed or about to be, as all of the dead are."""
        return self._closing or not self._loop.process.alive

    def close(self) -> None:
        """Close once everything buffered has been sent."""
        if not self._closing:
            self._closing = True
            if not self._buffer:
                self._finish(None)

    def abort(self) -> None:
        """Close at once; what is buffered is lost."""
        self._force(None)

    def _fatal(self, error: BaseException, message: str) -> None:
        if not isinstance(error, OSError):
            context = {"message": message, "exception": error, "transport": self}
            self._loop.call_exception_handler(context | {"protocol": self._protocol})
        self._force(error)

    def _force(self, error: BaseException | None) -> None:
        self._buffer.clear()
        self._buffer_size = 0
        self._closing = True
        self._finish(error)

    def _finish(self, error: BaseException | None) -> None:
        if not self._lost:
            self._lost = True
            self._loop.call_soon(self._connection_lost, error)

    def _connection_lost(self, error: BaseException | None) -> None:
        try:
            if self._protocol is not None:
                self._protocol.connection_lost(error)
        finally:
            unread = any(type(message) is bytes for message in self._incoming)
            self._end.abort() if unread else self._end.close()
            server, self._server, self._protocol = self._server, None, None
            self._incoming.clear()
            if server is not None:
                server._detach(*self._as_client())


def _transport_of(end: End) -> Transport | None:
    owner: Any = getattr(end.on_message, "__self__", None)
    return owner if type(owner) is Transport else None


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
