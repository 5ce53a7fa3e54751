"""A little world for nodes: messages and timers in one queue, no kernel and no threads."""

import heapq
import itertools
import struct
from typing import Any

from sim.machine import Cancel, Dial, Disconnect, Record, Send, Timer
from sim.scylla.cluster import Cluster
from sim.scylla.wire import Body, Failure, Prepared, Request, Response, Rows

SECOND = 10**9
START = 1_772_442_000 * SECOND
SCHEMA = """
CREATE KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 3};
CREATE TABLE k.ledger (user bigint, asset int, seq bigint, avail bigint, note text,
    PRIMARY KEY ((user, asset), seq)) WITH CLUSTERING ORDER BY (seq DESC);
CREATE TABLE k.plain (id text PRIMARY KEY, a text, b text);
"""
ONE, QUORUM, ALL = 1, 4, 5


def big(value: int) -> bytes:
    return struct.pack(">q", value)


def small(value: int) -> bytes:
    return struct.pack(">i", value)


class Sandbox:
    """Three nodes; `cut` holds directions that lose everything, `down` nodes that are dead."""

    def __init__(self, nodes: int = 3, schema: str = SCHEMA, **options: Any) -> None:
        names = {f"n{i}": f"10.0.0.{i}" for i in range(1, nodes + 1)}
        self.cluster = Cluster(names, **options)
        self.cluster.execute_schema(schema)
        self.nodes = self.cluster.nodes
        self.now = START
        self.queue: list[tuple[int, int, Any]] = []
        self.count = itertools.count(1)
        self.timers: dict[tuple[str, Any], int] = {}
        self.ends: dict[tuple[str, int], tuple[str, int]] = {}
        self.cut: set[tuple[str, str]] = set()
        self.down: set[str] = set()
        self.off: set[str] = set()
        self.answers: dict[tuple[str, int, int], Body] = {}
        self.events: list[Body] = []
        self.records: list[tuple[str, Record]] = []
        self.streams = itertools.count(1)
        for name, node in self.nodes.items():
            self.carry_out(name, node.started(self.now))

    def later(self, delay: int, *what: Any) -> int:
        number = next(self.count)
        heapq.heappush(self.queue, (self.now + delay, number, what))
        return number

    def run(self, seconds: float = 0.01) -> None:
        until = self.now + int(seconds * SECOND)
        while self.queue and self.queue[0][0] <= until:
            self.now, number, what = heapq.heappop(self.queue)
            self.step(number, *what)
        self.now = until

    def step(self, number: int, kind: str, name: str, *rest: Any) -> None:
        if name not in self.down:
            getattr(self, f"on_{kind}")(number, name, *rest)

    def on_timer(self, number: int, name: str, key: Any) -> None:
        if self.timers.get((name, key)) == number:
            del self.timers[name, key]
            self.carry_out(name, self.nodes[name].fired(self.now, key))

    def on_message(self, _: int, name: str, connection: int, message: Any) -> None:
        if (name, connection) not in self.ends:
            return
        node = self.nodes.get(name)
        if node is None:
            self.take(name, connection, message)
        else:
            self.carry_out(name, node.received(self.now, connection, message))

    def on_closed(self, _: int, name: str, connection: int) -> None:
        if self.ends.pop((name, connection), None) and name in self.nodes:
            self.carry_out(name, self.nodes[name].disconnected(self.now, connection))

    def on_dial(self, _: int, name: str, peer: str, tag: Any) -> None:
        if peer in self.off or (name, peer) in self.cut or (peer, name) in self.cut:
            return
        mine = None if peer in self.down else self.connect(name, peer)
        self.carry_out(name, self.nodes[name].dialled(self.now, tag, mine))

    def connect(self, name: str, peer: str) -> int:
        mine, theirs = next(self.count), next(self.count)
        self.ends[name, mine] = peer, theirs
        self.ends[peer, theirs] = name, mine
        self.carry_out(peer, self.nodes[peer].connected(self.now, theirs, name))
        return mine

    def take(self, name: str, connection: int, message: Any) -> None:
        assert isinstance(message, Response)
        if message.stream < 0:
            self.events.append(message.body)
        else:
            self.answers[name, connection, message.stream] = message.body

    def carry_out(self, name: str, effects: Any) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                assert effect.message.fingerprint()
                other = self.ends.get((name, effect.connection))
                if other and (name, other[0]) not in self.cut:
                    self.later(50_000, "message", *other, effect.message)
            elif isinstance(effect, Timer):
                delay = max(effect.at_ns - self.now, 0)
                self.timers[name, effect.key] = self.later(delay, "timer", name, effect.key)
            elif isinstance(effect, Cancel):
                self.timers.pop((name, effect.key), None)
            elif isinstance(effect, Dial):
                self.later(100_000, "dial", name, effect.peer, effect.tag)
            elif isinstance(effect, Disconnect):
                self.sever(name, effect.connection)
            else:
                self.records.append((name, effect))

    def sever(self, name: str, connection: int) -> None:
        other = self.ends.pop((name, connection), None)
        if other is not None and other[0] in self.nodes:
            self.later(50_000, "closed", *other)

    def crash(self, name: str, *, power_loss: bool = False) -> None:
        """Kill a node; a power loss tells nobody."""
        self.down.add(name)
        if power_loss:
            self.off.add(name)
        for owner, connection in list(self.ends):
            if owner == name:
                if power_loss:
                    self.ends.pop((name, connection))
                else:
                    self.sever(name, connection)
        self.timers = {key: at for key, at in self.timers.items() if key[0] != name}
        self.nodes[name].crashed(power_loss=power_loss)

    def restart(self, name: str) -> None:
        self.down.discard(name)
        self.off.discard(name)
        for end, other in list(self.ends.items()):
            if other[0] == name and other not in self.ends:  # the reset of a stale connection
                self.later(0, "closed", *end)
        self.carry_out(name, self.nodes[name].started(self.now))


class Client:
    """A client of one node, without a driver."""

    def __init__(self, sandbox: Sandbox, node: str = "n1", name: str = "client") -> None:
        self.sandbox = sandbox
        self.node = node
        self.name = name
        self.connection = sandbox.connect(name, node)

    def send(self, request: Request) -> int:
        sandbox = self.sandbox
        peer, theirs = sandbox.ends[self.name, self.connection]
        sandbox.later(50_000, "message", peer, theirs, request)
        return request.stream

    def answer(self, stream: int) -> Body | None:
        return self.sandbox.answers.get((self.name, self.connection, stream))

    def ask(self, text: str, level: int = QUORUM, *, seconds: float = 0.01, **more: Any) -> Any:
        request = Request("QUERY", next(self.sandbox.streams), text=text)
        return self.finish(request, level, seconds, more)

    def execute(
        self, prepared: Any, *values: Any, level: int = QUORUM, seconds: float = 0.01, **more: Any
    ) -> Any:
        assert isinstance(prepared, Prepared)
        request = Request("EXECUTE", next(self.sandbox.streams))
        request.query_id = prepared.query_id
        request.parameters = values
        return self.finish(request, level, seconds, more)

    def prepare(self, text: str) -> Any:
        request = Request("PREPARE", next(self.sandbox.streams), text=text)
        return self.finish(request, ONE, 0.01, {})

    def finish(self, request: Request, level: int, seconds: float, more: dict[str, Any]) -> Any:
        request.level = level
        for name, value in more.items():
            setattr(request, name, value)
        stream = self.send(request)
        self.sandbox.run(seconds)
        return self.answer(stream)


def decoded(rows: Any) -> list[tuple[Any, ...]]:
    assert isinstance(rows, Rows), rows.message if isinstance(rows, Failure) else rows
    kinds = [output.type.driver for output in rows.outputs]
    return [
        tuple(
            None if value is None else kind.deserialize(value, 4)
            for kind, value in zip(kinds, row, strict=True)
        )
        for row in rows.rows
    ]
