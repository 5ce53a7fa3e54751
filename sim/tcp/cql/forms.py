"""Plain forms: what nodes tell each other and write to disk, as MessagePack.

Rows come back as the nested tuples they were, so that digests of equal rows are equal on all nodes.
A schema comes back with the very tables that are known already; who holds one of them keeps it.
"""

import uuid
from typing import Any

import msgspec

from sim.scylla.cql.types import named
from sim.scylla.cql.writes import Mutation
from sim.scylla.schema import Change, Schema
from sim.scylla.storage import Update
from sim.scylla.table import Column, Keyspace, Table, token


class UnknownTable(Exception):
    """A table that was dropped, or is not known here yet."""


class Form(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Something in its plain form."""


class MutationForm(Form, frozen=True):
    """A write to one partition."""

    table: bytes
    key: bytes
    update: Update


class ColumnForm(Form, frozen=True):
    """A column."""

    name: str
    type: str
    kind: str
    position: int
    descending: bool


class TableForm(Form, frozen=True):
    """A table."""

    keyspace: str
    name: str
    id: bytes
    columns: tuple[ColumnForm, ...]
    options: dict[str, Any]


class KeyspaceForm(Form, frozen=True):
    """A keyspace."""

    name: str
    strategy: str
    replication: dict[str, int]
    tables: tuple[TableForm, ...]


class SchemaForm(Form, frozen=True):
    """A version of the schema."""

    version: bytes
    counter: int
    keyspaces: tuple[KeyspaceForm, ...]


class ChangeForm(Form, frozen=True):
    """What a schema change is to clients."""

    what: str
    target: str
    keyspace: str
    table: str


def of_mutation(mutation: Mutation) -> MutationForm:
    """Return the plain form of a write."""
    return MutationForm(mutation.table.id, mutation.key, mutation.update)


def of_schema(schema: Schema) -> SchemaForm:
    """Return the plain form of a schema."""
    return SchemaForm(
        schema.version.bytes,
        schema.counter,
        tuple(
            KeyspaceForm(
                keyspace.name,
                keyspace.strategy,
                keyspace.replication,
                tuple(map(_of_table, keyspace.tables.values())),
            )
            for keyspace in schema.keyspaces.values()
        ),
    )


def _of_table(table: Table) -> TableForm:
    columns = tuple(
        ColumnForm(column.name, column.type.name, column.kind, column.position, column.descending)
        for column in table.columns
    )
    return TableForm(table.keyspace, table.name, table.id, columns, table.options)


def of_change(change: Change | None) -> ChangeForm | None:
    """Return the plain form of a change."""
    return None if change is None else ChangeForm(*change)


class Tables:
    """The tables of a schema by their ids."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.by_id = {
            table.id: table
            for keyspace in schema.keyspaces.values()
            for table in keyspace.tables.values()
        }

    def find(self, table_id: bytes) -> Table:
        """Return a table, or raise `UnknownTable`."""
        table = self.by_id.get(table_id)
        if table is None:
            raise UnknownTable(table_id.hex())
        return table

    def mutation(self, form: MutationForm) -> Mutation:
        """Return the write of a plain form."""
        return Mutation(self.find(form.table), form.key, token(form.key), form.update)

    def schema_of(self, form: SchemaForm) -> Schema:
        """Return the schema of a plain form."""
        if form.version == self.schema.version.bytes:
            return self.schema
        keyspaces = {}
        for plain in form.keyspaces:
            keyspace = Keyspace(plain.name, plain.strategy, plain.replication)
            tables = {table.name: self._table(table) for table in plain.tables}
            keyspaces[plain.name] = keyspace.with_tables(tables)
        schema = Schema(form.counter, keyspaces)
        schema.version = uuid.UUID(bytes=form.version)
        return schema

    def _table(self, form: TableForm) -> Table:
        known = self.by_id.get(form.id)
        if known is not None and _of_table(known) == form:
            return known
        columns = [
            Column(
                column.name,
                named(column.type),
                column.kind,
                column.position,
                descending=column.descending,
            )
            for column in form.columns
        ]
        return Table(form.keyspace, form.name, columns, form.options, form.id)
