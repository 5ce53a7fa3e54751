"""Bind markers: where each value of a statement comes from, and what the client is told of them."""

from typing import NamedTuple

from sim.scylla.cql.statements import Call, Marker, Term
from sim.scylla.cql.types import CqlType, named
from sim.scylla.errors import Invalid
from sim.scylla.table import Column, Table

UNSET = -1  # stands for protocol v4's "not set" among bound values

Value = bytes | int | None  # serialized, UNSET or null
Parameters = tuple[Value, ...]


class Bound(NamedTuple):
    """What a client is told about one marker."""

    keyspace: str
    table: str
    name: str
    type: CqlType


class Source(NamedTuple):
    """A value of a statement: the marker's number, or `constant` if that is -1."""

    marker: int
    constant: bytes | None
    column: str
    type: CqlType

    def value(self, parameters: Parameters) -> Value:
        """Return the value among `parameters`, checked."""
        if self.marker < 0:
            return self.constant
        value = parameters[self.marker]
        if type(value) is bytes:
            self.type.check(value, self.column)
        return value

    def given(self, parameters: Parameters, what: str = "condition for") -> bytes:
        """Return a value that must be there."""
        value = self.value(parameters)
        if value is None:
            raise Invalid(f"Invalid null value in {what} column {self.column}")
        if isinstance(value, int):
            raise Invalid(f"Invalid unset value for column {self.column}")
        return value


class Markers:
    """Collects the markers of a statement while it is compiled."""

    def __init__(self, table: Table, count: int) -> None:
        self.table = table
        self.bound: list[Bound | None] = [None] * count

    def source(self, term: Term, column: Column) -> Source:
        """Return where the value for `column` comes from."""
        return self.typed(term, column.name, column.type)

    def typed(self, term: Term, name: str, kind: CqlType) -> Source:
        """Return where a value called `name` of a type comes from."""
        if isinstance(term, Call):
            raise Invalid(f"not modelled yet: function {term.function}()")
        if not isinstance(term, Marker):
            return Source(-1, kind.encode(term, name), name, kind)
        shown = term.name or name
        self.bound[term.index] = Bound(self.table.keyspace, self.table.name, shown, kind)
        return Source(term.index, None, name, kind)

    def told(self) -> tuple[Bound, ...]:
        """Return what clients are told of all markers."""
        assert all(bound is not None for bound in self.bound), "a marker nobody asked for"
        return tuple(bound for bound in self.bound if bound is not None)

    def routing(self, sources: list[Source] | None) -> tuple[int, ...]:
        """Return the markers that make the partition key, if markers make all of it."""
        if sources is None or any(source.marker < 0 for source in sources):
            return ()
        return tuple(source.marker for source in sources)


def check_count(parameters: Parameters, markers: int) -> None:
    """Refuse the wrong number of values."""
    if len(parameters) != markers:
        raise Invalid(f"Invalid amount of bind variables: expected {markers} got {len(parameters)}")


def list_items(value: bytes) -> list[bytes]:
    """Return the serialized elements of a serialized list."""
    count, at, items = int.from_bytes(value[:4], "big", signed=True), 4, []
    for _ in range(count):
        size = int.from_bytes(value[at : at + 4], "big", signed=True)
        if size < 0:
            raise Invalid("Invalid null value in condition")
        items.append(value[at + 4 : at + 4 + size])
        at += 4 + size
    return items


BIGINT, INT = named("bigint"), named("int")
