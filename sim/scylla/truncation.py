"""TRUNCATE: every node forgets a table's rows, or the statement fails.

**Faithful**: all nodes must be up, or it is Unavailable; after 60 s TruncateError, and some nodes
may have forgotten theirs.
**Simplified**: hints and writes still on their way are not discarded.
"""

from sim.scylla.errors import TRUNCATE_ERROR, CqlError, Unavailable
from sim.scylla.machinery import Deadlines
from sim.scylla.parts import Parts
from sim.scylla.peers import PeerMessage
from sim.scylla.ring import ALL
from sim.scylla.table import Table
from sim.scylla.wire import VOID, Failure

SECOND = 10**9
TIMEOUT_NS = 60 * SECOND
KEY = "truncate"


class TruncateFault(CqlError):
    """Not every node confirmed a truncation."""

    code = TRUNCATE_ERROR


class Truncations:
    """The truncations that one node coordinates."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.pending: dict[int, tuple[int, int, set[str]]] = {}
        self.deadlines = Deadlines(KEY, TIMEOUT_NS)

    def begin(self, connection: int, stream: int, table: Table) -> None:
        """Have every node forget the rows of `table`."""
        parts = self.parts
        others = [name for name in parts.ring.peers if name != parts.me.name]
        alive = [name for name in others if parts.detector.alive(name)]
        if len(alive) < len(others):
            raise Unavailable(ALL, "ALL", len(others) + 1, len(alive) + 1)
        parts.drop(table.id)
        id_ = parts.machinery.new_id()
        self.pending[id_] = connection, stream, set(others)
        self.deadlines.add(parts.machinery, id_)
        message = PeerMessage("Truncate", id_, (table.id,))
        for name in others:
            parts.links.ask(name, message, TIMEOUT_NS)
        self._settle(id_)

    def done(self, id_: int, name: str) -> None:
        """Note that a node has forgotten."""
        if id_ in self.pending:
            self.pending[id_][2].discard(name)
            self._settle(id_)

    def expire(self) -> None:
        """Give up on nodes that did not confirm."""
        for id_ in self.deadlines.expired(self.parts.machinery, self.pending):
            connection, stream, _ = self.pending.pop(id_)
            error = TruncateFault("Truncate timed out")
            self.parts.reply(connection, stream, Failure(error))

    def _settle(self, id_: int) -> None:
        connection, stream, missing = self.pending[id_]
        if not missing:
            del self.pending[id_]
            self.parts.reply(connection, stream, VOID)
