"""A node without a process: statements in, what it told and what it says out."""

from itertools import count
from typing import Any

from sim.machine import Record, Send
from sim.scylla.node import Node
from sim.scylla.wire import Body, Failure, Request, Response
from sim.tcp.cql.config import Config, Member, ring

SECOND = 10**9
KEYSPACE = (
    "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
)
TABLE = "CREATE TABLE k.t (a int, b int, v text, PRIMARY KEY (a, b))"


def make(names: tuple[str, ...] = ("db-1",)) -> Node:
    """Return the first node of a new cluster."""
    members = tuple(Member(name=name, port=9042 + place) for place, name in enumerate(names))
    config = Config(name=names[0], data="-", members=members)
    return Node(config.name, ring(config, 0), config.cluster, "batch")


class Driven:
    """A node, a client's connection to it, and the records of its state changes."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.now_ns = 1_700_000_000 * SECOND
        self.records: list[Record] = []
        self.answers: list[Body] = []
        self._streams = count(1)
        self.take(node.started(self.now_ns))
        self.take(node.connected(self.now_ns, 1, "client"))

    def take(self, effects: Any) -> None:
        for effect in effects:
            if isinstance(effect, Record):
                self.records.append(effect)
            elif isinstance(effect, Send) and isinstance(effect.message, Response):
                self.answers.append(effect.message.body)

    def execute(self, text: str) -> list[Record]:
        """Have a statement carried out; return what it changed."""
        self.records = []
        self.now_ns += 1000
        self.take(
            self.node.received(self.now_ns, 1, Request("QUERY", next(self._streams), text=text))
        )
        answer = self.answers[-1]
        assert not isinstance(answer, Failure), answer.message
        return self.records


def content(node: Node) -> Any:
    """Return all that is durable of a node, to compare."""
    store = node.replica.store.shelves
    rows = {
        (table, key): partition.everything()
        for table, shelf in store.items()
        for key, partition in shelf.partitions.items()
        if partition.everything()[2] or partition.tombstone > -(2**63)
    }
    hints = {
        (peer, id_): (hint.mutation.table.id, hint.mutation.key, hint.mutation.update)
        for peer, kept in node.hints.kept.items()
        for id_, hint in kept.items()
    }
    return node.schema.version, rows, hints
