"""The coordinator's half of a write: to all replicas, answered when enough have it.

**Faithful** (Scylla's storage_proxy): all replicas get the write, those known to be down a hint;
too few known to be up is Unavailable, before anything is sent; after 2 s WriteTimeout, whatever
arrived stays, and who did not answer gets a hint; a broken connection to a replica counts as its
failure, and too many of them are WriteFailure.
**Simplified**: batches, counters, conditional writes and views have no write path yet; replicas
shed no load.
"""

from sim.scylla.cql.writes import Mutation
from sim.scylla.errors import CqlError, Invalid, WriteFailure, WriteTimeout
from sim.scylla.machinery import Deadlines
from sim.scylla.parts import Parts
from sim.scylla.peers import PeerMessage
from sim.scylla.ring import ANY, Tally, check_level
from sim.scylla.table import Keyspace
from sim.scylla.wire import VOID, Body, Failure

MILLISECOND, SECOND = 10**6, 10**9
WRITE_TIMEOUT_NS = 2 * SECOND
KEY = "write"

_FUTURE_US = 3 * 24 * 3600 * 10**6


class PendingWrite:
    """A write on its way."""

    __slots__ = ("answered", "broken", "connection", "mutation", "stream", "tally", "waiting")

    def __init__(self, connection: int, stream: int, mutation: Mutation, tally: Tally) -> None:
        self.connection = connection
        self.stream = stream
        self.mutation = mutation
        self.tally = tally
        self.waiting: dict[str, None] = {}
        self.broken: list[str] = []  # replicas whose connection broke
        self.answered = False


class Writes:
    """The writes that one node coordinates."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.pending: dict[int, PendingWrite] = {}
        self.deadlines = Deadlines(KEY, WRITE_TIMEOUT_NS)

    def check_timestamp(self, mutation_timestamp: int) -> None:
        """Refuse timestamps from the far future, as Scylla does."""
        if mutation_timestamp > self.parts.machinery.now_ns // 1000 + _FUTURE_US:
            raise Invalid(
                "Cannot provide a timestamp more than 3 days into the future. If this was not "
                "intended, please verify that the clocks of client and server are synchronised."
            )

    def begin(
        self, connection: int, stream: int, mutation: Mutation, keyspace: Keyspace, level: int
    ) -> None:
        """Send a write to its replicas."""
        parts = self.parts
        check_level(level, write=True)
        replicas = parts.ring.replicas(keyspace, mutation.token)
        tally = Tally(level, keyspace, parts.me.datacenter, parts.ring)
        alive = [name for name in replicas if parts.detector.alive(name)]
        if level != ANY:
            tally.check_alive(alive)
        write = PendingWrite(connection, stream, mutation, tally)
        write.waiting = dict.fromkeys(alive)
        id_ = parts.machinery.new_id()
        self.pending[id_] = write
        self.deadlines.add(parts.machinery, id_)
        for name in replicas:
            if name not in write.waiting:
                hinted = parts.hints.store(parts.machinery, parts.detector, name, mutation)
                if hinted and level == ANY and not alive:
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
        counts = tally.received, tally.required, len(write.broken)
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
        if not write.answered:
            write.answered = True
            self.parts.reply(write.connection, write.stream, body)

    def _timeout(self, write: PendingWrite) -> CqlError:
        tally = write.tally
        return WriteTimeout(
            write.mutation.table.full_name,
            tally.level,
            tally.name,
            tally.received,
            tally.required,
        )
