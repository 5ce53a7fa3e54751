"""The coordinator's half of a write: to all replicas, answered when enough have it.

**Faithful** (Scylla's storage_proxy): all replicas get the write, those known to be down a hint;
too few known to be up is Unavailable, before anything is sent; after 2 s WriteTimeout, whatever
arrived stays, and who did not answer gets a hint; a broken connection to a replica counts as its
failure, and too many of them are WriteFailure.
The writes of a batch leave one after the other, so that a crash may come between them.

**Simplified**: counters, conditional writes and views have no write path yet; replicas shed no
load; the writes of a batch leave 20 us apart.
"""

from collections import deque
from collections.abc import Hashable

from sim.scylla.cql.writes import Mutation
from sim.scylla.errors import CqlError, Invalid, WriteFailure, WriteTimeout
from sim.scylla.machinery import Deadlines
from sim.scylla.parts import Parts
from sim.scylla.peers import PeerMessage
from sim.scylla.ring import ANY, Tally, check_level
from sim.scylla.table import Keyspace
from sim.scylla.wire import VOID, Body, Failure

MICROSECOND, SECOND = 10**3, 10**9
WRITE_TIMEOUT_NS = 2 * SECOND
KEY, LATER_KEY = "write", "write-later"
_APART_NS = 20 * MICROSECOND

_FUTURE_US = 3 * 24 * 3600 * 10**6


class PendingWrite:
    """A write on its way."""

    __slots__ = ("answered", "broken", "mutation", "replicas", "request", "tally", "waiting")

    def __init__(
        self, request: "_Request", mutation: Mutation, tally: Tally, replicas: tuple[str, ...]
    ) -> None:
        self.request = request
        self.replicas = replicas
        self.mutation = mutation
        self.tally = tally
        self.waiting: dict[str, None] = {}
        self.broken: list[str] = []  # replicas whose connection broke
        self.answered = False


class _Request:
    """What a client waits for: one write, or those of a batch."""

    __slots__ = ("connection", "failure", "missing", "stream", "type")

    def __init__(self, connection: int, stream: int, writes: int) -> None:
        self.connection = connection
        self.stream = stream
        self.missing = writes
        self.type = "SIMPLE" if writes == 1 else "UNLOGGED_BATCH"
        self.failure: Failure | None = None  # the first


class Writes:
    """The writes that one node coordinates."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.pending: dict[int, PendingWrite] = {}
        self.deadlines = Deadlines(KEY, WRITE_TIMEOUT_NS)
        self._later: deque[tuple[int, PendingWrite]] = deque()  # of batches: when, what

    def check_timestamp(self, mutation_timestamp: int) -> None:
        """Refuse timestamps from the far future, as Scylla does."""
        if mutation_timestamp > self.parts.machinery.now_ns // 1000 + _FUTURE_US:
            raise Invalid(
                "Cannot provide a timestamp more than 3 days into the future. If this was not "
                "intended, please verify that the clocks of client and server are synchronised."
            )

    def begin(
        self,
        connection: int,
        stream: int,
        mutations: list[tuple[Mutation, Keyspace]],
        level: int,
    ) -> None:
        """Send the writes of one request to their replicas, the first at once."""
        check_level(level, write=True)
        request = _Request(connection, stream, len(mutations))
        first, *later = [self._checked(request, *each, level) for each in mutations]
        self._send(first)
        if later:
            machinery = self.parts.machinery
            at = machinery.elapsed
            for write in later:
                at += _APART_NS
                self._later.append((at, write))
            machinery.alarm(LATER_KEY, self._later[0][0])

    def _checked(
        self, request: _Request, mutation: Mutation, keyspace: Keyspace, level: int
    ) -> PendingWrite:
        parts = self.parts
        replicas = parts.ring.replicas(keyspace, mutation.token)
        tally = Tally(level, keyspace, parts.me.datacenter, parts.ring)
        if level != ANY:
            tally.check_alive([name for name in replicas if parts.detector.alive(name)])
        return PendingWrite(request, mutation, tally, replicas)

    def _send(self, write: PendingWrite) -> None:
        parts, mutation, tally = self.parts, write.mutation, write.tally
        alive = [name for name in write.replicas if parts.detector.alive(name)]
        write.waiting = dict.fromkeys(alive)
        id_ = parts.machinery.new_id()
        self.pending[id_] = write
        self.deadlines.add(parts.machinery, id_)
        for name in write.replicas:
            if name not in write.waiting:
                hinted = parts.hints.store(parts.machinery, parts.detector, name, mutation)
                if hinted and tally.level == ANY and not alive:
                    tally.add(name)
        message: PeerMessage | None = None
        for name in alive:
            if name != parts.me.name:
                message = message or PeerMessage("Write", id_, mutation)
                parts.links.ask(name, message, WRITE_TIMEOUT_NS)
        if parts.me.name in write.waiting:
            parts.apply(mutation, (0, id_))
        if not alive:
            self._settle(id_, write)

    def fired(self, key: Hashable) -> None:
        """Go on with batches, or give up on what took too long."""
        if key == KEY:
            self.expire()
            return
        machinery, later = self.parts.machinery, self._later
        if later and later[0][0] <= machinery.elapsed:  # one: a late timer sends no two at once
            self._send(later.popleft()[1])
        if later:
            machinery.alarm(LATER_KEY, max(later[0][0], machinery.elapsed))

    def applied(self, id_: int, name: str) -> None:
        """Note that replica `name` has a write."""
        write = self.pending.get(id_)
        if write is None or name not in write.waiting:
            return
        del write.waiting[name]
        write.tally.add(name)
        self._settle(id_, write)

    def failed(self, id_: int, name: str) -> None:
        """Note that the connection to a replica broke under a write."""
        write = self.pending.get(id_)
        if write is None or name not in write.waiting:
            return
        write.broken.append(name)  # its hint waits for the timeout, like that of a silent one
        tally = write.tally
        if tally.reachable(other for other in write.waiting if other not in write.broken):
            return
        counts = tally.received, tally.required, len(write.broken), write.request.type
        where = write.mutation.table.full_name
        self._answer(write, Failure(WriteFailure(where, tally.level, tally.name, *counts)))

    def expire(self) -> None:
        """Give up on replicas that were silent for too long."""
        parts = self.parts
        for id_ in self.deadlines.expired(parts.machinery, self.pending):
            write = self.pending.pop(id_)
            hinted = False
            for name in write.waiting:
                if name != parts.me.name:
                    hinted |= parts.hints.store(
                        parts.machinery, parts.detector, name, write.mutation
                    )
            if write.tally.level == ANY and hinted:
                self._answer(write, VOID)
            self._answer(write, Failure(self._timeout(write)))

    def _settle(self, id_: int, write: PendingWrite) -> None:
        if not write.waiting:
            del self.pending[id_]
        if write.tally.met:
            self._answer(write, VOID)

    def _answer(self, write: PendingWrite, body: Body) -> None:
        if write.answered:
            return
        write.answered = True
        request = write.request
        request.missing -= 1
        if isinstance(body, Failure) and request.failure is None:
            request.failure = body
        if not request.missing:
            self.parts.reply(request.connection, request.stream, request.failure or body)

    def _timeout(self, write: PendingWrite) -> CqlError:
        tally = write.tally
        return WriteTimeout(
            write.mutation.table.full_name,
            tally.level,
            tally.name,
            tally.received,
            tally.required,
            write.request.type,
        )
