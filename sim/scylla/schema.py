"""The schema of a cluster: keyspaces by name, a version, and how statements change it."""

import hashlib
import uuid
from typing import NamedTuple

from sim.scylla import options
from sim.scylla.cql.statements import (
    CreateKeyspace,
    CreateTable,
    DropKeyspace,
    DropTable,
    Name,
    Statement,
)
from sim.scylla.cql.types import resolve
from sim.scylla.errors import AlreadyExists, Invalid, Unauthorized
from sim.scylla.table import Column, Keyspace, Table

SYSTEM_KEYSPACES = ("system", "system_schema")


class Change(NamedTuple):
    """What a schema change is to clients that listen."""

    what: str  # CREATED or DROPPED
    target: str  # KEYSPACE or TABLE
    keyspace: str
    table: str


class Schema:
    """One version of the schema; a change makes another."""

    __slots__ = ("counter", "keyspaces", "version")

    def __init__(self, counter: int, keyspaces: dict[str, Keyspace]) -> None:
        self.counter = counter
        self.keyspaces = keyspaces
        names = [
            f"{keyspace.name}.{table.name}.{table.id.hex()}"
            for keyspace in keyspaces.values()
            for table in keyspace.tables.values()
        ]
        text = "|".join([str(counter), *sorted(keyspaces), *sorted(names)])
        digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
        self.version = uuid.UUID(bytes=digest, version=3)

    def __deepcopy__(self, _: object) -> "Schema":
        return self

    def table(self, name: Name, default: str | None) -> Table:
        """Return a table, or refuse the name as a node does."""
        keyspace = self.keyspace(name.keyspace or default)
        found = keyspace.tables.get(name.table)
        if found is None:
            raise Invalid(f"unconfigured table {name.table}")
        return found

    def keyspace(self, name: str | None) -> Keyspace:
        """Return a keyspace, or refuse the name as a node does."""
        if name is None:
            raise Invalid(
                "No keyspace has been specified. USE a keyspace, or explicitly specify "
                "keyspace.tablename"
            )
        found = self.keyspaces.get(name)
        if found is None:
            raise Invalid(f"Keyspace '{name}' does not exist")
        return found

    def changed(
        self, statement: Statement, default: str | None, datacenters: tuple[str, ...]
    ) -> tuple["Schema", Change | None]:
        """Return the schema after a CREATE or DROP, and the change; None if there was none."""
        match statement:
            case CreateKeyspace():
                return self._create_keyspace(statement, datacenters)
            case CreateTable():
                return self._create_table(statement, default)
            case DropKeyspace():
                return self._drop_keyspace(statement)
            case DropTable():
                return self._drop_table(statement, default)
        raise AssertionError(f"no schema change: {statement}")

    def _with(self, keyspace: Keyspace) -> "Schema":
        return Schema(self.counter + 1, self.keyspaces | {keyspace.name: keyspace})

    def _create_keyspace(
        self, statement: CreateKeyspace, datacenters: tuple[str, ...]
    ) -> tuple["Schema", Change | None]:
        name = statement.name
        strategy, factors = options.replication(statement.properties, datacenters)
        if name in SYSTEM_KEYSPACES:
            raise Unauthorized("system keyspace is not user-modifiable")
        if name in self.keyspaces:
            if statement.if_not_exists:
                return self, None
            raise AlreadyExists(name, "")
        return self._with(Keyspace(name, strategy, factors)), Change(
            "CREATED", "KEYSPACE", name, ""
        )

    def _drop_keyspace(self, statement: DropKeyspace) -> tuple["Schema", Change | None]:
        name = statement.name
        if name in SYSTEM_KEYSPACES:
            raise Unauthorized("system keyspace is not user-modifiable")
        if name not in self.keyspaces:
            if statement.if_exists:
                return self, None
            raise Invalid(f"Cannot drop non existing keyspace '{name}'.")
        kept = {key: value for key, value in self.keyspaces.items() if key != name}
        return Schema(self.counter + 1, kept), Change("DROPPED", "KEYSPACE", name, "")

    def _create_table(
        self, statement: CreateTable, default: str | None
    ) -> tuple["Schema", Change | None]:
        name = statement.name.table
        if (statement.name.keyspace or default) in SYSTEM_KEYSPACES:
            raise Unauthorized("system keyspace is not user-modifiable")
        keyspace = self.keyspace(statement.name.keyspace or default)
        seed = f"{keyspace.name}.{name}@{self.counter + 1}"
        table_id = hashlib.md5(seed.encode(), usedforsecurity=False).digest()
        table = Table(
            keyspace.name,
            name,
            _columns(statement),
            options.table_options(statement.properties),
            table_id,
        )
        if name in keyspace.tables:
            if statement.if_not_exists:
                return self, None
            raise AlreadyExists(keyspace.name, name)
        grown = keyspace.with_tables(keyspace.tables | {name: table})
        return self._with(grown), Change("CREATED", "TABLE", keyspace.name, name)

    def _drop_table(
        self, statement: DropTable, default: str | None
    ) -> tuple["Schema", Change | None]:
        name = statement.name
        found = self.keyspaces.get(name.keyspace or default or "")
        if found is None or name.table not in found.tables:
            if statement.if_exists:
                return self, None
            raise Invalid(f"Cannot drop non existing table '{name.table}'.")
        kept = {key: value for key, value in found.tables.items() if key != name.table}
        return self._with(found.with_tables(kept)), Change(
            "DROPPED", "TABLE", found.name, name.table
        )


NOTHING = Schema(0, {})  # what a cluster begins with


def _columns(statement: CreateTable) -> list[Column]:
    types = {}
    for name, type_name in statement.columns:
        if name in types:
            raise Invalid(f"Multiple definition of identifier {name}")
        types[name] = resolve(type_name)
    keys = [*statement.partition_key, *statement.clustering_key]
    for name in keys:
        if name not in types:
            raise Invalid(f"Unknown definition {name} referenced in PRIMARY KEY")
        if keys.count(name) > 1:
            raise Invalid(f"Key column {name} is used twice in PRIMARY KEY")
    ordering = dict(statement.ordering)
    if ordering and tuple(ordering) != statement.clustering_key[: len(ordering)]:
        raise Invalid("The order of columns in CLUSTERING ORDER must be the one of the key")
    columns = [
        Column(name, types[name], "partition_key", position)
        for position, name in enumerate(statement.partition_key)
    ]
    columns += [
        Column(name, types[name], "clustering", position, descending=ordering.get(name, False))
        for position, name in enumerate(statement.clustering_key)
    ]
    columns += [Column(name, types[name], "regular", -1) for name in types if name not in keys]
    return columns
