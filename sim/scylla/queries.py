"""SELECTs under way: one or several reads, put together to a page of rows.

**Faithful**: a full page comes with a paging state even if nothing follows (an empty last page is
legal); a paging state holds a position and works on any node, also after a restart.
**Simplified**: pages are cut by rows, not also at 1 MB; all partitions of an IN are read at once.
"""

from collections.abc import Iterator

import msgspec

from sim.scylla.cql.selects import UNLIMITED, Cells, Query, SelectPlan
from sim.scylla.errors import CqlError, Invalid, ProtocolFault
from sim.scylla.parts import Parts
from sim.scylla.peers import Fetch, Partitions, Position
from sim.scylla.reads import Read, Reads
from sim.scylla.replica import living
from sim.scylla.ring import Tally, check_level
from sim.scylla.storage import RowUpdate
from sim.scylla.table import Keyspace, token
from sim.scylla.wire import Failure, Request, Rows


class _Paging(msgspec.Struct, array_like=True):
    """What a paging state says."""

    key: bytes
    row: list[bytes]
    left: int


class _Running:
    """One SELECT."""

    __slots__ = ("connection", "found", "left", "missing", "page", "paged", "plan", "stream")

    def __init__(self, connection: int, request: Request, plan: SelectPlan, left: int) -> None:
        self.connection = connection
        self.stream = request.stream
        self.plan = plan
        self.left = left  # rows to send in all
        self.paged = bool(request.page_size and request.page_size > 0) and not plan.counting
        self.page = min(left, request.page_size or left) if self.paged else left
        self.found: list[Partitions] = []
        self.missing = 0


class Queries:
    """The SELECTs that one node coordinates."""

    def __init__(self, parts: Parts, reads: Reads) -> None:
        self.parts = parts
        self.reads = reads
        self.running: dict[int, _Running] = {}

    def begin(
        self, connection: int, request: Request, plan: SelectPlan, keyspace: Keyspace
    ) -> None:
        """Start to read what a statement asks for."""
        parts = self.parts
        check_level(request.level, write=False)
        query = plan.query(request.parameters)
        left, start = query.limit, None
        if request.paging_state is not None:
            left, start = _position(request.paging_state)
        running = _Running(connection, request, plan, left)
        limit = 0 if plan.counting or running.page == UNLIMITED else running.page
        fetches = list(self._fetches(plan, query, keyspace, limit, start))
        if not fetches:
            nothing = (plan.counted(0),) if plan.counting else ()
            parts.reply(connection, request.stream, Rows(plan.outputs, nothing, None))
            return
        id_ = parts.machinery.new_id()
        self.running[id_] = running
        running.found = [()] * len(fetches)
        running.missing = len(fetches)
        try:
            for part, (fetch, replicas) in enumerate(fetches):
                tally = Tally(request.level, keyspace, parts.me.datacenter, parts.ring)
                self.reads.begin(Read(id_, part, fetch, tally), replicas)
        except CqlError:
            self.running.pop(id_, None)
            raise

    def _fetches(
        self,
        plan: SelectPlan,
        query: Query,
        keyspace: Keyspace,
        limit: int,
        start: Position | None,
    ) -> Iterator[tuple[Fetch, tuple[str, ...]]]:
        ring = self.parts.ring
        if query.keys is None:
            for members in ring.replica_sets(keyspace):
                yield (
                    Fetch(
                        plan.table,
                        None,
                        query.intervals,
                        limit,
                        keyspace=keyspace,
                        members=members,
                        start=start,
                        tokens=query.tokens,
                    ),
                    members,
                )
            return
        keys = query.keys
        if start is not None:
            if start[1] not in keys:
                raise Invalid("Invalid value for the paging state")
            keys = keys[keys.index(start[1]) :]
        for key in keys:
            beyond = start if start is not None and key == start[1] else None
            fetch = Fetch(
                plan.table, key, query.intervals, limit, backwards=query.backwards, start=beyond
            )
            yield fetch, ring.replicas(keyspace, token(key))

    def done(self, query: int, part: int, partitions: Partitions) -> None:
        """Take what one read found; answer when it was the last."""
        running = self.running.get(query)
        if running is None:
            return
        running.found[part] = partitions
        running.missing -= 1
        if not running.missing:
            del self.running[query]
            self.parts.reply(running.connection, running.stream, _result(running))

    def failed(self, query: int, error: CqlError) -> None:
        """End a SELECT, one of whose reads failed."""
        running = self.running.pop(query, None)
        if running is not None:
            self.parts.reply(running.connection, running.stream, Failure(error))


def _result(running: _Running) -> Rows:
    plan = running.plan
    if plan.counting:
        counted = plan.counted(sum(1 for _ in _living(running)))
        return Rows(plan.outputs, (counted,), None)
    rows: list[Cells] = []
    key, parts = b"", [b""]
    last: tuple[bytes, RowUpdate] | None = None
    for partition, row in _living(running):
        if last is None or partition != key:
            key, parts = partition, plan.table.split_key(partition)
        rows.append(plan.row(parts, row))
        last = partition, row
        if len(rows) == running.page:
            break
    state = None
    if running.paged and last is not None and len(rows) == running.page < running.left:
        paging = _Paging(last[0], list(last[1][0]), running.left - len(rows))
        state = msgspec.msgpack.encode(paging)
    return Rows(plan.outputs, tuple(rows), state)


def _living(running: _Running) -> Iterator[tuple[bytes, RowUpdate]]:
    found = [partition for partitions in running.found for partition in partitions]
    if len(running.found) > 1 and any(len(partitions) > 1 for partitions in running.found):
        found.sort(key=lambda partition: (token(partition[0]), partition[0]))  # a scan's parts
    for key, update in found:
        for row in update[2]:
            if living(row):
                yield key, row


def _position(state: bytes) -> tuple[int, Position]:
    try:
        paging = msgspec.msgpack.decode(state, type=_Paging)
    except msgspec.MsgspecError as error:
        raise ProtocolFault("Invalid value for the paging state") from error
    return paging.left, (token(paging.key), paging.key, tuple(paging.row))
