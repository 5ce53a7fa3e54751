"""The ring: which nodes hold a partition, and how many must answer at a consistency level.

**Faithful**: Murmur3 tokens as the partitioner computes them; replicas are the owners of the next
tokens clockwise (SimpleStrategy), or that per datacenter (NetworkTopologyStrategy); quorums count
the replication factor, not the living.
**Simplified**: tokens are evenly spread and never move (nodes neither join nor leave); racks do
not steer placement; 8 tokens per node instead of 256; vnodes, not tablets.
"""

import uuid
from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from cassandra import ConsistencyLevel

from sim.scylla.errors import Invalid, Unavailable
from sim.scylla.table import Keyspace, token

TOKENS_PER_NODE = 8
PORT = 9042

LEVELS: dict[int, str] = dict(ConsistencyLevel.value_to_name)
ANY, ONE, TWO, THREE = 0, 1, 2, 3
QUORUM, ALL, LOCAL_QUORUM, EACH_QUORUM = 4, 5, 6, 7
SERIAL, LOCAL_SERIAL, LOCAL_ONE = 8, 9, 10

_COUNTS = {ANY: 1, ONE: 1, TWO: 2, THREE: 3, LOCAL_ONE: 1}


class Peer(NamedTuple):
    """What every node knows of every node."""

    name: str  # of its host
    address: str
    datacenter: str
    rack: str
    host_id: bytes
    tokens: tuple[int, ...]
    port: int = PORT


class Ring:
    """The nodes on the token circle."""

    def __init__(self, peers: tuple[Peer, ...]) -> None:
        self.peers = {peer.name: peer for peer in peers}
        self.datacenters = tuple(sorted({peer.datacenter for peer in peers}))
        self._owners = sorted((token, peer.name) for peer in peers for token in peer.tokens)
        self._tokens = [token for token, _ in self._owners]
        self._cache: dict[tuple[int, object], tuple[str, ...]] = {}

    def __deepcopy__(self, _: object) -> "Ring":
        return self

    def replicas(self, keyspace: Keyspace, at: int) -> tuple[str, ...]:
        """Return the names of the nodes that hold the token `at`, in ring order."""
        start = bisect_left(self._tokens, at) % len(self._tokens)
        cached = (start, keyspace.placement)
        found = self._cache.get(cached)
        if found is None:
            found = self._cache[cached] = self._walk(keyspace, start)
        return found

    def replica_sets(self, keyspace: Keyspace) -> list[tuple[str, ...]]:
        """Return every different set of replicas, each once, in ring order."""
        sets = (self.replicas(keyspace, token) for token in self._tokens)
        return list(dict.fromkeys(tuple(sorted(names)) for names in sets))

    def _walk(self, keyspace: Keyspace, start: int) -> tuple[str, ...]:
        wanted = dict(keyspace.replication)
        found: list[str] = []
        for step in range(len(self._owners)):
            name = self._owners[(start + step) % len(self._owners)][1]
            where = "" if "" in wanted else self.peers[name].datacenter
            if name not in found and wanted.get(where, 0) > 0:
                wanted[where] -= 1
                found.append(name)
        return tuple(found)


def spread(names: list[str]) -> dict[str, tuple[int, ...]]:
    """Return tokens for each node: random-looking, the same for the same names."""
    return {
        name: tuple(token(f"{name}/{number}".encode()) for number in range(TOKENS_PER_NODE))
        for name in names
    }


def host_id(cluster: str, name: str) -> bytes:
    """Return the id of a node, the same for the same names."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, f"{cluster}/{name}").bytes


class Tally:
    """Counts answers towards a consistency level."""

    __slots__ = ("_open", "_ring", "level", "name", "received", "required")

    def __init__(self, level: int, keyspace: Keyspace, local: str, ring: Ring) -> None:
        self.level = level
        self.name = LEVELS[level]
        self._ring = ring
        self._open = _needs(level, keyspace, local)  # datacenter ("": any) -> answers to come
        self.required = sum(self._open.values())
        self.received = 0

    def counts(self, name: str) -> bool:
        """Whether an answer of this replica counts at all."""
        return "" in self._open or self._ring.peers[name].datacenter in self._open

    def add(self, name: str) -> None:
        """Count the answer of a replica."""
        where = "" if "" in self._open else self._ring.peers[name].datacenter
        if where in self._open:
            self.received += 1
            self._open[where] -= 1

    @property
    def met(self) -> bool:
        """Whether the level is reached."""
        return self.received >= self.required and max(self._open.values()) <= 0

    def reachable(self, names: Iterable[str]) -> bool:
        """Whether answers from `names` would still reach the level."""
        missing = dict(self._open)
        for name in names:
            where = "" if "" in missing else self._ring.peers[name].datacenter
            if where in missing:
                missing[where] -= 1
        return all(count <= 0 for count in missing.values())

    def check_alive(self, alive: list[str]) -> None:
        """Raise `Unavailable` if the replicas known to be up cannot reach the level."""
        if not self.reachable(alive):
            counted = sum(map(self.counts, alive))
            raise Unavailable(self.level, self.name, self.required, counted)


def _needs(level: int, keyspace: Keyspace, local: str) -> dict[str, int]:
    factors = keyspace.replication
    simple = "" in factors
    if level in _COUNTS:
        return {"" if level != LOCAL_ONE or simple else local: _COUNTS[level]}
    if level == LOCAL_QUORUM and not simple:
        return {local: factors.get(local, 0) // 2 + 1}
    if level == EACH_QUORUM and not simple:
        return {name: factor // 2 + 1 for name, factor in factors.items()}
    total = sum(factors.values())
    return {"": total if level == ALL else total // 2 + 1}


def check_level(level: int, *, write: bool) -> None:
    """Refuse a level that is none, or none of this kind of request."""
    if level not in LEVELS:
        raise Invalid(f"Unknown consistency level {level}")
    name = LEVELS[level]
    if level in {SERIAL, LOCAL_SERIAL}:
        if write:
            raise Invalid("You must use conditional updates for serializable writes")
        raise Invalid(f"not modelled yet: reads at {name} (lightweight transactions)")
    if level in {ANY, EACH_QUORUM} and not write:
        raise Invalid(f"{name} ConsistencyLevel is only supported for writes")
