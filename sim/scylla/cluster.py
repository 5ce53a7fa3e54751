"""A cluster: nodes made together, a schema given to all of them at once, evidence from all of them.

This is for harnesses and checkers; programs talk to the nodes over the network.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sim.scylla.cql import parser
from sim.scylla.cql.statements import CreateKeyspace, CreateTable, Use
from sim.scylla.node import Node
from sim.scylla.peers import Partitions
from sim.scylla.replica import Store, SyncMode, living
from sim.scylla.ring import PORT, Peer, Ring, host_id, spread
from sim.scylla.schema import Schema
from sim.scylla.storage import EVERYTHING, MARKER, NEVER, Partition, Row, merged
from sim.scylla.table import Key, Table


class Evidence(NamedTuple):
    """A row as it is in the end, and what is known of how it came to be.

    `durable` is, per column that is written ("" is the row marker), since when a majority of its
    replicas holds the value it has (by `Cluster.clock`; not each column on the same majority);
    None if fewer do.
    `overwrites` counts writes that changed a living cell.
    """

    values: dict[str, Any]
    written_us: int  # the highest timestamp of its cells and its marker
    durable: dict[str, int | None]
    overwrites: int

    @property
    def durable_ns(self) -> int | None:
        """Since when every part of it is held by a majority; None if some part never was."""
        times = [at for at in self.durable.values() if at is not None]
        return max(times) if len(times) == len(self.durable) else None


class Cluster:
    """Nodes by the names of their hosts."""

    def __init__(
        self,
        addresses: Mapping[str, str],
        *,
        name: str = "wavetank",
        datacenters: Mapping[str, str] | None = None,
        commitlog_sync: SyncMode = "batch",
    ) -> None:
        tokens = spread(list(addresses))
        where = datacenters or {}
        self.ring = Ring(
            tuple(
                Peer(
                    host,
                    address,
                    where.get(host, "datacenter1"),
                    "rack1",
                    host_id(name, host),
                    tokens[host],
                )
                for host, address in addresses.items()
            )
        )
        self.nodes = {host: Node(host, self.ring, name, commitlog_sync) for host in addresses}

    def observe(self, clock: Callable[[], int]) -> None:
        """Let evidence carry times of `clock` instead of the nodes' own clocks."""
        for node in self.nodes.values():
            node.clock = clock

    def peers(self) -> dict[str, tuple[str, int, str]]:
        """Return where `sim.host.Server.peers` finds each node: host, port, kind of connection."""
        return {host: (host, PORT, "node") for host in self.nodes}

    def execute_schema(self, script: str) -> None:
        """Apply the CREATE statements of a script on all nodes, before they start."""
        first = next(iter(self.nodes.values()))
        schema = _schema(first.schema, script, self.ring.datacenters)
        for node in self.nodes.values():
            node.schema = schema

    def table(self, name: str) -> Table:
        """Return the table called ``keyspace.table``."""
        keyspace, _, table = name.partition(".")
        schemas = [node.schema for node in self.nodes.values()]
        newest = max(schemas, key=lambda schema: schema.counter)
        return newest.keyspaces[keyspace].tables[table]

    def rows(self, name: str) -> list[Evidence]:
        """Return the rows of ``keyspace.table`` merged from all nodes, in ring order."""
        return self._rows(self.table(name), list(self.nodes))

    def node_rows(self, name: str, host: str) -> list[Evidence]:
        """Return the rows of ``keyspace.table`` as one node has them."""
        return self._rows(self.table(name), [host])

    def forget(self) -> None:
        """Let all rows go: most of a world's memory, and nothing that the collector must untie."""
        for node in self.nodes.values():
            node.replica.store = node.replica.durable = Store()

    def _rows(self, table: Table, hosts: list[str]) -> list[Evidence]:
        held: dict[tuple[int, bytes], list[Partition]] = {}
        for host in hosts:
            shelf = self.nodes[host].replica.store.shelves.get(table.id)
            for at, key in shelf.order if shelf is not None else ():
                assert shelf is not None
                held.setdefault((at, key), []).append(shelf.partitions[key])
        found = []
        for (_, key), partitions in sorted(held.items(), key=lambda item: item[0]):
            whole = _whole(partitions)
            for _, row_key in whole.order:
                row = whole.rows[row_key]
                if row.living:
                    copies = [p.rows[row_key] for p in partitions if row_key in p.rows]
                    found.append(self._evidence(table, key, row, copies))
        return found

    def _evidence(self, table: Table, key: bytes, row: Row, copies: list[Row]) -> Evidence:
        parts = [*table.split_key(key), *row.key]
        keys = [*table.partition, *table.clustering]
        values = {
            column.name: column.type.driver.deserialize(part, 4)
            for column, part in zip(keys, parts, strict=True)
        }
        for column in table.regular:
            cell = row.cells.get(column.index)
            dead = cell is None or cell[1]
            values[column.name] = None if dead else column.type.driver.deserialize(cell[2], 4)  # type: ignore[index]
        keyspace = self._keyspace(table)
        majority = sum(keyspace.values()) // 2 + 1
        durable = _durable(table, row, copies, majority)
        return Evidence(
            values,
            max([row.marker, *(cell[0] for cell in row.cells.values())]),
            durable,
            max((copy.overwrites for copy in copies), default=0),
        )

    def _keyspace(self, table: Table) -> dict[str, int]:
        for node in self.nodes.values():
            if table.keyspace in node.schema.keyspaces:
                return node.schema.keyspaces[table.keyspace].replication
        return {"": 1}


def _durable(table: Table, row: Row, copies: list[Row], majority: int) -> dict[str, int | None]:
    """Return per column since when a majority of the replicas holds what counts."""
    names = [table.regular[index].name for index in row.cells]
    if row.marker > NEVER:
        names.append("")
    content = row.update()
    if all(len(set(copy.since.values())) == 1 and copy.update() == content for copy in copies):
        times = sorted(next(iter(copy.since.values())) for copy in copies)  # written at one time
        return dict.fromkeys(names, times[majority - 1] if len(times) >= majority else None)
    durable = {
        table.regular[index].name: _since(
            [copy for copy in copies if _same(copy, row, index)], index, majority
        )
        for index in row.cells
    }
    if row.marker > NEVER:
        durable[""] = _since([copy for copy in copies if copy.marker > NEVER], MARKER, majority)
    return durable


def _same(copy: Row, row: Row, index: int) -> bool:
    """Whether a replica's cell has the value that counts; a later write of it changes nothing."""
    cell, counts = copy.cells.get(index), row.cells[index]
    return cell is counts or (cell is not None and cell[1:] == counts[1:])


def _since(copies: list[Row], index: int, majority: int) -> int | None:
    times = sorted(copy.since[index] for copy in copies)
    return times[majority - 1] if len(times) >= majority else None


def _whole(partitions: list[Partition]) -> Partition:
    """Return what the copies of a partition make together: mostly they are equal."""
    first, *others = partitions
    content = first.everything()
    updates = [partition.everything() for partition in others]
    if all(update == content for update in updates):
        return first
    return merged(first.table, first.key, [content, *updates])


@lru_cache(maxsize=100)
def _schema(schema: Schema, script: str, datacenters: tuple[str, ...]) -> Schema:
    """Return what a script makes of a schema, which never changes: worlds may share the result."""
    keyspace: str | None = None
    for text in parser.split(script):
        statement = parser.parse(text)
        if isinstance(statement, Use):
            keyspace = statement.keyspace
        elif isinstance(statement, (CreateKeyspace, CreateTable)):
            schema, _ = schema.changed(statement, keyspace, datacenters)
        else:
            raise TypeError(f"a schema holds CREATE and USE, not: {text[:60]}")
    return schema


__all__ = ["EVERYTHING", "Cluster", "Evidence", "Key", "Partitions", "living"]
