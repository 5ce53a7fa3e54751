"""A relay: one listening address before one server, for one client host.

Each direction of a connection has a reader, which cuts messages and asks what becomes of each,
and a writer, which lets them out in order, each at its time.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scenarios.backends.base import Address
from scenarios.stages.real.proxies.framing import Dialect, Message
from scenarios.stages.real.proxies.weather import Passage, Weather

_CHUNK = 65_536
_QUEUE = 256  # messages under way in one direction before the reader has to wait
_LOOK_S = 0.005  # how often a held message is looked at again
_SECOND = 10**9


@dataclass(frozen=True, slots=True)
class Link:
    """Between whom a relay stands, and where: it listens at `here` and connects to `there`."""

    client: str
    server: str
    here: Address
    there: Callable[[], Address]
    dialect: Callable[[], Dialect]


class Relay:
    """Accepts connections of one client host to one server, and passes messages on."""

    def __init__(self, link: Link, weather: Weather) -> None:
        self.link = link
        self._weather = weather
        self._server: asyncio.Server | None = None
        self.defects: list[Exception] = []  # errors of ours, not of a connection
        self._under_way: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begin to listen."""
        here = self.link.here
        self._server = await asyncio.start_server(self._accept, here.host, here.port)

    async def close(self) -> None:
        """Stop listening and end every connection."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = self.link.there()
        try:
            server = await asyncio.open_connection(there.host, there.port)
        except OSError:
            _reset(writer)
        else:
            await self._pass_on((reader, writer), server)

    async def _pass_on(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Serve one connection until either side ends it or a message of it is lost."""
        link, dialect = self.link, self.link.dialect()
        there = _Direction(self._weather, link.client, link.server, dialect.requests)
        back = _Direction(self._weather, link.server, link.client, dialect.responses)
        tasks = [
            asyncio.ensure_future(coroutine)
            for coroutine in (
                there.read(client[0]),
                there.write(server[1]),
                back.read(server[0]),
                back.write(client[1]),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if any(task.exception() is None for task in done):
                await _drained(tasks, there, back)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            self.defects += [end for end in ends if isinstance(end, Exception) and _defect(end)]
            _reset(client[1])
            _reset(server[1])


class _Lost(Exception):
    """A message was lost, and the connection goes with it."""


class _Direction:
    """One direction of a connection."""

    def __init__(
        self,
        weather: Weather,
        source: str,
        target: str,
        cut: Callable[[bytearray], list[Message]],
    ) -> None:
        self._weather = weather
        self._source, self._target = source, target
        self._cut = cut
        self._queue: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(_QUEUE)
        self._loop = asyncio.get_running_loop()
        self.ended = False

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Read to the end of the stream, and line messages up with the time each is due."""
        buffer = bytearray()
        due_ns = 0
        while data := await reader.read(_CHUNK):
            buffer += data
            for message in self._cut(buffer):
                passage = Passage(self._source, self._target, message.kind, message.content)
                await self._wait_while_held(passage)
                fate = self._weather.fate(passage)
                if fate.lost:
                    raise _Lost
                due_ns = max(due_ns, self._now_ns() + fate.delay_ns)
                content = message.content if fate.content is None else fate.content
                await self._queue.put((due_ns, content))
        self.ended = True

    async def write(self, writer: asyncio.StreamWriter) -> None:
        """Let messages out, each at its time and none overtaking another."""
        while True:
            due_ns, content = await self._queue.get()
            left_ns = due_ns - self._now_ns()
            if left_ns > 0:
                await asyncio.sleep(left_ns / _SECOND)
            writer.write(content)
            await writer.drain()
            self._queue.task_done()

    async def drain(self) -> None:
        """Return when everything that was read is written."""
        await self._queue.join()

    async def _wait_while_held(self, passage: Passage) -> None:
        if not self._weather.held(passage):
            return
        while self._weather.held(passage, count=False):
            await asyncio.sleep(_LOOK_S)

    def _now_ns(self) -> int:
        return int(self._loop.time() * _SECOND)


def _defect(end: Exception) -> bool:
    return not isinstance(end, OSError | _Lost)


async def _drained(tasks: Sequence[asyncio.Future[None]], *directions: _Direction) -> None:
    """After one side ended, let out what it had sent, unless the other side ends, too."""
    drains = [asyncio.ensure_future(each.drain()) for each in directions if each.ended]
    still = [task for task in tasks if not task.done()]
    try:
        await asyncio.wait([*drains, *still], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for drain in drains:
            drain.cancel()
        await asyncio.gather(*drains, return_exceptions=True)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side sees a reset."""
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
