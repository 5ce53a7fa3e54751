"""The parts of a node that its coordinators use, without the node itself."""

from typing import Protocol

from sim.scylla.cql.writes import Mutation
from sim.scylla.detector import Detector
from sim.scylla.errors import CqlError
from sim.scylla.hints import Hints
from sim.scylla.links import Links
from sim.scylla.machinery import Machinery
from sim.scylla.peers import Partitions, PeerMessage, State
from sim.scylla.replica import Origin, Replica
from sim.scylla.ring import Peer, Ring
from sim.scylla.schema import Change, Schema
from sim.scylla.wire import Body


class Parts(Protocol):
    """What coordinators of reads, writes and schema changes need."""

    me: Peer
    ring: Ring
    schema: Schema
    machinery: Machinery
    links: Links
    detector: Detector
    hints: Hints
    replica: Replica

    def apply(self, mutation: Mutation, origin: Origin) -> None:
        """Store a mutation here; whoever waits at `origin` hears of it."""

    def drop(self, table_id: bytes) -> None:
        """Forget a table's rows here, for good."""

    def adopt(self, schema: Schema, change: Change | None) -> None:
        """Take a newer schema; an older one is ignored."""

    def state(self, change: Change | None = None) -> State:
        """Return what this node tells its peers."""

    def send(self, connection: int, message: PeerMessage) -> None:
        """Answer a peer."""

    def reply(self, connection: int, stream: int, body: Body) -> None:
        """Answer a client."""

    def read_done(self, query: int, part: int, partitions: Partitions) -> None:
        """Hand over what a part of a SELECT found."""

    def read_failed(self, query: int, error: CqlError) -> None:
        """End a SELECT with an error."""
