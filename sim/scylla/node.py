"""A node: the state machine that ties coordinator, replica and failure detector together.

**Faithful**: the coordinator is any node a client talks to, and reaches replicas over the network
only (itself excepted); a crash forgets connections, pending requests and prepared statements and
keeps data, schema and hints as far as they were synced.
**Simplified**: a node serves as soon as it starts; no load and no queues; a node's timeouts follow
its host's wall clock: a step forward lets pending requests time out early and peers look dead
until their next echo, which a monotonic clock would not.
"""

from collections.abc import Callable, Hashable
from typing import Any

from sim.machine import Effects, Message, Record, Send
from sim.scylla import ddl, detector, hints, reads, truncation, writes
from sim.scylla.clients import Client, Clients
from sim.scylla.cql.writes import Mutation
from sim.scylla.errors import CqlError
from sim.scylla.links import Links
from sim.scylla.machinery import Machinery
from sim.scylla.peers import Found, Partitions, PeerMessage, State
from sim.scylla.queries import Queries
from sim.scylla.replica import Origin, Replica, SyncMode
from sim.scylla.ring import PORT, Peer, Ring
from sim.scylla.schema import NOTHING, Change, Schema
from sim.scylla.system_tables import SystemTables
from sim.scylla.wire import Body, Event, Request, Response

SECOND = 10**9
_PERIOD_NS = 10 * SECOND
_SYNC, _PERIODIC = "sync", "periodic"


class Node:
    """One node of a cluster, as a `sim.machine.Machine`."""

    def __init__(self, name: str, ring: Ring, cluster: str, commitlog_sync: SyncMode) -> None:
        self.me: Peer = ring.peers[name]
        self.ring = ring
        self.schema = NOTHING
        self.replica = Replica(ring, commitlog_sync)
        ports = any(peer.port != PORT for peer in ring.peers.values())
        self.system = SystemTables(cluster, ports=ports)
        self.generation = 0
        self.clock: Callable[[], int] | None = None  # true time, for evidence only
        self._others = [other for other in ring.peers if other != name]
        self.hints = hints.Hints(self._others)
        self._fresh(0)

    def _fresh(self, elapsed: int, last_id: int = 0) -> None:
        """Make everything that does not survive a crash."""
        self.machinery = Machinery(elapsed, last_id)
        self.links = Links(self.machinery, self._others)
        self.detector = detector.Detector(self.machinery, self.links, self._others)
        self.writes = writes.Writes(self)
        self.reads = reads.Reads(self)
        self.queries = Queries(self, self.reads)
        self.ddl = ddl.Ddl(self)
        self.truncations = truncation.Truncations(self)
        self.clients = Clients(
            self, self.writes, self.queries, self.ddl, self.truncations, self.system
        )

    # the contract of machines

    def started(self, now_ns: int) -> Effects:
        """Begin to serve; after a crash, replay the commit log first."""
        self.machinery.advance(now_ns)
        self.replica.sync()
        self.generation += 1
        self.machinery.do(Record("cql-start", self.generation))
        self.detector.beat(self.state())
        self.hints.arm(self.machinery)
        return self.machinery.flush()

    def crashed(self, *, power_loss: bool) -> None:
        """Forget what was in memory, buffers included; on power loss all that was not synced."""
        elapsed = self.machinery.elapsed
        self.replica.crashed(power_loss=power_loss)
        self.hints.crashed(elapsed, power_loss=power_loss)
        self._fresh(elapsed, self.machinery.last_id)  # hints keep their ids: none comes again

    def connected(self, now_ns: int, connection: int, peer: str) -> Effects:
        """Take a connection from a client or another node."""
        self.machinery.advance(now_ns)
        self.clients.connections[connection] = Client(peer)
        return self.machinery.flush()

    def dialled(self, now_ns: int, tag: Hashable, connection: int | None) -> Effects:
        """Take the answer to a dial."""
        self.machinery.advance(now_ns)
        self._broken(self.links.dialled(tag, connection))
        return self.machinery.flush()

    def received(self, now_ns: int, connection: int, message: Message) -> Effects:
        """Take a client's request or a peer's message."""
        self.machinery.advance(now_ns)
        if isinstance(message, Request):
            self.clients.received(connection, message)
        else:
            assert isinstance(message, PeerMessage)
            peer = self.links.replied(connection, message)
            if peer is None:
                self._asked(connection, message)
            else:
                self._answered(peer, message)
        return self.machinery.flush()

    def disconnected(self, now_ns: int, connection: int) -> Effects:
        """Learn that a connection is gone."""
        self.machinery.advance(now_ns)
        self.clients.connections.pop(connection, None)
        self._broken(self.links.broken(connection))
        return self.machinery.flush()

    def fired(self, now_ns: int, key: Hashable) -> Effects:
        """Learn that a timer has run out."""
        self.machinery.advance(now_ns)
        match key:
            case detector.KEY:
                self._beat()
            case writes.KEY | writes.LATER_KEY:
                self.writes.fired(key)
            case reads.KEY:
                self.reads.expire()
            case reads.SPECULATE_KEY:
                self.reads.speculate()
            case hints.KEY:
                self.hints.replay(self.machinery, self.detector, self.links)
            case ddl.KEY:
                self.ddl.expire()
            case truncation.KEY:
                self.truncations.expire()
            case _:
                self._synced(key)
        return self.machinery.flush()

    # messages between nodes

    def _asked(self, connection: int, message: PeerMessage) -> None:
        kind, content = message.kind, message.content
        if kind in {"Write", "Hint", "Repair"}:
            self.apply(content, (connection, message.id))
            return
        reply: Any = ()
        if kind == "Fetch":
            reply = self.replica.read(content)
        elif kind in {"Echo", "Adopt"}:
            self._learn(self.clients.connections[connection].peer, content)
            reply = self.state()
        elif kind == "Truncate":
            self.drop(content[0])
        elif kind == "Wish":
            self.ddl.wished(connection, message)
            return
        else:
            raise AssertionError(f"no question: {kind}")
        self.send(connection, PeerMessage(kind + "Reply", message.id, reply))

    def _answered(self, peer: str, message: PeerMessage) -> None:
        if self.detector.heard(peer):
            self._status(peer, "UP")
            self.hints.arm(self.machinery)
        id_, content = message.id, message.content
        match message.kind:
            case "AppliedReply":
                self._applied(peer, id_)
            case "FetchReply":
                assert isinstance(content, Found)
                self.reads.found(id_, peer, content)
            case "EchoReply" | "AdoptReply":
                self._learn(peer, content)
                if message.kind == "AdoptReply":
                    self.ddl.adopted(id_)
            case "TruncateReply":
                self.truncations.done(id_, peer)
            case "WishReply":
                self.ddl.decided(id_, content)

    def _applied(self, peer: str, id_: int) -> None:
        if id_ in self.writes.pending:
            self.writes.applied(id_, peer)
        elif id_ in self.reads.repairs:
            self.reads.repaired(id_)
        else:
            self.hints.delivered(self.machinery, peer, id_)

    def _broken(self, failed: list[tuple[str, PeerMessage]]) -> None:
        for peer, message in failed:
            if message.kind == "Write":
                self.writes.failed(message.id, peer)

    def _beat(self) -> None:
        for name in self.detector.beat(self.state()):
            self._status(name, "DOWN")
            self._broken(self.links.cut(name))

    def _status(self, name: str, what: str) -> None:
        self.machinery.do(Record("cql-peer", name, what))
        peer = self.ring.peers[name]
        address = f"{peer.address}:{peer.port}"
        self.clients.push(Event("STATUS_CHANGE", (("change_type", what), ("address", address))))

    def _learn(self, peer: str, state: State) -> None:
        self.clients.versions[peer] = state.schema.version.bytes
        self.adopt(state.schema, state.change)

    # what the parts use

    def state(self, change: Change | None = None) -> State:
        """Return what this node tells its peers."""
        return State(self.generation, self.schema, change)

    def adopt(self, schema: Schema, change: Change | None) -> None:
        """Take a newer schema, and tell clients and peers."""
        if schema.counter <= self.schema.counter:
            return
        old, self.schema = self.schema, schema
        self.machinery.do(Record("cql-schema", schema.version.bytes))
        kept = {t.id for k in schema.keyspaces.values() for t in k.tables.values()}
        for keyspace in old.keyspaces.values():
            for table in keyspace.tables.values():
                if table.id not in kept:
                    self.drop(table.id)
                    self.hints.table_dropped(self.machinery, table.id)
        self.clients.forget_plans()
        if change is not None:
            self.clients.changed(change)
        for name in self._others:
            self.detector.tell(name, self.state())

    def apply(self, mutation: Mutation, origin: Origin) -> None:
        """Log and store a mutation, then tell whoever waits."""
        replica = self.replica
        if replica.mode == "batch" and replica.sync_ns:
            replica.waiting.append((mutation, origin))
            if not replica.syncing:
                self._sync()
            return
        if replica.mode == "periodic" and not replica.unsynced:
            at = (self.machinery.elapsed // _PERIOD_NS + 1) * _PERIOD_NS
            self.machinery.alarm(_PERIODIC, at)
        self._store(mutation, origin)

    def drop(self, table_id: bytes) -> None:
        """Forget a table's rows here, for good."""
        self.replica.drop(table_id)
        self.machinery.do(Record("cql-drop", table_id))

    def send(self, connection: int, message: PeerMessage) -> None:
        """Answer a peer."""
        self.machinery.effects.append(Send(connection, message))

    def reply(self, connection: int, stream: int, body: Body) -> None:
        """Answer a client, if it is still there."""
        if connection in self.clients.connections:
            self.machinery.effects.append(Send(connection, Response(stream, body)))

    def read_done(self, query: int, part: int, partitions: Partitions) -> None:
        """Hand over what a part of a SELECT found."""
        self.queries.done(query, part, partitions)

    def read_failed(self, query: int, error: CqlError) -> None:
        """End a SELECT with an error."""
        self.queries.failed(query, error)

    # storage

    def _store(self, mutation: Mutation, origin: Origin) -> None:
        if self.replica.apply(mutation, self.clock() if self.clock else self.machinery.now_ns):
            table = mutation.table.full_name
            record = Record("cql-write", table, mutation.packed(), subject=mutation)
            self.machinery.effects.append(record)
        connection, id_ = origin
        if connection:
            self.send(connection, PeerMessage("AppliedReply", id_, ()))
        elif id_ in self.writes.pending:
            self.writes.applied(id_, self.me.name)
        else:
            self.reads.repaired(id_)

    def _sync(self) -> None:
        replica = self.replica
        replica.syncing, replica.waiting = replica.waiting, []
        self.machinery.alarm(_SYNC, self.machinery.elapsed + replica.sync_ns)

    def _synced(self, key: Hashable) -> None:
        replica = self.replica
        if key == _PERIODIC:
            replica.sync()
            self.machinery.do(Record("cql-sync"))
            return
        assert key == _SYNC
        done, replica.syncing = replica.syncing, []
        for mutation, origin in done:
            self._store(mutation, origin)
        if replica.waiting:
            self._sync()
