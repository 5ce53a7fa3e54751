"""A replica: the partitions one node stores, behind a commit log.

**Faithful**: with ``batch`` a write is applied and acknowledged only after its commit log entry
was synced, so what anybody saw survives power loss; with ``periodic`` (Scylla's own default, every
10 s) it is acknowledged at once, while its entry waits in a buffer of the process that goes to the
page cache when it holds 128 KiB (db/commitlog/commitlog.cc) or at the sync. A process crash takes
the acknowledged writes that are still in the buffer, a power loss all since the last sync.
**Simplified**: the log is not made of bytes on the simulated disk: no torn or corrupt segments, no
disk-full; replay takes no time; a sync takes `sync_ns`, 0 by default.
"""

import copy
from bisect import bisect_left, insort
from typing import Literal

from sim.scylla.cql.writes import Mutation
from sim.scylla.peers import Fetch, Found, Partitions
from sim.scylla.ring import Ring
from sim.scylla.storage import NOTHING, Partition, RowUpdate, digest
from sim.scylla.table import MAX_TOKEN, MIN_TOKEN, Table

BUFFER_BYTES = 128 * 1024

SyncMode = Literal["batch", "periodic"]
Origin = tuple[int, int]  # connection (0: this node itself) and id of who waits for the write


class Shelf:
    """All partitions of one table on one node, by key and in token order."""

    __slots__ = ("order", "partitions", "table")

    def __init__(self, table: Table) -> None:
        self.table = table
        self.partitions: dict[bytes, Partition] = {}
        self.order: list[tuple[int, bytes]] = []

    def apply(self, mutation: Mutation, now_ns: int) -> bool:
        """Take in a mutation; True if it changed anything."""
        partition = self.partitions.get(mutation.key)
        if partition is None:
            partition = Partition(self.table, mutation.key, mutation.token)
            self.partitions[mutation.key] = partition
            insort(self.order, (mutation.token, mutation.key))
        return partition.apply(mutation.update, now_ns)


class Store:
    """Tables by id."""

    __slots__ = ("shelves",)

    def __init__(self) -> None:
        self.shelves: dict[bytes, Shelf] = {}

    def apply(self, mutation: Mutation, now_ns: int) -> bool:
        """Take in a mutation; True if it changed anything."""
        shelf = self.shelves.get(mutation.table.id)
        if shelf is None:
            shelf = self.shelves[mutation.table.id] = Shelf(mutation.table)
        return shelf.apply(mutation, now_ns)


class Replica:
    """What one node stores; `store` is what it answers from, `durable` what a power loss leaves."""

    def __init__(self, ring: Ring, mode: SyncMode) -> None:
        self.ring = ring
        self.mode = mode
        self.sync_ns = 0
        self.store = Store()
        self.durable = self.store if mode == "batch" else Store()
        self.unsynced: list[Mutation] = []  # periodic: acknowledged, not yet synced
        self._written = 0  # periodic: how many of the unsynced are in the page cache
        self._buffered = 0  # periodic: bytes that are not
        self.waiting: list[tuple[Mutation, Origin]] = []  # batch: for the next sync
        self.syncing: list[tuple[Mutation, Origin]] = []  # batch: in the sync under way

    def apply(self, mutation: Mutation, now_ns: int) -> bool:
        """Store a mutation; True if it changed anything."""
        if self.mode == "periodic":
            self._log(mutation)
        return self.store.apply(mutation, now_ns)

    def _log(self, mutation: Mutation) -> None:
        self.unsynced.append(mutation)
        self._buffered += len(mutation.packed())
        if self._buffered >= BUFFER_BYTES:
            self._written, self._buffered = len(self.unsynced), 0

    def sync(self) -> None:
        """Periodic: make durable what was acknowledged since the last time."""
        unsynced, self.unsynced = self.unsynced, []
        self._written = self._buffered = 0
        for mutation in unsynced:
            self.durable.apply(mutation, 0)

    def drop(self, table_id: bytes) -> None:
        """Forget a table's rows for good (DROP, TRUNCATE)."""
        self.sync()
        self.store.shelves.pop(table_id, None)
        self.durable.shelves.pop(table_id, None)

    def crashed(self, *, power_loss: bool) -> None:
        """Lose what was in flight, and what neither a sync nor the page cache has kept."""
        going, self.syncing, self.waiting = [*self.syncing, *self.waiting], [], []
        if self.mode == "periodic":
            self._forget(keep=0 if power_loss else self._written)
        elif not power_loss:
            for mutation, _ in going:  # never acknowledged, yet in the log
                self.apply(mutation, 0)

    def _forget(self, keep: int) -> None:
        """Go back to what was synced and the first `keep` writes after that."""
        kept = self.unsynced[:keep]
        if keep == len(self.unsynced) and not self._buffered:
            return
        self.unsynced, self._buffered = kept, 0
        self.store = copy.deepcopy(self.durable)
        for mutation in kept:
            self.store.apply(mutation, 0)

    def read(self, fetch: Fetch) -> Found:
        """Answer a read."""
        partitions = self._scan(fetch) if fetch.key is None else self._one(fetch, fetch.key)
        return Found(digest(partitions), None if fetch.digest_only else partitions)

    def _one(self, fetch: Fetch, key: bytes) -> Partitions:
        shelf = self.store.shelves.get(fetch.table.id)
        partition = shelf.partitions.get(key) if shelf is not None else None
        if partition is None:
            return ((key, NOTHING),)
        beyond = fetch.start[2] if fetch.start is not None else None
        rows = partition.read(
            fetch.intervals, fetch.limit, backwards=fetch.backwards, beyond=beyond
        )
        return ((key, rows),)

    def _scan(self, fetch: Fetch) -> Partitions:
        shelf = self.store.shelves.get(fetch.table.id)
        if shelf is None:
            return ()
        first = 0 if fetch.start is None else bisect_left(shelf.order, fetch.start[:2])
        low, high = fetch.tokens or (MIN_TOKEN, MAX_TOKEN)
        first = max(first, bisect_left(shelf.order, (low, b"")))
        left = fetch.limit
        found = []
        for at, key in shelf.order[first:]:
            if at > high:
                break
            if not self._belongs(fetch, at):
                continue
            beyond = fetch.start[2] if fetch.start is not None and key == fetch.start[1] else None
            update = shelf.partitions[key].read(fetch.intervals, left, beyond=beyond)
            found.append((key, update))
            left -= sum(map(living, update[2]))
            if fetch.limit and left <= 0:
                break
        return tuple(found)

    def _belongs(self, fetch: Fetch, at: int) -> bool:
        if not fetch.members or fetch.keyspace is None:
            return True
        return tuple(sorted(self.ring.replicas(fetch.keyspace, at))) == fetch.members


def living(row: RowUpdate) -> bool:
    """Whether readers see a row."""
    return row[1] > -(2**63) or any(not cell[1] for _, cell in row[3])
