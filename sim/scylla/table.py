"""Tables, columns and keyspaces: what a schema is made of. All of them never change once made.

A table keeps the plans of statements on it; like itself they are the same for all nodes and worlds.
"""

from typing import Any, TypeVar

from cassandra.metadata import murmur3

from sim.scylla.cql.types import CqlType

MIN_TOKEN, MAX_TOKEN = -(2**63), 2**63 - 1

_PLANS = 1000  # kept of one table; texts with literals in them are many

Plan = TypeVar("Plan")

Key = tuple[bytes, ...]  # the clustering columns of a row, serialized


class Column:
    """One column. `index` numbers the regular columns of a table by name; keys have -1."""

    __slots__ = ("descending", "index", "kind", "name", "position", "type")

    def __init__(
        self, name: str, type_: CqlType, kind: str, position: int, *, descending: bool = False
    ) -> None:
        self.name = name
        self.type = type_
        self.kind = kind  # as in system_schema: partition_key, clustering, regular
        self.position = position
        self.descending = descending
        self.index = -1


class Table:
    """One table: its columns in the order of ``SELECT *``, and how its keys are built."""

    __slots__ = (
        "by_name",
        "clustering",
        "columns",
        "full_name",
        "id",
        "keyspace",
        "name",
        "options",
        "partition",
        "plans",
        "regular",
        "simple_key",
    )

    def __init__(
        self,
        keyspace: str,
        name: str,
        columns: list[Column],
        options: dict[str, Any],
        table_id: bytes,
    ) -> None:
        self.keyspace = keyspace
        self.name = name
        self.full_name = f"{keyspace}.{name}"
        self.id = table_id
        self.options = options
        self.partition = _of_kind(columns, "partition_key")
        self.clustering = _of_kind(columns, "clustering")
        self.regular = sorted(_of_kind(columns, "regular"), key=lambda column: column.name)
        for index, column in enumerate(self.regular):
            column.index = index
        self.columns = [*self.partition, *self.clustering, *self.regular]
        self.by_name = {column.name: column for column in self.columns}
        self.plans: dict[str, Any] = {}  # text of a statement -> what it was compiled to
        # Most tables have one ascending or descending clustering column of an integer type.
        self.simple_key = all(not column.descending for column in self.clustering)

    def __deepcopy__(self, _: object) -> "Table":
        return self

    def keep(self, text: str, plan: Plan) -> Plan:
        """Keep and return what a statement was compiled to."""
        if len(self.plans) >= _PLANS:
            self.plans.clear()
        self.plans[text] = plan
        return plan

    def partition_key(self, parts: list[bytes]) -> bytes:
        """Return the bytes of a partition key, as they are hashed and stored."""
        if len(parts) == 1:
            return parts[0]
        return b"".join(len(part).to_bytes(2, "big") + part + b"\0" for part in parts)

    def split_key(self, key: bytes) -> list[bytes]:
        """Return the columns of a partition key."""
        if len(self.partition) == 1:
            return [key]
        parts = []
        while key:
            size = int.from_bytes(key[:2], "big")
            parts.append(key[2 : 2 + size])
            key = key[3 + size :]
        return parts

    def order(self, key: Key) -> tuple[Any, ...]:
        """Return what sorts rows of one partition; works for prefixes of keys, too."""
        if self.simple_key:
            return tuple(
                [
                    column.type.order_key(value)
                    for column, value in zip(self.clustering, key, strict=False)
                ]
            )
        return tuple(
            [
                _descending(column.type.order_key(value))
                if column.descending
                else column.type.order_key(value)
                for column, value in zip(self.clustering, key, strict=False)
            ]
        )


class Keyspace:
    """One keyspace: a replication strategy and tables."""

    __slots__ = ("name", "placement", "replication", "strategy", "tables")

    def __init__(self, name: str, strategy: str, replication: dict[str, int]) -> None:
        self.name = name
        self.strategy = strategy  # SimpleStrategy or NetworkTopologyStrategy
        self.replication = replication  # "" -> factor, or datacenter -> factor
        self.placement = strategy, tuple(replication.items())
        self.tables: dict[str, Table] = {}

    def __deepcopy__(self, _: object) -> "Keyspace":
        return self

    def with_tables(self, tables: dict[str, Table]) -> "Keyspace":
        """Return the same keyspace with other tables."""
        other = Keyspace(self.name, self.strategy, self.replication)
        other.tables = tables
        return other


def token(key: bytes) -> int:
    """Return the Murmur3Partitioner's token of a partition key."""
    hashed: int = murmur3(key)
    return hashed if hashed != MIN_TOKEN else MAX_TOKEN


class _Descending:
    """Turns an order around, for values that cannot be negated."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: "_Descending") -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and bool(other.value == self.value)

    def __hash__(self) -> int:
        raise TypeError("sort keys are not hashed")


def _descending(value: Any) -> Any:
    return -value if type(value) is int else _Descending(value)


def _of_kind(columns: list[Column], kind: str) -> list[Column]:
    return sorted(
        (column for column in columns if column.kind == kind), key=lambda column: column.position
    )
