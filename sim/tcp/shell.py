"""A shell around a machine: real connections in, effects carried out, timers kept, on asyncio.

A protocol plugs in as a `codec.Codec`, one for each connection: `decode` takes whatever bytes have
come and yields messages as soon as they are whole, `encode` turns a message into bytes. Both sides
of a conversation that a machine dials itself have a codec too; `greeting` is what the dialling side
says first, and a listening codec whose `peer` is None holds `Machine.connected` back until the
other side has said its name.

Durability plugs in as `persist`: it is given the `Record` effects of the steps since the last time
and returns when they are durable. No `Send`, `Disconnect` or `Dial` of a step leaves before the
records of that step and of all earlier ones are persisted; steps that happen in one round of the
event loop share one call (group commit). If it raises OSError the shell stops as if it were killed:
nothing of what was not persisted is ever said to anybody, and `failure` holds the error.

**Faithful**: as `sim.host.Server`; in addition a connection whose client does not read, or whose
codec is `busy`, is not read from.
**Simplified**: one thread; a machine's step and a `persist` hold up all connections.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from sim.machine import Cancel, Dial, Disconnect, Effect, Machine, Record, Send, Timer
from sim.tcp.codec import MakeCodec
from sim.tcp.connection import Connection

LOG = logging.getLogger(__name__)

_LINGER_S = 1.0  # how long `stop` waits for clients to take what is written to them


Route = tuple[str, int, MakeCodec]  # where and how to reach a peer
Persist = Callable[[list[Record]], None]


class Shell:
    """Drives one machine. Call `listen`, then `start`, later `stop`, all in one event loop."""

    def __init__(
        self,
        machine: Machine,
        *,
        persist: Persist | None = None,
        route: Callable[[str], Route] | None = None,
    ) -> None:
        self.machine = machine
        self.persist = persist
        self.route = route  # tells how to reach the peer of a `Dial`
        self.connections: dict[int, Connection] = {}
        self._last = 0
        self._loop = asyncio.get_running_loop()
        self._servers: list[asyncio.Server] = []
        self._timers: dict[Hashable, asyncio.TimerHandle] = {}
        self._dials: set[asyncio.Task[None]] = set()
        self._unreachable: set[str] = set()  # peers that the last dial did not reach
        self._records: list[Record] = []
        self._outgoing: list[Effect] = []  # in order, waiting for `_records` to be durable
        self._leaving: list[Connection] = []  # those with something to write
        self._stopped = False
        self.failure: asyncio.Future[None] = self._loop.create_future()  # see `fail`

    async def listen(self, host: str, port: int, codec: MakeCodec) -> int:
        """Bind a port (0: any) and return it; `start` begins to accept. OSError if it is taken."""
        server = await self._loop.create_server(
            lambda: Connection(self, codec), host, port, start_serving=False
        )
        self._servers.append(server)
        found: int = server.sockets[0].getsockname()[1]
        return found

    async def start(self) -> None:
        """Start the machine and accept connections."""
        self.begin()
        await self.accept()

    def begin(self) -> None:
        """Start the machine."""
        self.carry_out(self.machine.started(time.time_ns()))

    async def accept(self) -> None:
        """Accept connections from now on."""
        for server in self._servers:
            await server.start_serving()

    async def serve_until(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping` is set, then stop; raise what `persist` raised, if it does."""
        stopped = asyncio.ensure_future(stopping.wait())
        waiting: list[asyncio.Future[Any]] = [stopped, self.failure]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if self.failure.done():
            self.failure.result()
        await self.stop()

    async def stop(self) -> None:
        """Accept nothing more, persist what is to be persisted, let answers under way leave."""
        for server in self._servers:
            server.close()
        self._flush()
        self._stopped = True
        for dial in self._dials:
            dial.cancel()
        for timer in self._timers.values():
            timer.cancel()
        leaving = list(self.connections.values())
        for connection in leaving:
            connection.close()
        until = self._loop.time() + _LINGER_S
        while self.connections and self._loop.time() < until:
            await asyncio.sleep(0.01)
        for connection in list(self.connections.values()):
            connection.transport.abort()

    def call(self, function: Callable[..., Iterable[Effect]], *args: Any) -> bool:
        """Take one step of the machine; an error of it is logged. Return whether it went well."""
        if self._stopped:
            return False
        try:
            self.carry_out(function(time.time_ns(), *args))
        except Exception:
            LOG.exception("defect in %s", getattr(function, "__qualname__", function))
            return False
        return True

    def carry_out(self, effects: Iterable[Effect]) -> None:
        """Carry out the effects of one step."""
        waiting = bool(self._records)
        for effect in effects:
            kind = type(effect)
            if kind is Record:
                self._records.append(effect)  # type: ignore[arg-type]
            elif kind is Timer:
                self._set_timer(effect)  # type: ignore[arg-type]
            elif kind is Cancel:
                self._cancel(effect.key)  # type: ignore[union-attr]
            else:
                self._outgoing.append(effect)
        if not self._records:
            self._send()
        elif not waiting:
            self._loop.call_soon(self._flush)

    def leave(self, connection: Connection) -> None:
        """Have what `connection` says in this round of the event loop written at once."""
        if not self._leaving:
            self._loop.call_soon(self._write_out)
        self._leaving.append(connection)

    def take(self, connection: Connection) -> int:
        """Give a connection its number."""
        self._last += 1
        self.connections[self._last] = connection
        return self._last

    def _flush(self) -> None:
        records, self._records = self._records, []
        if self._stopped:
            return
        if records and self.persist is not None:
            try:
                self.persist(records)
            except OSError as error:
                self.fail(error)
                return
        self._send()
        self._write_out()  # what waited for this round is all there

    def abort(self) -> None:
        """Stop as if killed: nothing more is said, connections are reset."""
        self._stopped = True
        for server in self._servers:
            server.close()
        for timer in self._timers.values():
            timer.cancel()
        for connection in list(self.connections.values()):
            connection.transport.abort()

    def fail(self, error: Exception) -> None:
        """Stop as if killed: what is not durable yet is never said."""
        self.abort()
        if not self.failure.done():
            self.failure.set_exception(error)

    def _send(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        for effect in outgoing:
            if isinstance(effect, Send):
                found = self.connections.get(effect.connection)
                if found is not None:
                    found.send(effect.message)
            elif isinstance(effect, Disconnect):
                found = self.connections.pop(effect.connection, None)
                if found is not None:
                    found.close()
            elif isinstance(effect, Dial):
                task = self._loop.create_task(self._dial(effect))
                self._dials.add(task)
                task.add_done_callback(self._dials.discard)

    def _write_out(self) -> None:
        leaving, self._leaving = self._leaving, []
        for connection in leaving:
            connection.write_out()

    def _set_timer(self, effect: Timer) -> None:
        self._cancel(effect.key)
        delay = max(effect.at_ns - time.time_ns(), 0) / 1e9
        self._timers[effect.key] = self._loop.call_later(delay, self._fire, effect.key)

    def _cancel(self, key: Hashable) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _fire(self, key: Hashable) -> None:
        del self._timers[key]
        self.call(self.machine.fired, key)

    async def _dial(self, effect: Dial) -> None:
        assert self.route is not None
        host, port, codec = self.route(effect.peer)
        try:
            await self._loop.create_connection(lambda: Connection(self, codec, effect), host, port)
            self._unreachable.discard(effect.peer)
        except OSError as error:
            if effect.peer not in self._unreachable:  # said once, not with every attempt
                LOG.info("cannot reach %s at %s:%d: %s", effect.peer, host, port, error)
            self._unreachable.add(effect.peer)
            self.call(self.machine.dialled, effect.tag, None)
