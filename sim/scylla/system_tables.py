"""The system tables a driver asks for: local, peers and the schema, made from a node's knowledge.

**Faithful**: release_version 3.0.8 as Scylla reports it, no peers_v2, no virtual tables; a peer's
schema_version is what it told last.
**Different**: where a node has another port than 9042, there are Cassandra's peers_v2 and rpc_port,
the only way to tell drivers of it; of nodes that share an address, system.peers shows one.
**Simplified**: only the tables and columns that drivers read; they are not paged.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from cassandra import cqltypes

from sim.scylla.cql.selects import SelectPlan
from sim.scylla.cql.writes import Mutation
from sim.scylla.errors import Invalid
from sim.scylla.replica import Shelf, living
from sim.scylla.ring import Peer
from sim.scylla.schema import Schema
from sim.scylla.storage import NEVER, Cell
from sim.scylla.system_columns import TABLES, WITH_PORTS
from sim.scylla.table import MAX_TOKEN, MIN_TOKEN, Table, token
from sim.scylla.wire import Rows

RELEASE = "3.0.8"
PARTITIONER = "org.apache.cassandra.dht.Murmur3Partitioner"


@lru_cache(maxsize=64)
def _kept(
    cluster: str,  # noqa: ARG001
    ports: bool,  # noqa: ARG001
    schema: Schema,  # noqa: ARG001
    nodes: tuple[tuple[Peer, bytes], ...],  # noqa: ARG001
) -> tuple[dict[tuple[str, tuple[Any, ...]], Rows], dict[Table, Shelf]]:
    """Return what was answered before by a node that knew just this, in any world."""
    return {}, {}


class SystemTables:
    """Answers of one node; what was answered once is kept until something changes."""

    def __init__(self, cluster: str, *, ports: bool = False) -> None:
        self.cluster = cluster
        self.ports = ports  # whether they differ from node to node
        self._state: tuple[Any, ...] = ()
        self._answers: dict[tuple[str, tuple[Any, ...]], Rows] = {}
        self._shelves: dict[Table, Shelf] = {}

    def __deepcopy__(self, _: object) -> "SystemTables":
        return SystemTables(self.cluster, ports=self.ports)

    def find(self, keyspace: str, name: str) -> Table:
        """Return a system table."""
        table = (WITH_PORTS if self.ports else TABLES).get((keyspace, name))
        if table is None:
            raise Invalid(f"unconfigured table {name}")
        return table

    def answer(
        self,
        text: str,
        plan: SelectPlan,
        parameters: tuple[Any, ...],
        schema: Schema,
        nodes: tuple[tuple[Peer, bytes], ...],
    ) -> Rows:
        """Return the rows of a SELECT; `nodes` are this one and the others, with versions."""
        state = (self.cluster, self.ports, schema, nodes)
        if state != self._state:
            self._state = state
            self._answers, self._shelves = _kept(*state)
        found = self._answers.get((text, parameters))
        if found is None:
            found = self._answers[text, parameters] = self._read(plan, parameters, schema, nodes)
        return found

    def _read(
        self,
        plan: SelectPlan,
        parameters: tuple[Any, ...],
        schema: Schema,
        nodes: tuple[tuple[Peer, bytes], ...],
    ) -> Rows:
        shelf = self._shelves.get(plan.table)
        if shelf is None:
            shelf = self._shelves[plan.table] = _filled(
                plan.table, _rows(plan.table, self.cluster, schema, nodes)
            )
        query = plan.query(parameters)
        low, high = query.tokens or (MIN_TOKEN, MAX_TOKEN)
        scanned = [key for at, key in shelf.order if low <= at <= high]
        keys = query.keys if query.keys is not None else scanned
        rows = []
        for key in keys:
            if key in shelf.partitions:
                update = shelf.partitions[key].read(query.intervals, backwards=query.backwards)
                parts = plan.table.split_key(key)
                rows += [plan.row(parts, row) for row in update[2] if living(row)]
        rows = rows[: query.limit]
        if plan.counting:
            rows = [plan.counted(len(rows))]
        return Rows(plan.outputs, tuple(rows), None, shared=True)


def _filled(table: Table, rows: Iterable[dict[str, Any]]) -> Shelf:
    shelf = Shelf(table)
    for row in rows:
        values = {
            name: bytes(table.by_name[name].type.driver.serialize(value, 4))
            for name, value in row.items()
        }
        key = table.partition_key([values[column.name] for column in table.partition])
        clustering = tuple(values[column.name] for column in table.clustering)
        cells: tuple[tuple[int, Cell], ...] = tuple(
            (column.index, (0, 0, values[column.name]))
            for column in table.regular
            if column.name in values
        )
        update = (NEVER, (), ((clustering, 0, NEVER, cells),))
        shelf.apply(Mutation(table, key, token(key), update), 0)
    return shelf


def _rows(
    table: Table, cluster: str, schema: Schema, nodes: tuple[tuple[Peer, bytes], ...]
) -> Iterator[dict[str, Any]]:
    match table.name:
        case "local":
            yield _local(table, cluster, *nodes[0])
        case "peers" | "peers_v2":
            yield from (_peer(table, peer, version) for peer, version in nodes[1:])
        case "keyspaces":
            for keyspace in schema.keyspaces.values():
                factors = {
                    name or "replication_factor": str(factor)
                    for name, factor in keyspace.replication.items()
                }
                strategy = f"org.apache.cassandra.locator.{keyspace.strategy}"
                yield {
                    "keyspace_name": keyspace.name,
                    "durable_writes": True,
                    "replication": {"class": strategy} | factors,
                }
        case "tables":
            for user_table in _user_tables(schema):
                yield {
                    "keyspace_name": user_table.keyspace,
                    "table_name": user_table.name,
                    "id": _uuid(user_table.id),
                    "flags": ["compound"],
                } | user_table.options
        case "columns":
            for user_table in _user_tables(schema):
                yield from _column_rows(user_table)


def _local(table: Table, cluster: str, peer: Peer, version: bytes) -> dict[str, Any]:
    row = _node(peer, version) | {
        "key": "local",
        "bootstrapped": "COMPLETED",
        "broadcast_address": peer.address,
        "cluster_name": cluster,
        "cql_version": "3.3.1",
        "listen_address": peer.address,
        "native_protocol_version": "4",
        "partitioner": PARTITIONER,
    }
    ports = ("broadcast_port", "listen_port", "rpc_port")
    return row | {name: peer.port for name in ports if name in table.by_name}


def _peer(table: Table, peer: Peer, version: bytes) -> dict[str, Any]:
    row = _node(peer, version) | {"peer": peer.address}
    if table.name == "peers":
        return row
    row["native_address"] = row.pop("rpc_address")
    return row | {"peer_port": peer.port, "native_port": peer.port}


def _node(peer: Peer, version: bytes) -> dict[str, Any]:
    return {
        "data_center": peer.datacenter,
        "rack": peer.rack,
        "host_id": _uuid(peer.host_id),
        "release_version": RELEASE,
        "rpc_address": peer.address,
        "schema_version": _uuid(version),
        "tokens": [str(number) for number in sorted(peer.tokens)],
    }


def _column_rows(table: Table) -> Iterator[dict[str, Any]]:
    for column in table.columns:
        order = "none"
        if column.kind == "clustering":
            order = "desc" if column.descending else "asc"
        yield {
            "keyspace_name": table.keyspace,
            "table_name": table.name,
            "column_name": column.name,
            "clustering_order": order,
            "column_name_bytes": column.name.encode(),
            "kind": column.kind,
            "position": column.position,
            "type": column.type.name,
        }


def _user_tables(schema: Schema) -> Iterator[Table]:
    for keyspace in schema.keyspaces.values():
        yield from keyspace.tables.values()


def _uuid(value: bytes) -> Any:
    return cqltypes.UUIDType.deserialize(value, 4)
