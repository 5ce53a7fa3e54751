"""Schema changes: one node puts them in order, a majority must have taken each.

**Faithful** (Scylla's Raft group 0): changes are linear, two CREATEs of one name cannot make two
tables; without a majority there is no change; a node that was away catches up by itself.
**Simplified**: the one node is the first by name that is believed to be up, not an elected leader;
a change that found no majority stays with the node that proposed it and spreads later; nodes that
are behind learn of it with the next echo.
"""

from sim.scylla.cql import parser
from sim.scylla.errors import CqlError
from sim.scylla.machinery import Deadlines
from sim.scylla.parts import Parts
from sim.scylla.peers import PeerMessage, State
from sim.scylla.schema import Change
from sim.scylla.wire import VOID, Failure, SchemaChanged

SECOND = 10**9
TIMEOUT_NS = 9 * SECOND
KEY = "ddl"


class Wish:
    """A statement on its way to the node that orders changes."""

    __slots__ = ("keyspace", "text")

    def __init__(self, text: str, keyspace: str | None) -> None:
        self.text = text
        self.keyspace = keyspace

    def packed(self) -> bytes:
        """Return the content as bytes."""
        return repr((self.text, self.keyspace)).encode()


class Outcome:
    """What became of a wish: the state afterwards, or an error."""

    __slots__ = ("error", "state")

    def __init__(self, state: State, error: CqlError | None) -> None:
        self.state = state
        self.error = error

    def packed(self) -> bytes:
        """Return the content as bytes."""
        return self.state.packed() + repr(self.error).encode()


class _Waiting:
    """Somebody waits for a change: a client here, or the node on `connection`."""

    __slots__ = ("change", "connection", "id", "missing", "remote")

    def __init__(self, connection: int, id_: int, *, remote: bool) -> None:
        self.connection = connection
        self.id = id_  # of the client's stream, or of the other node's question
        self.remote = remote
        self.change: Change | None = None
        self.missing = 0  # acknowledgements before there is a majority


class Ddl:
    """The schema changes that one node coordinates or puts in order."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.pending: dict[int, _Waiting] = {}
        self.deadlines = Deadlines(KEY, TIMEOUT_NS)

    def begin(self, connection: int, stream: int, wish: Wish) -> None:
        """Bring a client's statement to the node that orders changes."""
        parts = self.parts
        waiting = _Waiting(connection, stream, remote=False)
        leader = min(name for name in parts.ring.peers if parts.detector.alive(name))
        if leader == parts.me.name:
            self.order(waiting, wish)
        else:
            id_ = self._wait(waiting)
            parts.links.ask(leader, PeerMessage("Wish", id_, wish), TIMEOUT_NS)

    def wished(self, connection: int, message: PeerMessage) -> None:
        """Put another node's change in order."""
        self.order(_Waiting(connection, message.id, remote=True), message.content)

    def order(self, waiting: _Waiting, wish: Wish) -> None:
        """Make the change here and spread it."""
        parts = self.parts
        try:
            schema, change = parts.schema.changed(
                parser.parse(wish.text), wish.keyspace, parts.ring.datacenters
            )
        except CqlError as error:
            self._settle(waiting, error)
            return
        if change is None:
            self._settle(waiting, None)
            return
        waiting.change = change
        waiting.missing = len(parts.ring.peers) // 2
        parts.adopt(schema, change)
        if not waiting.missing:
            self._settle(waiting, None)
            return
        id_ = self._wait(waiting)
        message = PeerMessage("Adopt", id_, parts.state(change))
        for name in parts.ring.peers:
            if name != parts.me.name and parts.detector.alive(name):
                parts.links.ask(name, message, TIMEOUT_NS)

    def adopted(self, id_: int) -> None:
        """Note that another node has taken a change."""
        waiting = self.pending.get(id_)
        if waiting is not None:
            waiting.missing -= 1
            if not waiting.missing:
                del self.pending[id_]
                self._settle(waiting, None)

    def decided(self, id_: int, outcome: Outcome) -> None:
        """Take the answer of the node that orders changes."""
        waiting = self.pending.pop(id_, None)
        if waiting is not None:
            waiting.change = outcome.state.change
            self.parts.adopt(outcome.state.schema, outcome.state.change)
            self._settle(waiting, outcome.error)

    def expire(self) -> None:
        """Give up on changes that found no majority."""
        for id_ in self.deadlines.expired(self.parts.machinery, self.pending):
            error = CqlError("group 0 operation timed out: the schema change may still happen")
            self._settle(self.pending.pop(id_), error)

    def _wait(self, waiting: _Waiting) -> int:
        id_ = self.parts.machinery.new_id()
        self.pending[id_] = waiting
        self.deadlines.add(self.parts.machinery, id_)
        return id_

    def _settle(self, waiting: _Waiting, error: CqlError | None) -> None:
        parts, change = self.parts, waiting.change
        if waiting.remote:
            outcome = Outcome(parts.state(change), error)
            parts.send(waiting.connection, PeerMessage("WishReply", waiting.id, outcome))
        elif error is not None:
            parts.reply(waiting.connection, waiting.id, Failure(error))
        else:
            body = VOID if change is None else SchemaChanged(change)
            parts.reply(waiting.connection, waiting.id, body)
